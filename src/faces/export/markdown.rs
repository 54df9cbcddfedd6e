//! Markdown for a design review: the table, its assumptions, and how to reproduce it.

use crate::base::Step;
use crate::base::words::listed;
use crate::faces::assumptions::{Assumption, kebab};
use crate::faces::interrupted::{first_line, row_note};
use crate::faces::table::columns::{Cell, Column, choose};
use crate::faces::table::{engines, header};
use crate::faces::text::clean;
use crate::results::statistics::Summary;
use crate::results::{Agreement, Report};
use crate::scenario::Scenario;

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
    for line in in_words(report) {
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
            text += &format!(" {} |", cell(&column.cells[row]));
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

fn cell(cell: &Cell) -> String {
    match &*cell.share {
        "" => cell.figure.clone(),
        share => format!("{} ({share})", cell.figure),
    }
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

/// The assumptions of the base scenario in words. The variants' names say what they change.
fn in_words(report: &Report) -> Vec<String> {
    let scenario = &report.scenario;
    let mut lines = vec![format!("{}.", header::facts(report)), journey(scenario)];
    lines.extend(header::timelines(report).into_iter().map(|line| format!("{line}.")));
    let varies = clean(scenario.varies.replace('\n', " ").trim());
    if !varies.is_empty() {
        lines.push(format!("Designs differ in {}.", varies.trim_end_matches('.')));
    }
    let how = if report.engine == "sim" { "simulated, not measured" } else { "measured on one machine" };
    lines.push(format!("Every figure is {how}, by whatcart {}.", env!("CARGO_PKG_VERSION")));
    lines
}

fn journey(scenario: &Scenario) -> String {
    let journey = &scenario.users.journey;
    let moment = |steps: &[Step]| steps.iter().map(kebab).collect::<Vec<_>>().join(" + ");
    let steps: Vec<String> = journey.moments().map(|steps| moment(&journey[steps])).collect();
    format!("A visit is {}.", listed(&steps))
}
