//! Scenarios whose servers are elsewhere: in regions, or on a platform.

use proptest::prelude::*;
use whatcart::scenario::{
    Affinity, Fault, RegionRouting, RegionServers, RegionStore, Regions, Scenario, Serverless, SessionHome, Store,
    Whole,
};

use super::{dist, region_outage, share, three_regions, time};

pub fn serverless() -> impl Strategy<Value = Serverless> {
    let evicted_after = prop::option::of(prop_oneof![Just(20u64), Just(2_000)].prop_flat_map(dist));
    (0u64..500, prop_oneof![Just(30u64), Just(1_000), Just(60_000)], 1u64..20, evicted_after).prop_map(
        |(cold_start, idle, most, evicted_after)| Serverless {
            cold_start: time(cold_start),
            idle: time(idle),
            most: Whole::of(most),
            evicted_after,
        },
    )
}

/// The scenario on a platform, without what needs servers.
pub fn on_a_platform(world: Scenario, serverless: Serverless) -> Scenario {
    let mut world = world;
    world.balancer.affinity = Affinity::None;
    let cautious = &mut world.balancer;
    (cautious.answer_timeout, cautious.slow_start, cautious.outlier) = (None, None, None);
    (cautious.retry_budget, cautious.panic_threshold) = (None, None);
    world.faults.clear();
    world.random_faults.clear();
    world.serverless = Some(serverless);
    world
}

/// Two or three regions, and outages of some of them.
pub fn regions() -> impl Strategy<Value = (Regions, Vec<Fault>)> {
    let store = prop_oneof![
        Just(None),
        Just(Some(RegionStore::In("eu".into()))),
        Just(Some(RegionStore::Replicated(time(0)))),
        Just(Some(RegionStore::Replicated(time(700)))),
    ];
    let servers = prop_oneof![3 => Just(RegionServers::Evenly), 1 => Just(RegionServers::In("eu".into()))];
    let routing = prop::sample::select(vec![RegionRouting::Nearest, RegionRouting::HomeRegion]);
    let travellers = prop::sample::select(vec![0.0, 0.5, 1.0]);
    let ways = (1u64..200, 0u64..30, prop::sample::select(vec![2usize, 3]));
    let dark = prop::sample::select(vec!["us", "eu"]);
    let dark = (dark, 0u64..5_900, prop::option::of(100u64..4_000))
        .prop_map(|(region, at, lasting)| region_outage(region, at, lasting));
    let faults = prop::collection::vec(dark, 0..3);
    (store, servers, routing, travellers, ways, faults).prop_map(
        |(store, servers, routing, travellers, (way, last_mile, names), faults)| {
            let mut regions = three_regions();
            regions.names.truncate(names);
            regions.users.clear();
            regions.round_trip = [("others".to_owned(), time(way))].into();
            let regions = Regions {
                store,
                servers,
                routing,
                travellers: share(travellers),
                last_mile: time(last_mile),
                ..regions
            };
            (regions, faults)
        },
    )
}

/// The scenario with regions, without what is incompatible with them.
pub fn in_regions(world: Scenario, regions: Regions, dark: Vec<Fault>) -> Scenario {
    let mut world = world;
    if matches!(regions.store, Some(RegionStore::Replicated(_))) {
        let Store { latency, connections, lookups_per_add, .. } = world.store;
        world.store = Store { latency, connections, lookups_per_add, ..Store::default() };
        (world.tokens.refresh, world.tokens.deny_list) = (false, false);
        if world.homes.session == SessionHome::SharedStore {
            world.homes.session = SessionHome::SignedToken;
        }
    }
    world.balancer.answer_timeout = None;
    world.faults.extend(dark);
    world.regions = Some(regions);
    world
}
