//! The balancer in front of servers, some of which misbehave.

use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONNECTION, COOKIE, SET_COOKIE, VIA};
use http::{HeaderMap, Method, Request};
use http_body_util::BodyExt;

use super::support::{Curl, Rogue, Town, in_time, rogue, scenario, until};
use crate::balancing::pool::HealthRules;
use crate::base::time::Span;
use crate::base::{ServerId, ServerState};
use crate::history::{EventKind, Inside, PoolEvent};
use crate::http::balancer::health;
use crate::http::shop_server::Death;
use crate::scenario::{Affinity, CookieLife, Outlier, PinnedDown, Scenario, Share, Time, Whole};

fn events(town: &Town, such: impl Fn(&EventKind) -> bool) -> usize {
    town.log.state().untold.iter().filter(|event| such(&event.what)).count()
}

/// Status, header and body of the balancer's answer.
async fn ask(town: &Town, method: Method, path: &str, cookie: &str) -> (u16, HeaderMap, String) {
    let mut request = Request::builder().method(method).uri(path).body(Bytes::new()).expect("a request");
    if !cookie.is_empty() {
        request.headers_mut().insert(COOKIE, cookie.parse().expect("plain text"));
    }
    let (head, body) = in_time(town.balancer.handle(request)).await.into_parts();
    let body = in_time(body.collect()).await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into())
}

/// The server that the affinity cookie of an answer names.
fn pinned(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut named = cookies.filter_map(|line| line.split(';').next()?.strip_prefix("server="));
    named.next().map(ToOwned::to_owned)
}

/// A pool of rogue and honest servers in the order of `kinds`, where `None` is an honest one.
async fn mixed(
    scenario: &Scenario,
    kinds: &[Option<Rogue>],
) -> (Town, Vec<std::sync::Arc<std::sync::Mutex<Vec<String>>>>) {
    let mut scenario = scenario.clone();
    scenario.servers.count = Whole::of(kinds.len() as u64);
    let honest = Town::open(&scenario);
    let (mut doors, mut heard): (Vec<SocketAddr>, _) = (Vec::new(), Vec::new());
    for (i, kind) in kinds.iter().enumerate() {
        match kind {
            None => doors.push(honest.door(i)),
            Some(kind) => {
                let (door, got) = rogue(*kind).await;
                doors.push(door);
                heard.push(got);
            }
        }
    }
    let mut town = Town::with(&scenario, &doors);
    town.slots.extend(honest.slots);
    (town, heard)
}

#[tokio::test]
async fn what_was_not_sent_goes_elsewhere_whatever_it_is() {
    let town = Town::open(&scenario(0));
    in_time(town.slots[0].kill(Death::Crash, |_| ())).await.expect("the port stays ours");
    for _ in 0..4 {
        assert_eq!(ask(&town, Method::POST, "/login", "").await.0, 200);
    }
    in_time(town.slots[1].kill(Death::Crash, |_| ())).await.expect("the port stays ours");
    let (status, _, body) = ask(&town, Method::POST, "/login", "").await;
    assert_eq!((status, &*body), (503, r#"{"error":"unreachable","code":"unreachable"}"#));
    assert_eq!(
        events(&town, |what| matches!(what, EventKind::Inside(_, Inside::Retried { .. }))),
        0,
        "nobody of the run asked"
    );
}

#[tokio::test]
async fn what_was_sent_goes_elsewhere_only_if_it_is_idempotent() {
    let (town, heard) = mixed(&scenario(0), &[Some(Rogue::CutsOff), None]).await;
    let requests =
        |method: &str| heard[0].lock().expect("not poisoned").iter().filter(|r| r.starts_with(method)).count();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&town, Method::POST, "/login", "").await.0);
    }
    assert_eq!(statuses, [502, 200, 502, 200], "round robin, and nothing is sent twice");
    assert_eq!(requests("POST"), 2);
    for method in [Method::GET, Method::GET, Method::DELETE, Method::DELETE] {
        let path = if method == Method::GET { "/cart" } else { "/cart/items/1" };
        assert_eq!(ask(&town, method, path, "").await.0, 200);
    }
    assert!(requests("GET") + requests("DELETE") > 0);
}

#[tokio::test]
async fn retries_have_an_end() {
    let mut scenario = scenario(0);
    scenario.balancer.retries = Whole::of(2);
    let (town, heard) = mixed(&scenario, &[Some(Rogue::CutsOff); 5]).await;
    assert_eq!(ask(&town, Method::GET, "/", "").await.0, 502);
    let tries: usize = heard.iter().map(|got| got.lock().expect("not poisoned").len()).sum();
    assert_eq!(tries, 3);
    assert!(heard.iter().all(|got| got.lock().expect("not poisoned").len() <= 1), "each another server");
}

