//! A scenario as written: a tree in which every key and value knows where it came from.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::broken;
use super::error::ScenarioError;

/// The texts that make up a scenario: its file first, then the arguments that patch it.
#[derive(Clone, Debug)]
pub(super) struct Sources(Vec<Source>);

#[derive(Clone, Debug)]
struct Source {
    name: String,
    text: String,
}

/// Where a key or a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub source: usize,
    pub start: usize,
    pub end: usize,
}

impl Origin {
    /// Whether it is in the scenario's file, which is the first source.
    pub fn is_in_file(self) -> bool {
        self.source == 0
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub origin: Origin,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    /// An integer that does not fit into 64 bits, as written.
    Huge(String),
    Float(f64),
    Flag(bool),
    Date,
    List(Vec<Node>),
    Table(Table),
}

/// The entries of a table by key.
pub(super) type Table = BTreeMap<String, Entry>;

#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where the key is.
    pub origin: Origin,
    pub node: Node,
}

/// What is wrong, at an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub at: Origin,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(at: Origin, message: impl Into<String>, help: Option<String>) -> Problem {
        Problem { at, message: message.into(), help }
    }
}

impl Sources {
    pub fn new() -> Sources {
        Sources(Vec::new())
    }

    /// Adds a text and returns its index.
    pub fn add(&mut self, name: &str, text: &str) -> usize {
        self.0.push(Source { name: name.into(), text: text.into() });
        self.0.len() - 1
    }

    /// All texts, in the order in which they were added.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|source| &*source.text)
    }

    /// The name of the text that contains the origin.
    pub fn name(&self, origin: Origin) -> &str {
        &self.0[origin.source].name
    }

    /// The problem as a public error.
    pub fn error(&self, problem: Problem) -> ScenarioError {
        let source = &self.0[problem.at.source];
        ScenarioError::new(problem.message, problem.help).at(
            &source.name,
            &source.text,
            problem.at.start..problem.at.end,
        )
    }
}

/// Reads a TOML document. The origin of the root is the start of the text.
pub(super) fn document(source: usize, text: &str) -> Result<Node, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(one_a_line(errors.iter().take(MOST_BROKEN).map(|error| broken(error, source, text, 0)), text));
    }
    let origin = Origin { source, start: 0, end: 0 };
    Ok(Node { value: Value::Table(entries(table.get_ref(), source, 0)), origin })
}

/// A place where the text is not TOML.
fn broken(error: &toml::de::Error, source: usize, text: &str, offset: usize) -> Problem {
    let (message, help) = broken::said(error, text);
    Problem::new(origin(error.span().unwrap_or(0..0), source, offset), message, help)
}

/// The most places with broken TOML that are looked at.
const MOST_BROKEN: usize = 50;

/// The first problem of each line: what follows on the same line usually follows from it.
fn one_a_line(problems: impl Iterator<Item = Problem>, text: &str) -> Vec<Problem> {
    let mut firsts: Vec<(usize, Problem)> = Vec::new();
    let mut in_duplicate = false;
    for problem in problems {
        // A table that is there twice has its keys twice.
        let twice = problem.message.ends_with("is there twice");
        if twice && in_duplicate {
            continue;
        }
        in_duplicate |= twice && problem.message.starts_with("`[");
        let line = text.get(..problem.at.start).map_or(0, |before| before.matches('\n').count());
        if firsts.iter().all(|(known, _)| *known != line) {
            firsts.push((line, problem));
        }
    }
    firsts.into_iter().map(|(_, problem)| problem).collect()
}

/// Reads one TOML value that starts `offset` bytes into its source.
pub(super) fn value(source: usize, text: &str, offset: usize) -> Result<Node, Problem> {
    let value = DeValue::parse(text).map_err(|error| broken(&error, source, text, offset))?;
    Ok(node(&value, source, offset))
}

fn entries(table: &DeTable<'_>, source: usize, offset: usize) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| {
        let key: &Spanned<toml::de::DeString<'_>> = key;
        (
            key.get_ref().to_string(),
            Entry { origin: origin(key.span(), source, offset), node: node(value, source, offset) },
        )
    };
    table.iter().map(entry).collect()
}

fn node(value: &Spanned<DeValue<'_>>, source: usize, offset: usize) -> Node {
    let origin = origin(value.span(), source, offset);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Huge(number.to_string()), Value::Integer),
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Float(f64::NAN), Value::Float),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => Value::List(items.iter().map(|item| node(item, source, offset)).collect()),
        DeValue::Table(table) => Value::Table(entries(table, source, offset)),
    };
    Node { value, origin }
}

fn origin(span: Range<usize>, source: usize, offset: usize) -> Origin {
    Origin { source, start: offset + span.start, end: offset + span.end }
}

