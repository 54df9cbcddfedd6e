//! Replicated and migrating carts, and servers that are isolated and reconnected.

use std::sync::Arc;
use std::time::Duration;

use super::support::{Curl, Town, in_time, scenario, until};
use crate::base::time::Span;
use crate::base::{ProcessId, ServerId};
use crate::http::shop_server::Slot;
use crate::scenario::{CartHome, Migration, MigrationWay, Pause, Replication, Scenario, Time, Whole};

const ADD: &str = "POST /cart/items";
const MUG: &str = "{\"item\":1}";
const LAMP: &str = "{\"item\":2}";

fn millis(n: u64) -> Pause {
    Time::of(Span::from_millis(n))
}

fn replicated(lag: u64) -> Scenario {
    let mut scenario = scenario(0);
    scenario.homes.cart = CartHome::ReplicatedMemory;
    scenario.replication = Replication { copies: Whole::of(1), lag: millis(lag) };
    scenario
}

/// Sends requests until the answer is this cart.
async fn shows(curl: &mut Curl, town: &Town, index: usize, cart: &str) {
    let asking = async {
        while curl.ask(town.door(index), "GET /cart", "").await.1 != cart {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(asking).await;
}

#[tokio::test]
async fn a_copy_comes_a_little_later() {
    let town = Town::open(&replicated(300));
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    curl.ask(town.door(0), ADD, MUG).await;
    assert_eq!(curl.ask(town.door(1), "GET /cart", "").await.1, "{\"cart\":[]}", "it is on its way");
    shows(&mut curl, &town, 1, "{\"cart\":[1]}").await;
}

/// Carts are replicated to an added server, but not to one that is gone for good.
#[tokio::test]
async fn copies_go_to_the_servers_that_are_there() {
    let town = Town::open(&replicated(0));
    let new = Slot::start(ServerId(2), ProcessId(2), Arc::clone(&town.shop)).expect("a port");
    town.shop.introduce(&new);
    town.shop.dismiss(ServerId(1));
    let mut curl = Curl::default();
    curl.ask(town.door(0), ADD, MUG).await;
    let arrives = async {
        while curl.ask(new.address, "GET /cart", "").await.1 != "{\"cart\":[1]}" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    in_time(arrives).await;
    assert_eq!(curl.ask(town.door(1), "GET /cart", "").await.1, "{\"cart\":[]}");
}

#[tokio::test]
async fn who_was_cut_off_comes_back_with_an_older_copy() {
    let town = Town::open(&replicated(0));
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    curl.ask(town.door(0), ADD, MUG).await;
    shows(&mut curl, &town, 1, "{\"cart\":[1]}").await;
    town.slots[0].isolate(|| ()).await.expect("it is up");
    let patience = Duration::from_millis(300);
    let heard = tokio::time::timeout(patience, curl.clone().try_ask(town.door(0), "GET /cart", "")).await;
    assert!(heard.is_err(), "nothing comes back: {heard:?}");
    curl.ask(town.door(1), ADD, LAMP).await;
    shows(&mut curl, &town, 1, "{\"cart\":[1,2]}").await;
    town.slots[0].reconnect().await.expect("its port is free");
    tokio::time::sleep(patience).await;
    assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, "{\"cart\":[1]}", "it was told nothing");
}

/// As in a simulation, an isolated server keeps working. Whoever still waits when it is reconnected gets its answer.
#[tokio::test]
async fn who_is_cut_off_works_on_and_answers_afterwards() {
    let town = Town::open(&scenario(200));
    let mut curl = Curl::default();
    curl.ask(town.door(0), "GET /cart", "").await;
    let process = town.slots[0].running().expect("it is up");
    let (door, mut waiting) = (town.door(0), curl.clone());
    let asking = tokio::spawn(async move { waiting.ask(door, ADD, MUG).await });
    until("a worker has it", || process.workers.available_permits() < 4).await;
    town.slots[0].isolate(|| ()).await.expect("it is up");
    until("the work is done", || process.workers.available_permits() == 4).await;
    assert_eq!((process.memory.carts.len(), process.awaited()), (1, 0), "its effect is there");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!asking.is_finished(), "its answer is not");
    town.slots[0].reconnect().await.expect("its port is free");
    assert_eq!(in_time(asking).await.expect("no panic"), (200, "{\"cart\":[1]}".into()));
    assert_eq!(curl.ask(door, "GET /cart", "").await.1, "{\"cart\":[1]}");
}

/// A cart that was filled in memory, read after the migration from the same server and from the other one.
async fn moved(how: MigrationWay) -> [String; 2] {
    let mut scenario = scenario(0);
    let from = (how == MigrationWay::DualWrite).then(|| millis(0));
    scenario.migration = Some(Migration { at: millis(400), to: CartHome::SharedStore, how, from });
    let town = Town::open(&scenario);
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    curl.ask(town.door(0), ADD, MUG).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    [curl.ask(town.door(0), "GET /cart", "").await.1, curl.ask(town.door(1), "GET /cart", "").await.1]
}

#[tokio::test]
async fn carts_move_as_the_plan_says() {
    assert_eq!(moved(MigrationWay::BigBang).await, ["{\"cart\":[]}", "{\"cart\":[]}"]);
    assert_eq!(moved(MigrationWay::DualWrite).await, ["{\"cart\":[1]}", "{\"cart\":[1]}"]);
    assert_eq!(moved(MigrationWay::ReadThrough).await, ["{\"cart\":[1]}", "{\"cart\":[1]}"]);
}
