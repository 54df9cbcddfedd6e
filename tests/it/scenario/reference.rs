//! The reference of keys: each key is there with an example that the schema accepts.

use serde_json::{Value, json};
use whatcart::scenario::reference::{find, tables};
use whatcart::scenario::schema::schema;

/// The schema without the demand that some keys are given.
fn undemanding(mut schema: Value) -> Value {
    fn strip(part: &mut Value) {
        match part {
            Value::Object(parts) => {
                parts.remove("required");
                parts.values_mut().for_each(strip);
            }
            Value::Array(parts) => parts.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut schema);
    schema
}

/// The value inside the tables and lists of its path.
fn nested(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |value, part| match part.strip_suffix("[]") {
        Some(list) => json!({ list: [value] }),
        None => json!({ part: value }),
    })
}

#[test]
fn every_key_has_an_example_that_is_accepted() {
    let validator = jsonschema::validator_for(&undemanding(schema())).expect("a schema");
    let keys: Vec<_> = tables().iter().flat_map(|table| &table.keys).collect();
    assert!(keys.len() > 120, "{}", keys.len());
    for key in keys {
        assert!(!key.about.is_empty(), "{}", key.path);
        let path = key.path.clone();
        let is_table = tables().iter().flat_map(|table| &table.paths).any(|known| known.trim_end_matches("[]") == path);
        let Some(example) = key.example else {
            assert!(is_table, "{path} has no example");
            continue;
        };
        let table: Value = toml::from_str(&format!("x = {example}")).expect(example);
        let document = nested(&path, table["x"].clone());
        let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{path} = {example}: {wrong:?}");
    }
}

/// The defaults of the schema are those of the types, also where the value has a shape of its own.
#[test]
fn defaults_are_there_as_they_are_written() {
    let default = |path: &str| find(path)[0].default.clone().unwrap_or_default();
    for (path, expected) in [
        ("balancer.affinity", "\"none\""),
        ("balancer.policy", "\"round-robin\""),
        ("balancer.health.fall", "3 (HAProxy), 2 (ALB) or 3 (Kubernetes), by `preset`"),
        ("balancer.outlier.at_most", "0.1"),
        ("servers.queue", "1_000"),
        ("servers.service", "{ exponential = \"20ms\" }"),
        ("store.durability_window", "\"0s\""),
        ("homes.cart", "\"server-memory\""),
        ("autoscaler.cool_down", "\"5m\""),
        ("faults.deploy.drain.pre_stop", "\"0s\""),
        ("title", ""),
    ] {
        assert_eq!(default(path), expected, "{path}");
    }
    assert!(default("users.journey").starts_with("[\"login\", \"browse\""));
    assert!(find("title")[0].required && !find("lesson")[0].required);
}

#[test]
fn a_key_is_found_by_its_path_or_its_name() {
    let paths = |wanted: &str| find(wanted).iter().map(|key| key.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths("store.ttl"), ["store.ttl"]);
    assert_eq!(paths("ttl"), ["hidden.cache.ttl", "store.ttl"]);
    assert_eq!(paths("faults.deploy.drain.for"), paths("autoscaler.drain.for"), "one table in several places");
    assert!(paths("nothing").is_empty());
}
