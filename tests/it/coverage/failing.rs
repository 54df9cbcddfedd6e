//! Servers that fail, are slow, or have only just started, and what a balancer can do about them.

use std::collections::{BTreeMap, BTreeSet};

use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Command, Outcome, ServerId, Step};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, Request, Seen};
use whatcart::judging::observer::Observer;
use whatcart::scenario::{CartHome, FaultKind, Outlier, PolicyName, Scenario, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{at_ms, end, exponential, fault, ms, share, that, time};

const BROKEN: ServerId = ServerId(1);
const AT: u64 = 20_000;

/// One server fails everything for twenty seconds; later another fails half of everything, for good.
pub fn broken() -> Scenario {
    let mut scenario = base();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.balancer.outlier = Some(Outlier { ejection: time(5_000), at_most: share(0.5), ..Outlier::default() });
    let half = that(FaultKind::Failing { server: "server-3".into(), billionths: 500_000_000, lasting: None }, 50_000);
    scenario.faults = vec![fault("failing", 2, AT, Some(20_000)), half];
    scenario
}

fn events(scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    let mut sim = Sim::new(scenario, Seed(1));
    sim.advance(end(scenario), &mut events);
    assert!(sim.view().servers.iter().all(|server| server.in_flight == 0), "{:?}", sim.view());
    events
}

fn observed(scenario: &Scenario) -> Observer {
    let mut observer = Observer::new(scenario, None, whatcart::base::UserId(1));
    Sim::new(scenario, Seed(1)).advance(end(scenario), &mut observer);
    observer
}

/// When requests failed, and how long each failure took.
fn failures(events: &[Event]) -> Vec<(Instant, u64)> {
    let failed = |event: &Event| match event.what {
        EventKind::Seen(_, Seen::Told { sent, outcome: Outcome::Failed, .. }) => {
            Some((event.at, (event.at - sent).as_nanos()))
        }
        _ => None,
    };
    events.iter().filter_map(failed).collect()
}

#[test]
fn a_failing_server_fails_at_once_and_for_so_long() {
    let mut scenario = broken();
    scenario.balancer.outlier = None;
    let events = events(&scenario);
    let failures = failures(&events);
    assert!(failures.iter().all(|(_, took)| *took == 1_000_000), "a millisecond each");
    let (first, second): (Vec<Instant>, Vec<Instant>) =
        failures.iter().map(|(at, _)| *at).partition(|at| *at < at_ms(45_000));
    assert!(first.iter().all(|at| (at_ms(AT)..=at_ms(AT + 20_001)).contains(at)));
    assert!(second.iter().all(|at| *at > at_ms(50_000)));
    let told = |from: u64, until: u64| {
        let within = |event: &&Event| (at_ms(from)..at_ms(until)).contains(&event.at);
        let told = |event: &&Event| matches!(event.what, EventKind::Seen(_, Seen::Told { .. }));
        events.iter().filter(within).filter(told).count()
    };
    let whole = |failed: &[Instant]| failed.iter().filter(|at| **at < at_ms(60_000)).count();
    let (third, sixth) = (told(AT, AT + 20_000) / 3, told(50_000, 60_000) / 6);
    assert!(whole(&first).abs_diff(third) < 30, "{} of {third}: round robin gives it a third", first.len());
    assert!(whole(&second).abs_diff(sixth) < 30, "{} of {sixth}: and half of a third fails", second.len());
}

/// Rates are exact to one in a million. Each fails its own share of requests, and requests that fail at one rate also
/// fail at any higher rate.
#[test]
fn a_small_rate_is_not_rounded() {
    let mut before = BTreeSet::new();
    for (rate, of_a_million) in [(0.000_3, 300), (0.000_5, 500), (0.001, 1_000), (0.001_4, 1_400)] {
        let mut scenario = base();
        scenario.users.count = Some(Whole::of(1_500));
        scenario.users.journey = vec![Step::Browse; 4].into();
        scenario.users.patience = Whole::of(5);
        scenario.servers.count = Whole::of(1);
        scenario.servers.workers = Whole::of(100);
        let server = "server-1".to_owned();
        let failing = FaultKind::Failing { server, billionths: share(rate).billionths(), lasting: None };
        scenario.faults = vec![whatcart::scenario::Fault { kind: Ok(failing), ..fault("failing", 1, 0, None) }];
        let events = events(&scenario);
        let (mut sent, mut failed) = (0, BTreeSet::new());
        for event in &events {
            match event.what {
                EventKind::Seen(_, Seen::Sent(_)) => sent += 1,
                EventKind::Seen(visit, Seen::Told { request, outcome: Outcome::Failed, .. }) if visit.number == 1 => {
                    failed.insert((visit.user, request.step, request.attempt));
                }
                _ => {}
            }
        }
        let all = failures(&events).len();
        let expected = sent * of_a_million / 1_000_000;
        // Five standard deviations of a Poisson number.
        assert!(all.abs_diff(expected).pow(2) <= 25 * expected, "{rate}: {all} of {sent}, not about {expected}");
        assert!(failed.is_superset(&before), "{rate}: {failed:?}, before {before:?}");
        before = failed;
    }
}

#[test]
fn five_failures_in_a_row_are_enough() {
    let events = events(&broken());
    let out: Vec<(Instant, bool)> = events
        .iter()
        .filter_map(|event| match event.what {
            EventKind::Pool(PoolEvent::Ejected { server: BROKEN }) => Some((event.at, true)),
            EventKind::Pool(PoolEvent::Readmitted { server: BROKEN }) => Some((event.at, false)),
            _ => None,
        })
        .collect();
    let ejected: Vec<Instant> = out.iter().filter(|(_, out)| *out).map(|(at, _)| *at).collect();
    // Ejected for 5 s, then for 10, then for 15, while it fails for 20.
    assert_eq!((ejected.len(), out.len()), (3, 6), "{out:?}");
    for (i, pair) in out.chunks(2).enumerate() {
        assert_eq!(pair[1].0 - pair[0].0, ms(5_000) * (i as u64 + 1), "as often as it was ejected");
    }
    let failed = failures(&events);
    let before = |until: Instant| failed.iter().filter(|(at, _)| *at <= until).count();
    // Requests that were in flight when it was ejected fail, too.
    assert!((5..=7).contains(&before(ejected[0])) && (15..=21).contains(&before(ejected[2])), "{failed:?}");
    let mut sent: BTreeMap<ClientId, Instant> = BTreeMap::new();
    for event in &events {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(_)) => {
                sent.insert(visit.client, event.at);
            }
            EventKind::Inside(visit, Inside::Served(served)) if served.server == BROKEN => {
                let when = sent[&visit.client];
                let out = out.chunks(2).any(|pair| (pair[0].0..pair[1].0).contains(&when));
                assert!(!out, "sent to an ejected server at {when:?}");
            }
            _ => {}
        }
    }
}

