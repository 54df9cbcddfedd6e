//! What a balancer does when servers fail: retries, refusals, and how long it takes to notice.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Outcome, Refusal, ServerId};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, Request, Seen};
use whatcart::scenario::{Affinity, CookieLife, PinnedDown, Scenario, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{at_ms, constant, end, exponential, fault, ms, time};

const CRASHED: ServerId = ServerId(1);
const AT: u64 = 20_000;

fn events(scenario: &Scenario, seed: u64) -> Vec<Event> {
    let mut events = Vec::new();
    Sim::new(scenario, Seed(seed)).advance(end(scenario), &mut events);
    events
}

fn crash(verb: &str) -> Scenario {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(200));
    scenario.servers.workers = Whole::of(64);
    scenario.servers.service = exponential(300_000);
    scenario.faults = vec![fault(verb, 2, AT, Some(15_000))];
    scenario
}

/// A request in flight: when it was sent, and how often it was served and retried.
struct Air {
    request: Request,
    sent: Instant,
    served: u32,
    retried: u32,
}

/// A request that had reached a server goes to another one only if its method is idempotent.
#[test]
fn a_post_that_was_sent_is_never_sent_again() {
    let (mut reset_posts, mut rescued, mut redirected) = (0, 0, 0);
    let mut air: BTreeMap<ClientId, Air> = BTreeMap::new();
    for event in events(&crash("crash"), 1) {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(request)) => {
                air.insert(visit.client, Air { request, sent: event.at, served: 0, retried: 0 });
            }
            EventKind::Inside(visit, Inside::Retried { from }) => {
                let one = air.get_mut(&visit.client).expect("it was sent");
                one.retried += 1;
                assert_eq!(from, CRASHED, "only that one fails");
                let had_reached_it = one.sent < at_ms(AT) && event.at == at_ms(AT);
                assert!(!had_reached_it || one.request.command.is_idempotent(), "sent again: {:?}", one.request);
                rescued += u32::from(had_reached_it);
                redirected += u32::from(!had_reached_it && !one.request.command.is_idempotent());
            }
            EventKind::Inside(visit, Inside::Served(served)) => {
                let one = air.get_mut(&visit.client).expect("it was sent");
                assert_eq!(served.request, one.request);
                one.served += 1;
                assert_eq!(one.served, 1, "served twice: {:?}", one.request);
            }
            EventKind::Seen(visit, Seen::Told { request, outcome, .. }) => {
                let one = &air[&visit.client];
                if outcome == Outcome::Failed {
                    assert_eq!(event.at, at_ms(AT), "only the crash resets connections");
                    assert!(!request.command.is_idempotent(), "it could have been sent again: {request:?}");
                    assert_eq!((one.served, one.retried), (0, 0));
                    reset_posts += 1;
                }
            }
            _ => {}
        }
    }
    assert!(reset_posts >= 1 && rescued >= 1 && redirected >= 10, "{reset_posts} {rescued} {redirected}");
}

/// A POST may be retried if it never reached the server; retries end at the limit.
#[test]
fn retries_have_a_limit() {
    for limit in [0, 1, 3] {
        let mut scenario = crash("crash");
        scenario.servers.count = Whole::of(4);
        // So short that no request is in a server when the servers die.
        scenario.servers.service = constant(0);
        scenario.balancer.retries = Whole::of(limit);
        scenario.faults = (1..=3).map(|server| fault("crash", server, AT, None)).collect();
        let mut most = 0;
        let mut unreachable = 0;
        let mut by_visit: BTreeMap<ClientId, u64> = BTreeMap::new();
        for event in events(&scenario, 1) {
            match event.what {
                EventKind::Seen(visit, Seen::Sent(_)) => {
                    by_visit.insert(visit.client, 0);
                }
                EventKind::Inside(visit, Inside::Retried { .. }) => {
                    let n = by_visit.entry(visit.client).or_default();
                    *n += 1;
                    most = most.max(*n);
                }
                EventKind::Seen(_, Seen::Told { outcome: Outcome::Refused(Refusal::Unreachable), .. }) => {
                    unreachable += 1;
                }
                _ => {}
            }
        }
        assert_eq!(most, limit);
        assert_eq!(unreachable > 0, limit < 3, "one server lives, and three retries reach it");
    }
}

/// How long after the fault the balancer marked the server down.
fn noticed(scenario: &Scenario, seed: u64) -> Span {
    let believed = |event: &Event| match event.what {
        EventKind::Pool(PoolEvent::Believed { server: CRASHED, up: false }) => Some(event.at - at_ms(AT)),
        _ => None,
    };
    events(scenario, seed).iter().find_map(believed).expect("it is noticed")
}

