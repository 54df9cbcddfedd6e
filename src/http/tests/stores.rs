//! The shared store, as curl sees it: outages, lost data, limited room and expiry; and revoked tokens.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::support::{Curl, Town, scenario};
use crate::base::time::Span;
use crate::base::{ClientId, UserId, Visit};
use crate::history::{EventKind, Inside};
use crate::http::fault_injector::FaultInjector;
use crate::operations::faults::{self, Fault, FaultKind};
use crate::scenario::{
    self, CartHome, Dist, Forgets, Scenario, SessionHome, StoreFault, StoreMemory, Time, UploadHome, WhenFull, Whole,
};

const ADD: &str = "POST /cart/items";

fn stored(store_ms: u64) -> Scenario {
    let mut scenario = scenario(0);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.latency = Dist::Constant(Time::of(Span::from_millis(store_ms)));
    scenario
}

async fn pause(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// A fault of the store strikes now and lasts for `lasting` milliseconds.
fn strike(town: &Town, how: StoreFault, lasting: Option<u64>, scenario: &Scenario) {
    let mut broken = scenario.clone();
    let kind = Ok(FaultKind::Store { how, lasting: lasting.map(Span::from_millis), forgets: None });
    broken.faults = vec![scenario::Fault { name: None, at: Time::of(Span::ZERO), kind }];
    let now = town.clock.now();
    let faults: Vec<Fault> = faults::timeline(&broken).into_iter().map(|fault| Fault { at: now, ..fault }).collect();
    let routing = Arc::clone(town.balancer.routing());
    let (log, shop) = (Arc::clone(&town.log), Arc::clone(&town.shop));
    let slots = RwLock::new(town.slots.clone());
    tokio::spawn(Arc::new(FaultInjector { clock: town.clock, log, routing, shop, slots, faults }).carry_out(0));
}

/// A call in flight is cut off: the answer is 500. Later ones are refused at once: 503. Then everything works as
/// before.
#[tokio::test]
async fn an_outage() {
    let scenario = stored(300);
    let town = Town::open(&scenario);
    let door = town.door(0);
    let mut curl = Curl::default();
    assert_eq!(curl.ask(door, ADD, r#"{"item":1}"#).await.0, 200);
    let (mut adding, mut looking) = (curl.clone(), curl.clone());
    let under_way = tokio::spawn(async move { adding.ask(door, ADD, r#"{"item":2}"#).await });
    let seen = tokio::spawn(async move { looking.ask(door, "GET /cart", "").await });
    pause(100).await;
    strike(&town, StoreFault::Outage, Some(400), &scenario);
    let down = r#"{"error":"the store is down","code":"store-down"}"#;
    assert_eq!(under_way.await.expect("no panic"), (500, r#"{"error":"the store broke off"}"#.into()));
    assert_eq!(seen.await.expect("no panic"), (503, down.into()), "a look has changed nothing");
    let begun = tokio::time::Instant::now();
    assert_eq!(curl.ask(door, ADD, r#"{"item":3}"#).await, (503, down.into()));
    assert!(begun.elapsed() < Duration::from_millis(200), "at once");
    pause(500).await;
    assert_eq!(curl.ask(door, "GET /cart", "").await, (200, r#"{"cart":[1]}"#.into()));
}

/// A session that cannot be looked up is neither valid nor invalid.
#[tokio::test]
async fn a_session_that_cannot_be_looked_up() {
    let mut scenario = stored(0);
    scenario.homes.session = SessionHome::SharedStore;
    let town = Town::open(&scenario);
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    strike(&town, StoreFault::Outage, None, &scenario);
    pause(50).await;
    assert_eq!(curl.ask(town.door(0), "GET /", "").await.0, 503);
    assert_eq!(Curl::default().ask(town.door(0), "GET /", "").await.0, 200, "a guest needs no store");
}

/// Writes before the window survive; later writes of carts, logins and logouts are undone.
#[tokio::test]
async fn a_failover_undoes_the_last_moment() {
    for (forgets, cart, session) in [
        (Forgets::NOTHING, r#"{"cart":[1,2]}"#, 200),
        (Forgets::Last(Span::from_millis(400)), r#"{"cart":[1]}"#, 401),
        (Forgets::Everything, r#"{"cart":[]}"#, 401),
    ] {
        let mut scenario = stored(0);
        scenario.homes.session = SessionHome::SharedStore;
        scenario.store.durability_window = forgets;
        let town = Town::open(&scenario);
        let door = town.door(0);
        let (mut guest, mut new, mut left) = (Curl::default(), Curl::default(), Curl::default());
        guest.ask(door, ADD, r#"{"item":1}"#).await;
        left.ask(door, "POST /login", "").await;
        let copy = left.clone();
        pause(600).await;
        guest.ask(door, ADD, r#"{"item":2}"#).await;
        new.ask(door, "POST /login", "").await;
        left.ask(door, "POST /logout", "").await;
        strike(&town, StoreFault::Failover, None, &scenario);
        pause(50).await;
        assert_eq!(guest.ask(door, "GET /cart", "").await.1, cart, "{forgets:?}");
        assert_eq!(new.ask(door, "GET /", "").await.0, session, "{forgets:?}");
        let zombie = if matches!(forgets, Forgets::Last(_)) && forgets != Forgets::NOTHING { 200 } else { 401 };
        assert_eq!(copy.clone().ask(door, "GET /", "").await.0, zombie, "{forgets:?}: the logout was undone");
    }
}

/// With room for one cart, a second one evicts the first or is refused.
#[tokio::test]
async fn a_full_store() {
    for (when_full, second, first) in [(WhenFull::Evict, 200, "[]"), (WhenFull::Refuse, 507, "[1]")] {
        let mut scenario = stored(0);
        scenario.store.memory = Some(StoreMemory { carts: Whole::of(1), when_full });
        let town = Town::open(&scenario);
        let door = town.door(0);
        let (mut one, mut other) = (Curl::default(), Curl::default());
        assert_eq!(other.ask(door, "GET /cart", "").await.0, 200, "looking takes no room");
        assert_eq!(one.ask(door, ADD, r#"{"item":1}"#).await.0, 200);
        assert_eq!(other.ask(door, ADD, r#"{"item":2}"#).await.0, second);
        assert_eq!(one.ask(door, "GET /cart", "").await.1, format!(r#"{{"cart":{first}}}"#), "{when_full:?}");
        one.ask(door, "POST /checkout", "").await;
        other.ask(door, "POST /checkout", "").await;
        assert_eq!(one.ask(door, ADD, r#"{"item":3}"#).await.0, 200, "checkout gives the place back");
    }
}

#[tokio::test]
async fn a_cart_expires_after_its_last_write() {
    let mut scenario = stored(0);
    scenario.store.ttl = Some(Time::of(Span::from_millis(600)));
    let town = Town::open(&scenario);
    let mut curl = Curl::default();
    for item in [r#"{"item":1}"#, r#"{"item":2}"#] {
        curl.ask(town.door(0), ADD, item).await;
        pause(300).await;
    }
    assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, r#"{"cart":[1,2]}"#);
    pause(500).await;
    assert_eq!(curl.ask(town.door(0), "GET /cart", "").await.1, r#"{"cart":[]}"#);
}

/// How many calls to the store the last request of one of the run's users made.
fn calls(town: &Town) -> u32 {
    let state = town.log.state();
    let served = state.untold.iter().rev().find_map(|event| match event.what {
        EventKind::Inside(_, Inside::Served(served)) => Some(served.store_calls),
        _ => None,
    });
    served.expect("it was served")
}

/// A request makes as many calls to the store as its plan has; if the store is down, as many as got through.
#[tokio::test]
async fn a_request_costs_the_calls_of_its_plan() {
    let mut scenario = stored(0);
    scenario.tokens.lifetime = Time::of(Span::from_millis(600));
    scenario.tokens.leeway = Time::of(Span::ZERO);
    scenario.tokens.refresh = true;
    scenario.tokens.deny_list = true;
    let town = Town::open(&scenario);
    town.log.began(Visit { user: UserId(42), client: ClientId(0), number: 1 });
    let ask = async |curl: &mut Curl, what: &str| {
        let (method, path) = what.split_once(' ').expect("a method and a path");
        let message = curl.message(method, path, "").replacen("Host", "X-Request-Id: 42-0-0-1-1-0\r\nHost", 1);
        let status = curl.try_send(town.door(0), &message).await.expect("an answer").status;
        (status, calls(&town))
    };
    let mut curl = Curl::default();
    assert_eq!(ask(&mut curl, "POST /login").await, (200, 1), "the refresh session is kept");
    assert_eq!(ask(&mut curl, "GET /cart").await, (200, 2), "the deny list, the cart");
    let mut copy = curl.clone();
    assert_eq!(ask(&mut curl, "POST /logout").await, (200, 3), "the deny list twice, the refresh session");
    assert_eq!(ask(&mut curl, "GET /").await, (200, 0), "a guest");
    assert_eq!(ask(&mut copy, "GET /cart").await, (401, 1), "the token is on the deny list");
    pause(700).await;
    assert_eq!(ask(&mut copy, "GET /cart").await, (401, 2), "that it is denied ends no look-up");
    strike(&town, StoreFault::Outage, None, &scenario);
    pause(50).await;
    assert_eq!(ask(&mut copy, "GET /cart").await, (503, 0), "nothing got through");
}

/// The answer to any request brings the new token, even to a download.
#[tokio::test]
async fn a_download_renews_an_expired_token() {
    let mut scenario = scenario(0);
    scenario.homes.upload = UploadHome::ObjectStore;
    scenario.tokens.lifetime = Time::of(Span::from_millis(200));
    scenario.tokens.leeway = Time::of(Span::ZERO);
    scenario.tokens.refresh = true;
    let town = Town::open(&scenario);
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    assert_eq!(curl.ask(town.door(0), "PUT /files/1", "a cat").await.0, 201);
    pause(300).await;
    let old = curl.jar["session"].clone();
    assert_eq!(curl.ask(town.door(1), "GET /files/2", "").await.0, 404);
    assert_eq!(curl.jar["session"], old, "what is not found renews nothing");
    assert_eq!(curl.ask(town.door(1), "GET /files/1", "").await.0, 200);
    assert_ne!(curl.jar["session"], old);
}

/// Whether tokens are accepted: a token before and after it expires, and a stolen copy soon and long after logout.
#[tokio::test]
async fn tokens_that_are_taken_back() {
    for (refresh, deny_list, want) in [
        (false, false, [200, 401, 200, 401]),
        (true, false, [200, 200, 200, 401]),
        (false, true, [200, 401, 401, 401]),
        (true, true, [200, 200, 401, 401]),
    ] {
        let mut scenario = scenario(0);
        scenario.tokens.lifetime = Time::of(Span::from_millis(500));
        scenario.tokens.leeway = Time::of(Span::ZERO);
        scenario.tokens.refresh = refresh;
        scenario.tokens.deny_list = deny_list;
        let town = Town::open(&scenario);
        let (mut idler, mut leaver) = (Curl::default(), Curl::default());
        idler.ask(town.door(0), "POST /login", "").await;
        // Another user, because tokens made for one user in the same millisecond are identical.
        leaver.ask(town.door(0), "POST /login", r#"{"user":"ann"}"#).await;
        let mut copy = leaver.clone();
        let early = idler.ask(town.door(1), "GET /", "").await.0;
        assert_eq!(leaver.ask(town.door(1), "POST /logout", "").await.0, 200);
        let stolen = copy.clone().ask(town.door(0), "GET /", "").await.0;
        pause(600).await;
        let late = idler.ask(town.door(1), "GET /", "").await.0;
        let stale = copy.ask(town.door(0), "GET /", "").await.0;
        assert_eq!([early, late, stolen, stale], want, "refresh {refresh}, deny list {deny_list}");
    }
}
