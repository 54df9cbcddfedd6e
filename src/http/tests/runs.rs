//! Whole runs: what the balancer, the servers and the operator do together.

use crate::base::Outcome;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::history::{Event, EventKind, PoolEvent, Seen};
use crate::http::{self, Options, Played};
use crate::scenario::{Dist, Scenario, Time, Whole, load};

fn played(scenario: &Scenario, speed: f64) -> (Played, Vec<Event>) {
    let options = Options { speed, interrupt: &false.into(), progress: &|_| (), for_guests: false, started: &|_| () };
    let mut tape = Vec::new();
    let played = http::play(scenario, Seed(1), &options, &mut tape).unwrap_or_else(|failure| panic!("{failure}"));
    (played, tape)
}

fn scenario(text: &str) -> Scenario {
    load("test", "test.toml", text, &[], &[]).unwrap_or_else(|error| panic!("{error:?}")).base
}

/// Users without think time keep all servers busy. A connection is opened only when a server has more requests in
/// flight than ever before.
#[test]
fn a_run_opens_next_to_no_connections() {
    const USERS: u64 = 24;
    const SERVERS: u64 = 4;
    let nothing = Dist::Constant(Time::of(Span::ZERO));
    let mut scenario = Scenario::house();
    scenario.duration = Time::of(Span::from_secs(2));
    scenario.users.count = Some(Whole::of(USERS));
    scenario.users.think = nothing;
    scenario.users.ramp = Some(Time::of(Span::ZERO));
    scenario.servers.count = Whole::of(SERVERS);
    scenario.servers.service = nothing;
    scenario.store.latency = nothing;
    let (played, tape) = played(&scenario, 1.0);
    let answered =
        |event: &&Event| matches!(event.what, EventKind::Seen(_, Seen::Told { outcome: Outcome::Ok(_), .. }));
    let requests = tape.iter().filter(answered).count();
    assert!(requests > 2_000, "{requests} requests");
    let (opened, most) = (played.connections, USERS * SERVERS);
    assert!((SERVERS..=most).contains(&opened), "{opened} connections for {requests} requests");
}

/// When processes were stopped.
fn stops(tape: &[Event]) -> Vec<Instant> {
    let stopped = |event: &&Event| matches!(event.what, EventKind::Pool(PoolEvent::Stopped { .. }));
    tape.iter().filter(stopped).map(|event| event.at).collect()
}

/// A deploy replaces an isolated process like any other.
#[test]
fn a_deploy_replaces_a_server_that_is_cut_off() {
    let scenario = scenario(
        r#"
title = "A deploy while a server is cut off"
duration = "10s"
users = { count = 6, think = { constant = "300ms" } }
servers = { count = 2, service = { constant = "10ms" }, boot = "500ms" }
balancer = { health = { interval = "300ms", timeout = "300ms" } }

[[faults]]
at = "1s"
isolate = "server-1"

[[faults]]
at = "3s"
deploy = { strategy = "rolling" }
"#,
    );
    let (_, tape) = played(&scenario, 4.0);
    assert_eq!(stops(&tape).len(), 2);
    let finished = |event: &Event| matches!(event.what, EventKind::Pool(PoolEvent::Finished { fault: 1 }));
    assert!(tape.iter().any(finished), "both are new and ready");
}

/// When cookies bind users, both engines count them once a second; a drained server is stopped at such a count.
#[test]
fn drained_servers_are_looked_at_when_the_operator_says() {
    let scenario = scenario(
        r#"
title = "A smaller pool"
duration = "12s"
users = { count = 24, journey = ["browse", "add", "add", "checkout"], think = { exponential = "700ms" } }
servers = { count = 6, service = { constant = "10ms" } }
balancer = { affinity = { cookie = "visit" } }

[[faults]]
at = "2s"
scale = { to = 1, drain = "9s" }
"#,
    );
    let (_, tape) = played(&scenario, 2.0);
    let stops = stops(&tape);
    assert_eq!(stops.len(), 5);
    let second = Span::from_secs(1).as_nanos();
    let late = stops.iter().map(|at| at.since_start().as_nanos() % second).max().expect("some");
    assert!(late < second / 3, "{stops:?}");
}

/// A server that is told to stop refuses connections until the balancer learns of it, and finishes what it has. If it
/// waits for the balancer first, nothing fails.
#[test]
fn requests_are_refused_until_the_balancer_learns() {
    let failures = |pre_stop: &str| {
        let text = r#"
title = "The balancer learns late"
duration = "7s"
users = { count = 20, journey = ["browse"], patience = 0, think = { constant = "100ms" } }
servers = { count = 3, service = { constant = "40ms" } }
balancer = { retries = 0, health = { interval = "6s", timeout = "6s" } }
homes = { cart = "shared-store", session = "signed-token" }

[[faults]]
at = "1s"
scale = { to = 2, drain = { timeout = "5s", for = "requests", pre_stop = "PRE_STOP", learns_after = "2s" } }
"#;
        let (_, tape) = played(&scenario(&text.replace("PRE_STOP", pre_stop)), 1.0);
        let cut = |event: &Event| matches!(event.what, EventKind::Pool(PoolEvent::Stopped { cut_requests: 1.., .. }));
        assert!(stops(&tape).len() == 1 && !tape.iter().any(cut), "it ends, and cuts nothing off");
        let told = |event: &&Event| matches!(event.what, EventKind::Seen(_, Seen::Told { .. }));
        let answered =
            |event: &&Event| matches!(event.what, EventKind::Seen(_, Seen::Told { outcome: Outcome::Ok(_), .. }));
        let failed = |event: &&Event| told(event) && !answered(event);
        tape.iter().filter(failed).map(|event| event.at).collect::<Vec<_>>()
    };
    let late = failures("500ms");
    let at = |ms| Instant::ZERO + Span::from_millis(ms);
    assert!(late.len() > 10 && late.iter().all(|failed| (at(1_500)..at(3_300)).contains(failed)), "{late:?}");
    assert_eq!(failures("3s"), []);
}