#[test]
fn a_crash_is_noticed_in_four_to_six_seconds() {
    let after: Vec<Span> = (1..=24).map(|seed| noticed(&crash("crash"), seed)).collect();
    assert!(after.iter().all(|span| (ms(4_000)..=ms(6_000)).contains(span)), "{after:?}");
    assert!(after.iter().any(|span| *span < ms(4_500)) && after.iter().any(|span| *span > ms(5_500)), "{after:?}");
}

/// Silence is noticed later: each of three checks takes its full timeout of two seconds.
#[test]
fn a_vanishing_is_noticed_after_three_timeouts() {
    let after: Vec<Span> = (1..=24).map(|seed| noticed(&crash("vanish"), seed)).collect();
    assert!(after.iter().all(|span| (ms(6_000)..=ms(8_000)).contains(span)), "{after:?}");
}

/// No user is sent to a server that is believed down; once it is believed up, any user may be.
#[test]
fn what_is_believed_down_is_left_alone() {
    let mut up = true;
    let mut came_back = 0;
    let mut sent: BTreeMap<ClientId, (Instant, bool)> = BTreeMap::new();
    for event in events(&crash("crash"), 1) {
        match event.what {
            EventKind::Pool(PoolEvent::Believed { server: CRASHED, up: now }) => up = now,
            EventKind::Seen(visit, Seen::Sent(_)) => {
                sent.insert(visit.client, (event.at, up));
            }
            EventKind::Inside(visit, Inside::Served(served)) if served.server == CRASHED => {
                assert!(sent[&visit.client].1, "sent to a server that was believed down");
                came_back += u32::from(event.at > at_ms(AT));
            }
            _ => {}
        }
    }
    assert!(came_back > 100, "{came_back}");
}

/// A silent server costs time: requests that reached it time out, and new ones wait for the connect timeout.
#[test]
fn a_silent_server_costs_time() {
    let mut scenario = crash("vanish");
    scenario.balancer.connect_timeout = time(700);
    let (mut timed_out, mut waited) = (0, 0);
    let mut sent: BTreeMap<ClientId, Instant> = BTreeMap::new();
    for event in events(&scenario, 1) {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(_)) => {
                sent.insert(visit.client, event.at);
            }
            EventKind::Seen(_, Seen::Told { sent, outcome: Outcome::TimedOut, .. }) => {
                assert!(sent <= at_ms(AT), "it was inside when silence fell");
                assert_eq!(event.at - sent, scenario.users.timeout.get());
                timed_out += 1;
            }
            EventKind::Inside(visit, Inside::Retried { from }) => {
                assert_eq!(from, CRASHED);
                assert_eq!(event.at - sent[&visit.client], ms(700));
                waited += 1;
            }
            _ => {}
        }
    }
    assert!(timed_out >= 1 && waited >= 10, "{timed_out} {waited}");
}

#[test]
fn a_full_queue_refuses() {
    let mut scenario = base();
    scenario.servers.workers = Whole::of(1);
    scenario.servers.queue = Whole::of(2);
    scenario.servers.service = exponential(200_000);
    let mut sim = Sim::new(&scenario, Seed(1));
    let mut refused = 0;
    for second in 0..60 {
        let mut events = Vec::new();
        sim.advance(at_ms(second * 1_000), &mut events);
        let full = |event: &&Event| {
            matches!(event.what, EventKind::Seen(_, Seen::Told { outcome: Outcome::Refused(Refusal::QueueFull), .. }))
        };
        refused += events.iter().filter(full).count();
        let queued = sim.view().servers.iter().map(|server| server.queued).max();
        assert!(queued <= Some(2), "{queued:?}");
    }
    assert!(refused > 20, "{refused}");
}

/// With `fail`, the balancer refuses users whose server is believed down, and no others.
#[test]
fn bound_users_fail_when_told_to() {
    let mut scenario = crash("crash");
    // Many users have no reason to come by before the fault is noticed.
    scenario.users.think = exponential(5_000_000);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    let refusals = |scenario: &Scenario| -> usize {
        let refused = |event: &&Event| {
            matches!(event.what, EventKind::Seen(_, Seen::Told { outcome: Outcome::Refused(Refusal::NoServer), .. }))
        };
        let events = events(scenario, 1);
        let first = events.iter().find(refused).map(|event| event.at);
        assert!(first.is_none_or(|at| at >= at_ms(AT + 4_000)), "before it was noticed nobody was refused");
        events.iter().filter(refused).count()
    };
    scenario.balancer.pinned_down = PinnedDown::Redispatch;
    assert_eq!(refusals(&scenario), 0);
    scenario.balancer.pinned_down = PinnedDown::Fail;
    assert!(refusals(&scenario) > 20);
}
