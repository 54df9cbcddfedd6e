//! Shared support: reproducible random cases, random scenarios, random histories, a second checker.

pub mod histories;
pub mod naive;
pub mod worlds;

use std::fmt::Write as _;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use whatcart::base::{Item, Items};
use whatcart::history::{Event, EventKind};
use whatcart::results::Moment;
use whatcart::sim::Sim;

/// How far a simulation has come.
pub fn moment(sim: &Sim) -> Moment {
    Moment { now: sim.now(), awaited: sim.view().awaited }
}

/// Checks a property on random values, the same in every run. A failing value is shrunk and printed by `show`.
pub fn for_all<S: Strategy>(
    cases: u32,
    strategy: &S,
    show: impl Fn(&S::Value) -> String,
    law: impl Fn(&S::Value) -> Result<(), String>,
) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(strategy, |value| law(&value).map_err(TestCaseError::fail));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(why, value)) => panic!("{why}\nthe smallest case that shows it:\n{}", show(&value)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

/// An item by its number.
pub fn item(number: u8) -> Item {
    Item::new(number).expect("items have the numbers 1 to 64")
}

/// A set of items by their numbers.
pub fn items(numbers: &[u8]) -> Items {
    numbers.iter().fold(Items::NONE, |set, number| set.with(item(*number)))
}

/// A history, one event per line.
pub fn told_as_lines(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let at = event.at.as_nanos();
        let line = match event.what {
            EventKind::Seen(visit, seen) => {
                format!("user {} tab {} visit {}: {seen:?}", visit.user.0, visit.client.0, visit.number)
            }
            EventKind::Inside(visit, inside) => {
                format!("user {} tab {} inside: {inside:?}", visit.user.0, visit.client.0)
            }
            EventKind::Pool(pool) => format!("{pool:?}"),
        };
        writeln!(text, "{at:>12} {line}").expect("a string takes it");
    }
    text
}
