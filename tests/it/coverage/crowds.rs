//! Crowds: heavy users, new visitors, a store with few connections, closing time.

use std::collections::{BTreeMap, BTreeSet};

use whatcart::base::seed::Seed;
use whatcart::base::{Step, UserId};
use whatcart::history::{Event, EventKind, Inside, Seen};
use whatcart::judging::observer::Observer;
use whatcart::scenario::{Affinity, CartHome, CookieLife, Heavy, Scenario, SessionHome, Whole};
use whatcart::sim::Sim;

use super::{base, stormy};
use crate::support::worlds::{at_ms, constant, end, exponential, rate, time};

fn events(scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    Sim::new(scenario, Seed(1)).advance(end(scenario), &mut events);
    events
}

fn heavy_users(parallel: u64) -> Scenario {
    let mut scenario = base();
    scenario.users.heavy = Some(Heavy {
        count: Some(Whole::of(6)),
        one_in: None,
        activity: Whole::of(3),
        cost: Whole::of(1),
        parallel: Whole::of(parallel),
    });
    scenario
}

/// How many servers and how many tabs served each heavy user from a moment on.
fn servers_of_heavy_users(scenario: &Scenario) -> Vec<(usize, usize)> {
    let heavy = Sim::new(scenario, Seed(1)).heavy().expect("some are heavy");
    let mut by_user: BTreeMap<UserId, (BTreeSet<u32>, BTreeSet<u32>)> = BTreeMap::new();
    for event in events(scenario) {
        if let EventKind::Inside(visit, Inside::Served(served)) = event.what
            && event.at > at_ms(20_000)
            && heavy.include(visit.user)
        {
            let user = by_user.entry(visit.user).or_default();
            user.0.insert(served.server.0);
            user.1.insert(visit.client.0);
        }
    }
    by_user.values().map(|(servers, tabs)| (servers.len(), tabs.len())).collect()
}

/// All tabs of a user carry the same affinity cookie.
#[test]
fn tabs_of_a_user_share_a_jar() {
    let mut scenario = heavy_users(4);
    assert_eq!(servers_of_heavy_users(&scenario), [(3, 4); 6]);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    assert_eq!(servers_of_heavy_users(&scenario), [(1, 4); 6]);
}

/// A login in one tab is valid in all: with logins in memory and sticky users, nobody is logged out.
#[test]
fn tabs_of_a_user_share_a_login() {
    let mut scenario = heavy_users(4);
    scenario.homes.session = SessionHome::ServerMemory;
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    let mut observer = Observer::new(&scenario, None, UserId(1));
    let mut sim = Sim::new(&scenario, Seed(1));
    sim.advance(at_ms(10_000), &mut observer);
    let early = observer.checker.counts().logged_out;
    sim.advance(end(&scenario), &mut observer);
    assert_eq!(observer.checker.counts().logged_out, early, "once all tabs are at one server");
}

/// Arrivals are Poisson: in windows of a second, both mean and variance equal the rate.
#[test]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
fn new_visitors_come_as_a_poisson_process() {
    let mut scenario = base();
    scenario.users.count = None;
    scenario.users.rate = Some(rate(20.0));
    scenario.users.journey = vec![Step::Browse].into();
    scenario.duration = time(4_000_000);
    let mut windows = vec![0u32; 4_000];
    for event in events(&scenario) {
        if let EventKind::Seen(visit, Seen::Began) = event.what {
            assert_eq!(visit.number, 1, "new visitors come once");
            windows[usize::try_from(event.at.as_nanos() / 1_000_000_000).expect("small")] += 1;
        }
    }
    let n = windows.len() as f64;
    let mean = windows.iter().map(|w| f64::from(*w)).sum::<f64>() / n;
    let variance = windows.iter().map(|w| (f64::from(*w) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // 99.9 % intervals: the mean has a deviation of sqrt(20 / n), the index of dispersion one of sqrt(2 / n).
    assert!((mean - 20.0).abs() < 3.3 * (20.0 / n).sqrt(), "mean {mean}");
    assert!((variance / mean - 1.0).abs() < 3.3 * (2.0 / n).sqrt(), "variance {variance} of mean {mean}");
}

/// A store that serves two calls at once, 10 ms each, serves 200 a second and no more.
#[test]
fn connections_limit_what_a_store_can_do() {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(300));
    scenario.users.think = exponential(100_000);
    scenario.servers.workers = Whole::of(100);
    scenario.servers.service = constant(1);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.latency = constant(10);
    let calls_per_second = |scenario: &Scenario| {
        let mut observer = Observer::new(scenario, None, UserId(1));
        Sim::new(scenario, Seed(1)).advance(at_ms(60_000), &mut observer);
        observer.meter.store_calls_while_open / 60
    };
    assert!(calls_per_second(&scenario) > 1_000);
    scenario.store.connections = Some(Whole::of(2));
    let limited = calls_per_second(&scenario);
    assert!((195..=200).contains(&limited), "{limited}");
}

/// No visit begins once the shop has closed; open visits finish, and every row adds up.
#[test]
fn nobody_comes_after_closing_time() {
    let mut open = base();
    open.users.count = None;
    open.users.rate = Some(rate(15.0));
    let mut parallel = heavy_users(5);
    parallel.homes.session = SessionHome::ServerMemory;
    for scenario in [base(), stormy(), open, parallel] {
        let mut sim = Sim::new(&scenario, Seed(1));
        let mut observer = Observer::new(&scenario, sim.heavy(), UserId(1));
        let closes = at_ms(60_000);
        let mut events = Vec::new();
        sim.advance(end(&scenario), &mut events);
        let mut last_began = at_ms(0);
        let mut last = at_ms(0);
        for event in &events {
            whatcart::history::Recorder::record(&mut observer, event);
            last = event.at;
            if let EventKind::Seen(_, Seen::Began) = event.what {
                last_began = event.at;
            }
        }
        assert!(last_began < closes && last_began > at_ms(50_000), "{last_began:?}");
        assert!(last > closes, "somebody was inside");
        assert!(sim.is_over());
        let figures = whatcart::results::figures(&observer, &scenario, crate::support::moment(&sim), sim.faults());
        assert_eq!((figures.carts.open, figures.visits.open, figures.requests.in_flight), (0, 0, 0));
        assert!(sim.view().servers.iter().all(|server| server.busy_workers == 0 && server.queued == 0));
    }
}