/// A server that has just come up gets less than its share at first, and its full share in the end.
#[test]
fn a_new_server_warms_up() {
    let served = |slow_start: Option<u64>, policy| {
        let mut scenario = base();
        scenario.homes.cart = CartHome::SharedStore;
        scenario.balancer.policy = policy;
        scenario.balancer.slow_start = slow_start.map(time);
        scenario.users.count = Some(Whole::of(300));
        scenario.faults = vec![fault("crash", 2, 5_000, Some(8_000))];
        let windows = observed(&scenario).meter.windows;
        let share = |from: usize, to: usize| {
            let sum = |server: usize| windows[from..to].iter().map(|window| window.served[server]).sum::<u32>();
            f64::from(sum(1)) / f64::from(sum(0) + sum(1) + sum(2))
        };
        // It is believed down before it comes back at 13 s, and up again 2 to 4 s later.
        (share(17, 25), share(50, 60))
    };
    for policy in [PolicyName::WeightedRoundRobin, PolicyName::LeastRequests, PolicyName::PowerOfTwo] {
        let (early, late) = served(Some(30_000), policy);
        assert!((0.02..0.26).contains(&early), "{policy:?}: {early} at first");
        assert!((0.30..0.36).contains(&late), "{policy:?}: {late} in the end");
        let (early, _) = served(None, policy);
        assert!((0.30..0.36).contains(&early), "{policy:?}: {early} at once");
    }
}

/// If more than half of the pool is believed down, all of it is used: live servers are no longer overlooked.
#[test]
fn a_panicking_balancer_uses_everybody() {
    let reached = |threshold: Option<f64>| {
        let mut scenario = base();
        scenario.servers.count = Whole::of(4);
        scenario.balancer.panic_threshold = threshold.map(share);
        // Silent and back at once, but believed down for long.
        scenario.balancer.health.rise = Whole::of(100);
        scenario.faults = (1..=3).map(|server| fault("crash", server, 5_000, Some(10_000))).collect();
        let windows = observed(&scenario).meter.windows;
        windows[30..50].iter().map(|window| window.served[..3].iter().sum::<u32>()).sum::<u32>()
    };
    assert_eq!((reached(None), reached(Some(0.25))), (0, 0), "a quarter is up");
    assert!(reached(Some(0.5)) > 300);
}

/// The attempts of one request: how often it was retried, and how often it was served.
#[derive(Clone, Copy)]
struct Attempts {
    request: Request,
    sent: Instant,
    retried: u32,
    served: u32,
}

