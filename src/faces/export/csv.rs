//! CSV: one row per variant and run, or per window of each run.

use crate::results::agreement::Conformity;
use crate::results::statistics::Summary;
use crate::results::{Report, SeriesRow};

/// The figures: one row per variant and run, and one column per figure, named by its path. A figure that a run lacks is
/// empty. If real runs were compared with simulations, further columns hold the prediction and the verdict for each
/// judged figure.
#[must_use]
pub fn csv(report: &Report) -> String {
    let summaries = Summary::all(&report.variants);
    let mut paths: Vec<String> = Vec::new();
    for (path, _) in summaries.iter().flat_map(|summary| summary.shape.leaves()) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let judged = judged(report);
    let mut head: Vec<String> =
        ["variant", "seed"].into_iter().map(String::from).chain(paths.iter().cloned()).collect();
    head.extend(judged.iter().flat_map(|figure| JUDGED.map(|name| format!("{name} {figure}"))));
    let mut rows = vec![head];
    for (i, (variant, summary)) in report.variants.iter().zip(&summaries).enumerate() {
        for (seed, figures) in &summary.each {
            let mut row = vec![variant.name.clone(), seed.to_string()];
            row.extend(paths.iter().map(|path| figures.get(path).map_or(String::new(), f64::to_string)));
            row.extend(judged.iter().flat_map(|figure| judgement(report, i, figure)));
            rows.push(row);
        }
    }
    text(&rows)
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
/// server.
#[must_use]
pub fn series_csv(report: &Report) -> String {
    let runs = || report.variants.iter().flat_map(|variant| variant.runs.iter().map(move |run| (&variant.name, run)));
    let servers = runs().flat_map(|(_, run)| &run.series.rows).map(|row| row.served.len()).max().unwrap_or(0);
    let head = ["variant", "seed", "from_s"].into_iter().chain(COUNTS.map(|(name, _)| name)).map(String::from);
    let mut rows = vec![head.chain((1..=servers).map(|i| format!("served_server_{i}"))).collect()];
    for (name, run) in runs() {
        let mut from_ns = 0u64;
        for window in &run.series.rows {
            let mut row = vec![name.clone(), run.seed.to_string(), seconds(from_ns)];
            row.extend(COUNTS.map(|(_, count)| count(window).to_string()));
            row.extend((0..servers).map(|i| window.served.get(i).map_or(String::new(), u32::to_string)));
            rows.push(row);
            from_ns += run.series.window.as_nanos();
        }
    }
    text(&rows)
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
