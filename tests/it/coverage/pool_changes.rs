//! Deploys, changes of the pool's size, an autoscaler, users who join.

use whatcart::base::seed::Seed;
use whatcart::base::{Outcome, ServerId, ServerState, UserId};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, Seen};
use whatcart::judging::observer::Observer;
use whatcart::results::Figures;
use whatcart::scenario::{
    Affinity, Autoscaler, CartHome, CookieLife, Deploy, Drain, DrainFor, Fault, FaultKind, First, Join, Positive,
    Scale, Scenario, Strategy, Whole,
};
use whatcart::sim::{ServerView, Sim};

use super::base;
use crate::support::worlds::{at_ms, end, exponential, that, time};

pub fn deploy(at: u64, strategy: Strategy, drain: u64, surge: Option<u64>) -> Fault {
    let surge = surge.map(Whole::of);
    let drain = time(drain).into();
    that(FaultKind::Deploy(Deploy { strategy, drain, surge, unavailable: None, in_place: false }), at)
}

pub fn scale(at: u64, to: u64, drain: u64, first: First) -> Fault {
    that(FaultKind::Scale(Scale { to: Whole::of(to), drain: time(drain).into(), first }), at)
}

fn for_requests(timeout: u64, pre_stop: u64, learns_after: u64) -> Drain {
    let [timeout, pre_stop, learns_after] = [timeout, pre_stop, learns_after].map(time);
    Drain { timeout, waits_for: DrainFor::Requests, pre_stop, learns_after }
}

pub fn join(at: u64, to: u64, over: u64) -> Fault {
    that(FaultKind::Join(Join { to: Some(Whole::of(to)), rate_to: None, over: time(over) }), at)
}

/// A shop with every kind of plan.
pub fn busy() -> Scenario {
    let mut scenario = base();
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario.servers.service = exponential(60_000);
    scenario.servers.boot = time(2_000);
    scenario.autoscaler = Some(Autoscaler {
        target: Positive::of(0.5),
        min: Whole::of(2),
        max: Whole::of(6),
        interval: time(3_000),
        cool_down: time(5_000),
        drain: time(1_000).into(),
        first: First::Oldest,
    });
    let last = Scale { to: Whole::of(2), drain: for_requests(1_000, 200, 400), first: First::Oldest };
    scenario.faults = vec![
        deploy(10_000, Strategy::Rolling, 500, Some(1)),
        scale(12_000, 5, 0, First::Newest),
        join(35_000, 120, 3_000),
        deploy(40_000, Strategy::AllAtOnce, 0, None),
        that(FaultKind::Scale(last), 50_000),
    ];
    scenario
}

fn events(scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    Sim::new(scenario, Seed(1)).advance(end(scenario), &mut events);
    events
}

