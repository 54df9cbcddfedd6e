//! Columns about how the pool recovered from kills.

use super::{Cell, Column, Source, nothing, plain, with_half};
use crate::base::words::{count, listed};
use crate::results::statistics::{Summary, comparable};

/// Name, first header line, path of the figure, and path of the number of kills that have it.
const RECOVERY: [(&str, &str, &str, &str); 3] = [
    ("noticed", "noticed", "recovery.noticed_s.mean", "recovery.noticed"),
    ("capacity-back", "capacity back", "recovery.capacity_back_s.mean", "recovery.back"),
    ("users-well", "users well", "recovery.users_well_s.mean", "recovery.kills"),
];

impl Source<'_> {
    /// The mean time after a kill.
    pub(super) fn recovery(&self, name: &str) -> Option<Column> {
        let (_, head, path, of) = RECOVERY.into_iter().find(|(known, ..)| *known == name)?;
        let column = self.column(name, [head, "after"], 5, |summary| cell(summary, path, of));
        Some(Column { words: true, ..column })
    }
}

fn cell(summary: &Summary, path: &str, of: &str) -> Cell {
    if summary.mean("recovery.kills") <= 0.0 {
        return nothing();
    }
    match (summary.get(path), some_of(summary, of)) {
        (None, _) => plain("never".into()),
        (Some(mean), None) => plain(with_half(mean, &seconds)),
        (Some(mean), Some((some, kills))) => {
            plain(format!("{} ({} of {})", with_half(mean, &seconds), count(some), count(kills)))
        }
    }
}

/// How many kills have a figure, and how many there were; `None` if all have it.
fn some_of(summary: &Summary, of: &str) -> Option<(f64, f64)> {
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    let in_all_runs = |path| summary.get(path).map_or(0.0, |each| (each.mean * each.runs as f64).round());
    let (some, kills) = (in_all_runs(of), in_all_runs("recovery.kills"));
    (some < kills).then_some((some, kills))
}

/// A note, if the balancer did not notice all failures.
pub(in crate::faces::table) fn unnoticed(summaries: &[Summary], columns: &[Column]) -> Option<String> {
    columns.iter().find(|column| column.name == "noticed")?;
    let some = |summary: &Summary| {
        let (some, kills) = some_of(summary, "recovery.noticed")?;
        Some(format!("{} of {} in design {}", count(kills - some), count(kills), summary.number))
    };
    let some: Vec<String> = comparable(summaries).filter_map(some).collect();
    let who = listed(&some);
    (!some.is_empty()).then(|| {
        format!("Not every failure was noticed: {who} had been replaced before a health check failed often enough.")
    })
}

fn seconds(s: f64) -> String {
    if s >= 9.95 { format!("{} s", count(s.round())) } else { format!("{s:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::sticky_crash;
    use crate::results::{Recovery, Seconds};

    #[test]
    fn failures_that_nobody_noticed_are_explained() {
        let mut report = sticky_crash();
        report.scenario.columns = vec!["noticed".into()];
        for (variant, noticed) in report.variants.iter_mut().zip([4, 9, 9, 6]) {
            let noticed_s = Some(Seconds { mean: 4.4, max: 5.0 });
            variant.runs[0].figures.recovery = Some(Recovery { kills: 9, noticed, noticed_s, ..Recovery::default() });
        }
        let summaries = Summary::all(&report.variants);
        let columns = super::super::choose(&report, &summaries);
        assert_eq!(columns[0].cells[0].figure, "4.4 s (4 of 9)");
        assert_eq!(
            unnoticed(&summaries, &columns).expect("a note"),
            "Not every failure was noticed: 5 of 9 in design 1 and 3 of 9 in design 4 had been replaced before a health \
             check failed often enough."
        );
        assert_eq!(unnoticed(&summaries[1..3], &columns), None);
    }
}
