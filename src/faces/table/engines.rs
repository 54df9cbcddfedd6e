//! Both engines, figure by figure: the simulations' predictions, the real results, and whether they agree.

use crate::base::words::{count, listed, real};
use crate::faces::grid::{Cell, Column, Grid};
use crate::faces::text::{Page, Side, Tone, clean, left, paint_lines};
use crate::results::Agreement;
use crate::results::agreement::{Conformity, Judgement, Predicted, SERVICE_AT_LEAST_MS, Unit};
use crate::scenario::DesignNumber;

/// The width of a number and the gap after it, and the least width of a name.
const NUMBER: usize = 3;
const NAME_AT_LEAST: usize = 14;
/// How many differences the verdict names at most.
const MOST: usize = 4;

/// An explanation of the ranges.
const RANGES: &str = "Ranges: for counts the least and the most of any simulation; for rates where real runs should lie, \
                      with a certainty of 99.9 % for all rates together.";

/// The comparison of one figure, in words.
pub struct Row {
    /// The index of its design.
    pub design: usize,
    /// What is compared.
    pub what: String,
    /// Prediction, range, observed value, difference, and verdict.
    pub cells: [String; 5],
    /// Whether it is as predicted.
    pub verdict: Conformity,
}

/// The column headers.
pub const HEAD: [&str; 6] = ["both engines", "simulated", "range", "happened", "difference", ""];

/// The whole block: a line for each non-zero figure, the absent losses, and the verdict.
#[must_use]
pub fn block(agreement: &Agreement, page: Page) -> String {
    let rows = rows(agreement);
    let drawn = grid(&rows, &agreement.numbers).draw(page);
    let mut text = format!("\n{}", drawn.head);
    for (design, number) in agreement.numbers.iter().enumerate() {
        let own = rows.iter().zip(&drawn.rows).filter(|(row, _)| row.design == design).map(|(_, line)| line.as_str());
        let own: String = own.collect();
        text += &own;
        if let Some(absent) = absent(agreement, design) {
            let number = if own.is_empty() { number.to_string() } else { String::new() };
            text += &page.wrap(&left(&number, NUMBER), &absent);
        }
    }
    if !drawn.left_out.is_empty() {
        text += &page.wrap("   ", &format!("Not shown, for want of room: {}.", drawn.left_out.join("; ")));
    }
    for sentence in absent_everywhere(agreement).into_iter().chain([RANGES.into()]).chain(untimed(agreement)) {
        text += &page.wrap("   ", &sentence);
    }
    let tone = if agreement.agrees() { Tone::Fine } else { Tone::Loss };
    text += &paint_lines(tone, &page.wrap("   ", &verdict(agreement)));
    text
}

/// The comparison as a table; only the first row of a design has its number.
fn grid(rows: &[Row], numbers: &[DesignNumber]) -> Grid {
    let first = |at: usize| at == 0 || rows[at - 1].design != rows[at].design;
    let number = |at: usize| if first(at) { numbers[rows[at].design].to_string() } else { String::new() };
    let names = rows.iter().enumerate().map(|(at, row)| [number(at), row.what.clone()]);
    let column = |(at, head): (usize, &&str)| {
        let last = at + 1 == HEAD.len() - 1;
        let cell = |row: &Row| {
            let tone = if last { tone(row.verdict) } else { Tone::Plain };
            Cell { text: row.cells[at].clone(), tone }
        };
        Column {
            head: vec![(*head).into()],
            cells: rows.iter().map(cell).collect(),
            side: if last { Side::Left } else { Side::Right },
            words: true,
            rank: (*head == "difference").then_some(0),
        }
    };
    let columns = HEAD[1..].iter().enumerate().map(column).collect();
    Grid { heading: HEAD[0], names: names.collect(), name_at_least: NAME_AT_LEAST, columns, ..Grid::default() }
}

fn tone(verdict: Conformity) -> Tone {
    match verdict {
        Conformity::Agrees => Tone::Fine,
        Conformity::Differs => Tone::Loss,
        Conformity::NotJudged => Tone::Faint,
    }
}

/// Everything worth a line: losses and rates that are not zero, and everything that differs.
#[must_use]
pub fn rows(agreement: &Agreement) -> Vec<Row> {
    let worth = |one: &Judgement| one.verdict == Conformity::Differs || one.unit != Unit::Cases && !one.is_nothing();
    let numbered =
        agreement.variants.iter().enumerate().flat_map(|(design, all)| all.iter().map(move |one| (design, one)));
    numbered.filter(|(_, one)| worth(one)).map(|(design, one)| row(design, one)).collect()
}

fn row(design: usize, one: &Judgement) -> Row {
    let predicted = match one.predicted {
        Predicted::Impossible => "impossible".into(),
        Predicted::Certain => "certain".into(),
        Predicted::Possible => "possible".into(),
        Predicted::Interval => figure(one.unit, one.mean),
    };
    let mark = match one.verdict {
        Conformity::Agrees => "ok",
        Conformity::Differs => "DIFFERS",
        Conformity::NotJudged => "not judged",
    };
    let cells = [predicted, range(one), figure(one.unit, one.observed), difference(one), mark.into()];
    Row { design, what: clean(&one.what), cells, verdict: one.verdict }
}

