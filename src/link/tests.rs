//! Every published link is understood for ever, what is written is read again, and nothing in a link can do harm.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::scenario::Fault;

/// The forms that were ever published, for the page's tests too.
const PUBLISHED: &str = include_str!("../../tests/links.json");

/// A fault by hand as the page has it: `{"at": 20, "fault": {"crash": "server-2"}}`.
fn fault_of(deed: &Value) -> Fault {
    let mut fault = deed["fault"].as_object().expect("a fault").clone();
    let at = deed["at"].as_f64().expect("a time");
    fault.insert("at".into(), json!(format!("{}ms", (at * 1e3).round())));
    serde_json::from_value(Value::Object(fault)).expect("a fault")
}

#[test]
fn published_links_are_understood() {
    let all: Vec<Map<String, Value>> = serde_json::from_str(PUBLISHED).expect("a list");
    assert!(all.len() > 5);
    for published in all {
        let text = published["link"].as_str().expect("a link");
        if let Some(step) = published.get("tour") {
            assert_eq!(read(text), Err(LinkError::Tour(u32::try_from(step.as_u64().expect("a step")).expect("small"))));
            continue;
        }
        let (link, ignored) = read(text).expect(text);
        let says = &published["says"];
        assert_eq!(json!(link.scenario), says["scenario"], "{text}");
        assert_eq!(json!(link.designs), *says.get("designs").unwrap_or(&json!([])), "{text}");
        assert_eq!(json!(link.seed), says["seed"], "{text}");
        assert_eq!(json!(link.set), *says.get("set").unwrap_or(&json!([])), "{text}");
        assert_eq!(link.time, says["t"].as_f64(), "{text}");
        assert_eq!(json!(link.user), says["user"], "{text}");
        assert_eq!(json!(link.packed), says["packed"], "{text}");
        let deeds: Vec<Fault> = says["deeds"].as_array().map_or(&[][..], Vec::as_slice).iter().map(fault_of).collect();
        assert_eq!(link.deeds.iter().map(Deed::fault).collect::<Vec<_>>(), deeds, "{text}");
        assert_eq!(json!(ignored), *published.get("ignored").unwrap_or(&json!([])), "{text}");
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    let kinds = ["crash:server-1", "crash:server-12:1500", "vanish:server-3:0", "revive:server-2", "slow:server-9"];
    let kinds = [&kinds[..], &["isolate:server-2", "replace:server-2", "deploy", "store"]].concat();
    (0u64..1_000_000_000, prop::sample::select(kinds)).prop_map(|(ms, kind)| {
        let text = format!("{}.{:03}:{kind}", ms / 1_000, ms % 1_000);
        Deed::read(&text).expect("a deed")
    })
}

fn link() -> impl Strategy<Value = Link> {
    let set = prop::collection::vec(any::<String>(), 0..3);
    let deeds = prop::collection::vec(deed(), 0..4).prop_map(|mut deeds| {
        deeds.sort_by_key(|deed| deed.at);
        deeds
    });
    let rest = (
        prop::option::of(0..=MOST_SEED),
        prop::option::of(0u32..1_000_000).prop_map(|tenths| tenths.map(|tenths| f64::from(tenths) / 10.0)),
        prop::option::of(1u32..=1_000_000),
        prop::option::of("[A-Za-z0-9_-]{1,200}"),
    );
    ("[a-z0-9-]{1,60}", prop::collection::vec(1usize..100, 0..6), set, deeds, rest).prop_map(
        |(scenario, designs, set, deeds, (seed, time, user, packed))| Link {
            scenario,
            packed,
            designs,
            seed,
            set,
            deeds,
            time,
            user,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(link in link()) {
        let fragment = link.fragment();
        prop_assert!(fragment.is_ascii() && !fragment.contains(['<', '>', '"', ' ']), "{}", fragment);
        prop_assert_eq!(read(&fragment), Ok((link.clone(), Vec::new())));
        prop_assert_eq!(read(&format!("http://127.0.0.1:7357/{fragment}")), Ok((link, Vec::new())));
    }

    #[test]
    fn no_text_does_harm(text: String, parts in prop::collection::vec(prop::sample::select(vec![
        "s=", "s=x", "<img src=x onerror=alert(1)>", "%00", "%zz", "%", "__proto__=1", "do=", "~~~", ":::", "t=1e999",
        "t=NaN", "-1", "&&", "p=1,2,,3", "p=", "seed=99999999999999999999", "do=1:crash:server-1~x", "z=", "v=2", "💥",
    ]), 0..8)) {
        for text in [text, parts.join("&"), parts.concat()] {
            if let Ok((link, ignored)) = read(&text) {
                prop_assert!(is_name(&link.scenario));
                prop_assert!(ignored.iter().all(|part| part.chars().count() <= QUOTED));
                // What was understood is a link of its own.
                prop_assert_eq!(read(&link.fragment()), Ok((link, Vec::new())));
            }
        }
    }
}

#[test]
fn what_is_no_run_is_said_plainly() {
    let told = |text: &str| read(text).expect_err(text).to_string();
    assert_eq!(told(&"s=a&".repeat(300_000)), "this link has more than 16384 bytes");
    assert_eq!(told("http://127.0.0.1:7357/#tour/4"), "this link is step 4 of the page's tour, not a run");
    assert_eq!(told("http://127.0.0.1:7357/#"), "this link is step 1 of the page's tour, not a run");
    assert_eq!(told("#t=4"), "this link names no scenario");
    assert_eq!(told("#s=../../etc/passwd"), "this link names no scenario");
}

#[test]
fn an_unknown_part_is_left_out_and_told() {
    let (link, ignored) = read("#v=3&s=what-cart&color=red&t=4&f=30:-crash").expect("a link");
    assert_eq!((&*link.scenario, link.time), ("what-cart", Some(4.0)));
    assert_eq!(ignored, ["v=3", "color=red", "f=30:-crash"]);
}
