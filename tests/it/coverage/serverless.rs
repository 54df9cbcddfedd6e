//! Serverless: instances start on demand, serve one request at a time, and end when idle or evicted.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Outcome, Refusal, ServerState, Step, UserId};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, RECYCLED, Recorder, Seen};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{CartHome, Scenario, Serverless, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{at_ms, constant, end, exponential, ms, three_regions, time};

/// A platform with room for four instances, which sometimes evicts them.
pub fn cramped() -> Scenario {
    let mut scenario = base();
    scenario.servers.service = exponential(60_000);
    scenario.serverless = Some(Serverless {
        cold_start: time(400),
        idle: time(5_000),
        most: Whole::of(4),
        evicted_after: Some(exponential(15_000_000)),
    });
    scenario
}

fn run(scenario: &Scenario) -> (Vec<Event>, Figures) {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    let mut events = Vec::new();
    sim.advance(end(scenario), &mut events);
    for event in &events {
        observer.record(event);
    }
    let figures = figures(&observer, scenario, crate::support::moment(&sim), sim.faults());
    (events, figures)
}

/// One user, who thinks for this long after each step, and a platform whose instances end after 5 s.
fn alone(think_ms: u64) -> Scenario {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(1));
    scenario.users.journey = vec![Step::Add, Step::Add, Step::Checkout].into();
    scenario.users.ramp = Some(time(0));
    scenario.users.think = constant(think_ms);
    scenario.servers.service = constant(20);
    scenario.serverless = Some(Serverless { idle: time(5_000), ..Serverless::default() });
    scenario
}

fn told(events: &[Event]) -> Vec<(u64, Outcome)> {
    let told = |event: &Event| match event.what {
        EventKind::Seen(_, Seen::Told { sent, outcome, .. }) => {
            Some(((event.at - sent).as_nanos() / 1_000_000, outcome))
        }
        _ => None,
    };
    events.iter().filter_map(told).collect()
}

#[test]
fn the_first_request_waits_for_its_instance_and_the_next_ones_do_not() {
    let (events, figures) = run(&alone(1_000));
    let waits: Vec<u64> = told(&events).iter().map(|(took, _)| *took).collect();
    assert!(waits[0] == 420 && waits[1..].iter().all(|took| *took == 20), "{waits:?}");
    let serverless = figures.serverless.expect("it is");
    assert_eq!((serverless.cold_starts, serverless.most_at_once, figures.carts.lost), (1, 1, 0));
    let last = events.last().expect("not empty").at;
    assert!(serverless.mean_billed < serverless.mean_instances && serverless.mean_instances <= 1.0, "{serverless:?}");
    assert!(last >= at_ms(60_000), "{last:?}");
}

/// A user who returns after the idle limit finds a new instance, and an empty cart.
#[test]
fn an_idle_instance_is_taken_away_with_its_memory() {
    let (events, figures) = run(&alone(5_001));
    assert!(told(&events).iter().all(|(took, _)| *took == 420));
    assert!(figures.carts.opened > 2 && figures.carts.lost == figures.carts.opened, "{:?}", figures.carts);
    assert_eq!(figures.carts.lost, figures.lost_by.wiped);
    let stopped = events.iter().filter_map(|event| match event.what {
        EventKind::Pool(PoolEvent::Stopped { fault, .. }) => Some((event.at, fault)),
        _ => None,
    });
    let mut answers = events.iter().filter(|event| matches!(event.what, EventKind::Seen(_, Seen::Told { .. })));
    let first = answers.next().expect("an answer").at;
    assert_eq!(stopped.clone().next(), Some((first + ms(5_000), RECYCLED)));
    assert!(stopped.clone().all(|(_, fault)| fault == RECYCLED));
    let (_, figures) = run(&alone(4_999));
    assert_eq!((figures.carts.lost, figures.serverless.expect("it is").cold_starts), (0, 1));
}

#[test]
fn an_instance_works_on_one_request_at_a_time() {
    let scenario = cramped();
    let (events, figures) = run(&scenario);
    let mut until = BTreeMap::new();
    for event in &events {
        if let EventKind::Inside(_, Inside::Served(served)) = event.what {
            let free = until.insert(served.server, event.at);
            let began = event.at.as_nanos() - served.busy.as_nanos();
            assert!(free.is_none_or(|free| free.as_nanos() <= began), "{served:?} overlaps");
        }
    }
    let serverless = figures.serverless.expect("it is");
    assert!(until.len() == 4 && serverless.most_at_once == 4, "{serverless:?}");
    assert!(serverless.cold_starts > 10 && figures.lost_by.wiped > 0 && figures.lost_by.split > 0, "{serverless:?}");
    let throttled = told(&events).iter().filter(|(_, how)| *how == Outcome::Refused(Refusal::Throttled)).count();
    assert!(throttled > 10, "{throttled}");
}

/// The most recently started of the idle instances gets the request.
#[test]
fn the_newest_instance_is_asked_first() {
    let mut scenario = cramped();
    scenario.serverless = Some(Serverless { idle: time(60_000), ..Serverless::default() });
    let (events, figures) = run(&scenario);
    let instances = figures.load.per_server.len();
    assert!(instances > 3, "{instances}");
    let mut busy = vec![true; instances];
    let mut asked = 0;
    let mut began: Vec<(u64, usize, bool)> = Vec::new();
    for event in &events {
        if let EventKind::Inside(_, Inside::Served(served)) = event.what {
            let server = served.server.index();
            began.push((event.at.as_nanos() - served.busy.as_nanos(), server, true));
            began.push((event.at.as_nanos(), server, false));
        }
    }
    let mut there = vec![false; instances];
    began.sort_by_key(|(at, _, begins)| (*at, *begins));
    for (_, server, begins) in began {
        if begins {
            let newer_idle = (server + 1..instances).any(|other| there[other] && !busy[other]);
            // An instance that has just started takes the request that waited for it.
            assert!(!newer_idle || !there[server], "{server} works while a newer one is idle");
            asked += 1;
            there[server] = true;
        }
        busy[server] = begins;
    }
    assert!(asked > 500, "{asked}");
}

#[test]
fn every_region_has_instances_of_its_own() {
    let mut scenario = cramped();
    let mut regions = three_regions();
    regions.travellers = crate::support::worlds::share(0.3);
    scenario.regions = Some(regions);
    scenario.homes.cart = CartHome::SignedToken;
    scenario.servers.service = constant(5);
    let (events, figures) = run(&scenario);
    assert_eq!(figures.carts.lost, 0);
    for (_, region) in figures.regions.expect("by region") {
        assert!(
            (region.add_ms.as_ref().expect("adds").p50 - 15.0).abs() < 0.2,
            "{region:?}: everybody is served nearby"
        );
    }
    assert!(figures.serverless.expect("it is").most_at_once > 3);
    let turned = |state: ServerState| {
        let is =
            |event: &&Event| matches!(event.what, EventKind::Pool(PoolEvent::Turned { state: to, .. }) if to == state);
        events.iter().filter(is).count()
    };
    assert_eq!(turned(ServerState::Booting), turned(ServerState::Up));
    assert!(turned(ServerState::Retired) > 5);
    let adds = |event: &&Event| matches!(event.what, EventKind::Seen(_, Seen::Sent(request)) if matches!(request.command, Command::Add(_)));
    assert!(events.iter().filter(adds).count() > 200);
}
