//! A hundred random patches of every scenario neither panic nor break a law of conservation.
//!
//! The keys and values are read from the JSON Schema, so new keys are patched automatically.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand::RngExt as _;
use serde_json::Value;
use whatcart::base::UserId;
use whatcart::base::seed::{Draw, Key, Purpose, Seed};
use whatcart::base::time::Instant;
use whatcart::judging::observer::Observer;
use whatcart::results::figures;
use whatcart::scenario::{Loaded, Scenario, library, schema};
use whatcart::sim::Sim;

use super::small;
use crate::support::worlds::end;

const PATCHES: u32 = 100;
/// A run is cut short after this many requests: the laws hold at any time.
const REQUESTS: u64 = 3_000;

/// A key that can be patched, and its possible values.
#[derive(Clone, Debug)]
struct Knob {
    path: String,
    values: Values,
}

#[derive(Clone, Debug)]
enum Values {
    Whole { least: u64, most: u64 },
    Number,
    Time,
    Bool,
    Choice(Vec<String>),
    Server,
}

/// The keys below a part of the schema.
fn knobs(part: &Value, root: &Value, path: &str, faults: &[String], found: &mut Vec<Knob>) {
    if let Some(name) = part["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return knobs(&root["$defs"][name], root, path, faults, found);
    }
    let mut add = |values| found.push(Knob { path: path.into(), values });
    match part["type"].as_str() {
        Some("integer") => {
            let bound = |key: &str, other| part[key].as_u64().unwrap_or(other);
            add(Values::Whole { least: bound("minimum", 0), most: bound("maximum", 1_000) });
        }
        Some("number") => add(Values::Number),
        Some("boolean") => add(Values::Bool),
        Some("string") if part["pattern"].is_string() => add(Values::Time),
        Some("string") => match part["enum"].as_array() {
            Some(choices) => add(Values::Choice(choices.iter().filter_map(|c| Some(c.as_str()?.into())).collect())),
            None => add(Values::Server),
        },
        _ => {}
    }
    if let Some(only) = part["const"].as_str() {
        add(Values::Choice(vec![only.into()]));
    }
    if let Some(choices) = part["enum"].as_array().filter(|_| !part["type"].is_string()) {
        add(Values::Choice(choices.iter().filter_map(|c| Some(c.as_str()?.into())).collect()));
    }
    for choice in ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| part[*key].as_array()).flatten() {
        knobs(choice, root, path, faults, found);
    }
    for (key, below) in part["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        knobs(below, root, &path, faults, found);
    }
    if part["additionalProperties"].is_object() {
        for name in faults {
            knobs(&part["additionalProperties"], root, &format!("{path}.\"{name}\""), faults, found);
        }
    }
}

/// What a variant of this scenario may change.
fn knobs_of(loaded: &Loaded) -> Vec<Knob> {
    let schema = schema::schema();
    let base = &loaded.base;
    let names = base.faults.iter().map(|fault| fault.name.clone());
    let names = names.chain(base.random_faults.iter().map(|faults| faults.name.clone()));
    let faults: Vec<String> = names.flatten().collect();
    let mut found = Vec::new();
    knobs(&schema["properties"]["variants"]["items"], &schema, "", &faults, &mut found);
    // The number of users is reduced separately, and a run is as long as its faults need.
    found.retain(|knob| !["name", "users.count", "users.rate", "duration", "closing", "seed"].contains(&&*knob.path));
    found
}

fn value(values: &Values, draw: &mut Draw) -> String {
    let one_of = |choices: &[&str], draw: &mut Draw| {
        choices[draw.below(u32::try_from(choices.len()).expect("few")) as usize].to_owned()
    };
    match values {
        Values::Whole { least, most } => {
            // Mostly small; a run with ten thousand servers is slow even with few users.
            let span = (*most).min(least + [1, 3, 12, 40][draw.below(4) as usize]) - least;
            (least + u64::from(draw.below(u32::try_from(span).unwrap_or(u32::MAX) + 1))).to_string()
        }
        Values::Number => one_of(&["0.00001", "0.001", "0.5", "1", "2.5", "90"], draw),
        Values::Time => {
            let times = ["0s", "1ms", "20ms", "300ms", "1s", "7s", "45s", "3m", "2h"];
            format!("\"{}\"", one_of(&times, draw))
        }
        Values::Bool => one_of(&["true", "false"], draw),
        Values::Choice(choices) => {
            let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
            format!("\"{}\"", one_of(&choices, draw))
        }
        Values::Server => format!("\"{}\"", one_of(&["server-1", "server-2", "server-3"], draw)),
    }
}

/// One to three changes.
fn patch(knobs: &[Knob], draw: &mut Draw) -> Vec<String> {
    (0..=draw.below(3))
        .map(|_| {
            let knob = &knobs[draw.below(u32::try_from(knobs.len()).expect("few")) as usize];
            format!("{}={}", knob.path, value(&knob.values, draw))
        })
        .collect()
}

/// Runs a simulation, or the first part of it, and asserts every conservation law.
fn play(scenario: &Scenario, seed: u64) {
    let mut sim = Sim::new(scenario, Seed(seed));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    for part in 1..=200 {
        sim.advance(Instant::from_nanos(end(scenario).as_nanos() / 200 * part), &mut observer);
        assert_eq!(sim.stuck(), None);
        if sim.is_over() || observer.meter.requests().sent > REQUESTS {
            break;
        }
    }
    // This asserts that everything adds up.
    let _ = figures(&observer, scenario, crate::support::moment(&sim), sim.faults());
}

#[test]
fn no_patch_breaks_a_law() {
    for (number, entry) in (0u32..).zip(library::all()) {
        let plain = small(entry, 12, &[]).expect(entry.name);
        let knobs = knobs_of(&plain);
        let (mut done, mut tried) = (0, 0);
        while done < PATCHES {
            let key = Key { entity: u64::from(number), visit: tried, ..Key::default() };
            let mut draw = Seed(2_024).draw(Purpose::Run, key);
            tried += 1;
            assert!(tried < 40 * PATCHES, "{}: hardly any patch loads", entry.name);
            let patch = patch(&knobs, &mut draw);
            let Some(loaded) = small(entry, 12, &patch) else { continue };
            done += 1;
            let at = draw.below(u32::try_from(loaded.variants.len()).expect("few")) as usize;
            let variant = &loaded.variants[at];
            let seed = draw.random_range(1..1_000);
            let lawful = catch_unwind(AssertUnwindSafe(|| play(&variant.scenario, seed)));
            assert!(
                lawful.is_ok(),
                "{} with --set {} --seed {seed}, {}",
                entry.name,
                patch.join(" --set "),
                variant.name
            );
        }
    }
}
