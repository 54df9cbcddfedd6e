//! Both engines run every scenario and agree with what simulations predict: one test with two arms.
//!
//! The scenarios are shortened, so that all of them run over real sockets in a minute; `--engine both` runs them whole.
//! Designs that occur in no lesson, but in which the engines might differ, are included. The conservation laws are
//! asserted in every run of either engine.
//!
//! Each design is judged with a confidence level of 99.9 %. With so many designs, one may differ by chance. So a design
//! that differs is run again with other seeds, and must not differ a second time.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;
use whatcart::base::time::Span;
use whatcart::experiment::{self, FAVOURITE, HttpOptions, Options, PREDICTION_SEEDS, predict};
use whatcart::results::Report;
use whatcart::results::agreement::compare;
use whatcart::scenario::{CartHome, Loaded, Pause, Scenario, Time, library, load};

/// The seeds of the predictions and of the arm, for the first attempt and for the second.
const FIRST: (u64, u64) = (1_000, 7);
const AGAIN: (u64, u64) = (2_000, 8);
/// At ten times the speed, mean service takes two milliseconds.
const SPEED: f64 = 10.0;

/// An engine: a function from a scenario and a seed to a report.
type Arm = fn(&Loaded, u64) -> Report;

fn simulated(loaded: &Loaded, seed: u64) -> Report {
    experiment::run(loaded, &options(seed)).expect("it goes on")
}

fn executed(loaded: &Loaded, seed: u64) -> Report {
    let http = HttpOptions { speed: Some(SPEED), for_guests: false, news: &|_| () };
    experiment::execute(loaded, &options(seed), &http).expect("the machine can play it")
}

fn options(seed: u64) -> Options<'static> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    Options { seed: Some(seed), runs: 1, played: 0, favourite: FAVOURITE, interrupt: &NEVER, progress: &|_| () }
}

/// An autoscaler that looks four times while a request is served. The load is steady and right for the pool, so it
/// should do nothing. If it only counted requests that have ended, it would see none at one look and many at the next.
const LONG_REQUESTS: &str = r#"
title = "Requests that outlast the autoscaler's interval"
duration = "1m"
closing = "1m"

[users]
count = 14
journey = ["browse", "add", "add", "checkout"]
think = { constant = "200ms" }
timeout = "1m"

[servers]
count = 4
workers = 4
service = { constant = "8s" }
boot = "1s"

[balancer]
affinity = { cookie = "visit" }
health = { interval = "1s" }

[homes]
cart = "server-memory"
session = "signed-token"

[autoscaler]
target = 0.85
min = 4
max = 8
interval = "2s"
cool_down = "4s"

[[variants]]
name = "sticky memory"
"#;

/// Every scenario and more, design by design; the scenarios are shortened.
fn designs() -> Vec<Loaded> {
    let shortened = |entry: &library::Entry| {
        let mut whole = load(entry.name, entry.name, entry.text, &[], &[]).expect("it comes with the program");
        if whole.variants.iter().any(|variant| variant.scenario.migration.is_some()) {
            whole.variants.iter_mut().for_each(|variant| moved_up(&mut variant.scenario));
            return whole;
        }
        let mut set: Vec<String> = vec!["duration=24s".into(), "closing=1m".into()];
        let faults: Vec<_> = whole.base.faults.iter().filter_map(|fault| fault.name.as_ref()).collect();
        // A single fault strikes halfway. Several strike one after another, because a server that is down cannot be
        // struck.
        let (first, apart) = if faults.len() == 1 { (12, 0) } else { (6, 7) };
        set.extend((0u64..).zip(faults).map(|(i, name)| format!("faults.\"{name}\".at={}s", first + apart * i)));
        let mut short = load(entry.name, entry.name, entry.text, &set, &[]).expect("only shorter");
        experiment::take_out_sim_only(&mut short);
        short
    };
    let apart = |loaded: Loaded| {
        let one = |variant| {
            let mut alone = loaded.clone();
            alone.variants = vec![variant];
            alone
        };
        loaded.variants.clone().into_iter().map(one).collect::<Vec<_>>()
    };
    let real = |entry: &&library::Entry| {
        !load(entry.name, entry.name, entry.text, &[], &[]).expect("it comes with the program").base.sim_only
    };
    let long_requests =
        load("long-requests", "long-requests.toml", LONG_REQUESTS, &[], &[]).expect("it is well formed");
    library::all().iter().filter(real).map(shortened).chain([long_requests]).flat_map(apart).collect()
}

/// Migrations, too, begin after twelve seconds. A phase of double writes before that keeps its length.
fn moved_up(scenario: &mut Scenario) {
    scenario.duration = Time::of(Span::from_secs(24));
    if let Some(migration) = &mut scenario.migration {
        let half = Span::from_secs(12);
        let before = |from: Pause| (migration.at.get() - from.get()).min(half);
        migration.from = migration.from.map(|from| Time::of(half - before(from)));
        migration.at = Time::of(half);
    }
}

/// The figures of a design that differ from the predictions.
fn differing(loaded: &Loaded, arm: Arm, (predicted, seed): (u64, u64)) -> Vec<String> {
    let predicted = predict(loaded, predicted, PREDICTION_SEEDS, &AtomicBool::new(false), &|_| ()).expect("they go on");
    let agreement = compare(&arm(loaded, seed), &predicted);
    assert!(agreement.judged() > 15, "{}: only {} figures were judged", loaded.name, agreement.judged());
    let name = format!("{}, {}", loaded.name, loaded.variants[0].name);
    agreement.differing().map(|(_, one)| format!("{name}: {one:?}")).collect()
}

/// The figures that differ twice: the first time, and again with other seeds.
fn differing_twice(designs: &[Loaded], arm: Arm) -> Vec<String> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
    let first: Vec<Vec<String>> =
        threads.install(|| designs.par_iter().with_max_len(1).map(|loaded| differing(loaded, arm, FIRST)).collect());
    let suspects = designs.iter().zip(first).filter(|(_, first)| !first.is_empty());
    let twice = suspects.flat_map(|(loaded, first)| {
        let again = differing(loaded, arm, AGAIN);
        if again.is_empty() { Vec::new() } else { [first, again].concat() }
    });
    twice.collect()
}

fn conforms(arm: Arm) {
    let designs = designs();
    assert!(designs.len() > 20, "every design of every scenario");
    let twice = differing_twice(&designs, arm);
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

#[test]
fn the_simulation_does_what_simulations_predict() {
    conforms(simulated);
}

#[test]
fn real_requests_do_what_simulations_predict() {
    conforms(executed);
}

/// A single difference may be chance, but not a repeated one.
#[test]
fn a_second_difference_is_a_failure() {
    fn wrong(loaded: &Loaded, seed: u64) -> Report {
        let mut other = loaded.clone();
        other.variants[0].scenario.homes.cart = CartHome::SharedStore;
        simulated(&other, seed)
    }
    fn wrong_at_first(loaded: &Loaded, seed: u64) -> Report {
        if seed == FIRST.1 { wrong(loaded, seed) } else { simulated(loaded, seed) }
    }
    let split = designs().into_iter().find(|design| design.name == "what-cart").expect("the first lesson");
    assert_eq!(split.variants[0].scenario.homes.cart, CartHome::ServerMemory);
    assert!(!differing(&split, wrong_at_first, FIRST).is_empty());
    assert_eq!(differing_twice(std::slice::from_ref(&split), wrong_at_first), Vec::<String>::new());
    assert!(!differing_twice(std::slice::from_ref(&split), wrong).is_empty());
}
