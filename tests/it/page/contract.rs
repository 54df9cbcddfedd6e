//! `docs/page-calls.md` shows calls and answers: they are these.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use whatcart::page::Page;

/// The calls that the document shows, in this order, in one page.
fn examples() -> Vec<Value> {
    vec![
        json!({ "call": "scenarios" }),
        json!({ "call": "source", "scenario": "what-cart" }),
        json!({ "call": "check", "scenario": "mine", "text": "title = 'x'\nduration = '2m'\n[servers]\ncuont = 5\n" }),
        json!({ "call": "load", "scenario": "sticky-crash", "designs": [2, 4], "seed": 270, "user": 42 }),
        json!({ "call": "advance", "run": 0, "until": 30.05 }),
        json!({ "call": "rewind", "run": 0, "to": 29.5 }),
        json!({ "call": "timeline", "run": 0 }),
        json!({ "call": "fork", "run": 0 }),
        json!({ "call": "spare", "run": 2, "fault": 0 }),
        json!({ "call": "inject", "run": 2, "fault": { "crash": "server-1", "replace_after": "5s" } }),
        json!({ "call": "differ", "runs": [0, 2] }),
        json!({ "call": "story", "run": 0 }),
        json!({ "call": "report", "most_requests": 1_000_000 }),
        json!({ "call": "close", "run": 2 }),
    ]
}

/// About how much of a list is shown.
const MOST_BYTES: usize = 500;

/// A long list shows its first entries; among events, the first of each kind.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Array(all) => {
            let events = all.iter().any(|value| value.get("is").is_some());
            let most =
                if is_row(all) { all.len() } else { MOST_BYTES / (1 + value.to_string().len() / all.len().max(1)) };
            let mut seen = BTreeSet::new();
            let mut kept: Vec<&Value> =
                all.iter().filter(|value| !events || seen.insert(value["is"].to_string())).collect();
            kept.truncate(if events { usize::MAX } else { most.max(1) });
            let mut shown: Vec<Value> = kept.iter().map(|value| shortened(value)).collect();
            if kept.len() < all.len() {
                shown.push(json!(format!("… {} more", all.len() - kept.len())));
            }
            Value::Array(shown)
        }
        Value::Object(table) => table.iter().map(|(key, value)| (key.clone(), shortened(value))).collect(),
        Value::String(text) if text.len() > 200 => json!(text.chars().take(60).collect::<String>() + "…"),
        other => other.clone(),
    }
}

/// A row of plain values, such as a user's.
fn is_row(values: &[Value]) -> bool {
    values.first().is_some_and(|first| !first.is_object() && !first.is_array())
}

/// JSON with one entry a line, down to rows.
fn pretty(value: &Value, indent: usize) -> String {
    let flat = value.to_string();
    let pad = " ".repeat(indent + 2);
    match value {
        _ if flat.len() + indent <= 110 => flat,
        Value::Array(all) => {
            let lines: Vec<String> = all.iter().map(|value| format!("{pad}{}", pretty(value, indent + 2))).collect();
            format!("[\n{}\n{}]", lines.join(",\n"), " ".repeat(indent))
        }
        Value::Object(table) => {
            let line = |(key, value): (&String, &Value)| format!("{pad}\"{key}\": {}", pretty(value, indent + 2));
            format!("{{\n{}\n{}}}", table.iter().map(line).collect::<Vec<_>>().join(",\n"), " ".repeat(indent))
        }
        _ => flat,
    }
}

/// With `UPDATE_EXAMPLES` set, the blocks are written anew.
#[test]
fn the_examples_are_real() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/page-calls.md");
    let document = fs::read_to_string(&path).expect("it is there");
    let mut page = Page::default();
    let mut wanted = String::new();
    let mut rest = &*document;
    for call in examples() {
        let answer: Value = serde_json::from_str(&page.call(&call.to_string())).expect("JSON");
        let block = format!("```json\n{call}\n```\n\n```json\n{}\n```\n", pretty(&shortened(&answer), 0));
        let mark = format!("<!-- example: {} -->\n", call["call"].as_str().expect("a name"));
        let at = rest.find(&mark).unwrap_or_else(|| panic!("there is no {mark}")) + mark.len();
        let end = at + rest[at..].find("<!-- end -->").expect("an end");
        wanted += &rest[..at];
        wanted += &block;
        rest = &rest[end..];
    }
    wanted += rest;
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        fs::write(&path, &wanted).expect("it can be written");
        return;
    }
    let differs = document.lines().zip(wanted.lines()).find(|(old, new)| old != new);
    assert!(
        document == wanted,
        "first difference: {differs:?}; `UPDATE_EXAMPLES=1 cargo test contract` writes them anew"
    );
}
