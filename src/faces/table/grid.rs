//! The table of a report: a row for each design.

use super::columns::{self, Column};
use crate::faces::grid::{self, Grid};
use crate::faces::interrupted::row_note;
use crate::faces::text::{Page, Side, clean, right, width};
use crate::results::Report;

/// Names are wrapped to this width before a column has to go.
const NAME_AT_LEAST: usize = 20;

/// The table, and which columns there was no room for.
pub(super) fn draw(report: &Report, columns: &[Column], page: Page) -> String {
    let names = report.variants.iter().map(|variant| [variant.number.to_string(), clean(&variant.name)]);
    let notes = report.variants.iter().map(|variant| row_note(variant).unwrap_or_default()).collect();
    let columns = columns.iter().map(column).collect();
    let grid = Grid { heading: "design", names: names.collect(), notes, name_at_least: NAME_AT_LEAST, columns };
    let drawn = grid.draw(page);
    let table = drawn.text();
    if drawn.left_out.is_empty() {
        return table;
    }
    let missing = drawn.left_out.join("; ");
    let note = format!("Not shown, for want of room: {missing}. See COLUMNS=160, or --format json.");
    table + &page.wrap("   ", &note)
}

/// A column in which figures and shares line up separately.
fn column(column: &Column) -> grid::Column {
    let figures = column.cells.iter().map(|cell| width(&cell.figure)).max().unwrap_or(0);
    let shares = column.cells.iter().map(|cell| width(&cell.share)).max().unwrap_or(0);
    let text = |cell: &columns::Cell| match (column.words, shares) {
        (true, _) => cell.figure.clone(),
        (false, 0) => right(&cell.figure, figures),
        _ => format!("{}  {}", right(&cell.figure, figures), right(&cell.share, shares)),
    };
    grid::Column {
        head: column.head.to_vec(),
        cells: column.cells.iter().map(|cell| grid::Cell { text: text(cell), tone: cell.tone }).collect(),
        side: if column.words { Side::Left } else { Side::Right },
        words: column.words,
        rank: Some(column.rank),
    }
}
