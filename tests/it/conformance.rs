//! Both engines play every scenario, and do what simulations predict: one test, two arms.
//!
//! The scenarios are shortened, so that all of them are played over real sockets in a minute; `--engine both` plays them
//! whole. The conservation laws are asserted in every run, whichever engine it is.

use std::sync::atomic::AtomicBool;

use rayon::prelude::*;
use whatcart::base::time::Span;
use whatcart::experiment::{self, FAVOURITE, HttpOptions, Options, PREDICTION_SEEDS, predict};
use whatcart::results::Report;
use whatcart::results::agreement::compare;
use whatcart::scenario::{Loaded, Pause, Scenario, Time, library, load};

/// The seed of predictions; arms have others.
const PREDICTED: u64 = 1_000;
/// At ten times the speed mean service takes two milliseconds.
const SPEED: f64 = 10.0;

/// An engine, by what it makes of a scenario with a seed.
type Arm = fn(&Loaded, u64) -> Report;

fn simulated(loaded: &Loaded, seed: u64) -> Report {
    experiment::run(loaded, &options(seed)).expect("it goes on")
}

fn executed(loaded: &Loaded, seed: u64) -> Report {
    let http = HttpOptions { speed: Some(SPEED), news: &|_| () };
    experiment::execute(loaded, &options(seed), &http).expect("the machine can play it")
}

fn options(seed: u64) -> Options<'static> {
    static NEVER: AtomicBool = AtomicBool::new(false);
    Options { seed: Some(seed), runs: 1, played: 0, favourite: FAVOURITE, interrupt: &NEVER, progress: &|_| () }
}

/// Every scenario, design by design, each shorter than it is.
fn scenarios() -> Vec<Loaded> {
    let shortened = |entry: &library::Entry| {
        let mut whole = load(entry.name, entry.name, entry.text, &[], &[]).expect("it comes with the program");
        if whole.variants.iter().any(|variant| variant.scenario.migration.is_some()) {
            whole.variants.iter_mut().for_each(|variant| moved_up(&mut variant.scenario));
            return whole;
        }
        let mut set: Vec<String> = vec!["duration=24s".into(), "closing=1m".into()];
        let faults: Vec<_> = whole.base.faults.iter().filter_map(|fault| fault.name.as_ref()).collect();
        // One strikes halfway; several one after another, for who is down cannot be struck.
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
    library::all().iter().filter(real).map(shortened).flat_map(apart).collect()
}

/// Where carts move, they move after twelve seconds too. What is written twice before is so for as long as it was.
fn moved_up(scenario: &mut Scenario) {
    scenario.duration = Time::of(Span::from_secs(24));
    if let Some(migration) = &mut scenario.migration {
        let half = Span::from_secs(12);
        let before = |from: Pause| (migration.at.get() - from.get()).min(half);
        migration.from = migration.from.map(|from| Time::of(half - before(from)));
        migration.at = Time::of(half);
    }
}

/// What of a design came otherwise than simulations predict.
fn differing(loaded: &Loaded, arm: Arm, seed: u64) -> Vec<String> {
    let predicted = predict(loaded, PREDICTED, PREDICTION_SEEDS, &AtomicBool::new(false), &|_| ()).expect("they go on");
    let agreement = compare(&arm(loaded, seed), &predicted);
    assert!(agreement.judged() > 15, "{}: only {} figures were judged", loaded.name, agreement.judged());
    let name = format!("{}, {}", loaded.name, loaded.variants[0].name);
    agreement.differing().map(|(_, one)| format!("{name}: {one:?}")).collect()
}

fn conforms(arm: Arm) {
    let designs = scenarios();
    assert!(designs.len() > 20, "every design of every scenario");
    let threads = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
    let differing: Vec<String> = threads
        .install(|| designs.par_iter().with_max_len(1).flat_map_iter(|loaded| differing(loaded, arm, 7)).collect());
    // Each design is judged with a certainty of 99.9 %: of so many, one may differ by chance.
    assert!(differing.len() <= 1, "{}", differing.join("\n"));
}

#[test]
fn the_simulation_does_what_simulations_predict() {
    conforms(simulated);
}

#[test]
fn real_requests_do_what_simulations_predict() {
    conforms(executed);
}
