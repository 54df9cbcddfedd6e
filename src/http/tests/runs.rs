//! Whole runs: what the balancer, the servers and the operator do together.

use crate::base::UserId;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::history::{Event, EventKind, PoolEvent};
use crate::http::{self, Options, Played};
use crate::scenario::{Scenario, load};

fn played(scenario: &Scenario, speed: f64) -> Played {
    let options =
        Options { speed, favourite: UserId(42), interrupt: &false.into(), progress: &|_| (), started: &|_| () };
    http::play(scenario, Seed(1), &options).unwrap_or_else(|failure| panic!("{failure}"))
}

fn scenario(text: &str) -> Scenario {
    load("test", "test.toml", text, &[], &[]).unwrap_or_else(|error| panic!("{error:?}")).base
}

/// When processes were stopped.
fn stops(played: &Played) -> Vec<Instant> {
    let stopped = |event: &&Event| matches!(event.what, EventKind::Pool(PoolEvent::Stopped { .. }));
    played.tape.iter().filter(stopped).map(|event| event.at).collect()
}

/// A process that nobody reaches is ended by a deploy like any other, and another takes its place.
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
    let played = played(&scenario, 4.0);
    assert_eq!(stops(&played).len(), 2);
    let finished = |event: &Event| matches!(event.what, EventKind::Pool(PoolEvent::Finished { fault: 1 }));
    assert!(played.tape.iter().any(finished), "both are new and ready");
}

/// Where cookies bind users, they are counted once a second in both engines: a server that is drained is stopped then.
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
    let stops = stops(&played(&scenario, 2.0));
    assert_eq!(stops.len(), 5);
    let second = Span::from_secs(1).as_nanos();
    let late = stops.iter().map(|at| at.since_start().as_nanos() % second).max().expect("some");
    assert!(late < second / 3, "{stops:?}");
}
