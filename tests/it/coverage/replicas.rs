//! Carts in replicated memory, and servers that cannot be reached for some time.

use whatcart::base::Step;
use whatcart::results::Figures;
use whatcart::scenario::{Affinity, CartHome, CookieLife, PolicyName, Replication, Scenario, Whole};

use super::base;
use super::copies::play;
use crate::support::worlds::{constant, exponential, fault, time};

/// Sticky users, one server that dies, and this many copies of every change.
fn crashing(copies: u64, lag: u64) -> Scenario {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(150));
    scenario.homes.cart = CartHome::ReplicatedMemory;
    scenario.replication = Replication { copies: Whole::of(copies), lag: time(lag) };
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario.faults = vec![fault("crash", 2, 20_000, Some(5_000))];
    scenario
}

/// Users whom a hash sends to a server, elsewhere while it is isolated, and back again.
pub fn returning() -> Scenario {
    let mut scenario = crashing(2, 50);
    scenario.users.count = Some(Whole::of(300));
    scenario.users.journey = [vec![Step::Login], vec![Step::Add; 6], vec![Step::View, Step::Checkout]].concat().into();
    scenario.balancer.affinity = Affinity::None;
    scenario.balancer.policy = PolicyName::RingHash;
    scenario.users.think = exponential(6_000_000);
    scenario.duration = time(90_000);
    scenario.closing = time(600_000);
    scenario.faults = vec![fault("isolate", 2, 40_000, Some(12_000))];
    scenario
}

#[test]
fn a_copy_survives_a_crash_when_it_is_there_and_where_it_is() {
    let lost = |figures: &Figures| (figures.lost_by.wiped, figures.lost_by.split, figures.lost_by.stale);
    let mut scenario = crashing(2, 50);
    scenario.homes.cart = CartHome::ServerMemory;
    let alone = play(&scenario);
    assert!(alone.lost_by.wiped > 10 && alone.lost_by.split == 0, "{alone:#?}");
    let everywhere = play(&crashing(2, 50));
    assert!(everywhere.carts.lost <= 2, "{:?}", lost(&everywhere));
    let one = play(&crashing(1, 50));
    assert!(one.lost_by.split > 2 && one.carts.lost < alone.carts.lost, "{:?}", lost(&one));
    let late = play(&crashing(2, 4_000));
    assert!(late.lost_by.wiped > 5, "{:?}", lost(&late));
    let copies = [&one, &everywhere].map(|figures| figures.price.replicas_written_per_request.expect("replicated"));
    // Of the eight requests of a visit four change the cart.
    assert!((copies[0] - 0.5).abs() < 0.02 && (copies[1] - 1.0).abs() < 0.04, "{copies:?}");
    assert_eq!(alone.price.replicas_written_per_request, None);
}

#[test]
fn who_comes_back_meets_an_older_copy() {
    let mut scenario = returning();
    let stale = play(&scenario);
    assert!(stale.lost_by.stale > 3, "{stale:#?}");
    assert_eq!(stale.carts.lost, stale.lost_by.stale + stale.lost_by.split + stale.lost_by.wiped);
    scenario.faults.clear();
    let calm = play(&scenario);
    assert_eq!((calm.carts.lost, calm.wrong_views), (0, 0));
    let mut scenario = returning();
    scenario.homes.cart = CartHome::SharedStore;
    assert_eq!(play(&scenario).carts.lost, 0);
}

/// Answers withheld during isolation reach the users who still wait.
#[test]
fn answers_are_late_and_nothing_is_done_twice() {
    let mut scenario = returning();
    scenario.homes.cart = CartHome::ServerMemory;
    scenario.servers.service = constant(1_000);
    scenario.servers.workers = Whole::of(64);
    scenario.balancer.connect_timeout = time(100);
    scenario.faults = vec![fault("isolate", 2, 40_000, Some(8_000))];
    let figures = play(&scenario);
    // Some requests are being served when it begins; the last of their answers is late by nearly its whole length.
    assert!(
        (7_000.0..=9_000.0).contains(&figures.latency_ms.as_ref().expect("requests").max),
        "{:?}",
        figures.latency_ms
    );
    assert_eq!((figures.requests.timed_out, figures.requests.failed, figures.double_charges), (0, 0, 0));
}
