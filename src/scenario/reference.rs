//! The reference of every key, made from the types: the JSON Schema has their names, units, limits and defaults.

use std::sync::LazyLock;

use serde_json::Value;

use super::schema::schema;

/// One key of a scenario.
#[derive(Clone, Debug)]
pub struct Key {
    /// The tables around it and its name: `balancer.health.interval`. The tables of a list end in `[]`.
    pub path: String,
    /// What the schema says about it, with the reference to its type followed.
    pub shape: Value,
}

/// Every key, table by table, in the order of the schema.
#[must_use]
pub fn keys() -> Vec<Key> {
    let schema = schema();
    let mut keys = Vec::new();
    collect(&schema, &schema, "", &mut keys);
    keys
}

/// Where a key of this name belongs, such as `[balancer.health]`, in backquotes.
pub(super) fn tables_with(key: &str) -> Vec<String> {
    static KEYS: LazyLock<Vec<Key>> = LazyLock::new(keys);
    let place = |path: &str| match path.rsplit_once('.') {
        Some((table, name)) if name == key => Some(header(table)),
        None if path == key => Some("the file itself, outside of all tables".into()),
        _ => None,
    };
    let mut tables: Vec<String> = KEYS.iter().filter_map(|known| place(&known.path)).collect();
    tables.dedup();
    tables
}

/// How a table is written: `[servers]`, `[[faults]]`, or `deploy` of a fault.
fn header(table: &str) -> String {
    match table.split_once("[]") {
        Some((list, "")) => format!("`[[{list}]]`"),
        Some((list, inner)) => format!("`{}` of `[[{list}]]`", inner.trim_start_matches('.')),
        None => format!("`[{table}]`"),
    }
}

/// Types that are values, not tables, even though some of them are written as one.
const VALUES: [&str; 4] = ["Dist", "Affinity", "RegionServers", "RegionStore"];

fn collect(schema: &Value, table: &Value, path: &str, keys: &mut Vec<Key>) {
    let Some(properties) = table["properties"].as_object() else { return };
    for (name, property) in properties {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let (item, list) = match &property["items"] {
            Value::Null => (property, ""),
            item => (item, "[]"),
        };
        let (type_name, target) = followed(schema, item);
        keys.push(Key { path: path.clone(), shape: property.clone() });
        let is_table = target["properties"].is_object() && !VALUES.contains(&type_name) && name != "variants";
        if is_table {
            collect(schema, target, &format!("{path}{list}"), keys);
        }
    }
}

/// The type that a shape refers to, and its name.
fn followed<'a>(schema: &'a Value, shape: &'a Value) -> (&'a str, &'a Value) {
    let shape = match shape["anyOf"].as_array().map(Vec::as_slice) {
        Some([only]) => only,
        Some([_, table]) if table["$ref"].is_string() => table,
        _ => shape,
    };
    match shape["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/")) {
        Some(name) => (name, &schema["$defs"][name]),
        None => ("", shape),
    }
}