impl Node {
    /// The entries, if it is a table.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value at these keys; a list of named tables is entered by name.
    pub fn at(&self, keys: &[String]) -> Option<&Node> {
        let Some((key, rest)) = keys.split_first() else { return Some(self) };
        let named = |item: &&Node| item.table().and_then(|table| table.get("name")?.node.text()) == Some(key);
        match &self.value {
            Value::Table(table) => table.get(key)?.node.at(rest),
            Value::List(items) => items.iter().find(named)?.at(rest),
            _ => None,
        }
    }

    /// The `name` of a table in a list.
    pub fn name(&self) -> Option<&str> {
        self.table()?.get("name")?.node.text()
    }

    /// The index of the table of this name in a list.
    pub fn named(&self, name: &str) -> Option<usize> {
        match &self.value {
            Value::List(items) => items.iter().position(|item| item.name() == Some(name)),
            _ => None,
        }
    }

    /// Whether both have the same value, wherever it was written.
    pub fn is_same(&self, other: &Node) -> bool {
        match (&self.value, &other.value) {
            (Value::Text(one), Value::Text(other)) | (Value::Huge(one), Value::Huge(other)) => one == other,
            (Value::Integer(one), Value::Integer(other)) => one == other,
            (Value::Float(one), Value::Float(other)) => one.to_bits() == other.to_bits(),
            (Value::Flag(one), Value::Flag(other)) => one == other,
            (Value::List(one), Value::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
            }
            (Value::Table(one), Value::Table(other)) => {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|((key, one), (name, other))| key == name && one.node.is_same(&other.node))
            }
            _ => false,
        }
    }

    /// The origin of `path` (`faults[0].crash`), or of the nearest enclosing value that exists.
    pub fn locate(&self, path: &str) -> Origin {
        let mut here = self;
        for part in path.split(['.', '[']).filter(|part| !part.is_empty()) {
            let next = match (&here.value, part.strip_suffix(']')) {
                (Value::List(items), Some(index)) => index.parse().ok().and_then(|index: usize| items.get(index)),
                (Value::Table(table), None) => table.get(part).map(|entry| &entry.node),
                _ => None,
            };
            let Some(next) = next else { break };
            here = next;
        }
        here.origin
    }

    /// Wraps a value into tables, so that it ends up at the given keys.
    pub fn nested(self, keys: Vec<(String, Origin)>) -> Node {
        keys.into_iter().rev().fold(self, |node, (key, origin)| {
            let table = Table::from([(key, Entry { origin, node })]);
            Node { value: Value::Table(table), origin }
        })
    }
}

/// Taking out what cannot be read, so that the rest can.
impl Node {
    /// The key of the table under which this place is.
    pub fn key_around(&self, at: Origin) -> Option<&str> {
        let has = |entry: &Entry| entry.origin == at || entry.node.contains(at);
        self.table()?.iter().find(|(_, entry)| has(entry)).map(|(key, _)| key.as_str())
    }

    fn contains(&self, at: Origin) -> bool {
        self.origin == at
            || match &self.value {
                Value::Table(table) => table.values().any(|entry| entry.origin == at || entry.node.contains(at)),
                Value::List(items) => items.iter().any(|item| item.contains(at)),
                _ => false,
            }
    }

    /// Whether the table at this origin has the key.
    pub fn has(&self, table: Origin, key: &str) -> bool {
        match &self.value {
            Value::Table(here) => {
                self.origin == table && here.contains_key(key) || here.values().any(|entry| entry.node.has(table, key))
            }
            Value::List(items) => items.iter().any(|item| item.has(table, key)),
            _ => false,
        }
    }

    /// Puts a value under a key that the root lacks. A text that is a time fits whatever a scenario must have.
    pub fn stand_in(&mut self, key: &str) -> bool {
        let node = Node { value: Value::Text("1m".into()), origin: self.origin };
        let Value::Table(table) = &mut self.value else { return false };
        table.insert(key.into(), Entry { origin: self.origin, node }).is_none()
    }

    /// Takes out the innermost key or value with this origin, and the table around it if nothing else is in it. Adds the
    /// origins of what is around it, from the inside to the outside.
    pub fn prune(&mut self, at: Origin, around: &mut Vec<Origin>) -> bool {
        let pruned = self.prune_within(at, around);
        if pruned {
            around.push(self.origin);
        }
        pruned
    }

    fn prune_within(&mut self, at: Origin, around: &mut Vec<Origin>) -> bool {
        match &mut self.value {
            Value::Table(table) => {
                let Some(found) = table.iter_mut().find_map(|(key, entry)| {
                    let within = entry.node.prune(at, around);
                    let here = !within && (entry.origin == at || entry.node.origin == at);
                    (within || here).then(|| (key.clone(), here || entry.node.is_empty_table()))
                }) else {
                    return false;
                };
                if let (key, true) = found {
                    table.remove(&key);
                }
                true
            }
            Value::List(items) => {
                if items.iter_mut().any(|item| item.prune(at, around)) {
                    return true;
                }
                let before = items.len();
                items.retain(|item| item.origin != at);
                items.len() < before
            }
            _ => false,
        }
    }

    fn is_empty_table(&self) -> bool {
        self.table().is_some_and(Table::is_empty)
    }
}
