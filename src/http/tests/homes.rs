//! Where state lives, as curl sees it.

use super::support::{Curl, Town, in_time, scenario, until};
use crate::base::time::Span;
use crate::base::{ClientId, ProcessId, UserId};
use crate::history::{AbandonReason, Ending};
use crate::http::shop_server::Death;
use crate::http::wire::{self, CartId, RequestId};
use crate::scenario::{CartHome, Dist, SessionHome, StoreUpdate, Time, UploadHome, Whole};
use crate::traffic::Client;

/// One server has the cart. What does the other one answer?
#[tokio::test]
async fn what_cart() {
    for (home, elsewhere) in [
        (CartHome::ServerMemory, r#"{"cart":[]}"#),
        (CartHome::SharedStore, r#"{"cart":[1]}"#),
        (CartHome::SignedToken, r#"{"cart":[1]}"#),
    ] {
        let mut scenario = scenario(0);
        scenario.homes.cart = home;
        let town = Town::open(&scenario);
        let mut curl = Curl::default();
        curl.ask(town.door(0), "POST /cart/items", r#"{"item":1}"#).await;
        assert_eq!(curl.ask(town.door(1), "GET /cart", "").await, (200, elsewhere.into()), "{home:?}");
    }
}

#[tokio::test]
async fn a_cart_that_was_tampered_with_is_no_cart() {
    let mut scenario = scenario(0);
    scenario.homes.cart = CartHome::SignedToken;
    let town = Town::open(&scenario);
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /cart/items", r#"{"item":1}"#).await;
    let mut other = Curl::default();
    other.ask(town.door(0), "GET /cart", "").await;
    let mut tampered = curl.clone();
    let token = &curl.jar["cart"];
    tampered.jar.insert("cart".into(), format!("{}A{}", &token[..60], &token[61..]));
    let mut swapped = curl.clone();
    swapped.jar.insert("visit".into(), other.jar["visit"].clone());
    for mut wrong in [tampered, swapped] {
        assert_eq!(wrong.ask(town.door(0), "GET /cart", "").await.1, r#"{"cart":[]}"#);
    }
    assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, r#"{"cart":[1]}"#);
}

/// One server has the file. What does the other one answer, and what does the first after a restart and after a
/// replacement?
#[tokio::test]
async fn what_file() {
    for (home, want) in [
        (UploadHome::ServerMemory, [404, 404, 404]),
        (UploadHome::LocalDisk, [404, 200, 404]),
        (UploadHome::ObjectStore, [200, 200, 200]),
    ] {
        let mut scenario = scenario(0);
        scenario.homes.upload = home;
        let town = Town::open(&scenario);
        let mut curl = Curl::default();
        assert_eq!(curl.ask(town.door(0), "PUT /files/1", "a cat").await.0, 201);
        let elsewhere = curl.ask(town.door(1), "GET /files/1", "").await.0;
        let slot = &town.slots[0];
        let mut processes = (10..).map(ProcessId);
        let mut reborn = async |new_host: bool| {
            slot.kill(Death::Crash, |_| ()).await.expect("it ran");
            if new_host {
                slot.new_host().expect("a disk");
            }
            slot.revive(processes.next().expect("many lives")).expect("it was down");
            curl.ask(town.door(0), "GET /files/1", "").await.0
        };
        let [restarted, replaced] = [reborn(false).await, reborn(true).await];
        assert_eq!([elsewhere, restarted, replaced], want, "{home:?}");
    }
}

/// Who counts as logged in: on the same server, on the other one, with a copy of the session after logging out, and
/// with a forged one.
#[tokio::test]
async fn who_are_you() {
    for (home, want) in [
        (SessionHome::ServerMemory, [200, 401, 401, 401]),
        (SessionHome::SharedStore, [200, 200, 401, 401]),
        (SessionHome::SignedToken, [200, 200, 200, 401]),
        (SessionHome::UnsignedCookie, [200, 200, 200, 200]),
    ] {
        let mut scenario = scenario(0);
        scenario.homes.session = home;
        let town = Town::open(&scenario);
        let mut curl = Curl::default();
        let login = format!(r#"{{"user":"{}"}}"#, wire::user_name(UserId(1)));
        curl.ask(town.door(0), "POST /login", &login).await;
        let mut thief = curl.clone();
        let here = curl.ask(town.door(0), "GET /", "").await.0;
        let elsewhere = curl.ask(town.door(1), "GET /", "").await.0;
        assert_eq!(curl.ask(town.door(0), "POST /logout", "").await.0, 200);
        let stolen = thief.ask(town.door(0), "GET /", "").await.0;
        let mut forger = Curl::default();
        let made_up = match home {
            SessionHome::SignedToken => crate::http::token::forged_session(UserId(1)),
            SessionHome::UnsignedCookie => wire::user_name(UserId(1)),
            SessionHome::ServerMemory | SessionHome::SharedStore => "0".repeat(32),
        };
        forger.jar.insert("session".into(), made_up);
        let forged = forger.ask(town.door(0), "GET /", "").await.0;
        assert_eq!([here, elsewhere, stolen, forged], want, "{home:?}");
    }
}

/// A request without a valid session is refused and has no effect.
#[tokio::test]
async fn nothing_is_done_for_a_stranger() {
    let town = Town::open(&scenario(0));
    let mut curl = Curl::default();
    curl.ask(town.door(0), "GET /cart", "").await;
    let mut stranger = curl.clone();
    stranger.jar.insert("session".into(), "x.y.z".into());
    assert_eq!(stranger.ask(town.door(0), "POST /cart/items", r#"{"item":1}"#).await.0, 401);
    assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, r#"{"cart":[]}"#);
}

/// Two tabs add an item at the same time, through two servers.
#[tokio::test]
async fn an_update_that_is_not_atomic_gets_lost() {
    for (update, left) in [(StoreUpdate::Atomic, 2), (StoreUpdate::ReadModifyWrite, 1)] {
        let mut scenario = scenario(200);
        scenario.homes.cart = CartHome::SharedStore;
        scenario.store.update = update;
        let town = Town::open(&scenario);
        let mut curl = Curl::default();
        curl.ask(town.door(0), "GET /cart", "").await;
        let (mut one, mut other) = (curl.clone(), curl.clone());
        let adds = (
            one.ask(town.door(0), "POST /cart/items", r#"{"item":1}"#),
            other.ask(town.door(1), "POST /cart/items", r#"{"item":2}"#),
        );
        let (first, second) = tokio::join!(adds.0, adds.1);
        assert_eq!((first.0, second.0), (200, 200), "both were acknowledged");
        let (_, cart) = curl.ask(town.door(0), "GET /cart", "").await;
        assert_eq!(cart.matches(['1', '2']).count(), left, "{update:?}: {cart}");
    }
}

/// The store has a latency, and serves a limited number of calls at once.
#[tokio::test]
async fn the_store_has_a_latency_and_a_capacity() {
    let mut scenario = scenario(0);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.latency = Dist::Constant(Time::of(Span::from_millis(60)));
    for (connections, at_least, at_most) in [(None, 60, 240), (Some(Whole::of(1)), 240, 2_000)] {
        scenario.store.connections = connections;
        let town = Town::open(&scenario);
        let begun = tokio::time::Instant::now();
        let door = town.door(0);
        let four = (0..4).map(|_| tokio::spawn(async move { Curl::default().ask(door, "GET /cart", "").await.0 }));
        for one in four.collect::<Vec<_>>() {
            assert_eq!(one.await.expect("no panic"), 200);
        }
        let took = begun.elapsed().as_millis();
        assert!((at_least..at_most).contains(&took), "{connections:?}: {took} ms");
    }
}

/// A user gives up, and the visit is over before the server is done: the cart stays as it is, as in a simulation.
#[tokio::test]
async fn nothing_reaches_the_cart_of_a_visit_that_is_over() {
    for home in [CartHome::ServerMemory, CartHome::SharedStore, CartHome::ReplicatedMemory] {
        let mut scenario = scenario(100);
        scenario.homes.cart = home;
        let town = Town::open(&scenario);
        let mut client = Client::new(UserId(7), 0, 0);
        client.begin();
        let (visit, key) = (client.visit(ClientId(0)), client.key());
        let mut curl = Curl::default();
        curl.jar.insert("visit".into(), CartId::of(&key).to_string());
        curl.id = RequestId { key, client: ClientId(0) }.to_string();
        for (left, held) in [(false, r#"{"cart":[5]}"#), (true, r#"{"cart":[5]}"#)] {
            town.log.began(visit);
            let item = if left { r#"{"item":6}"# } else { r#"{"item":5}"# };
            let (door, mut tab) = (town.door(0), curl.clone());
            let asked = tokio::spawn(async move { tab.ask(door, "POST /cart/items", item).await });
            let process = town.slots[0].running().expect("it is up");
            until("a worker has it", || process.workers.available_permits() < 4).await;
            if left {
                town.log.left(visit, Ending::GaveUp(AbandonReason::Unknown));
            }
            in_time(asked).await.expect("no panic");
            // To see what became of it, the visit is open again.
            town.log.began(visit);
            assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, held, "{home:?}");
        }
    }
}
