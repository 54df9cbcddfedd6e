//! Regions: which servers answer, how long that takes, and how distance affects carts.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Outcome, Step, UserId};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, Seen};
use whatcart::judging::observer::Observer;
use whatcart::regions::RegionMap;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{Affinity, CartHome, CookieLife, RegionRouting, RegionServers, RegionStore, Scenario, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{at_ms, constant, end, ms, region_outage, share, three_regions, time};

/// Users who travel between replicas that lag.
pub fn apart() -> Scenario {
    let mut scenario = base();
    scenario.servers.count = Whole::of(6);
    scenario.homes.cart = CartHome::SharedStore;
    let mut regions = three_regions();
    regions.store = Some(RegionStore::Replicated(time(2_000)));
    regions.travellers = share(0.5);
    scenario.regions = Some(regions);
    scenario
}

/// One region after another goes down, the second for good.
pub fn dark() -> Scenario {
    let mut scenario = base();
    scenario.servers.count = Whole::of(6);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario.regions = Some(three_regions());
    scenario.faults = vec![region_outage("us", 10_000, Some(15_000)), region_outage("eu", 40_000, None)];
    scenario
}

fn run(scenario: &Scenario) -> (Vec<Event>, Figures) {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    let mut events = Vec::new();
    sim.advance(end(scenario), &mut events);
    for event in &events {
        whatcart::history::Recorder::record(&mut observer, event);
    }
    let figures = figures(&observer, scenario, crate::support::moment(&sim), sim.faults());
    (events, figures)
}

/// Nobody waits for a worker, and everything takes an exact time.
fn exact() -> Scenario {
    let mut scenario = base();
    scenario.servers.count = Whole::of(9);
    scenario.servers.workers = Whole::of(64);
    scenario.servers.service = constant(5);
    scenario.regions = Some(three_regions());
    scenario
}

/// The last mile, the trip to the server, the work and, for each call, the trip to the store.
#[test]
fn an_add_takes_what_its_ways_add_up_to() {
    use CartHome::{SharedStore, SignedToken};

    let with = |servers: RegionServers, home: CartHome, lookups: u64, store: Option<RegionStore>| {
        let mut scenario = exact();
        scenario.homes.cart = home;
        scenario.store.lookups_per_add = Whole::of(lookups);
        let regions = scenario.regions.as_mut().expect("there are regions");
        (regions.servers, regions.store) = (servers, store);
        let figures = run(&scenario).1;
        assert_eq!(figures.carts.opened, figures.carts.intact);
        figures.regions.expect("by region").into_iter().map(|(_, region)| region.add_ms.expect("adds"))
    };
    let replicas = || Some(RegionStore::Replicated(time(1_000)));
    for (what, adds, theory) in [
        ("all in one region", with(RegionServers::In("us".into()), SharedStore, 2, None), [18.0, 98.0, 178.0]),
        ("a far store, three calls", with(RegionServers::Evenly, SharedStore, 2, None), [18.0, 258.0, 498.0]),
        ("a token and one call", with(RegionServers::Evenly, SignedToken, 1, None), [16.0, 96.0, 176.0]),
        ("replicas", with(RegionServers::Evenly, SharedStore, 2, replicas()), [18.0; 3]),
        ("a token", with(RegionServers::Evenly, SignedToken, 0, None), [15.0; 3]),
    ] {
        for (add, theory) in adds.zip(theory) {
            assert!(
                (add.mean - theory).abs() < 1e-6 && (add.max - theory).abs() < 1e-6,
                "{what}: {add:?}, not {theory}"
            );
        }
    }
}

/// A line for store connections does not change the network latency.
#[test]
fn a_line_at_the_store_changes_no_way() {
    let mut scenario = exact();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.lookups_per_add = Whole::of(2);
    let without = run(&scenario).1.regions;
    scenario.store.connections = Some(Whole::of(10_000));
    assert_eq!(run(&scenario).1.regions, without);
}

/// The answered requests and the region of each server, in order of time.
fn answers(scenario: &Scenario, events: &[Event]) -> Vec<(u64, UserId, u8, u8)> {
    let map = RegionMap::new(scenario).expect("there are regions");
    let served = |event: &Event| match event.what {
        EventKind::Inside(visit, Inside::Served(served)) => {
            let from = map.asked_from(visit.user, visit.number, served.request.step);
            Some((event.at.as_nanos() / 1_000_000, visit.user, from.0, map.of(served.server).0))
        }
        _ => None,
    };
    events.iter().filter_map(served).collect()
}

#[test]
fn the_nearest_region_answers_and_the_next_one_when_it_is_dark() {
    let scenario = dark();
    let (events, figures) = run(&scenario);
    let answers = answers(&scenario, &events);
    assert!(answers.iter().filter(|(at, ..)| *at < 10_000).all(|(_, _, from, by)| from == by));
    let believed = |up: bool, region_starts: u32| {
        let is = |event: &&Event| match event.what {
            EventKind::Pool(PoolEvent::Believed { server, up: is }) => is == up && server.0 / 2 == region_starts,
            _ => false,
        };
        events.iter().rfind(is).expect("noticed").at.as_nanos() / 1_000_000
    };
    let (noticed, back) = (believed(false, 0), believed(true, 0));
    assert!((13_000..20_000).contains(&noticed) && (25_000..32_000).contains(&back), "{noticed} {back}");
    let meanwhile: Vec<_> =
        answers.iter().filter(|(at, _, from, _)| *from == 0 && (noticed + 200..25_000).contains(at)).collect();
    assert!(meanwhile.len() > 100 && meanwhile.iter().all(|(.., by)| *by == 1), "the next nearest is eu");
    let after = answers.iter().filter(|(at, _, from, _)| *from == 0 && (back + 1_000..40_000).contains(at));
    assert!(after.filter(|(.., by)| *by == 0).count() > 20, "us answers again");
    let last = answers.iter().filter(|(at, _, from, _)| *from == 1 && *at > 52_000);
    assert!(last.clone().count() > 50 && last.clone().all(|(.., by)| *by == 0), "80 ms to us, 240 to asia");
    assert!(figures.lost_by.wiped > 10 && figures.lost_by.split < figures.lost_by.wiped, "{:?}", figures.lost_by);
    assert_eq!(figures.faults.values().map(|fault| fault.lost_of_open).sum::<u64>(), figures.lost_by.wiped);
}

#[test]
fn travellers_read_old_copies_and_those_who_are_asked_at_home_do_not() {
    let mut scenario = apart();
    let (events, figures) = run(&scenario);
    assert!(figures.lost_by.stale > 10 && figures.wrong_views > 10, "{:?}", figures.lost_by);
    assert_eq!(figures.carts.lost, figures.lost_by.stale);
    let map = RegionMap::new(&scenario).expect("there are regions");
    let stays = |user: UserId| (1..50).all(|visit| (0..8).all(|step| map.place(user, visit, step) == map.home(user)));
    let mut shown: BTreeMap<UserId, u64> = BTreeMap::new();
    for event in &events {
        if let EventKind::Seen(visit, Seen::Told { request, outcome: Outcome::Ok(_), .. }) = event.what
            && request.command == Command::View
        {
            *shown.entry(visit.user).or_default() += 1;
        }
    }
    assert!(shown.keys().filter(|user| stays(**user)).count() > 20, "half of the people stay at home");
    scenario.regions.as_mut().expect("there are regions").routing = RegionRouting::HomeRegion;
    let figures = run(&scenario).1;
    assert_eq!((figures.carts.lost, figures.wrong_views), (0, 0));
}

/// A request in transit fails if its server dies before it arrives; an answer in transit arrives.
#[test]
fn what_is_on_its_way_when_a_server_dies() {
    let mut scenario = exact();
    scenario.users.count = Some(Whole::of(1));
    scenario.users.journey = vec![Step::Add, Step::Checkout].into();
    scenario.users.think = constant(1_000);
    scenario.users.ramp = Some(time(0));
    scenario.servers.count = Whole::of(1);
    let regions = scenario.regions.as_mut().expect("there are regions");
    (regions.users, regions.servers) = ([("asia".to_owned(), share(1.0))].into(), RegionServers::In("us".into()));
    // Sent at 1,000 ms, received at 1,085, done at 1,090, answer received at 1,175.
    let told = |crash_at: u64| {
        let mut scenario = scenario.clone();
        scenario.faults = vec![crate::support::worlds::fault("crash", 1, crash_at, None)];
        let (events, _) = run(&scenario);
        events.iter().find_map(|event| match event.what {
            EventKind::Seen(_, Seen::Told { outcome, .. }) => Some((event.at, outcome)),
            _ => None,
        })
    };
    let unreachable = Outcome::Refused(whatcart::base::Refusal::Unreachable);
    // The only server is excluded once it has refused.
    assert_eq!(told(1_050), Some((at_ms(1_170), unreachable)));
    assert_eq!(told(1_087), Some((at_ms(1_087) + ms(85), Outcome::Failed)));
    assert!(matches!(told(1_100), Some((at, Outcome::Ok(_))) if at == at_ms(1_175)));
}
