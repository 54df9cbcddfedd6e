//! Charts of a report: what happened when, in the first run of each design.

use super::paragraph;
use crate::base::time::Span;
use crate::base::words::{count, real, span};
use crate::faces::drawing::lines::{Chart, POINTS, Strand};
use crate::results::{Report, RunReport, Series, SeriesRow, VariantReport};

/// What a row of the series says.
type Value = fn(&SeriesRow) -> Option<f64>;

/// Lost carts, open carts and imbalance over time.
pub(super) fn over_time(report: &Report) -> String {
    let complete = report.variants.iter().filter_map(|variant| {
        let run = variant.runs.first().filter(|run| run.cut_at.is_none())?;
        Some((variant, run))
    });
    let all: Vec<(&VariantReport, &RunReport, Series)> =
        complete.map(|(variant, run)| (variant, run, run.series.folded(POINTS))).collect();
    if all.is_empty() {
        return String::new();
    }
    let window = all.iter().map(|(.., series)| series.window).max().unwrap_or(Span::ZERO);
    let each = if window == Span::from_secs(1) { "second".to_owned() } else { span(window) };
    let chart = |title: String, base: f64, print: fn(f64) -> String, value: Value| {
        let strand = |(variant, run, series): &(&VariantReport, &RunReport, Series)| Strand {
            design: variant.number,
            values: series.rows.iter().map(value).collect(),
            window: series.window,
            marks: run.strikes.iter().map(|strike| strike.at.since_start()).collect(),
        };
        Chart { title, base, print, strands: all.iter().map(strand).collect() }
    };
    #[expect(clippy::cast_precision_loss, reason = "numbers of carts")]
    let charts = [
        chart(format!("Carts lost, each {each}"), 0.0, count, |row| Some(row.lost_carts as f64)),
        chart("Carts open".into(), 0.0, count, |row| Some(row.open_carts as f64)),
        chart(format!("Busiest server x mean, each {each}"), 1.0, real, SeriesRow::imbalance),
    ];
    let drawn: Vec<String> = charts
        .iter()
        .enumerate()
        .filter_map(|(at, chart)| Some(chart.draw(&format!("chart-{}", at + 1), chart.most()?)))
        .collect();
    let several = report.variants.iter().any(|variant| variant.runs.len() > 1);
    let which = if several { " This is the first run of each." } else { "" };
    let words = format!("A strip for each design, all on one scale; a dashed line is a fault.{which}");
    format!("{}<div>{}</div>\n", paragraph(&words), drawn.join("\n"))
}
