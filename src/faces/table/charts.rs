//! Charts under a table: lost carts over time with the faults, the load of each server, and over several runs the
//! distribution of lost carts.

use crate::base::time::Instant;
use crate::base::words::{self, span};
use crate::faces::chart::{Histogram, MARK, Scale, Windows, bar};
use crate::faces::text::{Page, Tone, clean, left, paint, paint_lines, width};
use crate::results::statistics::Summary;
use crate::results::{Report, RunReport, VariantReport};

/// The number of runs from which a histogram is drawn.
pub const ENOUGH: usize = 10;
/// The approximate number of classes of a histogram.
const CLASSES: usize = 8;
/// The longest bar, in columns.
const BAR: usize = 40;
/// Columns on either side of a bar: its name and its figure.
const BESIDE_BAR: usize = 28;
/// How many servers' bars are drawn. Of larger pools these are the busiest and the idlest.
const BARS: usize = 6;

/// Charts of lost carts over time and of the servers' load, from the first run of each design.
pub(super) fn charts(report: &Report, page: Page) -> String {
    let lost = over_time(report, "Carts lost over time", |row| row.lost_carts, page);
    let open = over_time(report, "Requests that were not answered well, over time", failed, page);
    lost + &open + &load(report, page)
}

fn failed(row: &crate::results::SeriesRow) -> u64 {
    row.refused + row.failed + row.timed_out
}

type Count = fn(&crate::results::SeriesRow) -> u64;

/// A timeline for each design in which something was counted, all on one scale.
fn over_time(report: &Report, title: &str, count: Count, page: Page) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let windows = |run: &RunReport| Windows {
        window: run.series.window,
        values: run.series.rows.iter().map(|row| count(row) as f64).collect(),
    };
    let firsts = report.variants.iter().filter_map(|variant| Some((variant.number.to_string(), complete(variant)?)));
    let all: Vec<(String, &RunReport, Windows)> = firsts.map(|(number, run)| (number, run, windows(run))).collect();
    let beside = numbers(report);
    let heads = |number: &str| left(number, beside);
    let scale = Scale::of(all.iter().map(|(_, _, windows)| windows), page.columns() - beside);
    if scale.most <= 0.0 {
        return String::new();
    }
    let shown = all.iter().filter(|(_, _, windows)| windows.values.iter().any(|value| *value > 0.0));
    let lines = shown.map(|(number, run, windows)| scale.timeline(windows, &marks(run), &heads(number)));
    let lines: String = lines.collect();
    let mut key = format!("a full column is {} in {}", words::count(scale.most), span(scale.column));
    if lines.contains(MARK) {
        key += &format!("; {MARK} a fault strikes");
    }
    let title = page.wrap("", &format!("{title} ({key})"));
    format!("\n{}{lines}{}", paint_lines(Tone::Strong, &title), scale.axis(&heads("")))
}

/// The width of the designs' numbers, with the gap behind them.
fn numbers(report: &Report) -> usize {
    report.variants.iter().map(|variant| width(&variant.number.to_string()) + 2).max().unwrap_or(0)
}

/// The first run, if it went to its end.
fn complete(variant: &VariantReport) -> Option<&RunReport> {
    variant.runs.first().filter(|run| run.cut_at.is_none())
}

/// The times of faults.
fn marks(run: &RunReport) -> Vec<Instant> {
    run.strikes.iter().map(|strike| strike.at).collect()
}

fn load(report: &Report, page: Page) -> String {
    let title = "How busy the servers were (a full bar is 100 %)";
    let mut text = format!("\n{}\n", paint(Tone::Strong, title));
    let pools: Vec<_> =
        report.variants.iter().map(|variant| complete(variant).map(shown).unwrap_or_default()).collect();
    let beside = numbers(report);
    let names = pools.iter().flatten().map(|(name, _)| width(name)).max().unwrap_or(0);
    let room = page.columns().saturating_sub(beside + names + " 100 % ".len()).min(BAR);
    for (variant, pool) in report.variants.iter().zip(pools) {
        for (i, (name, busy)) in pool.into_iter().enumerate() {
            let head = if i == 0 { variant.number.to_string() } else { String::new() };
            let bar = bar(busy, room);
            text += &format!("{}{} {bar} {:.0} %\n", left(&head, beside), left(&name, names), 100.0 * busy);
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

/// The distribution of lost carts over many runs, for each design, with bars on one scale. Empty if no carts were lost,
/// or if there are few runs.
pub(super) fn histograms(report: &Report, summaries: &[Summary], page: Page) -> String {
    let lost = |summary: &Summary| -> Vec<f64> {
        summary.each.iter().filter_map(|(_, figures)| figures.get("carts.lost").copied()).collect()
    };
    let telling = |lost: &Vec<f64>| lost.len() >= ENOUGH && lost.iter().any(|lost| *lost > 0.0);
    let variants = report.variants.iter().zip(summaries);
    let all: Vec<(&VariantReport, Vec<f64>, Histogram)> = variants
        .filter_map(|(variant, summary)| {
            let lost = Some(lost(summary)).filter(telling)?;
            let histogram = Histogram::of(&lost, CLASSES)?;
            Some((variant, lost, histogram))
        })
        .collect();
    let beside = numbers(report);
    let most = all.iter().map(|(.., histogram)| histogram.most()).max().unwrap_or(0);
    let mut text = String::new();
    for (variant, lost, histogram) in &all {
        let runs = words::thousands(lost.len() as u64);
        text +=
            &page.wrap(&left(&variant.number.to_string(), beside), &format!("{}, {runs} runs", clean(&variant.name)));
        text += &histogram.draw(&" ".repeat(beside), BAR.min(page.columns() - BESIDE_BAR), most);
    }
    if text.is_empty() { text } else { format!("\n{}\n{text}", paint(Tone::Strong, "Carts lost, run by run")) }
}