fn figure(unit: Unit, x: f64) -> String {
    match unit {
        Unit::Losses | Unit::Cases => count(x),
        Unit::Share => format!("{} %", points(x)),
        Unit::Number => real(x),
        Unit::Millis => format!("{} ms", real(x)),
    }
}

/// A share in percent: to a tenth, or finer if a tenth is too coarse.
fn points(share: f64) -> String {
    let percent = 100.0 * share;
    if percent == 0.0 || percent.abs() >= 0.95 { format!("{percent:.1}") } else { format!("{percent:.2}") }
}

fn range(one: &Judgement) -> String {
    let print = |x: f64| match one.unit {
        Unit::Share => points(x),
        Unit::Losses | Unit::Cases => count(x),
        Unit::Number | Unit::Millis => real(x),
    };
    let (low, high) = (print(one.low), print(one.high));
    let unit = match one.unit {
        Unit::Share => " %",
        Unit::Millis => " ms",
        _ => "",
    };
    match one.predicted {
        Predicted::Impossible => String::new(),
        _ if low == high => format!("{low}{unit}"),
        _ => format!("{low} to {high}{unit}"),
    }
}

/// The difference of the observed value from the mean of the simulations: as a number, in percent of that mean or, for
/// shares, in percentage points.
fn difference(one: &Judgement) -> String {
    let apart = one.observed - one.mean;
    match one.unit {
        Unit::Losses | Unit::Cases => signed(apart),
        Unit::Share => format!("{} points", signed(100.0 * apart)),
        _ if one.mean <= 0.0 => String::new(),
        _ => format!("{} %", signed(100.0 * apart / one.mean)),
    }
}

/// A number with its sign, to a tenth if it is small. Zero has no sign.
fn signed(x: f64) -> String {
    let size = x.abs();
    let text = if size < 9.95 { format!("{size:.1}") } else { count(size.round()) };
    let nothing = !text.contains(|c: char| ('1'..='9').contains(&c));
    let sign = match x {
        _ if nothing => "",
        x if x < 0.0 => "−",
        _ => "+",
    };
    format!("{sign}{text}")
}

/// Losses that are absent, as predicted, in this design but not in all.
fn absent(agreement: &Agreement, design: usize) -> Option<String> {
    let everywhere = everywhere(agreement);
    let losses = agreement.variants[design].iter().filter(|one| one.unit == Unit::Losses && one.is_absent());
    let absent: Vec<&str> = losses.map(|one| &*one.what).filter(|what| !everywhere.contains(what)).collect();
    (!absent.is_empty()).then(|| format!("absent, as predicted: {}", listed(&absent)))
}

/// Losses that are absent, as predicted, in every design.
fn everywhere(agreement: &Agreement) -> Vec<&str> {
    let Some((first, others)) = agreement.variants.split_first() else { return Vec::new() };
    let absent = |all: &[Judgement], what: &str| all.iter().any(|one| one.what == what && one.is_absent());
    let losses = first.iter().filter(|one| one.unit == Unit::Losses && one.is_absent());
    losses.map(|one| &*one.what).filter(|what| others.iter().all(|other| absent(other, what))).collect()
}

fn absent_everywhere(agreement: &Agreement) -> Option<String> {
    let absent = everywhere(agreement);
    let designs = if agreement.variants.len() > 1 { "Absent in every design" } else { "Absent" };
    (!absent.is_empty()).then(|| format!("{designs}, as predicted: {}.", listed(&absent)))
}

/// A note, if latency and load are not compared.
fn untimed(agreement: &Agreement) -> Option<String> {
    (!agreement.timed() && !agreement.variants.is_empty()).then(|| {
        format!(
            "Latency and load are not compared: a request takes {} real ms of service, and below {} ms the delays of \
             this machine would be a good part of what is measured. A lower --speed makes it longer.",
            real(agreement.service_ms),
            count(SERVICE_AT_LEAST_MS)
        )
    })
}

/// The verdict, in a sentence.
#[must_use]
pub fn verdict(agreement: &Agreement) -> String {
    let judged = agreement.judged();
    let differing: Vec<String> = agreement
        .differing()
        .map(|(variant, one)| format!("{} in design {}", clean(&one.what), agreement.numbers[variant]))
        .collect();
    if differing.is_empty() {
        return format!("Both engines agree: {judged} of {judged} judgements.");
    }
    let mut named: Vec<String> = differing.iter().take(MOST).cloned().collect();
    if differing.len() > MOST {
        named.push(format!("{} more", differing.len() - MOST));
    }
    format!("The engines differ in {} of {judged} judgements: {}.", differing.len(), listed(&named))
}

/// The text around the rows, without colour: which losses are absent, what is not compared, and the verdict.
#[must_use]
pub fn sentences(agreement: &Agreement) -> Vec<String> {
    let each = agreement.numbers.iter().enumerate();
    let each = each
        .filter_map(|(design, number)| absent(agreement, design).map(|absent| format!("Design {number}: {absent}.")));
    let mut sentences: Vec<String> = each.collect();
    sentences.extend(absent_everywhere(agreement));
    sentences.push(RANGES.into());
    sentences.extend(untimed(agreement));
    sentences.push(verdict(agreement));
    sentences
}
