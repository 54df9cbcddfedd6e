//! Copies of carts and logins: read and written back, or carried by users for a limited time.

use std::collections::BTreeSet;

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Outcome, Refusal, Step, UserId};
use whatcart::history::{Event, EventKind, Seen};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{CartHome, FaultKind, Scenario, SessionHome, StoreUpdate, Tokens, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{constant, end, exponential, that, time};

pub fn play(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

/// One server is slow, and users do not wait for it: abandoned requests still run while they retry elsewhere.
pub fn rewriting() -> Scenario {
    let mut scenario = base();
    scenario.servers.workers = Whole::of(64);
    scenario.users.timeout = time(200);
    scenario.users.pause = time(10);
    scenario.users.think = exponential(300_000);
    scenario.faults = vec![that(FaultKind::Slow { server: "server-2".into(), factor: 50, lasting: None }, 0)];
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.update = StoreUpdate::ReadModifyWrite;
    scenario
}

/// Users who think for longer than a token lives.
pub fn dawdling() -> Scenario {
    let mut scenario = base();
    scenario.closing = time(600_000);
    scenario.users.count = Some(Whole::of(200));
    scenario.users.think = exponential(5_000_000);
    scenario.homes.cart = CartHome::SignedToken;
    scenario.tokens = Tokens { lifetime: time(7_000), leeway: time(1_000), ..Tokens::default() };
    scenario
}

/// With the same users, servers and faults, read-modify-write can lose updates, and atomic adds cannot.
#[test]
fn updates_are_lost_only_between_a_read_and_a_write() {
    let mut scenario = rewriting();
    for connections in [None, Some(Whole::of(40))] {
        scenario.store.connections = connections;
        scenario.store.update = StoreUpdate::ReadModifyWrite;
        let rewritten = play(&scenario);
        assert!(rewritten.carts.lost > 10, "{rewritten:#?}");
        assert_eq!(rewritten.carts.lost, rewritten.lost_by.overwritten);
        scenario.store.update = StoreUpdate::Atomic;
        let atomic = play(&scenario);
        assert_eq!((atomic.carts.lost, atomic.carts.overcharged, atomic.wrong_views, atomic.ghosts), (0, 0, 0, 0));
        assert!(atomic.requests.timed_out * 2 > rewritten.requests.timed_out, "they met the same trouble");
    }
}

/// If nobody gives up, there are no races, and reading first only costs calls.
#[test]
fn patient_users_lose_no_updates() {
    let mut scenario = base();
    scenario.homes.cart = CartHome::SharedStore;
    let atomic = play(&scenario);
    scenario.store.update = StoreUpdate::ReadModifyWrite;
    let rewritten = play(&scenario);
    assert_eq!((atomic.carts.lost, rewritten.carts.lost), (0, 0));
    let calls = [atomic, rewritten].map(|figures| figures.price.store_calls_per_request.expect("requests"));
    // Of the eight requests of a visit five call the store once; all of those but the view call it twice.
    assert!((calls[0] - 5.0 / 8.0).abs() < 0.01 && (calls[1] - 9.0 / 8.0).abs() < 0.01, "{calls:?}");
}

/// With one connection, a store latency of 10 ms and 1 ms of work, an add takes two calls, one before and one after.
#[test]
fn a_read_waits_in_line_as_a_write_does() {
    let mut scenario = base();
    scenario.duration = time(5_000);
    scenario.users.count = Some(Whole::of(1));
    scenario.users.ramp = Some(time(0));
    scenario.users.think = constant(50);
    scenario.users.journey = vec![Step::Add, Step::View, Step::Checkout].into();
    scenario.servers.service = constant(1);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.latency = constant(10);
    for connections in [None, Some(Whole::of(1))] {
        scenario.store.connections = connections;
        for (update, want) in [(StoreUpdate::Atomic, [11, 11, 11]), (StoreUpdate::ReadModifyWrite, [21, 11, 21])] {
            scenario.store.update = update;
            let mut events: Vec<Event> = Vec::new();
            Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
            let busy: Vec<u64> = events.iter().filter_map(busy).take(3).collect();
            assert_eq!(busy, want, "{update:?} with {connections:?} connections");
        }
    }
}

/// How many milliseconds a worker was held.
fn busy(event: &Event) -> Option<u64> {
    match event.what {
        EventKind::Inside(_, whatcart::history::Inside::Served(served)) => Some(served.busy.as_nanos() / 1_000_000),
        _ => None,
    }
}

#[test]
fn carts_expire_in_the_hands_of_those_who_dawdle() {
    let mut scenario = dawdling();
    scenario.homes.session = SessionHome::SharedStore;
    let short = play(&scenario);
    assert!(short.carts.lost > 10, "{short:#?}");
    assert_eq!(short.carts.lost, short.lost_by.expired);
    assert_eq!((short.logged_out, short.carts.overcharged), (0, 0), "only the cart is a token");
    scenario.tokens = Tokens::default();
    let usual = play(&scenario);
    assert_eq!((usual.carts.lost, usual.wrong_views), (0, 0));
    assert!(usual.carts.intact > 100);
}

#[test]
fn logins_expire_and_are_renewed() {
    let mut scenario = dawdling();
    scenario.homes.cart = CartHome::SharedStore;
    let mut events: Vec<Event> = Vec::new();
    Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
    let answered = |command: Command, outcome: fn(Outcome) -> bool| {
        let told = |event: &&Event| match event.what {
            EventKind::Seen(_, whatcart::history::Seen::Told { request, outcome: how, .. }) => {
                request.command == command && outcome(how)
            }
            _ => false,
        };
        events.iter().filter(told).count() as u64
    };
    let short = play(&scenario);
    assert!(short.logged_out > 100, "{short:#?}");
    assert_eq!((short.carts.lost, short.carts.intact), (0, short.carts.opened), "they log in again and go on");
    let logins = answered(Command::Login, |how| matches!(how, Outcome::Ok(_)));
    assert_eq!(logins, short.visits.begun + short.logged_out);
    scenario.tokens = Tokens::default();
    assert_eq!(play(&scenario).logged_out, 0);
}

/// A token is valid until its lifetime and the leeway are over, and not a nanosecond longer.
#[test]
fn the_end_of_a_token_is_exact() {
    let mut scenario = base();
    scenario.duration = time(1_000);
    scenario.users.count = Some(Whole::of(1));
    scenario.users.journey = vec![Step::Login, Step::Browse].into();
    scenario.users.think = constant(100);
    scenario.servers.service = constant(10);
    // From the end of one service to the start of the next.
    let logged_out = |lifetime: u64, leeway: u64| {
        let mut scenario = scenario.clone();
        scenario.tokens = Tokens { lifetime: time(lifetime), leeway: time(leeway), ..Tokens::default() };
        play(&scenario).logged_out > 0
    };
    assert!(logged_out(100, 0) && logged_out(60, 40));
    assert!(!logged_out(101, 0) && !logged_out(60, 41));
}

/// A repeated order is charged once, although the first answer came too late.
#[test]
fn an_impatient_buyer_pays_once() {
    for update in [StoreUpdate::Atomic, StoreUpdate::ReadModifyWrite] {
        for cart in [CartHome::ServerMemory, CartHome::SharedStore, CartHome::SignedToken] {
            let mut scenario = rewriting();
            scenario.homes.cart = cart;
            scenario.store.update = update;
            scenario.users.journey = vec![Step::Login, Step::Add, Step::Checkout, Step::Browse, Step::Logout].into();
            let figures = play(&scenario);
            assert!(figures.requests.timed_out > 100);
            assert_eq!(figures.double_charges, 0, "{cart:?}, {update:?}");
        }
    }
}

/// A user who does not wait for the answer to a logout is logged out all the same: whoever tries it again is unknown.
#[test]
fn a_logout_takes_effect_though_its_user_has_left() {
    for home in [SessionHome::ServerMemory, SessionHome::SharedStore] {
        let mut scenario = base();
        scenario.homes.session = home;
        scenario.servers.count = Whole::of(1);
        scenario.servers.workers = Whole::of(64);
        scenario.servers.service = exponential(150_000);
        (scenario.users.timeout, scenario.users.pause) = (time(200), time(300));
        scenario.users.journey = vec![Step::Login, Step::Browse, Step::Logout].into();
        let mut events: Vec<Event> = Vec::new();
        Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
        let (mut left, mut unknown) = (BTreeSet::new(), 0);
        for event in &events {
            let EventKind::Seen(visit, Seen::Told { request, outcome, .. }) = event.what else { continue };
            match (request.command, outcome) {
                (Command::Logout, Outcome::TimedOut) => drop(left.insert(visit)),
                (Command::Logout, Outcome::Refused(Refusal::Unauthorized)) => {
                    assert!(left.contains(&visit), "nothing else logs anybody out here");
                    unknown += 1;
                }
                _ => {}
            }
        }
        assert!(unknown > 10, "{home:?}: {unknown} of {}", left.len());
    }
}
