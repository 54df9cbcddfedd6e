//! What a page is told when a call cannot be answered.

use serde_json::json;
use whatcart::page::Page;

use super::{ok, refused};

#[test]
fn what_is_wrong_with_a_scenario_is_told_with_its_place() {
    let text = "title = 'x'\nduration = '2m'\n[servers]\ncuont = 5\n";
    let call = json!({ "call": "check", "scenario": "mine", "text": text });
    let error = refused(&mut Page::default(), &call);
    assert_eq!(error["kind"], "scenario");
    let place = json!({ "source": "mine.toml", "line": 4, "column": 1, "length": 5, "text": "cuont = 5" });
    assert_eq!(error["place"], place, "{error}");
    assert!(error["help"].as_str().is_some_and(|help| help.contains("`count`")), "{error}");
    let call = json!({ "call": "check", "scenario": "what-cart", "set": ["servers.count=0"] });
    assert_eq!(refused(&mut Page::default(), &call)["place"]["source"], "--set");
}

#[test]
fn what_is_too_large_is_refused_at_once() {
    for (scenario, set, part) in [
        ("what-cart", "users.count=1_000_000_000_000", "from 1 to 10,000,000"),
        ("what-cart", "users.count=10_000_000", "10,000,000 users: too many to be drawn"),
        ("what-cart", "servers.count=2_000", "2,000 servers: too many to be drawn"),
        ("big-pool", "seed=1", "1,000,000 users: too many"),
    ] {
        let call = json!({ "call": "load", "scenario": scenario, "set": [set] });
        let error = refused(&mut Page::default(), &call);
        assert!(error["message"].as_str().is_some_and(|told| told.contains(part)), "{error}");
        assert!(
            error["help"].as_str().is_some_and(|help| !help.is_empty())
                || set.contains("12")
                || part.starts_with("from"),
            "{error}"
        );
    }
    let call = json!({ "call": "load", "scenario": "what-cart", "designs": [1, 2, 3], "set": ["users.count=100_000"] });
    let error = refused(&mut Page::default(), &call);
    assert_eq!(error["message"], "these runs have 300,000 users together, too many to be open at once");
    let long = format!("# {}", "x".repeat(300_000));
    let error = refused(&mut Page::default(), &json!({ "call": "check", "scenario": "mine", "text": long }));
    assert_eq!(error["kind"], "size");
}

#[test]
fn what_is_no_call_changes_nothing() {
    let mut page = Page::default();
    ok(&mut page, &json!({ "call": "load", "scenario": "what-cart", "designs": [1] }));
    ok(&mut page, &json!({ "call": "advance", "run": 0, "until": 5 }));
    let before = ok(&mut page, &json!({ "call": "snapshot", "run": 0 }));
    for (call, part) in [
        (json!({ "call": "dance" }), "dance"),
        (json!({ "call": "advance", "run": 7, "until": 6 }), "there is no run 7"),
        (json!({ "call": "advance", "run": 0, "until": 4 }), "has passed"),
        (json!({ "call": "advance", "run": 0, "until": -4 }), "a number of seconds"),
        (json!({ "call": "rewind", "run": 0, "to": 9 }), "has not come yet"),
        (json!({ "call": "spare", "run": 0, "fault": 3 }), "fault 3"),
        (json!({ "call": "inject", "run": 0, "fault": { "crash": "server-9" } }), "server-9"),
        (json!({ "call": "inject", "run": 0, "fault": { "crush": "server-1" } }), "crush"),
        (json!({ "call": "inject", "run": 0, "fault": {} }), "fault"),
        (json!({ "call": "load", "scenario": "wat-cart" }), "there is no scenario `wat-cart`"),
        (json!({ "call": "load", "scenario": "what-cart", "designs": [0] }), "counted from 1"),
        (json!({ "call": "load", "scenario": "what-cart", "designs": [9] }), "there is no design 9"),
        (json!({ "call": "load", "scenario": "what-cart", "color": 3 }), "color"),
    ] {
        let error = refused(&mut page, &call);
        assert!(error["message"].as_str().is_some_and(|told| told.contains(part)), "{call}: {error}");
    }
    for text in ["", "{", "[]", "{\"call\":3}", "\u{0}", "{\"call\":\"advance\"}"] {
        assert!(page.call(text).starts_with("{\"error\":"), "{text}");
    }
    assert_eq!(ok(&mut page, &json!({ "call": "snapshot", "run": 0 })), before);
}

#[test]
fn forks_are_limited_and_can_be_closed() {
    let mut page = Page::default();
    ok(&mut page, &json!({ "call": "load", "scenario": "what-cart" }));
    for run in 1..12 {
        assert_eq!(ok(&mut page, &json!({ "call": "fork", "run": 0 }))["run"], run);
    }
    assert!(refused(&mut page, &json!({ "call": "fork", "run": 0 }))["message"].to_string().contains("12 runs"));
    ok(&mut page, &json!({ "call": "close", "run": 5 }));
    assert_eq!(ok(&mut page, &json!({ "call": "fork", "run": 0 }))["run"], 5);
}
