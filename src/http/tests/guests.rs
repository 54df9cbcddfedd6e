//! People with curl: they shop beside the users of the run, through the balancer or at a server, and no figure knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::support::{Answer, Curl, Town, in_time, scenario, until};
use crate::base::{ClientId, Items, ServerId, UserId};
use crate::http::listener;
use crate::http::wire::CartId;
use crate::scenario::{Affinity, CookieLife, HiddenState, Outlier, Scenario, Share};
use crate::traffic::Client;

const ADD: (&str, &str) = ("POST /cart/items", r#"{"item":5}"#);

/// The address of a balancer that listens.
async fn door(town: &Town) -> SocketAddr {
    let listener = listener::bind().await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(listener::listen(Arc::clone(&town.balancer), listener));
    address
}

fn sticky(service_ms: u64) -> Scenario {
    let mut scenario = scenario(service_ms);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario
}

#[tokio::test]
async fn a_guest_shops_through_the_balancer() {
    let town = Town::open(&sticky(0));
    let door = door(&town).await;
    assert!(door.ip().is_loopback());
    let mut curl = Curl::default();
    assert_eq!(curl.ask(door, ADD.0, ADD.1).await, (200, r#"{"cart":[5]}"#.into()));
    assert_eq!((curl.jar.contains_key("visit"), &*curl.jar["server"]), (true, "server-1"));
    assert_eq!(curl.ask(door, "GET /cart", "").await.1, r#"{"cart":[5]}"#, "the cookie leads back");
    assert_eq!(curl.ask(town.door(1), "GET /cart", "").await.1, r#"{"cart":[]}"#, "What cart?");
    assert_eq!(curl.ask(door, "POST /checkout", "").await.1, r#"{"charged":[5]}"#);
    let file = "x".repeat(100_000);
    assert_eq!(curl.ask(door, "PUT /files/7", &file).await.0, 201);
    assert_eq!(curl.ask(door, "GET /files/7", "").await.1, file);
}

/// The balancer neither counts a guest nor learns from one, and a guest's turn is not a user's.
#[tokio::test]
async fn the_balancer_does_not_know_its_guests() {
    let mut scenario = scenario(100);
    scenario.balancer.outlier = Some(Outlier { always_one: true, ..Outlier::default() });
    let mut town = Town::open(&scenario);
    let door = door(&town).await;
    let asking = tokio::spawn(async move { Curl::default().ask(door, "GET /", "").await.0 });
    let process = town.slots[0].running().expect("it is up");
    until("a worker has it", || process.workers.available_permits() < 4).await;
    let in_flight = || town.balancer.routing().with_pool(|pool| pool.view.in_flight.clone());
    assert_eq!((in_flight(), process.awaited()), (vec![0, 0], 0));
    assert_eq!(in_time(asking).await.expect("no panic"), 200);
    town.slots[0].failing.store(Share::ALL, Ordering::Relaxed);
    for _ in 0..6 {
        assert_eq!(Curl::default().ask(door, "GET /", "").await.0, 500, "it is still the first server's turn");
    }
    assert!(town.balancer.routing().with_pool(|pool| pool.view.eligible[ServerId(0).index()]), "nobody ejects it");
    assert!(town.log.state().untold.is_empty());
    assert!(town.failures.try_recv().is_err());
}

/// Neither a made-up request id nor the name of a cart makes a guest a user.
#[tokio::test]
async fn a_guest_cannot_pretend_to_be_a_user() {
    let town = Town::open(&scenario(0));
    let mut client = Client::new(UserId(42), 0, 0);
    client.begin();
    town.log.began(client.visit(ClientId(0)));
    let events = town.log.state().untold.len();
    let process = town.slots[0].running().expect("it is up");
    let cart = CartId::of(&client.key());
    process.memory.carts.insert(cart, Items(1));
    let door = door(&town).await;
    for (door, id) in [(door, "42-0-0-1-1-0"), (town.door(0), "")] {
        let mut curl = Curl { id: id.into(), ..Curl::default() };
        curl.jar.insert("visit".into(), cart.to_string());
        assert_eq!(curl.ask(door, ADD.0, ADD.1).await.1, r#"{"cart":[5]}"#, "a cart of its own");
        assert_ne!(curl.jar["visit"], cart.to_string());
    }
    assert_eq!(*process.memory.carts.get(&cart).expect("it is there"), Items(1));
    assert_eq!(town.log.state().untold.len(), events);
}

/// A guest does not renew the copy of the catalogue that users are shown.
#[tokio::test]
async fn a_look_at_the_catalogue_changes_nothing() {
    let mut scenario = scenario(0);
    scenario.servers.hidden = HiddenState::Cache;
    let town = Town::open(&scenario);
    let process = town.slots[0].running().expect("it is up");
    let copy = || format!("{:?}", process.local.catalogue);
    *process.local.catalogue.lock().expect("not poisoned") = crate::state::process_local::CatalogueCopy::default();
    let before = copy();
    assert_eq!(Curl::default().ask(town.door(0), "GET /", "").await.0, 200);
    assert_eq!(copy(), before);
    let mut user = Curl { id: "42-0-0-1-1-0".into(), ..Curl::default() };
    assert_eq!(user.ask(town.door(0), "GET /", "").await.0, 200);
    assert_ne!(copy(), before);
}

/// What comes back when these bytes are sent, and nothing after them.
async fn sent(door: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(door).await.expect("it listens");
    // The balancer may close the connection before it has read everything.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let _ = in_time(stream.read_to_end(&mut answer)).await;
    Answer::of(&String::from_utf8_lossy(&answer))
}

#[tokio::test]
async fn what_is_too_large_or_nonsense_is_refused() {
    let town = Town::open(&scenario(0));
    let door = door(&town).await;
    let head = format!("GET / HTTP/1.1\r\nHost: shop\r\nX-Long: {}\r\n\r\n", "A".repeat(100_000));
    assert_eq!(sent(door, head.as_bytes()).await.status, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: shop\r\n{}\r\n", "A: b\r\n".repeat(200));
    assert_eq!(sent(door, many.as_bytes()).await.status, 431);
    let length = "POST /cart/items HTTP/1.1\r\nHost: shop\r\nContent-Length: 9999999999\r\n\r\n{";
    assert_eq!(sent(door, length.as_bytes()).await.status, 413);
    assert_eq!(Curl::default().ask(door, "PUT /files/1", &"x".repeat(2 << 20)).await.0, 413);
    for nonsense in [&b"\0\xff\xfe"[..], b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n", b"GET", b""] {
        let status = sent(door, nonsense).await.status;
        assert!(matches!(status, 0 | 400), "{status}");
    }
    assert_eq!(Curl::default().ask(door, "GET /", "").await.0, 200);
}

/// A guest who is slow, or many who say nothing, keep nobody out for long.
#[tokio::test]
async fn who_says_nothing_is_sent_away() {
    let town = Town::open(&scenario(0));
    let door = door(&town).await;
    let begun = Instant::now();
    let mut silent = Vec::new();
    for text in
        ["", "GET /cart HT", "GET / HTTP/1.1\r\nHost: shop\r\n", "POST /login HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
    {
        for _ in 0..3 {
            let mut stream = TcpStream::connect(door).await.expect("it listens");
            stream.write_all(text.as_bytes()).await.expect("it is sent");
            silent.push(stream);
        }
    }
    assert_eq!(Curl::default().ask(door, "GET /", "").await.0, 200, "it had to wait for them");
    for mut stream in silent {
        in_time(stream.read_to_end(&mut Vec::new())).await.expect("it is hung up");
    }
    let took = begun.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(15)).contains(&took), "{took:?}");
}
