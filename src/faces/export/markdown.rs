//! Markdown for a design review: the table, its assumptions, and how to reproduce it.

use crate::faces::assumptions::Assumption;
use crate::faces::interrupted::{first_line, row_note};
use crate::faces::table::columns::{Column, choose};
use crate::faces::table::{engines, header};
use crate::faces::text::clean;
use crate::results::statistics::Summary;
use crate::results::{Agreement, Report};

/// The report as Markdown, with what its figures rest on; `command` reproduces the run.
#[must_use]
pub fn markdown(report: &Report, assumptions: &[Assumption], command: &str) -> String {
    let summaries = Summary::all(&report.variants);
    let columns = choose(report, &summaries);
    let mut text = first_line(report).map_or_else(String::new, |line| format!("**{}**\n\n", escaped(&line)));
    text += &format!("# {}\n\n{}\n\n", escaped(&clean(&report.name)), escaped(&clean(&report.scenario.title)));
    text += &table(report, &columns);
    for sentence in crate::faces::table::sentences(report, &summaries, &columns) {
        text += &format!("\n{}\n", escaped(&sentence));
    }
    for warning in crate::faces::table::warnings(report, &summaries) {
        text += &format!("\n**{}**\n", escaped(&warning));
    }
    if let Some(agreement) = &report.agreement {
        text += &both_engines(agreement);
    }
    text += "\n## Assumptions\n\n";
    for line in header::in_words(report) {
        text += &format!("- {}\n", escaped(&line));
    }
    if !assumptions.is_empty() {
        text += "\n| what | value | whose |\n|:--|:--|:--|\n";
    }
    for Assumption { what, value, from } in assumptions {
        text += &format!("| {} | {} | {} |\n", escaped(what), escaped(value), escaped(from));
    }
    text += &format!("\n## To repeat it\n\n```sh\n{}\n```\n", clean(command));
    text
}

fn table(report: &Report, columns: &[Column]) -> String {
    let mut text = String::from("| | design |");
    for column in columns {
        text += &format!(" {} |", escaped(column.head.join(" ").trim()));
    }
    text += "\n|--:|:--|";
    for column in columns {
        text += if column.words { ":--|" } else { "--:|" };
    }
    text.push('\n');
    for (row, variant) in report.variants.iter().enumerate() {
        let note = row_note(variant).map_or_else(String::new, |note| format!(" ({note})"));
        text += &format!("| {} | {} |", variant.number, escaped(&(clean(&variant.name) + &note)));
        for column in columns {
            text += &format!(" {} |", column.cells[row].text());
        }
        text.push('\n');
    }
    text
}

/// The simulations' predictions and the real runs' results, for figures that are worth a line.
fn both_engines(agreement: &Agreement) -> String {
    let mut text = String::from("\n## Both engines\n\n| design | figure |");
    for head in &engines::HEAD[1..] {
        text += &format!(" {head} |");
    }
    text += "\n|--:|:--|--:|--:|--:|--:|:--|\n";
    for row in engines::rows(agreement) {
        text +=
            &format!("| {} | {} | {} |\n", agreement.numbers[row.design], escaped(&row.what), row.cells.join(" | "));
    }
    for sentence in engines::sentences(agreement) {
        text += &format!("\n{}\n", escaped(&sentence));
    }
    text
}

/// Escapes characters that have a meaning in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '<' | '[' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
