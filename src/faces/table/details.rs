//! Detailed figures: how requests ended, their latency, why carts were lost, and the load of the servers.

use super::causes::CAUSES;
use super::columns::many_are_unfinished;
use crate::base::time::Span;
use crate::base::words::{clock, count, real, thousands};
use crate::faces::grid::{Cell, Column, Grid};
use crate::faces::text::{Page, Side, Tone, clean, paint_lines};
use crate::results::Report;
use crate::results::path;
use crate::results::statistics::Summary;
use crate::scenario::DesignNumber;

/// All detailed figures, as one small table per topic.
pub(super) fn details(report: &Report, summaries: &[Summary], page: Page) -> String {
    let mut text = String::new();
    text += &requests(summaries, page);
    let only = if many_are_unfinished(summaries) { "; without those still waited for" } else { "" };
    text += &latency(summaries, &format!("Latency of a request, ms{only}"), "latency_ms", page);
    let step = format!("Latency of a step (from its intended start to its final answer), ms{only}");
    text += &latency(summaries, &step, "step_latency_ms", page);
    text += &latency(summaries, "Latency of requests beside a heavy user's, ms", "neighbours_latency_ms", page);
    text += &latency(summaries, "How late requests were sent, in real ms", "pace.late_ms", page);
    text += &lost_by(summaries, page);
    text += &load(summaries, page);
    text += &servers(report, summaries, page);
    text += &faults(report, summaries, page);
    text += &recovery(summaries, page);
    text
}

/// A small table of figures, with a row for each design that has one.
fn table(title: &str, head: &[&str], rows: &Rows, page: Page) -> String {
    drawn(title, figures(head, rows), rows, page)
}

type Rows = [(DesignNumber, Vec<String>)];

fn figures(head: &[&str], rows: &Rows) -> Vec<Column> {
    let cell =
        |at: usize, cells: &[String]| Cell { text: cells.get(at).cloned().unwrap_or_default(), tone: Tone::Plain };
    let column = |(at, head): (usize, &&str)| Column {
        head: vec![(*head).into()],
        cells: rows.iter().map(|(_, cells)| cell(at, cells)).collect(),
        side: Side::Right,
        ..Column::default()
    };
    head.iter().enumerate().map(column).collect()
}

fn drawn(title: &str, columns: Vec<Column>, rows: &Rows, page: Page) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let names = rows.iter().map(|(number, _)| [String::new(), number.to_string()]).collect();
    let grid = Grid { heading: "design", names, columns, ..Grid::default() };
    format!("\n{}{}", paint_lines(Tone::Strong, &page.wrap("", title)), grid.draw(page).text())
}

fn each(summaries: &[Summary], paths: &[&str], print: fn(f64) -> String) -> Vec<(DesignNumber, Vec<String>)> {
    let cells = |summary: &Summary| -> Vec<String> {
        paths.iter().map(|path| summary.get(path).map_or("–".into(), |x| print(x.mean))).collect()
    };
    let has = |summary: &Summary| paths.iter().any(|path| summary.get(path).is_some());
    summaries.iter().filter(|summary| has(summary)).map(|summary| (summary.number, cells(summary))).collect()
}

fn requests(summaries: &[Summary], page: Page) -> String {
    let paths = ["sent", "ok", "refused", "failed", "timed_out", "in_flight", "balancer_retries"]
        .map(|name| format!("requests.{name}"));
    let rows = each(summaries, &paths.each_ref().map(String::as_str), count);
    let head = ["sent", "= ok", "+ refused", "+ failed", "+ timed out", "+ in flight", "balancer's retries"];
    table("Requests of users", &head, &rows, page)
}

fn latency(summaries: &[Summary], title: &str, path: &str, page: Page) -> String {
    let names = ["mean", "p50", "p90", "p99", "max"];
    let paths = names.map(|name| format!("{path}.{name}"));
    table(title, &names, &each(summaries, &paths.each_ref().map(String::as_str), real), page)
}

fn lost_by(summaries: &[Summary], page: Page) -> String {
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
    table("Lost carts by cause", &words, &each(summaries, &paths, count), page)
}

