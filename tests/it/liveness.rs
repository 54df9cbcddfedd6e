//! A valid scenario never stalls: at every moment of a run, every user within a visit will act again.

use proptest::prelude::*;
use whatcart::base::Step;
use whatcart::base::seed::Seed;
use whatcart::base::time::Span;
use whatcart::scenario::{Journey, Scenario, Whole, load};
use whatcart::sim::Sim;

use crate::support::for_all;
use crate::support::worlds::{any_world, end, ms, show, time};

/// Inspects a run at intervals, from its start until everybody has left.
fn goes_on(scenario: &Scenario, seed: u64, every: Span) -> Result<(), String> {
    let mut sim = Sim::new(scenario, Seed(seed));
    while !sim.is_over() && sim.now() < end(scenario) {
        let until = (sim.now() + every).min(end(scenario));
        sim.advance(until, &mut ());
        if let Some(stuck) = sim.stuck() {
            return Err(stuck.to_string());
        }
    }
    Ok(())
}

/// Both tabs of the only user are refused, or time out, and pause before a retry: nobody thinks, no worker is busy, no
/// timer runs.
#[test]
fn simultaneous_steps_that_all_pause_are_no_standstill() {
    let refused = "title = 'a'\nduration = '20s'\nseed = 3\n\
         users = { count = 2, journey = [['browse', 'browse']] }\nservers = { count = 1, workers = 1, queue = 0 }\n";
    let impatient = "title = 'a'\nduration = '20s'\nusers = { count = 1, timeout = '5ms', pause = '1s', patience = 5, \
         journey = [['add', 'add'], 'checkout'] }\nservers = { count = 1, service = { constant = '20ms' } }\n";
    for text in [refused, impatient] {
        let loaded = load("a", "a.toml", text, &[], &[]).expect("a sound scenario");
        let [variant] = &loaded.variants[..] else { panic!("one design") };
        for seed in 1..=20 {
            goes_on(&variant.scenario, seed, ms(10)).unwrap_or_else(|why| panic!("seed {seed}: {why}\n{text}"));
        }
    }
}

#[test]
fn no_random_world_comes_to_a_standstill() {
    for_all(150, &any_world(), show, |world| goes_on(world, world.seed.get(), ms(20)));
}

/// One to three users who do every step in two tabs, and servers with the smallest possible queues: scenarios in which
/// the simulation is often quiet while a visit is open.
#[test]
fn no_quiet_world_comes_to_a_standstill() {
    let quiet = (any_world(), 1u64..4, prop::sample::select(vec![1u64, 50, 700]), prop::bool::ANY).prop_map(
        |(mut world, people, pause, impatient)| {
            let mut journey = Journey::default();
            journey.push_at_once(&[Step::Add, Step::Browse]);
            journey.push_at_once(&[Step::View, Step::Add]);
            journey.push(Step::Checkout);
            world.users.journey = journey;
            world.users.heavy = None;
            world.users.count = world.users.count.map(|_| Whole::of(people));
            world.users.pause = time(pause);
            world.users.timeout = if impatient { time(5) } else { world.users.timeout };
            world.servers.queue = Whole::of(0);
            world.servers.workers = Whole::of(1);
            world
        },
    );
    for_all(300, &quiet, show, |world| goes_on(world, world.seed.get(), ms(5)));
}
