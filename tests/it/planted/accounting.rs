//! Planted accounting errors: the figures of a run that does not add up are never shown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use whatcart::base::time::Instant;
use whatcart::base::{Outcome, Reply, UserId};
use whatcart::history::{Event, EventKind, Recorder, Seen};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, Moment, figures};

use super::{CHECKOUT, answer, charges, honest, places, play, told, victim};

/// The figures of a changed history, or the message of the assertion that failed.
fn account(events: &[Event], in_flight: u64) -> Result<Figures, String> {
    let scenario = honest();
    let mut observer = Observer::new(&scenario, None, UserId(1));
    for event in events {
        observer.record(event);
    }
    let moment = Moment { now: events.last().map_or(Instant::ZERO, |event| event.at), awaited: in_flight };
    catch_unwind(AssertUnwindSafe(|| figures(&observer, &scenario, moment, &[])))
        .map_err(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
}

fn refuses(events: &[Event], in_flight: u64, says: &str) {
    match account(events, in_flight) {
        Ok(figures) => panic!("these figures do not add up: {figures:#?}"),
        Err(why) => assert!(why.contains(says), "it should say that {says}: {why}"),
    }
}

#[test]
fn an_honest_account_adds_up() {
    let figures = account(&play(&honest()), 0).expect("it adds up");
    assert_eq!(figures.carts.opened, figures.carts.intact);
    assert_eq!(figures.requests.sent, figures.requests.ok + figures.requests.refused);
}

#[test]
fn an_answer_that_is_not_recorded_is_missed() {
    let mut events = play(&honest());
    let visit = victim(&events);
    events.remove(places(&events, visit, told(whatcart::base::Command::Browse))[0]);
    refuses(&events, 0, "requests sent are the sum of their outcomes");
}

#[test]
fn an_answer_that_is_recorded_twice_is_noticed() {
    let mut events = play(&honest());
    let visit = victim(&events);
    let at = places(&events, visit, told(whatcart::base::Command::Browse))[0];
    events.insert(at, events[at]);
    refuses(&events, 0, "requests sent are the sum of their outcomes");
}

#[test]
fn a_request_in_flight_that_is_not_there_is_noticed() {
    refuses(&play(&honest()), 1, "requests sent are the sum of their outcomes");
}

/// A checkout without an answer, and a visit that never ends although its tab begins the next one.
#[test]
fn a_cart_that_never_ends_is_missed() {
    let mut events = play(&honest());
    let visit = victim(&events);
    events.remove(places(&events, visit, |seen| matches!(seen, Seen::Left(_)))[0]);
    let cart_has_ended = account(&events, 0).expect("the cart had ended");
    assert_eq!(cart_has_ended.visits.open, 1);
    events.remove(places(&events, visit, told(CHECKOUT))[0]);
    refuses(&events, 1, "carts opened are the sum of their outcomes");
}

#[test]
fn a_loss_without_evidence_is_a_defect() {
    let mut events = play(&honest());
    answer(&mut events, CHECKOUT, 0, charges(&[1]));
    refuses(&events, 0, "every loss has a cause");
}

/// With evidence it is a loss like any other.
#[test]
fn a_loss_with_evidence_is_explained() {
    use whatcart::history::{Evidence, Inside};
    let mut events = play(&honest());
    let visit = victim(&events);
    answer(&mut events, CHECKOUT, 0, charges(&[1]));
    let elsewhere = crate::support::items(&[3]);
    for event in &mut events {
        if let EventKind::Inside(of, Inside::Served(served)) = &mut event.what
            && *of == visit
            && served.request.command == CHECKOUT
        {
            served.evidence = Evidence { elsewhere, ..Evidence::default() };
        }
    }
    let figures = account(&events, 0).expect("it adds up");
    assert_eq!((figures.carts.lost, figures.lost_by.split), (1, 1));
    let charged = |seen: &Seen| matches!(seen, Seen::Told { outcome: Outcome::Ok(Reply::Charged(_)), .. });
    assert_eq!(places(&events, visit, charged).len(), 1);
}
