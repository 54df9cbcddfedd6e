//! The tables of a report, from the columns that the terminal's table has.

use super::{paragraph, warning};
use crate::faces::assumptions::Assumption;
use crate::faces::interrupted::row_note;
use crate::faces::markup::{Tag, escaped};
use crate::faces::table::columns::Column;
use crate::faces::table::{engines, header, left_out, sentences, warnings};
use crate::faces::text::Tone;
use crate::results::statistics::Summary;
use crate::results::{Agreement, Report};

/// A table with lines between its rows.
fn table(caption: &str, head: &str, rows: &str) -> String {
    let caption = Tag::new("caption").saying(caption);
    let head = Tag::new("thead").around(&Tag::new("tr").around(head));
    let table = Tag::new("table").set("border", 1).set("rules", "rows").set("frame", "hsides").set("cellpadding", 5);
    table.around(&format!("{caption}\n{head}\n{}", Tag::new("tbody").around(rows))) + "\n"
}

fn head(text: &str, numbers: bool) -> String {
    let cell = Tag::new("th").set("scope", "col").set("valign", "bottom");
    cell.set("align", if numbers { "right" } else { "left" }).saying(text)
}

fn cell(numbers: bool) -> Tag {
    let cell = Tag::new("td").set("valign", "top");
    if numbers { cell.set("align", "right") } else { cell }
}

/// Design by design: the same columns, words and figures as on the terminal.
pub(super) fn comparison(report: &Report, summaries: &[Summary], columns: &[Column]) -> String {
    let both = Tag::new("th").set("scope", "colgroup").set("colspan", 2).set("align", "left").set("valign", "bottom");
    let mut heads = both.saying("design");
    for column in columns {
        heads += &head(column.head.join(" ").trim(), !column.words);
    }
    let mut rows = String::new();
    for (row, variant) in report.variants.iter().enumerate() {
        let note = row_note(variant).map_or_else(String::new, |note| format!(" ({note})"));
        let name = Tag::new("th").set("scope", "row").set("align", "left").set("valign", "top");
        let mut cells = cell(true).saying(&variant.number.to_string()) + &name.saying(&(variant.name.clone() + &note));
        for column in columns {
            // A number stays with its unit.
            let text = column.cells[row].text().replace(" %", "\u{a0}%");
            let markup = match column.cells[row].tone {
                Tone::Loss => Tag::new("strong").saying(&text),
                _ => escaped(&text),
            };
            cells += &cell(!column.words).around(&markup);
        }
        rows += &(Tag::new("tr").around(&cells) + "\n");
    }
    let mut text = table("Design by design", &heads, &rows);
    let notes = sentences(report, summaries, columns).into_iter().chain(left_out(report));
    text += &notes.map(|note| paragraph(&note)).collect::<String>();
    text + &warnings(report, summaries).iter().map(|note| warning(note)).collect::<String>()
}

/// What simulations predicted, and what happened.
pub(super) fn engines(agreement: &Agreement) -> String {
    let names = ["design", "figure"].into_iter().chain(engines::HEAD[1..].iter().copied());
    let heads: String = names.map(|name| head(if name.is_empty() { "verdict" } else { name }, false)).collect();
    let row = |row: engines::Row| {
        let words = [agreement.numbers[row.design].to_string(), row.what].into_iter().chain(row.cells);
        Tag::new("tr").around(&words.map(|text| cell(false).saying(&text)).collect::<String>()) + "\n"
    };
    let rows: String = engines::rows(agreement).into_iter().map(row).collect();
    table("Predicted by simulations, and measured", &heads, &rows)
        + &engines::sentences(agreement).iter().map(|sentence| paragraph(sentence)).collect::<String>()
}

/// What the figures rest on, and whose setting it is.
pub(super) fn assumptions(report: &Report, assumptions: &[Assumption]) -> String {
    let line = |line: &String| Tag::new("li").saying(line);
    let list = Tag::new("ul").around(&header::in_words(report).iter().map(line).collect::<String>()) + "\n";
    if assumptions.is_empty() {
        return list;
    }
    let row = |Assumption { what, value, from }: &Assumption| {
        let name = Tag::new("th").set("scope", "row").set("align", "left").set("valign", "top").saying(what);
        Tag::new("tr").around(&(name + &cell(false).saying(value) + &cell(false).saying(from))) + "\n"
    };
    let heads = ["what", "value", "whose"].map(|name| head(name, false)).concat();
    list + &table("What these figures rest on", &heads, &assumptions.iter().map(row).collect::<String>())
}
