//! How many users a change of the pool moves to another server, by policy: measured in runs, not in tables.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::{ServerId, Step, UserId};
use whatcart::history::{Event, EventKind, Inside};
use whatcart::scenario::{PolicyName, Scenario, Whole};
use whatcart::sim::Sim;

use super::{assert_agrees, estimate};
use crate::support::worlds::{at_ms, constant, end, fault, time};

const CRASH: u64 = 10_000;
const NOTICED: u64 = 17_000;

/// Users who visit repeatedly; one of the servers dies for good.
fn shrinking(servers: u64, policy: PolicyName) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = time(30_000);
    scenario.users.count = Some(Whole::of(2_000));
    scenario.users.journey = vec![Step::Browse].into();
    scenario.users.think = constant(2_000);
    scenario.servers.count = Whole::of(servers);
    scenario.servers.workers = Whole::of(100);
    scenario.servers.service = constant(1);
    scenario.balancer.policy = policy;
    scenario.balancer.points = Whole::of(1_000);
    scenario.faults = vec![fault("crash", 2, CRASH, None)];
    scenario
}

/// The share of users served by a different server after the crash was noticed than before.
fn moved(scenario: &Scenario, seed: u64) -> f64 {
    let mut events = Vec::new();
    Sim::new(scenario, Seed(seed)).advance(end(scenario), &mut events);
    let mut servers: BTreeMap<UserId, [Option<ServerId>; 2]> = BTreeMap::new();
    for Event { at, what } in events {
        let EventKind::Inside(visit, Inside::Served(served)) = what else { continue };
        let when = match at {
            at if at < at_ms(CRASH) => 0,
            at if at > at_ms(NOTICED) => 1,
            _ => continue,
        };
        let first = servers.entry(visit.user).or_default()[when].get_or_insert(served.server);
        assert_eq!(*first, served.server, "{:?} has one server as long as the pool does not change", visit.user);
    }
    let share = |n: usize| f64::from(u32::try_from(n).expect("few"));
    assert_eq!(servers.len(), 2_000);
    share(servers.values().filter(|[before, after]| before != after).count()) / share(servers.len())
}

#[test]
fn a_server_that_leaves_moves_as_many_users_as_arithmetic_says() {
    let slots_that_change = |servers| if servers == 3 { 0.3336 } else { 0.1025 };
    for servers in [3u32, 10] {
        let its_own = 1.0 / f64::from(servers);
        for (policy, theory, narrow) in [
            (PolicyName::IpHash, 1.0 - its_own, 0.03),
            (PolicyName::RingHash, its_own, 0.12),
            (PolicyName::Rendezvous, its_own, 0.12),
            (PolicyName::Maglev, slots_that_change(servers), 0.12),
        ] {
            let scenario = shrinking(u64::from(servers), policy);
            let shares: Vec<f64> = (1..=12).map(|seed| moved(&scenario, seed)).collect();
            assert_agrees(
                &format!("moved when 1 of {servers} leaves, {policy:?}"),
                estimate(&shares),
                theory,
                0.0,
                narrow,
            );
        }
    }
}

/// No server gets a request beyond its bounded share, and the busiest has less to do than without a bound.
#[test]
fn a_bound_evens_out_what_hashing_does_not() {
    let most_in_flight = |bounded: Option<f64>| {
        let mut scenario = shrinking(10, PolicyName::RingHash);
        scenario.faults.clear();
        scenario.users.count = Some(Whole::of(500));
        scenario.users.think = constant(90);
        scenario.servers.service = constant(30);
        scenario.balancer.points = Whole::of(4);
        scenario.balancer.bounded_load = bounded.map(crate::support::worlds::rate);
        scenario.duration = time(5_000);
        let mut sim = Sim::new(&scenario, Seed(1));
        let mut ratios: Vec<f64> = Vec::new();
        for step in 100..500 {
            sim.advance(at_ms(step * 10), &mut ());
            let in_flight: Vec<u32> = sim.view().servers.iter().map(|server| server.in_flight).collect();
            let mean = f64::from(in_flight.iter().sum::<u32>()) / 10.0;
            ratios.push(f64::from(*in_flight.iter().max().expect("ten")) / mean);
        }
        ratios.iter().sum::<f64>() / 400.0
    };
    let (free, bounded) = (most_in_flight(None), most_in_flight(Some(1.25)));
    assert!(free > 1.6, "four points a server make shares uneven: {free}");
    assert!((1.15..1.4).contains(&bounded), "a quarter above the mean, rounded up: {bounded}");
}
