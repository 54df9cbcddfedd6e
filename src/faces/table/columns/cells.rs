//! Columns and their cells, and how figures are printed in them.

use std::collections::BTreeMap;

use crate::base::words::{count, percent};
use crate::faces::text::Tone;
use crate::results::statistics::{Estimate, Summary};

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in a scenario's `columns`.
    pub name: String,
    /// The two header lines.
    pub head: [String; 2],
    /// One cell per row.
    pub cells: Vec<Cell>,
    /// Drop priority; the highest goes first.
    pub rank: u8,
    /// Whether it contains words rather than numbers.
    pub words: bool,
}

/// One cell: a figure and, where it has one, its share of the column's denominator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The figure.
    pub figure: String,
    /// `97 %`, or nothing.
    pub share: String,
    /// Whether it shows a loss.
    pub tone: Tone,
}

impl Cell {
    /// The figure and, in brackets, its share.
    #[must_use]
    pub fn text(&self) -> String {
        match &*self.share {
            "" => self.figure.clone(),
            share => format!("{} ({share})", self.figure),
        }
    }
}

pub(super) fn total(summary: &Summary, paths: &[&str]) -> Option<Estimate> {
    let sum = |figures: &BTreeMap<String, f64>| paths.iter().filter_map(|path| figures.get(*path)).sum();
    Estimate::of(&summary.each.iter().map(|(_, figures)| sum(figures)).collect::<Vec<f64>>())
}

/// A figure, with `± half` if that is not zero when printed.
pub(super) fn with_half(estimate: Estimate, print: &dyn Fn(f64) -> String) -> String {
    let figure = print(estimate.mean);
    match estimate.half.map(print) {
        Some(half) if half.contains(|c: char| ('1'..='9').contains(&c)) => format!("{figure} ± {half}"),
        _ => figure,
    }
}

pub(super) fn shared(found: Option<Estimate>, whole: Option<f64>, tone: Tone) -> Cell {
    let Some(found) = found.filter(|_| whole != Some(0.0)) else { return nothing() };
    if found.mean <= 0.0 {
        let tone = if tone == Tone::Loss { Tone::Fine } else { tone };
        return Cell { figure: "0".into(), share: String::new(), tone };
    }
    let share = whole.map_or(String::new(), |whole| percent(found.mean, whole));
    let print = |x: f64| match found.mean {
        mean if mean >= 99.5 || found.half.is_none() => count(x.round()),
        _ => format!("{x:.1}"),
    };
    Cell { figure: with_half(found, &print), share, tone }
}

/// A number with one decimal, unless it is whole.
pub(super) fn tenths(x: f64) -> String {
    if (x - x.round()).abs() < 0.05 { count(x.round()) } else { format!("{x:.1}") }
}

/// A number with two decimals; halves go up.
pub(super) fn hundredths(x: f64) -> String {
    format!("{:.2}", (100.0 * x).round() / 100.0)
}

pub(super) fn rounded(x: f64) -> String {
    count(x.round())
}

pub(super) fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms >= 10_000.0 => format!("{:.1} s", ms / 1e3),
        ms if ms >= 9.95 => format!("{} ms", rounded(ms)),
        ms => format!("{ms:.1} ms"),
    }
}

pub(super) fn plain(figure: String) -> Cell {
    Cell { figure, share: String::new(), tone: Tone::Plain }
}

pub(super) fn nothing() -> Cell {
    Cell { figure: "–".into(), share: String::new(), tone: Tone::Faint }
}

pub(super) fn is_loss(cell: &Cell) -> bool {
    cell.tone == Tone::Loss
}
