//! What a shape of the schema says, in words.

use serde_json::Value;

use crate::base::words::thousands;
use crate::scenario::limits::LEAST;

/// A text that may be written, and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The text.
    pub name: String,
    /// What it means.
    pub about: String,
}

/// Types that are values, not tables, even though some of them are written as one.
const VALUES: [&str; 4] = ["Dist", "Affinity", "RegionServers", "RegionStore"];

/// The table that a shape stands for, with the name of its type; `None` if it is no table.
pub(super) fn followed<'a>(schema: &'a Value, shape: &'a Value) -> Option<(&'a str, &'a Value)> {
    let (name, target) = referred(schema, shape)?;
    if VALUES.contains(&name) {
        return None;
    }
    if target["properties"].is_object() {
        return Some((name, target));
    }
    // A value, or a table with details.
    target["anyOf"].as_array()?.iter().find_map(|choice| followed(schema, choice))
}

/// The type that a shape refers to, and its name.
fn referred<'a>(schema: &'a Value, shape: &'a Value) -> Option<(&'a str, &'a Value)> {
    let shape = only(shape);
    let name = shape["$ref"].as_str()?.strip_prefix("#/$defs/")?;
    Some((name, &schema["$defs"][name]))
}

/// The one shape in a list of one.
fn only(shape: &Value) -> &Value {
    match shape["anyOf"].as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => shape,
    }
}

/// What may be written.
pub(super) fn words(schema: &Value, shape: &Value) -> String {
    if let Some((name, target)) = referred(schema, shape) {
        return match name {
            "Dist" => "a distribution".into(),
            "Journey" => "a list of the steps below; the steps of a nested list are sent at the same moment".into(),
            _ if !choices(schema, shape).is_empty() => "one of the texts below".into(),
            _ if target["properties"].is_object() => "a table".into(),
            _ => words(schema, target),
        };
    }
    let shape = only(shape);
    let several = shape["anyOf"].as_array().or(shape["oneOf"].as_array());
    if let Some(several) = several {
        return either(schema, several);
    }
    match shape["type"].as_str() {
        _ if shape["const"] != Value::Null => format!("`{}`", toml(&shape["const"])),
        _ if shape["enum"].is_array() => listed(shape["enum"].as_array().into_iter().flatten()),
        Some("integer") => format!("a whole number{}", range(shape)),
        Some("number") => format!("a number{}", range(shape)),
        Some("boolean") => "`true` or `false`".into(),
        Some("string") if shape["pattern"].is_string() => time(shape),
        Some("string") => "a text".into(),
        Some("array") => format!("a list, each entry {}", words(schema, &shape["items"])),
        Some("object") => object(schema, shape),
        _ => "a value".into(),
    }
}

fn either(schema: &Value, several: &[Value]) -> String {
    // Shares are 0, or something that counts.
    if let [nothing, share] = several
        && nothing["const"] == 0
    {
        return format!("a share from 0 to {}, at least {LEAST} if not 0", share["maximum"]);
    }
    several.iter().map(|shape| words(schema, shape)).collect::<Vec<_>>().join(", or ")
}

fn listed<'a>(texts: impl Iterator<Item = &'a Value>) -> String {
    texts.map(|text| format!("`{}`", toml(text))).collect::<Vec<_>>().join(" or ")
}

fn range(shape: &Value) -> String {
    let number = |limit: &Value| limit.as_u64().map_or_else(|| limit.to_string(), thousands);
    match (&shape["minimum"], &shape["maximum"]) {
        (Value::Null, _) | (_, Value::Null) => String::new(),
        (least, most) if most.as_u64() == Some(i64::MAX as u64) => format!(" from {}", number(least)),
        (least, most) if least.as_f64() == Some(LEAST) => {
            format!(" above 0, at least {LEAST} and at most {}", number(most))
        }
        (least, most) => format!(" from {} to {}", number(least), number(most)),
    }
}

fn time(shape: &Value) -> String {
    shape["x-limits"].as_str().map_or("a time".into(), |limits| format!("a time, {limits}"))
}

/// A table with one key that makes it a value, or with a value for each name.
fn object(schema: &Value, shape: &Value) -> String {
    let properties: Vec<_> = shape["properties"].as_object().into_iter().flatten().collect();
    match properties[..] {
        [(key, shape)] => format!("`{{ {key} = … }}` with {}", words(schema, shape)),
        [] => format!("a table, for each name {}", words(schema, &shape["additionalProperties"])),
        _ => "a table".into(),
    }
}

/// The texts that may be written, if these are all. In a list, those of its entries.
pub(super) fn choices(schema: &Value, shape: &Value) -> Vec<Choice> {
    let Some((name, target)) = referred(schema, shape) else { return Vec::new() };
    if name == "Journey" {
        return choices(schema, &target["items"]["anyOf"][0]);
    }
    let texts = target["oneOf"].as_array().into_iter().flatten();
    let choice = |shape: &Value| {
        let name = shape["const"].as_str()?.to_owned();
        Some(Choice { name, about: prose(&shape["description"]) })
    };
    texts.map(choice).collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// A description without the line breaks of the source; paragraphs stay.
pub(super) fn prose(description: &Value) -> String {
    let paragraphs = description.as_str().unwrap_or_default().split("\n\n");
    paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n\n")
}

/// A value of JSON as TOML.
pub(super) fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let entries: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        Value::Number(number) => number.as_u64().map_or_else(|| number.to_string(), grouped),
        other => other.to_string(),
    }
}

/// `1_000`
fn grouped(number: u64) -> String {
    thousands(number).replace(',', "_")
}
