//! The calls of a page: what it is told is what a report says, however it got there.

mod besides_carts;
mod contract;
mod refused;
mod report;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use whatcart::page::Page;

use crate::live::{everything, open};

/// The answer to a call that is not refused.
pub fn ok(page: &mut Page, call: &Value) -> Value {
    let answer: Value = serde_json::from_str(&page.call(&call.to_string())).expect("JSON");
    answer.get("ok").unwrap_or_else(|| panic!("{call}: {answer}")).clone()
}

/// The reason why a call is refused.
pub fn refused(page: &mut Page, call: &Value) -> Value {
    let answer: Value = serde_json::from_str(&page.call(&call.to_string())).expect("JSON");
    answer.get("error").unwrap_or_else(|| panic!("{call}: {answer}")).clone()
}

fn opened(name: &str, designs: &[usize], set: &[&str]) -> Page {
    let mut page = Page::default();
    ok(&mut page, &json!({ "call": "load", "scenario": name, "designs": designs, "set": set, "seed": 270 }));
    page
}

/// Everything up to a time, in advances of `step` seconds: keyframes and events.
fn played(page: &mut Page, run: usize, until: f64, step: f64) -> (Vec<Value>, Vec<Value>) {
    let (mut keyframes, mut events) = (Vec::new(), Vec::new());
    let mut now = ok(page, &json!({ "call": "snapshot", "run": run }))["t"].as_f64().expect("a time");
    loop {
        let to = f64::min(now + step, until);
        let batch = ok(page, &json!({ "call": "advance", "run": run, "until": to, "most_events": 1_000_000 }));
        keyframes.extend(batch["keyframes"].as_array().expect("a list").iter().cloned());
        events.extend(batch["events"].as_array().expect("a list").iter().cloned());
        now = batch["now"].as_f64().expect("a time");
        if now >= until || batch["over"] == true {
            return (keyframes, events);
        }
    }
}

/// The set of items, whichever way it is written.
fn number(items: &Value) -> u64 {
    items.as_u64().or_else(|| items.as_str()?.parse().ok()).expect("a set of items")
}

#[test]
fn verdicts_are_told_one_by_one_and_are_those_of_the_report() {
    // Of `grow`, two designs have a thousand servers.
    for (loaded, design) in everything().filter(|(loaded, design)| loaded.name != "grow" || *design < 4) {
        let what = format!("{}, {}", loaded.name, loaded.variants[design].name);
        let mut session = open(&loaded, design);
        session.advance(session.end()).expect("it ends");
        let figures = serde_json::to_value(session.figures()).expect("figures");

        if design > 0 && figures["carts"]["lost"] == 0 {
            continue;
        }
        let few = if loaded.base.users.rate.is_some() { "users.rate=2.0" } else { "users.count=30" };
        let mut page = opened(&loaded.name, &[design + 1], &[few]);
        let (keyframes, events) = played(&mut page, 0, session.now().since_start().as_secs_f64(), 600.0);
        assert_eq!(ok(&mut page, &json!({ "call": "figures", "run": 0 })), figures, "{what}");
        let mut lost_by = BTreeMap::<&str, u64>::new();
        for event in events.iter().filter(|event| event["is"] == "lost") {
            *lost_by.entry(event["cause"].as_str().expect("a cause")).or_default() += 1;
        }
        let counted = figures["lost_by"].as_object().expect("a table").iter();
        let counted: BTreeMap<&str, u64> =
            counted.map(|(cause, n)| (&**cause, n.as_u64().expect("a count"))).filter(|(_, n)| *n > 0).collect();
        assert_eq!(lost_by, counted, "{what}");
        let tally = &keyframes.last().expect("there is one each second")["tally"];
        assert_eq!((&tally["lost"], &tally["gone"]), (&figures["carts"]["lost"], &json!(0)), "{what}");
        assert_eq!(tally["lost_or_gone"], tally["lost"], "{what}");
        let unexplained = events.iter().find(|event| event["cause"] == "unexplained");
        assert_eq!(unexplained, None, "{what}");
    }
}

/// What follows a keyframe leads to the next one.
#[test]
fn events_lead_from_one_keyframe_to_the_next() {
    for (name, design) in
        [("sticky-crash", 1), ("sticky-crash", 2), ("sticky-crash", 4), ("two-tabs", 1), ("regions", 2)]
    {
        let mut page = opened(name, &[design], &[]);
        let first = ok(&mut page, &json!({ "call": "snapshot", "run": 0 }));
        let (keyframes, events) = played(&mut page, 0, 45.0, 7.0);
        let mut events = events.iter().peekable();
        let mut held = BTreeMap::<(String, u64), u64>::new();
        let mut users = BTreeMap::<u64, Value>::new();
        let mut servers: BTreeMap<u64, Value> = BTreeMap::new();
        for row in first["servers"].as_array().expect("servers") {
            servers.insert(row["id"].as_u64().expect("one"), row.clone());
        }
        for (second, keyframe) in (1u32..).zip(&keyframes) {
            let t = keyframe["t"].as_f64().expect("a time");
            assert!((t - f64::from(second)).abs() < 1e-9, "{name}: a keyframe at {t}");
            while let Some(event) = events.next_if(|event| event["t"].as_f64() <= Some(t)) {
                match event["is"].as_str().expect("a kind") {
                    "holds" if number(&event["items"]) == 0 => {
                        held.remove(&(event["place"].to_string(), event["client"].as_u64().expect("one")));
                    }
                    "holds" => {
                        let key = (event["place"].to_string(), event["client"].as_u64().expect("one"));
                        held.insert(key, number(&event["items"]));
                    }
                    "user" => drop(users.insert(event["row"][0].as_u64().expect("one"), event["row"].clone())),
                    "load" => {
                        let row = servers.get_mut(&event["server"].as_u64().expect("one"));
                        if let Some(row) = row.and_then(Value::as_object_mut) {
                            let new = event.as_object().expect("a table").iter();
                            let new = new.filter(|(key, _)| !["t", "is", "server"].contains(&&***key));
                            row.extend(new.map(|(key, value)| (key.clone(), value.clone())));
                        }
                    }
                    "server" => drop(servers.insert(event["row"]["id"].as_u64().expect("one"), event["row"].clone())),
                    _ => {}
                }
            }
            let shown = keyframe["held"].as_array().map_or(&[][..], Vec::as_slice).iter();
            let shown = shown.map(|row| ((row[0].to_string(), row[1].as_u64().expect("one")), number(&row[2])));
            assert_eq!(held, shown.collect(), "{name} at {t}");
            for row in keyframe["users"].as_array().expect("users") {
                if let Some(told) = users.get(&row[0].as_u64().expect("one")) {
                    assert_eq!(told, row, "{name} at {t}");
                }
            }
            for row in keyframe["servers"].as_array().expect("servers") {
                assert_eq!(servers.get(&row["id"].as_u64().expect("one")), Some(row), "{name} at {t}");
            }
        }
    }
}