#[tokio::test]
async fn the_affinity_cookie_is_set_once_and_obeyed() {
    let mut scenario = scenario(0);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    let town = Town::open(&scenario);
    let (_, headers, _) = ask(&town, Method::GET, "/", "").await;
    assert_eq!(pinned(&headers).as_deref(), Some("server-1"));
    for _ in 0..3 {
        let (_, headers, _) = ask(&town, Method::GET, "/", "server=server-2").await;
        assert_eq!(pinned(&headers), None, "it names the right one already");
    }
    for nonsense in
        ["server=server-3", "server=server-0", "server=x", "server=", "server=server-1@", "server=server-1@x"]
    {
        let (status, headers, _) = ask(&town, Method::GET, "/", nonsense).await;
        assert_eq!((status, pinned(&headers).is_some()), (200, true), "{nonsense}");
    }
    in_time(town.slots[1].kill(Death::Crash, |_| ())).await.expect("the port stays ours");
    let (status, headers, _) = ask(&town, Method::GET, "/", "server=server-2").await;
    assert_eq!((status, pinned(&headers).as_deref()), (200, Some("server-1")), "it is dead, though believed up");
}

#[tokio::test]
async fn a_cookie_with_a_limited_life_ends() {
    let mut scenario = scenario(0);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::For(Span::from_secs(3_600)));
    let town = Town::open(&scenario);
    let (_, headers, _) = ask(&town, Method::GET, "/", "").await;
    let cookie = pinned(&headers).expect("a cookie");
    assert!(cookie.starts_with("server-1@"), "{cookie}");
    assert_eq!(pinned(&ask(&town, Method::GET, "/", &format!("server={cookie}")).await.1), None);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::For(Span::from_nanos(1)));
    let town = Town::open(&scenario);
    assert!(pinned(&ask(&town, Method::GET, "/", "server=server-1@0").await.1).is_some(), "it is over");
}

#[tokio::test]
async fn a_server_that_is_believed_down_or_drains() {
    let mut scenario = scenario(0);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    for (state, when_down, bound, others) in [
        (ServerState::Down, PinnedDown::Redispatch, (200, Some("server-2")), "server-2"),
        (ServerState::Down, PinnedDown::Fail, (503, None), "server-2"),
        (ServerState::Draining, PinnedDown::Redispatch, (200, None), "server-2"),
    ] {
        scenario.balancer.pinned_down = when_down;
        let town = Town::open(&scenario);
        town.balancer.routing().with_pool(|pool| pool.view.believe(ServerId(0), state));
        let (status, headers, _) = ask(&town, Method::GET, "/", "server=server-1").await;
        assert_eq!((status, pinned(&headers).as_deref()), bound, "{state:?}, {when_down:?}");
        for _ in 0..3 {
            assert_eq!(pinned(&ask(&town, Method::GET, "/", "").await.1).as_deref(), Some(others));
        }
    }
    let town = Town::open(&scenario);
    for server in [ServerId(0), ServerId(1)] {
        town.balancer.routing().with_pool(|pool| pool.view.believe(server, ServerState::Down));
    }
    assert_eq!(ask(&town, Method::GET, "/", "").await.2, r#"{"error":"no server","code":"no-server"}"#);
}

#[tokio::test]
async fn fields_for_one_connection_go_no_further() {
    let (town, heard) = mixed(&scenario(0), &[Some(Rogue::Nonsense)]).await;
    let request = Request::get("/").header(CONNECTION, "x-mine").header("x-mine", "1").header("x-theirs", "2");
    let response = in_time(town.balancer.handle(request.body(Bytes::new()).expect("a request"))).await;
    assert_eq!(response.headers()[VIA], "1.1 whatcart");
    let got = heard[0].lock().expect("not poisoned")[0].to_lowercase();
    assert!(got.contains("x-theirs: 2") && got.contains("via: 1.1 whatcart"), "{got}");
    assert!(!got.contains("x-mine") && !got.contains("connection:"), "{got}");
}

/// A connection is reused, and replaced if its server has closed it. One user of four servers has a connection to each.
#[tokio::test]
async fn lines_are_kept() {
    let mut scenario = scenario(20);
    scenario.users.count = Some(Whole::of(1));
    scenario.servers.count = Whole::of(4);
    let town = Town::open(&scenario);
    for _ in 0..12 {
        assert_eq!(ask(&town, Method::GET, "/", "").await.0, 200);
    }
    assert_eq!(town.balancer.connections_opened(), 4);
    for (i, slot) in (0..).zip(&town.slots) {
        in_time(slot.kill(Death::Crash, |_| ())).await.expect("the port stays ours");
        slot.revive(crate::base::ProcessId(10 + i)).expect("the port is still ours");
    }
    for _ in 0..8 {
        assert_eq!(ask(&town, Method::POST, "/login", "").await.0, 200, "nothing was sent over a dead line");
    }
    assert_eq!(town.balancer.connections_opened(), 8);
}

/// A server that vanishes takes its idle connections with it. Later requests then wait for a connection, as in a
/// simulation, and not for an answer.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn nothing_is_sent_to_a_server_that_has_vanished() {
    let mut scenario = scenario(0);
    scenario.balancer.connect_timeout = Time::of(Span::from_millis(100));
    let town = Town::open(&scenario);
    for _ in 0..4 {
        assert_eq!(ask(&town, Method::POST, "/login", "").await.0, 200);
    }
    in_time(town.slots[0].kill(Death::Vanish, |_| ())).await.expect("the port stays ours");
    let process = town.slots[0].running();
    assert!(process.is_none());
    for _ in 0..4 {
        assert_eq!(ask(&town, Method::GET, "/", "").await.0, 200);
    }
}

