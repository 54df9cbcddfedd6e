//! Links in the terminal: what the page shows can be run, and what is run can be shown on the page.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use whatcart::page::Page;

/// Exit code, standard output, standard error.
fn ran(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_whatcart")).args(args).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn printed(args: &[&str]) -> String {
    let (code, text, errors) = ran(args);
    assert_eq!((code, &*errors), (Some(0), ""), "{args:?}");
    text
}

const CHANGED: [&str; 8] =
    ["--set", "users.count=40", "--seed", "7", "--do", "20:crash:server-2", "--do", "24.5:revive:server-2"];

#[test]
fn a_run_prints_a_link_that_runs_it_again() {
    let link = printed(&[&["run", "what-cart", "--link"], &CHANGED[..]].concat());
    assert_eq!(
        link,
        "http://127.0.0.1:7357/#v=1&s=what-cart&seed=7&set=users.count%3D40&do=20:crash:server-2~24.5:revive:server-2\n"
    );
    let direct = printed(&[&["run", "what-cart"], &CHANGED[..]].concat());
    let told = direct.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("server-2 crashes at 0:20 · an empty server-2 starts at 0:24.5"), "{direct}");
    assert_eq!(printed(&["run", "--link", link.trim()]), direct);
    let elsewhere =
        printed(&["run", "what-cart", "--follow", "3", "--only", "2", "--page", "https://x.org/cart/", "--link"]);
    assert_eq!(elsewhere, "https://x.org/cart/#v=1&s=what-cart&p=2&u=3\n");
}

#[test]
fn a_scenario_of_ones_own_travels_in_its_link() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("My Shop.toml");
    fs::write(&file, "title = 'ü'\nduration = '30s'\nusers.count = 5\n").expect("written");
    let file = file.to_str().expect("UTF-8");
    let link = printed(&["run", file, "--link"]);
    assert!(link.contains("#v=1&s=my-shop&z=") && link.len() < 200, "{link}");
    let digest = |args: &[&str]| {
        let report: Value = serde_json::from_str(&printed(args)).expect("JSON");
        report["digest"].clone()
    };
    assert_eq!(digest(&["run", "--link", link.trim(), "--format", "json"]), digest(&["run", file, "--format", "json"]));
}

/// Whoever does the same by hand on the page has the same digest.
#[test]
fn what_is_done_by_hand_on_the_page_is_what_the_command_line_does() {
    let mut page = Page::default();
    let mut ok = |call: Value| {
        let answer: Value = serde_json::from_str(&page.call(&call.to_string())).expect("JSON");
        answer.get("ok").unwrap_or_else(|| panic!("{call}: {answer}")).clone()
    };
    ok(json!({ "call": "load", "scenario": "what-cart", "set": ["users.count=40"], "seed": 7, "designs": [2] }));
    for (at, fault) in [(20.0, json!({ "crash": "server-2" })), (24.5, json!({ "revive": "server-2" }))] {
        ok(json!({ "call": "advance", "run": 0, "until": at, "most_events": 1_000_000 }));
        ok(json!({ "call": "inject", "run": 0, "fault": fault }));
    }
    let report = ok(json!({ "call": "report", "run": 0, "most_requests": 1_000_000 }))["report"].clone();
    let direct = printed(&[&["run", "what-cart"], &CHANGED[..]].concat());
    let digest = report["digest"].as_str().expect("one");
    assert!(direct.ends_with(&format!("\nDigest  {digest}\n")), "{digest}\n{direct}");
}

#[test]
fn a_link_that_is_none_says_why() {
    let told = |link: &str| {
        let (code, _, errors) = ran(&["run", "--link", link]);
        assert_eq!(code, Some(2), "{errors}");
        errors.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(told("sticky-crash").contains("this link names no scenario"));
    assert!(told("http://x/#s=<img src=x>").contains("this link names no scenario"));
    assert!(told("http://x/#s=wat-cart").contains("did you mean `what-cart`?"));
    assert!(told("http://x/#s=a&z=AAAA").contains("cannot be unpacked"));
    assert!(told("#tour/4").contains("step 4 of the page's tour"));
    assert!(told("#s=what-cart&do=20:crash:server-9").contains("there is no server `server-9`"));
    let (code, text, errors) =
        ran(&["run", "--link", "#v=1&s=what-cart&color=%1B[31mred&set=users.count%3D20", "--quiet"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("one server") && errors.contains("does not know it: `color="), "{errors}");
    assert!(!errors.contains('\u{1b}'), "{errors:?}");
}
