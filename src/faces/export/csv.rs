//! CSV: one row per variant and run, or per window of each run.

use crate::faces::interrupted::first_line;
use crate::results::agreement::Conformity;
use crate::results::statistics::Summary;
use crate::results::{Report, RunReport, SeriesRow, VariantReport};

/// The figures: one row per variant and run, and one column per figure, named by its path. A figure that a run lacks is
/// empty. If real runs were compared with simulations, further columns hold the prediction and the verdict for each
/// judged figure.
///
/// A report that was interrupted says so in a first line that begins with `#`. If runs that were cut short are asked
/// for, they come last in their variant, and a column says when they were.
#[must_use]
pub fn csv(report: &Report, with_cut_short: bool) -> String {
    let chosen: Vec<Vec<&RunReport>> =
        report.variants.iter().map(|variant| runs(variant, with_cut_short).collect()).collect();
    let summary = |runs: &Vec<&RunReport>| Summary::of_figures(runs.iter().map(|run| (run.seed, &run.figures)));
    let summaries: Vec<Summary> = chosen.iter().map(summary).collect();
    let mut paths: Vec<String> = Vec::new();
    for (path, _) in summaries.iter().flat_map(|summary| summary.shape.leaves()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let judged = judged(report);
    let mut head = start(with_cut_short);
    head.extend(paths.iter().cloned());
    head.extend(judged.iter().flat_map(|figure| JUDGED.map(|name| format!("{name} {figure}"))));
    let mut rows = vec![head];
    for (i, (variant, summary)) in report.variants.iter().zip(&summaries).enumerate() {
        for (run, (_, figures)) in chosen[i].iter().zip(&summary.each) {
            let mut row = which(variant, run, with_cut_short);
            row.extend(paths.iter().map(|path| figures.get(path).map_or(String::new(), f64::to_string)));
            row.extend(judged.iter().flat_map(|figure| judgement(report, i, figure)));
            rows.push(row);
        }
    }
    note(report) + &text(&rows)
}

/// The first line of an interrupted report.
fn note(report: &Report) -> String {
    first_line(report).map_or_else(String::new, |line| format!("# {line}\n"))
}

/// The complete runs of a variant and, if asked for, those that were cut short.
fn runs(variant: &VariantReport, with_cut_short: bool) -> impl Iterator<Item = &RunReport> {
    let all = variant.runs.iter().chain(&variant.cut_short);
    all.filter(move |run| with_cut_short || run.cut_at.is_none())
}

const CUT_SHORT: &str = "cut_short_at_s";

/// The columns that say which run a row is about.
fn start(with_cut_short: bool) -> Vec<String> {
    let names = ["variant", "seed"].into_iter().chain(with_cut_short.then_some(CUT_SHORT));
    names.map(String::from).collect()
}

fn which(variant: &VariantReport, run: &RunReport, with_cut_short: bool) -> Vec<String> {
    let mut row = vec![variant.name.clone(), run.seed.to_string()];
    let cut_at = run.cut_at.map_or_else(String::new, |at| seconds(at.as_nanos()));
    row.extend(with_cut_short.then_some(cut_at));
    row
}

/// The columns for each judged figure.
const JUDGED: [&str; 4] = ["predicted low", "predicted high", "executed", "verdict"];

/// Every figure that was judged in some variant.
fn judged(report: &Report) -> Vec<&str> {
    let mut figures: Vec<&str> = Vec::new();
    for one in report.agreement.iter().flat_map(|agreement| agreement.variants.iter().flatten()) {
        if !figures.contains(&&*one.figure) {
            figures.push(&one.figure);
        }
    }
    figures
}

fn judgement(report: &Report, variant: usize, figure: &str) -> [String; JUDGED.len()] {
    let all = report.agreement.as_ref().and_then(|agreement| agreement.variants.get(variant));
    let Some(one) = all.and_then(|all| all.iter().find(|one| one.figure == figure)) else { return Default::default() };
    let verdict = match one.verdict {
        Conformity::Agrees => "agrees",
        Conformity::Differs => "differs",
        Conformity::NotJudged => "not_judged",
    };
    [one.low.to_string(), one.high.to_string(), one.observed.to_string(), verdict.into()]
}

/// The figures over time: one row per variant, run and window. The last columns hold the requests served by each
/// server. Interrupted runs are treated as in [`csv()`].
#[must_use]
pub fn series_csv(report: &Report, with_cut_short: bool) -> String {
    let each = || {
        let variants = report.variants.iter();
        variants.flat_map(|variant| runs(variant, with_cut_short).map(move |run| (variant, run)))
    };
    let servers = each().flat_map(|(_, run)| &run.series.rows).map(|row| row.served.len()).max().unwrap_or(0);
    let mut head = start(with_cut_short);
    head.push("from_s".into());
    head.extend(COUNTS.map(|(name, _)| name.into()));
    head.extend((1..=servers).map(|i| format!("served_server_{i}")));
    let mut rows = vec![head];
    for (variant, run) in each() {
        let mut from_ns = 0u64;
        for window in &run.series.rows {
            let mut row = which(variant, run, with_cut_short);
            row.push(seconds(from_ns));
            row.extend(COUNTS.map(|(_, count)| count(window).to_string()));
            row.extend((0..servers).map(|i| window.served.get(i).map_or(String::new(), u32::to_string)));
            rows.push(row);
            from_ns += run.series.window.as_nanos();
        }
    }
    note(report) + &text(&rows)
}

type Count = (&'static str, fn(&SeriesRow) -> u64);

const COUNTS: [Count; 9] = [
    ("sent", |row| row.sent),
    ("ok", |row| row.ok),
    ("refused", |row| row.refused),
    ("failed", |row| row.failed),
    ("timed_out", |row| row.timed_out),
    ("logged_out", |row| row.logged_out),
    ("lost_carts", |row| row.lost_carts),
    ("intact_carts", |row| row.intact_carts),
    ("open_carts", |row| row.open_carts),
];

/// Seconds, without a rounding error.
fn seconds(nanos: u64) -> String {
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{point}{fraction}", nanos / 1_000_000_000)
}

fn text(rows: &[Vec<String>]) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).expect("rows are equally long, and memory takes them");
    }
    String::from_utf8(writer.into_inner().expect("memory takes them")).expect("made of text")
}
