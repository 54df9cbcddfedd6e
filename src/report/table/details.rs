//! The finer figures, for those who ask: how requests ended, how long they took, why carts were lost, who worked.

use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Modify, Padding, Style};

use super::causes::CAUSES;
use crate::report::Report;
use crate::report::stats::Summary;
use crate::report::text::{Tone, WIDTH, clean, clock, count, cut, paint, real};
use crate::time::Span;

/// All finer figures, a small table for each matter.
pub(super) fn details(report: &Report, summaries: &[Summary]) -> String {
    let mut text = String::new();
    text += &requests(summaries);
    text += &latency(summaries, "Latency of a request, ms", "latency_ms");
    text += &latency(summaries, "Latency of a step (from meaning it to its last answer), ms", "step_latency_ms");
    text += &latency(summaries, "Latency of requests beside a heavy user's, ms", "neighbours_latency_ms");
    text += &latency(summaries, "How late requests were sent, in real ms", "pace.late_ms");
    text += &lost_by(summaries);
    text += &load(summaries);
    text += &servers(report, summaries);
    text += &faults(report, summaries);
    text
}

/// A small table: a row for each design that has one.
fn table(title: &str, head: &[&str], rows: Vec<(usize, Vec<String>)>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut builder = Builder::new();
    builder.push_record(std::iter::once("design").chain(head.iter().copied()));
    for (number, cells) in rows {
        builder.push_record(std::iter::once(number.to_string()).chain(cells));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(3, 0, 0, 0)).with(Alignment::right());
    table.with(Modify::new(Columns::new(..1)).with(Alignment::left()));
    let mut text = format!("\n{}\n", paint(Tone::Strong, title));
    for line in table.to_string().lines() {
        text += &cut(line.trim_end(), WIDTH);
        text.push('\n');
    }
    text
}

fn each(summaries: &[Summary], paths: &[&str], print: fn(f64) -> String) -> Vec<(usize, Vec<String>)> {
    let cells = |summary: &Summary| -> Vec<String> {
        paths.iter().map(|path| summary.get(path).map_or("–".into(), |x| print(x.mean))).collect()
    };
    let has = |summary: &Summary| paths.iter().any(|path| summary.get(path).is_some());
    (1..).zip(summaries).filter(|(_, summary)| has(summary)).map(|(i, summary)| (i, cells(summary))).collect()
}

fn requests(summaries: &[Summary]) -> String {
    let paths = ["sent", "ok", "refused", "failed", "timed_out", "in_flight", "balancer_retries"]
        .map(|name| format!("requests.{name}"));
    let rows = each(summaries, &paths.each_ref().map(String::as_str), count);
    let head = ["sent", "= ok", "+ refused", "+ failed", "+ timed out", "+ in flight", "balancer's retries"];
    table("Requests of users", &head, rows)
}

fn latency(summaries: &[Summary], title: &str, path: &str) -> String {
    let names = ["mean", "p50", "p90", "p99", "max"];
    let paths = names.map(|name| format!("{path}.{name}"));
    table(title, &names, each(summaries, &paths.each_ref().map(String::as_str), real))
}

fn lost_by(summaries: &[Summary]) -> String {
    let seen: Vec<_> = CAUSES
        .iter()
        .map(|(name, word, _)| (format!("lost_by.{name}"), *word))
        .filter(|(path, _)| summaries.iter().any(|summary| summary.mean(path) > 0.0))
        .collect();
    if seen.is_empty() {
        return String::new();
    }
    let paths: Vec<&str> = seen.iter().map(|(path, _)| path.as_str()).collect();
    let words: Vec<&str> = seen.iter().map(|(_, word)| *word).collect();
    table("Lost carts by cause", &words, each(summaries, &paths, count))
}

fn load(summaries: &[Summary]) -> String {
    let paths =
        ["load.peak_to_mean", "load.worst_window_peak_to_mean", "load.cv", "load.jain", "load.fair_share_after_s"];
    let window = summaries.first().map_or(0.0, |summary| summary.mean("load.window_s"));
    let worst = format!("worst {} s", count(window));
    let head = ["busiest x mean", &worst, "variation", "Jain's index", "new one fair after s"];
    table("Load of the servers, by busy time", &head, each(summaries, &paths, real))
}

/// Server by server, for pools that fit a line.
fn servers(report: &Report, summaries: &[Summary]) -> String {
    let rows: Vec<(usize, Vec<String>)> = (1..)
        .zip(report.variants.iter().zip(summaries))
        .filter_map(|(number, (variant, summary))| {
            let servers = variant.runs.first().map_or(0, |run| run.figures.load.per_server.len());
            let server = |i: usize| {
                let requests = count(summary.mean(&format!("load.per_server.{i}.requests")).round());
                format!("{requests} ({:.0} %)", 100.0 * summary.mean(&format!("load.per_server.{i}.busy")))
            };
            (servers <= 5).then(|| (number, (0..servers).map(server).collect()))
        })
        .collect();
    let most = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let head: Vec<String> = (1..=most).map(|i| format!("server-{i}")).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    table("Requests served, and share of the time that workers were busy", &head, rows)
}

fn faults(report: &Report, summaries: &[Summary]) -> String {
    let mut rows = Vec::new();
    for (number, (variant, summary)) in (1..).zip(report.variants.iter().zip(summaries)) {
        for (i, fault) in variant.runs.first().map_or(&[][..], |run| &run.figures.faults).iter().enumerate() {
            let mean = |name: &str| count(summary.mean(&format!("faults.{i}.{name}")));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in a run")]
            let at = clock(Span::from_nanos((fault.at_s * 1e9) as u64));
            rows.push((number, vec![at, cut(&clean(&fault.name), 40), mean("open_carts"), mean("lost_of_open")]));
        }
    }
    table("Faults", &["at", "what", "carts open", "of these lost"], rows)
}
