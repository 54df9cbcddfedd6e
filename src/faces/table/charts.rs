//! Charts under a table: lost carts over time with the faults, the load of each server, and over several runs the
//! distribution of lost carts.

use crate::base::time::Instant;
use crate::base::words::{self, span};
use crate::faces::chart::{Histogram, MARK, Scale, Windows, bar};
use crate::faces::text::{Page, Tone, clean, left, paint, paint_lines, width};
use crate::results::statistics::Summary;
use crate::results::{Report, RunReport, ServerLoad, VariantReport};

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
    let title = "How busy the servers were (a full bar is 100 %), and their share of the requests";
    let mut text = format!("\n{}", paint_lines(Tone::Strong, &page.wrap("", title)));
    let pools: Vec<_> =
        report.variants.iter().map(|variant| complete(variant).map(shown).unwrap_or_default()).collect();
    let beside = numbers(report);
    let names = pools.iter().flatten().map(|server| width(&server.name)).max().unwrap_or(0);
    let room = page.columns().saturating_sub(beside + names + " 100 %, 100 % of requests ".len()).min(BAR);
    for (variant, pool) in report.variants.iter().zip(pools) {
        for (i, Bar { name, busy, requests }) in pool.into_iter().enumerate() {
            let head = if i == 0 { variant.number.to_string() } else { String::new() };
            let bar = bar(busy, room);
            let (busy, requests) = (100.0 * busy, 100.0 * requests);
            let figures = format!("{busy:.0} %, {requests:.0} % of requests");
            text += &format!("{}{} {bar} {figures}\n", left(&head, beside), left(&name, names));
        }
    }
    text
}

/// What is drawn of a server.
struct Bar {
    name: String,
    /// The share of its workers' time.
    busy: f64,
    /// Its share of all requests that reached a server.
    requests: f64,
}

/// Servers with their shares; of a large pool the busiest and the idlest.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn shown(run: &RunReport) -> Vec<Bar> {
    let servers = &run.figures.load.per_server;
    let sent = |server: &ServerLoad| server.requests + server.dropped;
    let all = servers.iter().map(sent).sum::<u64>().max(1) as f64;
    let bar =
        |server: &ServerLoad| Bar { name: server.name.clone(), busy: server.busy, requests: sent(server) as f64 / all };
    let mut bars: Vec<Bar> = servers.iter().map(bar).collect();
    if bars.len() > BARS {
        bars.sort_by(|a, b| b.busy.total_cmp(&a.busy));
        bars.drain(BARS / 2..bars.len() - BARS / 2);
    }
    bars
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
