//! Users of servers that misbehave: every outcome is counted, and nothing hangs.

use std::sync::Arc;

use super::support::{Rogue, Town, in_time, rogue, scenario};
use crate::base::time::Span;
use crate::base::{Step, UserId};
use crate::http::failure::Failure;
use crate::http::load_generator::{self, LoadGenerator};
use crate::judging::observer::Observer;
use crate::results::{Figures, Moment, figures};
use crate::scenario::{Dist, Scenario, Time, Whole};

/// Ten users with one visit each, a timeout of 100 ms and two attempts.
fn hurried() -> Scenario {
    let millis = |n| Time::of(Span::from_millis(n));
    let mut scenario = scenario(0);
    scenario.servers.count = Whole::of(1);
    scenario.users.count = Some(Whole::of(10));
    scenario.users.journey = vec![Step::Add, Step::View, Step::Checkout].into();
    scenario.users.think = Dist::Constant(Time::of(Span::from_millis(600)));
    scenario.users.ramp = Some(millis(100));
    scenario.users.patience = Whole::of(1);
    scenario.users.pause = millis(10);
    scenario.users.timeout = Time::of(Span::from_millis(100));
    scenario.duration = Time::of(Span::from_secs(1));
    scenario
}

/// What happens to them at a server of this kind.
async fn met(how: Option<Rogue>) -> (Result<(), Failure>, Figures) {
    let scenario = hurried();
    let mut town = match how {
        None => Town::open(&scenario),
        Some(how) => Town::with(&scenario, &[rogue(how).await.0]),
    };
    let (workload, balancer) = (Arc::clone(&town.workload), Arc::clone(&town.balancer));
    let known = (town.clock, Arc::clone(&town.log));
    let users = LoadGenerator::new(&scenario, workload, balancer, Vec::new(), known, town.alarm.clone());
    let load_generator = Arc::new(users);
    let came = in_time(load_generator::come(load_generator)).await;
    let told = town.failures.try_recv().map_or(came, Err);
    let (_, awaited) = town.log.close();
    let mut observer = Observer::new(&scenario, None, UserId(42));
    town.log.tell(&mut observer);
    (told, figures(&observer, &scenario, Moment { now: scenario.closes(), awaited }, &[]))
}

#[tokio::test]
async fn an_honest_server_serves_them_all() {
    let (told, figures) = met(None).await;
    assert_eq!(told, Ok(()));
    assert_eq!((figures.carts.opened, figures.carts.intact, figures.requests.ok), (10, 10, 30));
}

#[tokio::test]
async fn one_that_accepts_and_never_answers() {
    let (told, figures) = met(Some(Rogue::Silent)).await;
    assert_eq!(told, Ok(()));
    assert_eq!((figures.requests.sent, figures.requests.timed_out), (20, 20));
    assert_eq!((figures.carts.opened, figures.carts.abandoned), (10, 10), "given up, and not lost");
}

/// Nobody can know whether the request had an effect: it is neither lost nor refused, but failed.
#[tokio::test]
async fn ones_that_break_off_or_talk_nonsense() {
    for how in [Rogue::CutsOff, Rogue::CutsBody] {
        let (told, figures) = met(Some(how)).await;
        assert_eq!(told, Ok(()), "{how:?}");
        assert_eq!((figures.requests.sent, figures.requests.failed), (20, 20), "{how:?}");
        assert_eq!((figures.carts.abandoned, figures.carts.lost), (10, 0), "{how:?}");
    }
    let (told, figures) = met(Some(Rogue::Nonsense)).await;
    assert_eq!(told, Ok(()));
    assert_eq!((figures.requests.failed, figures.carts.lost), (20, 0));
}

/// An answer that none of our servers gives is a defect, not an outcome.
#[tokio::test]
async fn one_that_says_what_cannot_be() {
    let (told, _) = met(Some(Rogue::Teapot)).await;
    assert!(matches!(&told, Err(Failure::Defect(what)) if what.contains("418")), "{told:?}");
}
