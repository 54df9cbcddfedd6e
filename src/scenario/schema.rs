//! The JSON Schema of a scenario file.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::drain::Written;
use super::limits::LEAST;
use super::patch::{MOST_VARIANTS, WHOLE};
use super::{
    Affinity, Drain, Forgets, Journey, Positive, RegionServers, RegionStore, Scale, ScaleTo, Scenario, Share, Time,
    Whole,
};
use crate::base::Step;
use crate::base::time::Span;

/// The name of this version of the schema.
const ID: &str = concat!("urn:whatcart:scenario:", env!("CARGO_PKG_VERSION"));

/// The JSON Schema of a scenario file: a [`Scenario`] whose variants are patches of it.
///
/// It contains what an editor needs to complete and explain keys, but not the limits across several values.
#[must_use]
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    tidy(&mut schema);
    let mut partial = schema.clone();
    loosen(&mut partial);
    let variant = variant(&partial);
    schema["$id"] = json!(ID);
    schema["title"] = json!("whatcart scenario");
    schema["description"] = json!("A scenario and its designs, for whatcart run FILE.");
    schema["properties"]["variants"] = json!({
        "description": "The designs to compare: each lists only what is different in it.",
        "type": "array",
        "maxItems": MOST_VARIANTS,
        "items": variant,
    });
    if let (Some(types), Some(partial)) = (schema["$defs"].as_object_mut(), partial["$defs"].as_object()) {
        types.extend(partial.iter().map(|(name, shape)| (format!("{PARTIAL}{name}"), shape.clone())));
    }
    schema
}

/// The prefix for names of types in which every key is optional.
const PARTIAL: &str = "Partial";

/// What a variant may contain: its name, and any keys that affect the run.
fn variant(partial: &Value) -> Value {
    let mut properties: Map<String, Value> = partial["properties"].as_object().cloned().unwrap_or_default();
    properties.retain(|key, _| !WHOLE.contains(&key.as_str()));
    for (key, item) in [("faults", "Fault"), ("random_faults", "RandomFaults")] {
        let Some(faults) = properties.get_mut(key) else { continue };
        let whole_list = json!({ "type": "array", "items": { "$ref": format!("#/$defs/{item}") } });
        let by_name = json!({ "type": "object", "additionalProperties": faults["items"].clone() });
        *faults = json!({ "description": "A new list, or changes to faults by name.", "anyOf": [whole_list, by_name] });
    }
    properties.insert("name".into(), json!({ "description": "Its name in tables.", "type": "string", "minLength": 1 }));
    let without = "Keys and tables of the scenario that this design does without, such as `autoscaler` or \
                   `faults.\"the crash\"`.";
    properties
        .insert("without".into(), json!({ "description": without, "type": "array", "items": { "type": "string" } }));
    json!({ "type": "object", "properties": properties, "required": ["name"], "additionalProperties": false })
}

/// TOML has no null: a key without a value is simply left out.
fn tidy(schema: &mut Value) {
    if let Some(kinds) = schema.get_mut("type")
        && let Some(list) = kinds.as_array_mut()
    {
        list.retain(|kind| kind != "null");
        if let [only] = &list[..] {
            *kinds = only.clone();
        }
    }
    if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        choices.retain(|choice| choice != &json!({ "type": "null" }));
    }
    if schema.get("default").is_some_and(Value::is_null)
        && let Some(schema) = schema.as_object_mut()
    {
        schema.remove("default");
    }
    each_part(schema, tidy);
}

/// Makes every key optional, recursively.
fn loosen(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        if schema.get("required").is_some_and(Value::is_array) {
            schema.remove("required");
        }
        schema.remove("default");
        if let Some(Value::String(name)) = schema.get_mut("$ref") {
            *name = name.replace("#/$defs/", &format!("#/$defs/{PARTIAL}"));
        }
    }
    each_part(schema, loosen);
}

