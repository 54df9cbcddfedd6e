//! Columns about deploys and changes of the pool's size.

use super::{Cell, Column, Source, nothing, plain, shared, total, with_half};
use crate::base::time::Span;
use crate::base::words::span;
use crate::faces::text::Tone;
use crate::results::path;
use crate::results::statistics::{Estimate, Summary};
use crate::results::tree::Tree;

impl Source<'_> {
    /// The column with this name; `None` if no design has a value for it.
    pub(super) fn about_deploys(&self, name: &str) -> Option<Column> {
        let column = match name {
            "deploy-took" => self.column(name, ["the deploy", "took"], 3, took),
            "cut-off" => self.column(name, ["user", "cut-offs"], 4, |summary| of_both(summary, "cut_off_users")),
            "cut-requests" => self.column(name, ["requests", "cut"], 5, |summary| of_both(summary, "cut_requests")),
            "capacity-lost" => self.column(name, ["capacity lost", "server-minutes"], 6, capacity_lost),
            _ => self.column(name, ["new servers'", "fair share"], 5, fair_share),
        };
        column.cells.iter().any(|cell| *cell != nothing()).then_some(column)
    }
}

/// The total time of all deploys.
fn took(summary: &Summary) -> Cell {
    let Some(took) = of_deploys(summary, "took_s") else { return nothing() };
    let done = of_deploys(summary, "finished").map_or(0.0, |finished| finished.mean);
    if done < number_of_deploys(summary) {
        return Cell { figure: "not done".into(), share: String::new(), tone: Tone::Loss };
    }
    plain(with_half(took, &time))
}

fn capacity_lost(summary: &Summary) -> Cell {
    let minutes = |seconds: f64| format!("{:.1}", seconds / 60.0);
    of_deploys(summary, "capacity_lost").map_or_else(nothing, |lost| plain(with_half(lost, &minutes)))
}

fn fair_share(summary: &Summary) -> Cell {
    match summary.get("load.fair_share_after_s") {
        Some(after) => plain(format!("after {}", time(after.mean))),
        None if summary.mean("load.joined") <= 0.0 => nothing(),
        None => Cell { figure: "never".into(), share: String::new(), tone: Tone::Loss },
    }
}

/// The sum of one figure over deploys and changes of size.
fn of_both(summary: &Summary, name: &str) -> Cell {
    let mut paths = paths_below(summary, "deploys", name);
    paths.extend(paths_below(summary, "scaling", name));
    if paths.is_empty() {
        return nothing();
    }
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    shared(total(summary, &paths), None, Tone::Loss)
}

fn of_deploys(summary: &Summary, name: &str) -> Option<Estimate> {
    let paths = paths_below(summary, "deploys", name);
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    if paths.is_empty() { None } else { total(summary, &paths) }
}

/// The paths of one figure in all entries of a table.
fn paths_below(summary: &Summary, table: &str, figure: &str) -> Vec<String> {
    let Tree::Map(fields) = &summary.shape else { return Vec::new() };
    let entries = fields.iter().find_map(|(name, below)| match below {
        Tree::Map(entries) if name == table => Some(entries),
        _ => None,
    });
    let paths = entries.into_iter().flatten().map(|(name, _)| path::join([table, name, figure]));
    paths.filter(|path| summary.get(path).is_some()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a few deploys")]
fn number_of_deploys(summary: &Summary) -> f64 {
    paths_below(summary, "deploys", "finished").len() as f64
}

/// Seconds, to a tenth below ten and whole above.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time within a run")]
fn time(seconds: f64) -> String {
    if seconds < 9.95 && seconds.fract() > 0.0 {
        return format!("{seconds:.1} s");
    }
    span(Span::from_secs(seconds.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::super::choose;
    use crate::results::sample::sticky_crash;
    use crate::results::statistics::Summary;
    use crate::results::{DeployFigures, FaultFigures};

    /// A column finds its fault by name, however many faults come before it.
    #[test]
    fn columns_of_a_fault_after_many_others() {
        let mut report = sticky_crash();
        report.scenario.columns = vec!["losses-lasted".into(), "deploy-took".into()];
        let figures = &mut report.variants[0].runs[0].figures;
        let many = (1..=12).map(|n| (format!("crash server-{n}"), FaultFigures::default()));
        let migration = FaultFigures { losses_lasted_s: Some(17.0), ..FaultFigures::default() };
        figures.faults = many.chain([(crate::scenario::MIGRATION.to_owned(), migration)]).collect();
        let deploy = DeployFigures { took_s: 42.0, finished: true, ..DeployFigures::default() };
        figures.deploys = [("deploy", deploy)].into_iter().collect();
        let columns = choose(&report, &Summary::all(&report.variants));
        let cells: Vec<&str> = columns.iter().map(|column| &*column.cells[0].figure).collect();
        assert_eq!(cells, ["17.0 s", "42 s"]);
    }
}
