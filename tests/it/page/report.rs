//! The report of a page is that of the command line.

use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use whatcart::experiment::{self, FAVOURITE, Options};
use whatcart::faces::table;
use whatcart::faces::table::columns::choose;
use whatcart::page::Page;
use whatcart::results::statistics::Summary;
use whatcart::results::{Digest, Report};
use whatcart::scenario::{library, load};

use super::{ok, opened, played, refused};

fn printed(name: &str, set: &[String]) -> Report {
    let entry = library::find(name).expect("it comes with the program");
    let loaded = load(entry.name, entry.name, entry.text, set, &[]).expect("sound");
    let interrupt = AtomicBool::new(false);
    let options =
        Options { seed: Some(270), runs: 1, played: 0, favourite: FAVOURITE, interrupt: &interrupt, progress: &|_| {} };
    experiment::run(&loaded, &options).expect("it runs")
}

/// The whole report, from calls that play so much each; and how often it took another.
fn reported(page: &mut Page, call: &Value) -> (Value, usize) {
    let mut before = 0.0;
    for calls in 1.. {
        let answer = ok(page, call);
        let done = answer["done"].as_f64().expect("a share");
        assert!(done > before && done <= 1.0, "{done} after {before}");
        if !answer["report"].is_null() {
            return (answer["report"].clone(), calls);
        }
        before = done;
    }
    unreachable!()
}

#[test]
fn it_is_the_report_of_the_command_line() {
    for name in ["what-cart", "sticky-crash", "deploy-drain"] {
        let set = vec!["users.count=40".to_owned()];
        let wanted = printed(name, &set);
        let summaries = Summary::all(&wanted.variants);
        let columns = choose(&wanted, &summaries);
        let mut page = opened(name, &[1], &["users.count=40"]);
        let (report, calls) = reported(&mut page, &json!({ "call": "report", "most_requests": 500 }));
        assert!(calls > 3, "{name}: {calls} calls");
        assert_eq!(report["digest"], json!(Digest::of(&wanted).map(|digest| digest.to_string())), "{name}");
        for (row, variant) in wanted.variants.iter().enumerate() {
            assert_eq!(report["rows"][row]["name"], json!(variant.name));
            for (at, column) in columns.iter().enumerate() {
                let (cell, head) = (&report["rows"][row]["cells"][at], &report["columns"][at]["head"]);
                let shown = &column.cells[row];
                assert_eq!((&cell["figure"], &cell["share"]), (&json!(shown.figure), &json!(shown.share)), "{head}");
            }
        }
        assert_eq!(report["lesson"], json!(table::told(&wanted, &summaries, &set)));
        assert_eq!(report["changes"][0], "users.count=40");
    }
}

#[test]
fn what_was_done_by_hand_is_in_it_when_its_run_is_named() {
    let mut page = opened("what-cart", &[1, 2], &["users.count=40"]);
    let (plain, _) = reported(&mut page, &json!({ "call": "report" }));
    played(&mut page, 1, 20.0, 20.0);
    ok(&mut page, &json!({ "call": "inject", "run": 1, "fault": { "crash": "server-2" } }));
    assert_eq!(reported(&mut page, &json!({ "call": "report", "run": 0 })).0, plain);
    assert_eq!(reported(&mut page, &json!({ "call": "report" })).0, plain);
    let (crashed, _) = reported(&mut page, &json!({ "call": "report", "run": 1 }));
    assert_ne!(crashed["digest"], plain["digest"]);
    assert_eq!(crashed["changes"][1], "server-2 crashes at 0:20");
    // It is the run that was watched.
    played(&mut page, 1, 1_000.0, 1_000.0);
    let lost = ok(&mut page, &json!({ "call": "figures", "run": 1 }))["carts"]["lost"].to_string();
    assert_eq!(crashed["rows"][1]["cells"][0]["figure"], json!(lost));
}

#[test]
fn there_must_be_something_to_report_on() {
    assert_eq!(refused(&mut Page::default(), &json!({ "call": "report" }))["help"], "load a scenario first");
}

#[test]
fn the_text_of_a_scenario_is_given_for_editors() {
    let mut page = Page::default();
    let text = ok(&mut page, &json!({ "call": "source", "scenario": "sticky-crash" }))["text"].clone();
    assert_eq!(text, json!(library::find("sticky-crash").expect("one").text));
    let same = ok(&mut page, &json!({ "call": "check", "scenario": "sticky-crash", "text": text }));
    assert_eq!(same, ok(&mut page, &json!({ "call": "check", "scenario": "sticky-crash" })));
    assert_eq!(refused(&mut page, &json!({ "call": "source", "scenario": "x" }))["kind"], "request");
}
