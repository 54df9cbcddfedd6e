//! What a page is told where carts are not all that can go wrong.

use serde_json::{Value, json};

use super::{ok, opened};

/// The keyframe of a moment.
fn at(name: &str, design: usize, set: &[&str], t: f64) -> Value {
    let mut page = opened(name, &[design], set);
    ok(&mut page, &json!({ "call": "advance", "run": 0, "until": t, "most_events": 1_000_000 }));
    ok(&mut page, &json!({ "call": "snapshot", "run": 0 }))
}

fn also(keyframe: &Value) -> Vec<&str> {
    let entries = keyframe["headline"]["also"].as_array().expect("a list");
    entries.iter().map(|entry| entry["label"].as_str().expect("a text")).collect()
}

/// Whether a server holds something.
fn in_servers(keyframe: &Value) -> bool {
    keyframe["held"].as_array().expect("a list").iter().any(|held| held[0].is_u64())
}

#[test]
fn logins_and_files_are_shown_where_they_are() {
    let logins = at("login-sessions", 1, &["users.count=30"], 12.0);
    assert!(logins["servers"][0]["words"].as_str().is_some_and(|words| words.contains("login")), "{logins}");
    assert!(in_servers(&logins));
    assert!(also(&logins).contains(&"times logged out"), "{:?}", also(&logins));
    let files = at("uploads", 2, &["users.count=30"], 15.0);
    assert!(files["servers"][0]["words"].as_str().is_some_and(|words| words.contains("file")), "{files}");
    assert!(in_servers(&files));
    assert!(also(&files).contains(&"files not found"), "{:?}", also(&files));
    assert!(!in_servers(&at("login-sessions", 3, &["users.count=30"], 12.0)));
}

#[test]
fn what_servers_hide_is_named() {
    let hidden = at("hidden-state", 2, &["users.count=30"], 5.0);
    assert_eq!(hidden["servers"][0]["words"], "its own forms");
    assert_eq!(at("hidden-state", 1, &["users.count=30"], 5.0)["servers"][0]["words"], "remembers nothing");
}

#[test]
fn a_platform_is_not_wrong_about_its_instances() {
    let platform = at("serverless", 4, &["users.count=30"], 10.0);
    let instances = platform["servers"].as_array().expect("a list");
    assert!(!instances.is_empty());
    assert!(instances.iter().all(|instance| instance["wrong"] == false), "{instances:?}");
}
