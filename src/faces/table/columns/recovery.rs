//! Columns about how the pool recovered from kills.

use super::{Cell, Column, Source, nothing, plain, with_half};
use crate::base::words::count;
use crate::results::statistics::Summary;

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
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    let in_all_runs = |path| summary.get(path).map_or(0.0, |each| (each.mean * each.runs as f64).round());
    let (some, kills) = (in_all_runs(of), in_all_runs("recovery.kills"));
    match summary.get(path) {
        None => plain("never".into()),
        Some(mean) if some < kills => {
            plain(format!("{} ({} of {})", with_half(mean, &seconds), count(some), count(kills)))
        }
        Some(mean) => plain(with_half(mean, &seconds)),
    }
}

fn seconds(s: f64) -> String {
    if s >= 9.95 { format!("{} s", count(s.round())) } else { format!("{s:.1} s") }
}