fn each_part(schema: &mut Value, change: fn(&mut Value)) {
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(change),
        Value::Array(parts) => parts.iter_mut().for_each(change),
        _ => {}
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Whole<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Whole_{MIN}_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Time<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Time_{MIN}_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": TIME, "x-limits": time_limits(MIN, MAX) })
    }
}

/// The limits of a time, in words: JSON Schema knows none for texts.
fn time_limits(least: u64, most: u64) -> String {
    let [from, to] = [least, most].map(Span::from_nanos);
    match least {
        0 => format!("at most {to}"),
        1 => format!("above zero, at most {to}"),
        _ => format!("{from} to {to}"),
    }
}

/// Times such as `30s`, `1m30s` or `1.5h`.
const TIME: &str = r"^\s*([0-9]+(\.[0-9]+)?\s*(d|h|m|s|ms|us|µs|ns)\s*)+$";

impl<const MAX: u32> JsonSchema for Positive<MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Positive_{MAX}").into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": LEAST, "maximum": MAX })
    }
}

impl JsonSchema for ScaleTo {
    fn schema_name() -> Cow<'static, str> {
        "ScaleTo".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Scale>();
        json_schema!({
            "description": "A change of the pool's size: a number of servers, or a table with details.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 10_000 }, table]
        })
    }
}

impl JsonSchema for Written {
    fn schema_name() -> Cow<'static, str> {
        "WrittenDrain".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Drain>();
        json_schema!({
            "description": "How a server is drained: how long at most, for bound users; or a table with details.",
            "anyOf": [{ "type": "string", "pattern": TIME }, table]
        })
    }
}

impl JsonSchema for Forgets {
    fn schema_name() -> Cow<'static, str> {
        "Forgets".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What the store loses when its process ends.",
            "anyOf": [{ "const": "all" }, { "type": "string", "pattern": TIME }],
        })
    }
}

impl JsonSchema for Share {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "const": 0 }, { "type": "number", "minimum": LEAST, "maximum": 1 }] })
    }
}

impl JsonSchema for RegionServers {
    fn schema_name() -> Cow<'static, str> {
        "RegionServers".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "In which regions servers are.",
            "anyOf": [
                { "type": "string", "description": "All in this region." },
                { "type": "object", "description": "This many in each region.",
                  "additionalProperties": { "type": "integer", "minimum": 0, "maximum": 10_000 } },
            ]
        })
    }
}

impl JsonSchema for RegionStore {
    fn schema_name() -> Cow<'static, str> {
        "RegionStore".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let within = json!({ "description": "How long the other replicas lag behind a write.",
            "type": "string", "pattern": TIME });
        json_schema!({
            "description": "Where the store is.",
            "anyOf": [
                { "type": "string", "description": "In this region." },
                { "type": "object", "additionalProperties": false, "required": ["replicated_within"],
                  "description": "A replica in every region.", "properties": { "replicated_within": within } },
            ]
        })
    }
}

impl JsonSchema for Journey {
    fn schema_name() -> Cow<'static, str> {
        "Journey".into()
    }
    fn json_schema(types: &mut SchemaGenerator) -> Schema {
        let step = types.subschema_for::<Step>();
        let at_once = json!({ "type": "array", "items": step, "minItems": 2,
            "description": "Sent at the same moment, each in its own tab; the tabs share one cart." });
        json_schema!({ "type": "array", "minItems": 1, "items": { "anyOf": [step, at_once] } })
    }
}

impl JsonSchema for Affinity {
    fn schema_name() -> Cow<'static, str> {
        "Affinity".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let life = json!({ "description": "How long the cookie lives.",
            "anyOf": [{ "enum": ["visit", "user"] }, { "type": "string", "pattern": TIME }] });
        json_schema!({
            "description": "Session affinity: whether a cookie sends users back.",
            "oneOf": [
                { "const": "none", "description": "The policy picks a server for every request." },
                { "type": "object", "additionalProperties": false, "required": ["cookie"],
                  "description": "A cookie names the server.", "properties": { "cookie": life } },
            ]
        })
    }
}