fn load(summaries: &[Summary], page: Page) -> String {
    let paths =
        ["load.peak_to_mean", "load.worst_window_peak_to_mean", "load.cv", "load.jain", "load.fair_share_after_s"];
    let window = summaries.first().map_or(0.0, |summary| summary.mean("load.window_s"));
    let worst = format!("worst {} s", count(window));
    let head = ["busiest x mean", &worst, "variation", "Jain's index", "new one fair after s"];
    table("Load of the servers, by busy time", &head, &each(summaries, &paths, real), page)
}

/// How many servers fit on a line.
const IN_A_LINE: usize = 5;

/// The load of every server in small pools; the extremes in larger ones.
fn servers(report: &Report, summaries: &[Summary], page: Page) -> String {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (variant, summary) in report.variants.iter().zip(summaries) {
        let number = variant.number;
        let servers = variant.runs.first().map_or(0, |run| run.figures.load.per_server.len());
        let mean = |i: usize, name: &str| summary.mean(&format!("load.per_server.{i}.{name}"));
        let cell = |i: usize| format!("{} ({:.0} %)", count(mean(i, "requests").round()), 100.0 * mean(i, "busy"));
        if servers <= IN_A_LINE {
            small.push((number, (0..servers).map(cell).collect()));
        } else {
            let mut by_requests: Vec<usize> = (0..servers).collect();
            by_requests.sort_by(|a, b| mean(*a, "requests").total_cmp(&mean(*b, "requests")));
            let chosen = [0, servers / 2, servers - 1].map(|at| cell(by_requests[at]));
            large.push((number, [vec![thousands(servers as u64)], chosen.to_vec()].concat()));
        }
    }
    let most = small.iter().map(|(_, cells): &(DesignNumber, Vec<String>)| cells.len()).max().unwrap_or(0);
    let head: Vec<String> = (1..=most).map(|i| format!("server-{i}")).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let what = "Requests served, and share of the time that workers were busy";
    let of_large = if small.is_empty() { what } else { "The same in larger pools" };
    table(what, &head, &small, page) + &table(of_large, &["servers", "fewest", "median", "most"], &large, page)
}

fn faults(report: &Report, summaries: &[Summary], page: Page) -> String {
    let mut rows = Vec::new();
    for (variant, summary) in report.variants.iter().zip(summaries) {
        let number = variant.number;
        let known = variant.runs.iter().flat_map(|run| run.figures.faults.names());
        let mut names: Vec<&str> = Vec::new();
        known.for_each(|name| {
            if !names.contains(&name) {
                names.push(name);
            }
        });
        // Random faults come last.
        names.sort_by_key(|name| summary.get(&path::join(["faults", name, "strikes"])).is_some());
        rows.extend(names.into_iter().map(|name| (number, fault(name, summary))));
    }
    let mut columns = figures(&["at", "what", "carts open", "of these lost"], &rows);
    (columns[1].side, columns[1].words) = (Side::Left, true);
    drawn("Faults", columns, &rows, page)
}

/// A row for a fault, or for all faults of one random process: means over the runs.
fn fault(name: &str, summary: &Summary) -> Vec<String> {
    let of = |figure: &str| summary.get(&path::join(["faults", name, figure])).map(|found| found.mean);
    let mean = |figure: &str| of(figure).map_or("–".into(), count);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in a run")]
    let at = of("at_s").map_or("–".into(), |s| clock(Span::from_nanos((s * 1e9) as u64)));
    let what = match of("strikes") {
        Some(strikes) => format!("{}, {} times", clean(name), count(strikes)),
        None => clean(name),
    };
    vec![at, what, mean("open_carts"), mean("lost_of_open")]
}

/// How the pool recovered from kills.
fn recovery(summaries: &[Summary], page: Page) -> String {
    let paths = ["kills", "noticed", "noticed_s.mean", "noticed_s.max", "back", "capacity_back_s.mean"];
    let more = ["capacity_back_s.max", "users_well_s.mean", "users_well_s.max"];
    let paths: Vec<String> = paths.iter().chain(&more).map(|name| format!("recovery.{name}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let head = ["kills", "noticed", "after s", "most", "back", "after s", "most", "users well after s", "most"];
    table("Recovery from kills", &head, &each(summaries, &paths, count), page)
}
