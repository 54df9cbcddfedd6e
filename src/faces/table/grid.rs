//! Lays out columns as text: aligned, without borders, and never wider than a terminal.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::{Alignment, Modify, Padding, Style};

use super::columns::{Column, drop_least};
use crate::faces::interrupted::row_note;
use crate::faces::text::{Page, Tone, clean, lines, paint, right, width};
use crate::results::Report;

/// Names of designs are wrapped beyond this width, or earlier if room is short.
const NAME: usize = 38;
const NAME_AT_LEAST: usize = 20;
/// Default columns are dropped before a name of this width is wrapped, as long as this many columns stay.
const NAME_WHOLE: usize = 32;
const FEW: usize = 3;
/// The preferred and the minimum gap between two columns.
const GAP: usize = 3;
const GAP_AT_LEAST: usize = 2;

/// The columns that fit, and the names of requested columns that do not.
pub(super) fn fitting(report: &Report, mut columns: Vec<Column>, page: Page) -> (Vec<Column>, Vec<String>) {
    let mut left_out = Vec::new();
    let asked_for = !report.scenario.columns.is_empty();
    let fits =
        |columns: &[Column], gap, name: usize| needed(columns, gap) + name_width(report).min(name) <= page.columns();
    while !asked_for && columns.len() > FEW && !fits(&columns, GAP, NAME_WHOLE) {
        drop_least(&mut columns);
    }
    while columns.len() > 1 && !fits(&columns, GAP_AT_LEAST, NAME_AT_LEAST) {
        left_out.extend(drop_least(&mut columns).map(|column| column.name).filter(|_| asked_for));
    }
    left_out.reverse();
    (columns, left_out)
}

/// The width needed besides the names.
fn needed(columns: &[Column], gap: usize) -> usize {
    4 + columns.iter().map(|column| gap + column_width(column)).sum::<usize>()
}

fn column_width(column: &Column) -> usize {
    let head = column.head.iter().map(|line| width(line)).max().unwrap_or(0);
    cells(column).iter().map(|cell| width(cell)).max().unwrap_or(0).max(head)
}

fn name_width(report: &Report) -> usize {
    let note = |variant| row_note(variant).map_or(0, |note| width(&note));
    let names = report.variants.iter().map(|variant| width(&clean(&variant.name)).max(note(variant)));
    names.max().unwrap_or(0).max(width("design"))
}

/// The table, with the numbers of designs, and lines at most the page wide.
pub(super) fn draw(report: &Report, columns: &[Column], page: Page) -> String {
    let wide = needed(columns, GAP) + name_width(report).min(NAME) <= page.columns();
    let gap = if wide { GAP } else { GAP_AT_LEAST };
    let room = page.columns().saturating_sub(needed(columns, gap)).clamp(NAME_AT_LEAST, NAME);
    let mut builder = Builder::new();
    let head = columns.iter().map(head);
    builder.push_record([String::new(), paint(Tone::Strong, "\ndesign").replace('\n', "")].into_iter().chain(head));
    let cells: Vec<Vec<String>> = columns.iter().map(cells).collect();
    for (row, variant) in report.variants.iter().enumerate() {
        let figures = cells.iter().map(|column| column[row].clone());
        let mut name = wrapped(&clean(&variant.name), room);
        if let Some(note) = row_note(variant) {
            let note = wrapped(&note, room);
            for line in note.lines() {
                name += &format!("\n{}", paint(Tone::Loss, line));
            }
        }
        let start = [variant.number.to_string(), name];
        builder.push_record(start.into_iter().chain(figures));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(gap, 0, 0, 0));
    table.with(Modify::new(Columns::new(..1)).with(Padding::zero()).with(Alignment::right()));
    table.with(Modify::new(Columns::new(1..2)).with(Padding::new(2, 0, 0, 0)));
    for (i, column) in columns.iter().enumerate() {
        let side = if column.words { Alignment::left() } else { Alignment::right() };
        table.with(Modify::new(Columns::new(i + 2..i + 3)).with(side));
    }
    table.with(Modify::new(Rows::new(..1)).with(Alignment::bottom()));
    let text = table.to_string();
    text.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn head(column: &Column) -> String {
    let columns = column_width(column);
    let line = |text: &String| if column.words { text.clone() } else { right(text, columns) };
    format!("{}\n{}", line(&column.head[0]), line(&column.head[1]))
}

/// Cells in which figures and shares are aligned separately.
fn cells(column: &Column) -> Vec<String> {
    let figures = column.cells.iter().map(|cell| width(&cell.figure)).max().unwrap_or(0);
    let shares = column.cells.iter().map(|cell| width(&cell.share)).max().unwrap_or(0);
    let cell = |cell: &super::columns::Cell| {
        let blank = " ".repeat(figures.saturating_sub(width(&cell.figure)));
        let figure =
            if column.words { paint(cell.tone, &cell.figure) } else { blank + &paint(cell.tone, &cell.figure) };
        match shares {
            0 => figure,
            _ => figure + "  " + &" ".repeat(shares - width(&cell.share)) + &paint(cell.tone, &cell.share),
        }
    };
    column.cells.iter().map(cell).collect()
}

/// A name in lines of at most this width.
fn wrapped(name: &str, room: usize) -> String {
    lines(name, room).join("\n")
}
