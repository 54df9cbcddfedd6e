//! Charts under a table: lost carts over time with the faults, the load of each server, and over several runs the
//! distribution of lost carts.

use crate::base::time::Instant;
use crate::base::words::count;
use crate::faces::chart::{Glyphs, Histogram, bar, scale, timeline};
use crate::faces::text::{Tone, left, paint, width};
use crate::results::statistics::Summary;
use crate::results::{Report, RunReport, VariantReport};

/// The number of runs from which a histogram is drawn.
pub const ENOUGH: usize = 10;
/// The approximate number of classes of a histogram.
const CLASSES: usize = 8;
/// The width of a bar, in columns.
const BAR: usize = 40;
/// How many servers' bars are drawn. Of larger pools these are the busiest and the idlest.
const BARS: usize = 6;

/// Charts of lost carts over time and of the servers' load, from the first run of each design.
pub(super) fn charts(report: &Report, glyphs: Glyphs) -> String {
    let lost = over_time(report, "Carts lost over time", |row| row.lost_carts, glyphs);
    let open = over_time(report, "Requests that were not answered well, over time", failed, glyphs);
    lost + &open + &load(report, glyphs)
}

fn failed(row: &crate::results::SeriesRow) -> u64 {
    row.refused + row.failed + row.timed_out
}

type Count = fn(&crate::results::SeriesRow) -> u64;

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn over_time(report: &Report, title: &str, count: Count, glyphs: Glyphs) -> String {
    let values = |run: &RunReport| run.series.rows.iter().map(|row| count(row) as f64).collect::<Vec<f64>>();
    let mut text = String::new();
    for (number, variant) in (1..).zip(&report.variants) {
        let Some(run) = variant.runs.first() else { continue };
        let values = values(run);
        if values.iter().any(|value| *value > 0.0) {
            text += &timeline(&values, run.series.window, &marks(run), &format!("{number}  "), glyphs);
        }
    }
    if text.is_empty() {
        return text;
    }
    let longest =
        report.variants.iter().filter_map(|variant| variant.runs.first()).max_by_key(|run| run.series.rows.len());
    let below = longest.map_or_else(String::new, |run| scale(run.series.rows.len(), run.series.window, "1  "));
    format!("\n{}\n{text}{below}", paint(Tone::Strong, title))
}

/// The times of faults.
fn marks(run: &RunReport) -> Vec<Instant> {
    run.strikes.iter().map(|strike| strike.at).collect()
}

fn load(report: &Report, glyphs: Glyphs) -> String {
    let mut text = format!("\n{}\n", paint(Tone::Strong, "How busy the servers were"));
    for (number, variant) in (1..).zip(&report.variants) {
        let Some(run) = variant.runs.first() else { continue };
        for (i, (name, busy)) in shown(run).into_iter().enumerate() {
            let head = if i == 0 { format!("{number}") } else { String::new() };
            let bar = bar(busy, BAR, glyphs);
            text += &format!("{}{} {bar} {:.0} %\n", left(&head, 3), left(&name, 11), 100.0 * busy);
        }
    }
    text
}

/// Servers with their busy shares; of a large pool the busiest and the idlest.
fn shown(run: &RunReport) -> Vec<(String, f64)> {
    let mut servers: Vec<(String, f64)> =
        run.figures.load.per_server.iter().map(|server| (server.name.clone(), server.busy)).collect();
    if servers.len() > BARS {
        servers.sort_by(|a, b| b.1.total_cmp(&a.1));
        servers.drain(BARS / 2..servers.len() - BARS / 2);
    }
    servers
}

/// The distribution of lost carts over many runs, for each design. Empty if no carts were lost, or if there are few
/// runs.
pub(super) fn histograms(report: &Report, summaries: &[Summary], glyphs: Glyphs) -> String {
    let mut text = String::new();
    for (number, (variant, summary)) in (1..).zip(report.variants.iter().zip(summaries)) {
        let lost: Vec<f64> =
            summary.each.iter().filter_map(|(_, figures)| figures.get("carts.lost").copied()).collect();
        if lost.len() < ENOUGH || lost.iter().all(|lost| *lost == 0.0) {
            continue;
        }
        text += &histogram(number, variant, &lost, glyphs);
    }
    if text.is_empty() { text } else { format!("\n{}\n{text}", paint(Tone::Strong, "Carts lost, run by run")) }
}

fn histogram(number: usize, variant: &VariantReport, lost: &[f64], glyphs: Glyphs) -> String {
    let Some(histogram) = Histogram::of(lost, CLASSES) else { return String::new() };
    let head = format!("{number}  ");
    let runs = count(f64::from(u32::try_from(lost.len()).unwrap_or(u32::MAX)));
    let name = crate::faces::text::clean(&variant.name);
    format!("{head}{name}, {runs} runs\n{}", histogram.draw(&" ".repeat(width(&head)), BAR, glyphs))
}
