//! Servers, as curl sees them.

use super::support::{Curl, Town, in_time, scenario, until};
use crate::base::time::Span;
use crate::scenario::Whole;

const EMPTY: &str = r#"{"cart":[]}"#;

#[tokio::test]
async fn a_whole_visit_by_hand() {
    let town = Town::open(&scenario(0));
    let door = town.door(0);
    let mut curl = Curl::default();
    let ask = async |curl: &mut Curl, what: &str, body: &str| curl.ask(door, what, body).await;
    let ok = |body: &str| (200, body.to_owned());
    assert_eq!(ask(&mut curl, "GET /", "").await, ok("{}"));
    assert_eq!(ask(&mut curl, "POST /login", r#"{"user":"ann"}"#).await, ok(r#"{"user":"ann"}"#));
    assert_eq!(curl.jar["session"].matches('.').count(), 2, "a token");
    assert_eq!(ask(&mut curl, "GET /cart", "").await, ok(EMPTY));
    assert_eq!(ask(&mut curl, "POST /cart/items", r#"{"item":3}"#).await, ok(r#"{"cart":[3]}"#));
    assert_eq!(ask(&mut curl, "POST /cart/items", r#"{"item":64}"#).await, ok(r#"{"cart":[3,64]}"#));
    assert_eq!(ask(&mut curl, "DELETE /cart/items/3", "").await, ok(r#"{"cart":[64]}"#));
    assert_eq!(ask(&mut curl, "POST /checkout", "").await, ok(r#"{"charged":[64]}"#));
    assert_eq!(ask(&mut curl, "GET /cart", "").await, ok(EMPTY));
    assert_eq!(ask(&mut curl, "POST /cart/items", r#"{"item":1}"#).await, ok(r#"{"cart":[1]}"#));
    let mut again = async |key: &str| {
        let order = curl.message("POST", "/checkout", "").replace("Host:", &format!("{key}Host:"));
        in_time(curl.try_send(door, &order)).await.expect("an answer").body
    };
    assert_eq!(again("Idempotency-Key: order-2\r\n").await, r#"{"charged":[1]}"#);
    assert_eq!(again("Idempotency-Key: order-2\r\n").await, r#"{"charged":[1]}"#, "the same order, charged once");
    assert_eq!(again("").await, r#"{"charged":[]}"#, "another, of nothing");
    assert_eq!(ask(&mut curl, "POST /logout", "").await, ok("{}"));
    assert!(!curl.jar.contains_key("session"));
    assert_eq!(ask(&mut curl, "PUT /files/7", "a cat").await, (201, "{}".into()));
    assert_eq!(ask(&mut curl, "GET /files/7", "").await, ok("a cat"));
    assert_eq!(ask(&mut curl, "GET /files/8", "").await.0, 404);
    assert_eq!(curl.ask(town.door(1), "GET /files/7", "").await.0, 404, "it is in the other's memory");
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let town = Town::open(&scenario(0));
    let (door, long) = (town.door(0), "x".repeat(5_000));
    let mut curl = Curl::default();
    for (what, body, status, part) in [
        ("GET /nothing", "", 404, "no such path"),
        ("GET /cart/items/3", "", 405, "not with this method"),
        ("DELETE /cart/items/65", "", 404, "no such path"),
        ("PUT /cart", "", 405, "POST /cart/items"),
        ("POST /cart/items", "", 400, "which item?"),
        ("POST /cart/items", "{", 400, r#"{\"item\":1}"#),
        ("POST /cart/items", r#"{"item":0}"#, 400, "1 to 64"),
        ("POST /cart/items", r#"{"item":65}"#, 400, "1 to 64"),
        ("POST /cart/items", r#"{"item":"mug"}"#, 400, "1 to 64"),
        ("POST /login", r#"{"user":""}"#, 400, "who?"),
        ("POST /login", r#"{"user":"a; Path=/"}"#, 400, "who?"),
        ("POST /cart/items", &long, 413, "too long"),
        ("PUT /files/1", &"x".repeat(2 << 20), 413, "too long"),
    ] {
        let (got, told) = curl.ask(door, what, body).await;
        assert_eq!(got, status, "{what}: {told}");
        assert!(told.contains(part), "{what}: {told}");
    }
    for (what, allowed) in [("POST /", "get, head"), ("GET /checkout", "post"), ("POST /files/1", "get, head, put")] {
        let head = curl.answer(door, what, "").await.head;
        assert!(head.contains(&format!("\r\nallow: {allowed}\r\n")), "{head}");
    }
    let head = curl.answer(door, "HEAD /cart", "").await;
    assert_eq!((head.status, &*head.body), (200, ""), "as GET, without a body");
    assert!(head.head.contains("\r\ncontent-length: 11"), "{}", head.head);
    assert_eq!(curl.ask(door, "GET /health", "").await, (200, "{}".into()));
}

/// Request ids are for the run's own users. A request with a made-up id is served, but is not part of the history.
#[tokio::test]
async fn an_id_that_is_made_up_harms_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut town = Town::open(&scenario(0));
    for id in ["42-0-4294967295-1-3-0", "0-65535-7-4294967295-65535-65535", "1-2-3", "x"] {
        let mut stream = tokio::net::TcpStream::connect(town.door(0)).await.expect("it listens");
        let message = format!("GET /cart HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nX-Request-Id: {id}\r\n\r\n");
        stream.write_all(message.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        in_time(stream.read_to_string(&mut answer)).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{id}: {answer}");
    }
    assert!(town.log.state().untold.is_empty());
    assert!(town.failures.try_recv().is_err());
}

#[tokio::test]
async fn nonsense_on_the_line_harms_nobody() {
    static LONG: [u8; 100_000] = [b'A'; 100_000];
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let town = Town::open(&scenario(0));
    for nonsense in [&b"\0\xff\xfe"[..], b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n", b"GET", &LONG] {
        let mut stream = tokio::net::TcpStream::connect(town.door(0)).await.expect("it listens");
        // The server may close the connection before it has read everything.
        let _ = stream.write_all(nonsense).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = in_time(stream.read_to_end(&mut answer)).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(Curl::default().ask(town.door(0), "GET /", "").await.0, 200);
}

#[tokio::test]
async fn so_many_workers_so_long_a_queue_and_no_more() {
    let mut scenario = scenario(300);
    scenario.servers.workers = Whole::of(1);
    scenario.servers.queue = Whole::of(1);
    let town = Town::open(&scenario);
    let door = town.door(0);
    let begun = tokio::time::Instant::now();
    let first = tokio::spawn(async move { Curl::default().ask(door, "GET /", "").await.0 });
    let process = town.slots[0].running().expect("it is up");
    until("the worker is busy", || process.workers.available_permits() == 0).await;
    let second = tokio::spawn(async move { Curl::default().ask(door, "GET /", "").await.0 });
    until("one waits", || process.waiting.load(std::sync::atomic::Ordering::Relaxed) == 1).await;
    assert_eq!(
        Curl::default().ask(door, "GET /", "").await,
        (503, r#"{"error":"queue full","code":"queue-full"}"#.into())
    );
    assert_eq!(Curl::default().ask(door, "GET /health", "").await.0, 200, "a check takes no worker");
    assert!(begun.elapsed().as_millis() < 300, "nobody waited for the worker");
    assert_eq!((first.await.expect("no panic"), second.await.expect("no panic")), (200, 200));
    assert!(begun.elapsed().as_millis() >= 600, "one after the other");
}

/// A client that disconnects cancels nothing: the worker stays busy, and the effect lands.
#[tokio::test]
async fn the_work_goes_on_when_the_client_has_gone() {
    let town = Town::open(&scenario(200));
    let mut curl = Curl::default();
    curl.ask(town.door(0), "GET /cart", "").await;
    let mut gone = Curl { id: "42-0-0-1-1-0".into(), ..curl.clone() };
    let door = town.door(0);
    let asking = tokio::spawn(async move { gone.try_ask(door, "POST /cart/items", r#"{"item":5}"#).await });
    let process = town.slots[0].running().expect("it is up");
    until("a worker has it", || process.workers.available_permits() < 4).await;
    assert_eq!(process.awaited(), 1);
    asking.abort();
    assert!(asking.await.expect_err("it was aborted").is_cancelled());
    until("nobody waits for it", || process.awaited() == 0).await;
    assert_eq!(process.workers.available_permits(), 3, "it is worked on all the same");
    let before = process.worked(town.clock.now());
    until("the work is done", || process.workers.available_permits() == 4).await;
    let worked = process.worked(town.clock.now());
    assert!(before > Span::ZERO && worked >= Span::from_millis(200), "{before:?}, {worked:?}: it counts meanwhile");
    assert_eq!(curl.ask(door, "GET /cart", "").await.1, r#"{"cart":[5]}"#);
}
