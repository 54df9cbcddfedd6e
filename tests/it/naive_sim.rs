//! A second simulator, as simple as possible, that must agree with the engine event for event.

mod simulator;
mod workload;

use proptest::prelude::*;
use whatcart::base::Visit;
use whatcart::base::seed::Seed;
use whatcart::base::time::Instant;
use whatcart::history::{Event, EventKind, Seen};
use whatcart::sim::Sim;

use crate::support::worlds::{end, plain_world, show};
use simulator::naive;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_event_for_event(scenario in plain_world(), seed in 0u64..1 << 40) {
        let mut events: Vec<Event> = Vec::new();
        Sim::new(&scenario, Seed(seed)).advance(end(&scenario), &mut events);
        let seen = |event: Event| match event.what { EventKind::Seen(visit, seen) => Some((event.at, visit, seen)), _ => None };
        let seen: Vec<(Instant, Visit, Seen)> = events.into_iter().filter_map(seen).collect();
        let plain = naive(&scenario, Seed(seed), end(&scenario));
        let differs = (0..seen.len().max(plain.len())).find(|i| seen.get(*i) != plain.get(*i));
        prop_assert!(differs.is_none(), "{:?}\nnot {:?}\n{}", differs.map(|i| seen.get(i)), differs.map(|i| plain.get(i)), show(&scenario));
    }
}
