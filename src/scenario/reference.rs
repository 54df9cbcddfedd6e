//! The reference of every key, made from the types: the JSON Schema has their names, units, limits and defaults.

mod examples;
mod shape;

use std::sync::LazyLock;

use serde_json::Value;

pub use self::shape::Choice;
use self::shape::{choices, followed, prose, toml, words};
use super::needs::{self, Need};
use super::schema::schema;

/// A table of a scenario, with its keys.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where it may stand: `balancer.health`, `faults[].deploy`; empty for the scenario itself. The tables of a list end
    /// in `[]`.
    pub paths: Vec<String>,
    /// What it is for, in one or more paragraphs.
    pub about: String,
    /// Its keys, in alphabetical order.
    pub keys: Vec<Key>,
    /// The name of its type.
    type_name: String,
}

/// One key of a scenario.
#[derive(Clone, Debug)]
pub struct Key {
    /// The tables around it and its name: `balancer.health.interval`.
    pub path: String,
    /// What it does.
    pub about: String,
    /// What may be written: `a whole number from 1 to 10`.
    pub value: String,
    /// The texts that may be written, if these are all, each with what it means.
    pub choices: Vec<Choice>,
    /// Whether it must be given.
    pub required: bool,
    /// What applies if it is not given, as TOML; `None` if then nothing does.
    pub default: Option<String>,
    /// A value that shows how it is written, as TOML; `None` for tables.
    pub example: Option<&'static str>,
}

impl Key {
    /// The last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit_once('.').map_or(&self.path, |(_, name)| name)
    }

    /// What it needs to have an effect.
    pub fn needs(&self) -> impl Iterator<Item = &'static Need> {
        needs::of(&self.path)
    }
}

/// Every table with its keys. A table that may stand in several places is there once.
#[must_use]
pub fn tables() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
        let schema = schema();
        let mut tables = Vec::new();
        collect(&schema, ("", &schema), "", &mut tables);
        tables.push(variants(&schema));
        tables
    });
    &TABLES
}

/// The key with this path (`faults.deploy.drain`), or all keys with this name (`drain`).
#[must_use]
pub fn find(wanted: &str) -> Vec<&'static Key> {
    let wanted = wanted.replace("[]", "");
    let is = |path: &String, key: &Key| path_of(path, key.name()).replace("[]", "") == wanted;
    let all = || tables().iter().flat_map(|table| table.keys.iter().map(move |key| (table, key)));
    let exact: Vec<_> = all().filter(|(table, key)| table.paths.iter().any(|path| is(path, key))).collect();
    let named = || all().filter(|(_, key)| key.name() == wanted).collect();
    let found = if exact.is_empty() { named() } else { exact };
    found.into_iter().map(|(_, key)| key).collect()
}

/// The path of a key in a table.
fn path_of(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

/// Where a key of this name belongs, such as `[balancer.health]`, in backquotes. A table that may stand in several places
/// is named once.
pub(super) fn tables_with(key: &str) -> Vec<String> {
    let having = tables().iter().filter(|table| table.keys.iter().any(|known| known.name() == key));
    having.map(|table| header(&table.paths[0])).collect()
}

/// How a table is written, in backquotes: `[servers]`, `[[faults]]`, or `deploy` of `[[faults]]`.
#[must_use]
pub fn header(table: &str) -> String {
    match table.split_once("[]") {
        _ if table.is_empty() => "the file itself, outside of all tables".into(),
        Some((list, "")) => format!("`[[{list}]]`"),
        Some((list, inner)) => format!("`{}` of `[[{list}]]`", inner.trim_start_matches('.')),
        None => format!("`[{table}]`"),
    }
}

fn collect(schema: &Value, (type_name, table): (&str, &Value), path: &str, tables: &mut Vec<Table>) {
    let Some(properties) = table["properties"].as_object() else { return };
    let known = tables.iter_mut().find(|known| known.type_name == type_name);
    if let Some(known) = known {
        known.paths.push(path.to_owned());
    } else {
        tables.push(Table {
            paths: vec![path.to_owned()],
            about: prose(&table["description"]),
            keys: properties.iter().map(|(name, shape)| key(schema, table, path, (name, shape))).collect(),
            type_name: type_name.to_owned(),
        });
    }
    for (name, property) in properties {
        let inner = path_of(path, name);
        let (item, list) = match &property["items"] {
            Value::Null => (property, ""),
            item => (item, "[]"),
        };
        if let Some(target) = followed(schema, item) {
            collect(schema, target, &format!("{inner}{list}"), tables);
        }
    }
}

/// What a variant has beside the keys of the scenario.
fn variants(schema: &Value) -> Table {
    let list = &schema["properties"]["variants"];
    let item = &list["items"];
    let own = |name| key(schema, item, "variants[]", (name, &item["properties"][name]));
    Table {
        paths: vec!["variants[]".into()],
        about: prose(&list["description"]),
        keys: ["name", "without"].map(own).into(),
        type_name: "Variant".into(),
    }
}

fn key(schema: &Value, table: &Value, at: &str, (name, shape): (&str, &Value)) -> Key {
    let path = path_of(at, name);
    let required = table["required"].as_array().is_some_and(|keys| keys.iter().any(|key| key == name));
    let default = match (&shape["x-default"], &shape["default"]) {
        (Value::String(words), _) => Some(words.clone()),
        (_, Value::Null) => None,
        (_, default) => Some(toml(default)),
    };
    Key {
        about: prose(&shape["description"]),
        value: words(schema, shape),
        choices: choices(schema, shape),
        required,
        default,
        example: examples::of(&path),
        path,
    }
}