/// All requests of a run that were answered or given up, with their attempts until then.
fn attempts(events: &[Event]) -> Vec<(Attempts, Outcome, Instant)> {
    let mut air: BTreeMap<ClientId, Attempts> = BTreeMap::new();
    let mut done = Vec::new();
    for event in events {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(request)) => {
                air.insert(visit.client, Attempts { request, sent: event.at, retried: 0, served: 0 });
            }
            EventKind::Inside(visit, Inside::Retried { .. }) => air.get_mut(&visit.client).expect("sent").retried += 1,
            EventKind::Inside(visit, Inside::Served(served)) => {
                let attempts = air.get_mut(&visit.client).expect("sent");
                attempts.served += u32::from(served.request == attempts.request);
            }
            EventKind::Seen(visit, Seen::Told { outcome, .. }) => done.push((air[&visit.client], outcome, event.at)),
            _ => {}
        }
    }
    done
}

/// One server of three is ten times slower.
fn slow() -> Scenario {
    let mut scenario = base();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.servers.service = exponential(20_000);
    scenario.balancer.answer_timeout = Some(time(150));
    let lasting = Some(Span::from_secs(20));
    scenario.faults = vec![that(FaultKind::Slow { server: "server-2".into(), factor: 40, lasting }, AT)];
    scenario
}

/// A request that takes too long is retried elsewhere, or answered with 504 if it must not be sent twice.
#[test]
fn a_server_that_keeps_silent_is_not_waited_for() {
    let mut rescued = 0;
    let mut given_up = 0;
    for (attempts, outcome, at) in attempts(&events(&slow())) {
        let took = at - attempts.sent;
        if attempts.retried > 0 {
            assert!(attempts.request.command.is_idempotent(), "sent twice: {:?}", attempts.request);
            assert!(took >= ms(150) * u64::from(attempts.retried));
            rescued += u32::from(matches!(outcome, Outcome::Ok(_)));
        }
        if outcome == Outcome::Failed {
            assert_eq!(took, ms(150) * u64::from(attempts.retried + 1), "the last one is not waited for longer");
            given_up += u32::from(attempts.retried == 0);
        }
        assert!(took <= ms(150) * 4);
    }
    assert!(rescued > 30 && given_up > 30, "{rescued} {given_up}");
}

/// Abandoned work is done all the same, and its effect lands.
#[test]
fn what_is_left_behind_is_worked_on() {
    let mut scenario = slow();
    scenario.users.journey = vec![Step::Browse, Step::Add, Step::Checkout].into();
    let events = events(&scenario);
    let sent = events.iter().filter(|event| matches!(event.what, EventKind::Seen(_, Seen::Sent(_)))).count();
    let served = |event: &&Event| matches!(event.what, EventKind::Inside(_, Inside::Served(_)));
    let retried = |event: &&Event| matches!(event.what, EventKind::Inside(_, Inside::Retried { .. }));
    let (served, retried) = (events.iter().filter(served).count(), events.iter().filter(retried).count());
    assert!(retried > 10);
    assert_eq!(served, sent + retried, "every attempt reaches its end");
}

/// The balancer's own retries are limited by a budget.
#[test]
fn a_budget_limits_retries() {
    let retries = |budget: Option<f64>| {
        let mut scenario = slow();
        scenario.users.count = Some(Whole::of(600));
        scenario.users.timeout = time(2_000);
        scenario.balancer.retry_budget = budget.map(share);
        // All servers, so that there is nowhere to go.
        scenario.faults = (1..=3).map(|server| fault("slow", server, AT, Some(10_000))).collect();
        observed(&scenario).meter.balancer_retries
    };
    let (free, fifth, least) = (retries(None), retries(Some(0.2)), retries(Some(0.0)));
    assert!(free > 2 * fifth && fifth > 2 * least && least > 0, "{free}, {fifth}, {least}");
}

/// A failed request has no effect on the cart, although its user cannot know that.
#[test]
fn a_failure_has_no_effect() {
    let mut scenario = broken();
    scenario.balancer.outlier = None;
    let mut unknown: BTreeMap<ClientId, Command> = BTreeMap::new();
    for event in events(&scenario) {
        match event.what {
            EventKind::Seen(visit, Seen::Told { request, outcome: Outcome::Failed, .. }) => {
                unknown.insert(visit.client, request.command);
            }
            EventKind::Seen(visit, Seen::Sent(_)) => {
                unknown.remove(&visit.client);
            }
            EventKind::Inside(visit, Inside::Served(_)) => assert!(!unknown.contains_key(&visit.client)),
            _ => {}
        }
    }
}