fn figures(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    sim.advance(end(scenario), &mut observer);
    whatcart::results::figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

/// The default scenario with sticky users.
fn sticky() -> Scenario {
    let mut scenario = base();
    scenario.duration = time(120_000);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario.servers.boot = time(4_000);
    scenario
}

/// A draining server gets no new users, but keeps those it has.
#[test]
fn a_drained_server_serves_its_users_only() {
    let mut scenario = sticky();
    scenario.faults = vec![scale(30_000, 2, 80_000, First::Oldest)];
    let mut drained = None;
    let mut users = std::collections::BTreeSet::new();
    let mut later = 0;
    for event in events(&scenario) {
        match event.what {
            EventKind::Pool(PoolEvent::Turned { server: ServerId(0), state: ServerState::Draining }) => {
                drained = Some(event.at);
            }
            EventKind::Pool(PoolEvent::Turned { server: ServerId(0), state: ServerState::Retired }) => {
                assert!(event.at < at_ms(75_000), "it leaves with its last user, not at the end of its time");
            }
            EventKind::Inside(visit, Inside::Served(served)) if served.server == ServerId(0) => {
                if drained.is_none() {
                    users.insert(visit);
                } else {
                    assert!(users.contains(&visit), "{visit:?} is new");
                    later += 1;
                }
            }
            _ => {}
        }
    }
    assert!(drained.is_some() && later > 50, "{later}");
    let figures = figures(&scenario);
    let scaling = figures.scaling.values().next().expect("it was scaled");
    assert_eq!((scaling.taken_out, scaling.cut_off_users, scaling.cut_requests, figures.carts.lost), (1, 0, 0, 0));
    assert!((2.2..2.6).contains(&figures.price.servers), "{}", figures.price.servers);
}

/// Users with a long-lived cookie never leave (and are cut off when the drain times out).
#[test]
fn a_cookie_longer_than_the_visit_keeps_a_drain_open() {
    let mut scenario = sticky();
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    scenario.faults = vec![deploy(20_000, Strategy::Rolling, 20_000, None)];
    let figures = figures(&scenario);
    let deploy = &figures.deploys[0];
    assert!(deploy.finished && deploy.took_s > 60.0 && deploy.cut_off_users >= 40, "{deploy:?}");
    assert!(deploy.capacity_lost > 60.0 && figures.carts.lost > 0);
}

/// Draining one of five for requests in flight, however long: bound users go elsewhere at once, and their carts stay
/// behind. A drain for bound users loses none.
#[test]
fn a_drain_for_requests_saves_no_cart() {
    let lost = |drain: Drain| {
        let mut scenario = sticky();
        scenario.servers.count = Whole::of(5);
        let scale = Scale { to: Whole::of(4), drain, first: First::Oldest };
        scenario.faults = vec![that(FaultKind::Scale(scale), 30_000)];
        let figures = figures(&scenario);
        let scaling = figures.scaling.values().next().expect("it was scaled");
        assert_eq!((scaling.taken_out, scaling.cut_requests, figures.requests.failed), (1, 0, 0));
        (figures.carts.lost, scaling.cut_off_users)
    };
    assert_eq!(lost(time(80_000).into()), (0, 0));
    let (carts, users) = lost(for_requests(80_000, 0, 0));
    assert!(carts > 0 && users >= u32::try_from(carts).expect("few").into(), "{carts} carts of {users} users");
}

/// Requests fail from when a server stops until the balancer learns of it, and in no other time.
#[test]
fn requests_fail_until_the_balancer_learns() {
    let failures = |pre_stop: u64, learns_after: u64| {
        let mut scenario = sticky();
        scenario.balancer.affinity = Affinity::None;
        scenario.homes.cart = CartHome::SharedStore;
        scenario.balancer.retries = Whole::of(0);
        scenario.balancer.health.interval = time(10_000);
        let drain = for_requests(30_000, pre_stop, learns_after);
        let scale = Scale { to: Whole::of(2), drain, first: First::Oldest };
        scenario.faults = vec![that(FaultKind::Scale(scale), 30_000)];
        let failed = |event: &Event| match event.what {
            EventKind::Seen(_, Seen::Told { outcome: Outcome::Ok(_), .. }) => None,
            EventKind::Seen(_, Seen::Told { .. }) => Some(event.at),
            _ => None,
        };
        events(&scenario).iter().filter_map(failed).collect::<Vec<_>>()
    };
    let late = failures(1_000, 3_000);
    let (first, last) = (late[0], late[late.len() - 1]);
    assert!(late.len() > 10 && first >= at_ms(31_000) && last <= at_ms(33_000), "{late:?}");
    assert!(first < at_ms(31_500) && last > at_ms(32_500), "{late:?}");
    assert_eq!((failures(5_000, 3_000), failures(0, 0)), (vec![], vec![]));
}

/// Without a cookie nobody is bound: a server leaves as soon as nothing is in flight.
#[test]
fn nobody_is_bound_without_a_cookie() {
    let mut scenario = sticky();
    scenario.balancer.affinity = Affinity::None;
    scenario.homes.cart = CartHome::SharedStore;
    scenario.faults = vec![deploy(20_000, Strategy::Rolling, 30_000, Some(1))];
    let figures = figures(&scenario);
    let deploy = &figures.deploys[0];
    assert!(deploy.finished && deploy.took_s < 40.0, "{deploy:?}");
    assert_eq!((deploy.cut_off_users, deploy.cut_requests, deploy.capacity_lost.to_bits()), (0, 0, 0));
    assert_eq!((figures.requests.failed, figures.requests.refused, figures.carts.lost), (0, 0, 0));
    assert!((3.1..4.0).contains(&figures.price.servers), "{}", figures.price.servers);
    assert_eq!(figures.load.per_server.len(), 6);
}

/// A deploy loses exactly the carts that its servers held, and the losses are attributed to it.
#[test]
fn a_deploy_at_once_takes_every_open_cart() {
    let mut scenario = sticky();
    scenario.faults = vec![deploy(40_000, Strategy::AllAtOnce, 0, None)];
    let figures = figures(&scenario);
    let fault = &figures.faults[0];
    assert!(fault.open_carts > 15 && fault.lost_of_open * 10 > fault.open_carts * 4, "{fault:?}");
    assert_eq!(figures.carts.lost, figures.lost_by.wiped);
    assert!((4.0..12.0).contains(&figures.deploys[0].took_s), "{:?}", figures.deploys);
}

#[test]
fn a_deploy_that_never_ends_is_reported_as_such() {
    let mut scenario = sticky();
    scenario.servers.boot = time(3_600_000);
    scenario.faults = vec![deploy(20_000, Strategy::Rolling, 0, Some(1))];
    let figures = figures(&scenario);
    let deploy = &figures.deploys[0];
    assert!(!deploy.finished && (deploy.took_s - 100.0).abs() < 0.1, "{deploy:?}");
}

#[test]
fn the_autoscaler_follows_the_load() {
    let mut scenario = base();
    scenario.duration = time(180_000);
    scenario.users.count = Some(Whole::of(30));
    scenario.servers.service = exponential(250_000);
    scenario.servers.boot = time(3_000);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.autoscaler = busy().autoscaler.map(|rules| Autoscaler { target: Positive::of(0.6), ..rules });
    scenario.faults = vec![join(40_000, 120, 10_000)];
    let mut sizes = Vec::new();
    let mut sim = Sim::new(&scenario, Seed(1));
    for s in 0..180 {
        sim.advance(at_ms(s * 1_000), &mut ());
        let there = |server: &&ServerView| !matches!(server.state, ServerState::Retired);
        sizes.push(sim.view().servers.iter().filter(there).count());
    }
    // 30 users x 1 request per 1.25 s x 250 ms = 6 workers, at 4 per server: 2.5 servers at 60 %; later 10.
    assert!(sizes[..40].iter().all(|n| (2..=4).contains(n)), "{sizes:?}");
    assert_eq!(sizes[90..].iter().max(), Some(&6), "{sizes:?}");
}

/// Users who join begin within the given time, and visit like everybody else.
#[test]
fn users_join() {
    let mut scenario = base();
    scenario.faults = vec![join(20_000, 100, 10_000)];
    let mut first = std::collections::BTreeMap::new();
    for event in events(&scenario) {
        if let EventKind::Seen(visit, Seen::Began) = event.what {
            first.entry(visit.user).or_insert(event.at);
        }
    }
    assert_eq!(first.len(), 100);
    let joined: Vec<_> = first.range(UserId(61)..).map(|(_, at)| *at).collect();
    assert!(joined.iter().all(|at| (at_ms(20_000)..at_ms(45_000)).contains(at)), "{joined:?}");
    let mut open = base();
    (open.users.count, open.users.rate) = (None, Some(Positive::of(5.0)));
    let faster = Join { to: None, rate_to: Some(Positive::of(20.0)), over: time(0) };
    open.faults = vec![that(FaultKind::Join(faster), 30_000)];
    let began = |from: u64, to: u64| {
        let of = |event: &Event| {
            matches!(event.what, EventKind::Seen(_, Seen::Began)) && (at_ms(from)..at_ms(to)).contains(&event.at)
        };
        events(&open).iter().filter(|event| of(event)).count()
    };
    assert!((100..200).contains(&began(0, 30_000)), "{}", began(0, 30_000));
    assert!((500..700).contains(&began(30_000, 60_000)), "{}", began(30_000, 60_000));
}
