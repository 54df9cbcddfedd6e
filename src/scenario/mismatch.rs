//! A value that does not fit its type, in the words of a scenario's author.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::nearest::nearest;
use super::tree::{Node, Origin, Problem, Value};
use super::usual;
use crate::base::time::Span;

/// A value that does not fit its type.
#[derive(Debug)]
pub(super) struct Mismatch {
    what: Found,
    /// The innermost place; absent until the error passes through one.
    at: Option<Origin>,
}

#[derive(Debug)]
enum Found {
    Said(String, Option<String>),
    UnknownKey(String, &'static [&'static str]),
    MissingKey(&'static str),
}

impl Mismatch {
    pub fn said(message: impl Into<String>, help: Option<String>) -> Mismatch {
        Mismatch { what: Found::Said(message.into(), help), at: None }
    }

    pub fn or_at(mut self, origin: Origin) -> Mismatch {
        self.at.get_or_insert(origin);
        self
    }

    /// The key that is missing, if that is what is wrong.
    pub fn missing_key(&self) -> Option<&'static str> {
        match self.what {
            Found::MissingKey(key) => Some(key),
            _ => None,
        }
    }

    /// Whether a key is not known.
    pub fn is_unknown_key(&self) -> bool {
        matches!(self.what, Found::UnknownKey(..))
    }

    /// The key of the root that it concerns: the one that is missing, that it is under, or that an unknown one resembles.
    pub fn concerned(&self, root: &Node) -> Option<String> {
        let at = self.at.unwrap_or(root.origin);
        match &self.what {
            Found::MissingKey(key) if at == root.origin => Some((*key).into()),
            Found::UnknownKey(found, known) if is_at_root(root, found, at) => {
                nearest(found, known.iter().copied()).map(str::to_owned)
            }
            _ => root.key_around(at).map(str::to_owned),
        }
    }

    /// The same about the value of this key, which may say what to write instead.
    pub fn of(mut self, key: &str, node: &Node) -> Mismatch {
        let items = if let Value::List(items) = &node.value { &items[..] } else { &[] };
        let is_here = |at| at == node.origin || items.iter().any(|item| item.table().is_none() && item.origin == at);
        if let (true, Found::Said(message, help @ None)) = (self.at.is_some_and(is_here), &mut self.what) {
            *help = usual::instead(key, &node.value, message);
        }
        self
    }

    pub fn problem(self, root: &Node, beside: &[&'static str]) -> Problem {
        let at = self.at.unwrap_or(root.origin);
        match self.what {
            Found::Said(message, help) => Problem::new(at, message, help),
            Found::MissingKey(key) => {
                let help = format!("add `{key} = {}`", usual::value_of(key));
                Problem::new(at, format!("the key `{key}` is missing here"), Some(help))
            }
            Found::UnknownKey(found, known) => {
                let beside = if is_at_root(root, &found, at) { beside } else { &[] };
                let known: Vec<&str> = known.iter().chain(beside).copied().collect();
                Problem::new(at, format!("unknown key `{found}`"), Some(usual::key(&found, &known)))
            }
        }
    }
}

/// Whether the key at this place is one of the root.
fn is_at_root(root: &Node, key: &str, at: Origin) -> bool {
    root.table().and_then(|table| table.get(key)).is_some_and(|entry| entry.origin == at)
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Found::Said(message, _) => f.write_str(message),
            Found::UnknownKey(found, _) => write!(f, "unknown key `{found}`"),
            Found::MissingKey(key) => write!(f, "the key `{key}` is missing here"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Mismatch::said(message.to_string(), None)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = in_words(expected);
        let help = match found {
            Unexpected::Signed(n) if expected.starts_with("a time") && n > 0 => {
                Some(format!("write \"{n}s\" or \"{n}ms\""))
            }
            Unexpected::Float(number) if expected.starts_with("a whole") && number >= 1.0 => whole(number),
            Unexpected::Str(text) if expected.contains("number") || expected.contains("share") => as_number(text),
            _ => None,
        };
        Mismatch::said(format!("expected {expected}, found {}", found_in_words(found)), help)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let percent = match found {
            Unexpected::Signed(number) => i32::try_from(number).map_or(0.0, f64::from),
            Unexpected::Float(number) => number,
            _ => 0.0,
        };
        let is_share = in_words(expected).ends_with(" 1") && (2.0..=100.0).contains(&percent);
        let mismatch = Mismatch::invalid_type(found, expected);
        match mismatch.what {
            Found::Said(message, None) if is_share => {
                Mismatch::said(message, Some(format!("{percent} % is {}", percent / 100.0)))
            }
            _ => mismatch,
        }
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let help = usual::choice(found, known);
        Mismatch::said(format!("`{}` is not a choice here", shortened(found)), Some(help))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Self {
        Mismatch { what: Found::UnknownKey(found.into(), known), at: None }
    }

    fn missing_field(field: &'static str) -> Self {
        Mismatch { what: Found::MissingKey(field), at: None }
    }
}

/// The whole number that one with a point was meant to be.
fn whole(number: f64) -> Option<String> {
    let help = if number.fract() == 0.0 {
        format!("write {number:.0}; thousands are written as 1_000")
    } else {
        "without a fraction".into()
    };
    (number < 1e15).then_some(help)
}

/// The number that a text was meant to be.
fn as_number(text: &str) -> Option<String> {
    if let Some(percent) = text.strip_suffix('%').and_then(|digits| digits.trim().parse::<f64>().ok()) {
        return Some(format!("write a share of 1: {}", percent / 100.0));
    }
    if text.parse::<f64>().is_ok() {
        return Some(format!("without quotes: {text}"));
    }
    let point = text.replacen(',', ".", 1);
    point.parse::<f64>().is_ok().then(|| format!("without quotes, and with a point: {point}"))
}

/// Translates serde's description of the expected type into the words of a scenario's author.
fn in_words(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    match text.as_str() {
        "a sequence" => "a list".into(),
        "a map" => "a table".into(),
        "a string" => "a text".into(),
        _ if text.starts_with("struct ") => "a table".into(),
        "a boolean" => "`true` or `false`".into(),
        _ => text,
    }
}

fn found_in_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(flag) => format!("`{flag}`"),
        Unexpected::Signed(number) => format!("`{number}`"),
        Unexpected::Float(number) if number.is_nan() => "`nan`".into(),
        Unexpected::Float(number) if number.abs() < 1e15 => format!("`{number}`"),
        Unexpected::Float(number) => format!("`{number:e}`"),
        Unexpected::Str(text) => format!("the text \"{}\"", shortened(text)),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a table".into(),
        other => other.to_string(),
    }
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.into(),
    }
}

/// Times are texts. A negative time gets a more specific message.
pub(super) fn about_text(text: &str, mismatch: Mismatch) -> Mismatch {
    let point = text.replace(',', ".");
    let is_no_time = |text: &str, message: &str| text.parse::<Span>().is_err_and(|error| error.to_string() == message);
    match mismatch.what {
        Found::Said(message, None) if point.parse::<Span>().is_ok() && is_no_time(text, &message) => {
            Mismatch { what: Found::Said(message, Some(format!("with a point: \"{point}\""))), at: mismatch.at }
        }
        Found::Said(message, None)
            if text.trim_start().starts_with('-')
                && text.parse::<Span>().is_err_and(|no_time| no_time.to_string() == message) =>
        {
            let message = format!("`{}` is negative: a time is zero or more", shortened(text));
            Mismatch { what: Found::Said(message, None), at: mismatch.at }
        }
        what => Mismatch { what, at: mismatch.at },
    }
}
