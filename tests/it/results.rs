//! Results can be read back: of real runs of every scenario, and of earlier versions.

use std::sync::atomic::AtomicBool;

use whatcart::experiment::{FAVOURITE, Options, run};
use whatcart::results::expectations::judge;
use whatcart::results::{FaultFigures, ReadError, Report, Results, Scaling, read};
use whatcart::scenario::{library, load};

/// Several runs of a scenario with few users.
fn played(entry: &library::Entry, runs: u32) -> Report {
    let few = ["users.count=12", "users.rate=0.5"].iter().find_map(|few| {
        let few = [(*few).to_owned()];
        load(entry.name, entry.name, entry.text, &few, &[]).ok()
    });
    let loaded = few.unwrap_or_else(|| load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name));
    let interrupt = AtomicBool::new(false);
    let options =
        Options { seed: None, runs, played: 0, favourite: FAVOURITE, interrupt: &interrupt, progress: &|_| () };
    let mut report = run(&loaded, &options).expect(entry.name);
    report.expectations = judge(&report).expect("sound claims");
    report
}

#[test]
fn what_is_written_is_read_and_written_again() {
    for (i, entry) in library::all().iter().enumerate().filter(|(_, entry)| entry.name != "big-pool") {
        let report = played(entry, if i % 3 == 0 { 3 } else { 1 });
        let results = Results::from(&report);
        let json = results.json();
        let read = read(&json).expect(entry.name);
        assert_eq!(read, results, "{}", entry.name);
        assert!(read.json() == json, "{}: other bytes", entry.name);
    }
}

#[test]
fn the_first_schema_is_read() {
    let results = read(include_str!("results/schema-1-one-run.json")).expect("a report");
    let run = &results.variants[0].runs[0];
    assert_eq!((results.variants[0].runs.len(), run.seed, run.figures.carts.opened), (1, 7, 76));
    let figures = &run.figures;
    let once = |at_s, open_carts| FaultFigures { at_s: Some(at_s), open_carts, ..FaultFigures::default() };
    let kills = FaultFigures { strikes: Some(3), open_carts: 24, lost_of_open: 8, ..FaultFigures::default() };
    let faults = [("the crash", once(20.0, 10)), ("the deploy", once(30.0, 8)), ("more", once(40.0, 10))];
    assert_eq!(figures.faults, faults.into_iter().chain([("the kills", kills)]).collect());
    assert_eq!(figures.deploys.get("the deploy").map(|deploy| deploy.cut_off_users), Some(22));
    assert_eq!(figures.scaling, [("all changes", Scaling::default())].into_iter().collect());
    assert_eq!(figures.price.most_servers, Some(3));
    assert_eq!(read(&results.json()).expect("today's schema"), results);
}

#[test]
fn several_runs_of_the_first_schema_are_joined_by_name() {
    let results = read(include_str!("results/schema-1-two-runs.json")).expect("a report");
    let variant = &results.variants[0];
    assert_eq!(variant.runs.len(), 2);
    let regions = variant.runs[0].figures.regions.as_ref().expect("by region");
    assert_eq!(regions.names().collect::<Vec<_>>(), ["us-east", "tokyo"]);
    let summary = variant.summary();
    let strikes = |run: usize| variant.runs[run].figures.faults.get("the kills").and_then(|kills| kills.strikes);
    assert_eq!((strikes(0), strikes(1)), (Some(3), Some(4)));
    assert!((summary.mean("faults.\"the kills\".strikes") - 3.5).abs() < 1e-9);
    assert_eq!(read(&results.json()).expect("today's schema"), results);
}

#[test]
fn later_schemas_are_refused() {
    let later = include_str!("results/schema-1-one-run.json").replacen("\"schema\":1", "\"schema\":99", 1);
    assert!(matches!(read(&later), Err(ReadError::UnknownSchema(99))));
}