#[test]
fn the_way_to_a_moment_does_not_matter() {
    let mut page = opened("sticky-crash", &[2], &[]);
    let straight = played(&mut page, 0, 40.0, 40.0);
    assert_eq!(played(&mut opened("sticky-crash", &[2], &[]), 0, 40.0, 1.0), straight);
    let last = ok(&mut page, &json!({ "call": "snapshot", "run": 0 }));
    let back = ok(&mut page, &json!({ "call": "rewind", "run": 0, "to": 29.0 }));
    assert_eq!(back, straight.0[28]);
    let (keyframes, events) = played(&mut page, 0, 40.0, 2.5);
    assert_eq!(keyframes, straight.0[29..]);
    let later = |event: &&Value| event["t"].as_f64() > Some(29.0);
    assert_eq!(events, straight.1.iter().filter(later).cloned().collect::<Vec<_>>());
    assert_eq!(ok(&mut page, &json!({ "call": "snapshot", "run": 0 })), last);
}

#[test]
fn a_fork_in_which_nothing_is_changed_is_the_same_run_and_one_that_is_spared_is_not() {
    let mut page = opened("sticky-crash", &[2], &[]);
    played(&mut page, 0, 20.0, 20.0);
    assert_eq!(ok(&mut page, &json!({ "call": "fork", "run": 0 }))["run"], 1);
    let crash = &ok(&mut page, &json!({ "call": "timeline", "run": 1 }))[0];
    assert_eq!((&crash["words"], &crash["at"]), (&json!("server-2 crashes"), &json!(30.0)));
    let first = played(&mut page, 0, 60.0, 60.0);
    assert_eq!(played(&mut page, 1, 60.0, 13.0), first);
    assert!(
        first.1.iter().any(|event| event["text"] == "Server-2 crashes: 49 open carts gone."),
        "{:?}",
        says(&first.1)
    );

    ok(&mut page, &json!({ "call": "rewind", "run": 1, "to": 20.0 }));
    ok(&mut page, &json!({ "call": "spare", "run": 1, "fault": 0 }));
    let spared = played(&mut page, 1, 60.0, 60.0);
    assert_eq!(spared.1.iter().find(|event| event["is"] == "gone" || event["is"] == "lost"), None);
}

fn says(events: &[Value]) -> Vec<&Value> {
    events.iter().filter(|event| event["is"] == "say").collect()
}

#[test]
fn a_fault_by_hand_is_written_as_in_a_scenario_and_strikes_now() {
    let mut page = opened("what-cart", &[3], &[]);
    played(&mut page, 0, 20.0, 20.0);
    let fault = json!({ "crash": "server-1", "replace_after": "5s" });
    let answer = ok(&mut page, &json!({ "call": "inject", "run": 0, "fault": fault }));
    let server = &answer["batch"]["keyframes"][0]["servers"][0];
    assert_eq!((&server["state"], &server["believed"], &server["wrong"]), (&json!("down"), &json!("up"), &json!(true)));
    let entry = answer["timeline"].as_array().and_then(|all| all.last()).expect("one");
    assert_eq!((&entry["injected"], &entry["struck"]), (&json!(true), &json!(20.0)));
    ok(&mut page, &json!({ "call": "rewind", "run": 0, "to": 19.0, "forget": true }));
    assert_eq!(ok(&mut page, &json!({ "call": "timeline", "run": 0 })), json!([]));
}

#[test]
fn a_long_advance_can_be_cut_into_slices() {
    let mut page = opened("sticky-crash", &[1], &[]);
    let batch = ok(&mut page, &json!({ "call": "advance", "run": 0, "until": 100, "most_events": 1_000 }));
    let now = batch["now"].as_f64().expect("a time");
    assert!(now > 0.5 && now < 10.0 && batch["over"] == false, "{now}");
    assert!(batch["events"].as_array().expect("a list").len() < 3_000);
}

#[test]
fn a_crowd_shares_seats() {
    let mut page = opened("what-cart", &[3], &["users.count=900"]);
    let (keyframes, events) = played(&mut page, 0, 30.0, 30.0);
    let last = keyframes.last().expect("one each second");
    assert_eq!((&last["clients_per_seat"], last.get("users")), (&json!(3), None));
    let crowd = last["crowd"].as_array().expect("seats");
    assert_eq!(crowd.len(), 300);
    let with_cart: u64 = crowd.iter().map(|seat| seat[2].as_u64().expect("a count")).sum();
    assert!(with_cart > 300, "{with_cart}");
    assert_eq!(events.iter().find(|event| event["is"] == "sent"), None);
}