/// Counts of requests in flight return to zero, even when users give up.
#[tokio::test]
async fn nothing_stays_in_flight() {
    let (town, _) = mixed(&scenario(0), &[Some(Rogue::Silent), None]).await;
    let in_flight = || town.balancer.routing().with_pool(|pool| pool.view.in_flight.clone());
    let given_up = Request::get("/").body(Bytes::new()).expect("a request");
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(100), town.balancer.handle(given_up));
    assert!(waiting.await.is_err(), "the first server is silent");
    assert_eq!(ask(&town, Method::GET, "/", "").await.0, 200);
    until("all are done", || in_flight() == [0, 0]).await;
}

/// After five failures in a row a server is ejected for a while; health checks do not notice.
#[tokio::test]
async fn a_server_that_fails_is_ejected() {
    let mut scenario = scenario(0);
    let ejection = Time::of(Span::from_millis(300));
    scenario.balancer.outlier = Some(Outlier { ejection, always_one: true, ..Outlier::default() });
    let town = Town::open(&scenario);
    town.slots[0].failing.store(Share::ALL, std::sync::atomic::Ordering::Relaxed);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(ask(&town, Method::GET, "/", "").await.0);
    }
    assert_eq!(statuses, [500, 200, 500, 200, 500, 200, 500, 200, 500, 200, 200, 200]);
    assert_eq!(events(&town, |what| matches!(what, EventKind::Pool(PoolEvent::Ejected { .. }))), 1);
    assert_eq!(Curl::default().ask(town.door(0), "GET /health", "").await.0, 200);
    town.slots[0].failing.store(0, std::sync::atomic::Ordering::Relaxed);
    let eligible = || town.balancer.routing().with_pool(|pool| pool.view.eligible[0]);
    assert!(!eligible());
    until("it is tried again", eligible).await;
    assert_eq!(ask(&town, Method::GET, "/", "").await.0, 200);
}

/// The balancer stops waiting for a silent server. A request that must not be sent twice gets a 504.
#[tokio::test]
async fn an_overdue_answer_is_asked_for_elsewhere() {
    let mut scenario = scenario(0);
    scenario.balancer.answer_timeout = Some(Time::of(Span::from_millis(100)));
    let (town, heard) = mixed(&scenario, &[Some(Rogue::Silent), None]).await;
    assert_eq!(ask(&town, Method::GET, "/", "").await.0, 200);
    assert_eq!(ask(&town, Method::POST, "/login", "").await.0, 504);
    assert_eq!(heard[0].lock().expect("not poisoned").len(), 2);
    scenario.balancer.retry_budget = Some(Share::of_thousand(0));
    let (town, _) = mixed(&scenario, &[Some(Rogue::Silent); 4]).await;
    assert_eq!(ask(&town, Method::GET, "/", "").await.0, 504, "three retries are always allowed, and all are in vain");
    until("all are done", || town.balancer.routing().with_pool(|pool| pool.view.in_flight == [0; 4])).await;
}

/// A server is down after three failed checks and up after two good ones; one that accepts connections but never
/// answers is down too.
#[tokio::test]
async fn health_checks_find_out_who_is_alive() {
    let mut scenario = scenario(0);
    let millis = |n| Time::of(Span::from_millis(n));
    (scenario.balancer.health.interval, scenario.balancer.health.timeout) = (millis(20), millis(20));
    let (town, _) = mixed(&scenario, &[None, Some(Rogue::Silent)]).await;
    let routing = town.balancer.routing();
    let rules = HealthRules::new(&scenario.balancer.health);
    for (i, door) in [(0, town.slots[2].address), (1, rogue(Rogue::Silent).await.0)] {
        let known = (town.clock, std::sync::Arc::clone(&town.log));
        tokio::spawn(health::watch(ServerId(i), door, rules, std::sync::Arc::clone(routing), known));
    }
    let up = || routing.with_pool(|pool| pool.view.eligible.clone());
    assert_eq!(up(), [true, true], "as HAProxy begins");
    until("the silent one is found out", || up() == [true, false]).await;
    in_time(town.slots[2].kill(Death::Crash, |_| ())).await.expect("the port stays ours");
    until("the dead one is found out", || up() == [false, false]).await;
    town.slots[2].revive(crate::base::ProcessId(9)).expect("the port is still ours");
    until("it is back", || up() == [true, false]).await;
    assert_eq!(Curl::default().ask(town.slots[2].address, "GET /health", "").await.0, 200);
}
