//! Bugs outside of carts: files that are lost, pages that go back in time, limits that are not enforced.

use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Command, File, Items, Outcome, Refusal, Reply, UserId, Visit};
use whatcart::history::{Event, EventKind, PoolEvent, Request, Seen};
use whatcart::judging::checker::{Allowance, Checker, Finding};

use crate::oracle::{agree, streaming};

const USER: UserId = UserId(1);
const OK: Outcome = Outcome::Ok(Reply::Done);

fn file(number: u8) -> File {
    File::new(number).expect("in range")
}

fn page(version: u32) -> Outcome {
    Outcome::Ok(Reply::Page(version))
}

/// A history of one user with these visits, each in its own tab: what was asked and answered, in this order. A request
/// is answered before the next one is sent.
fn story(steps: &[(u32, Command, Outcome)]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut now = Instant::ZERO;
    let mut see = |visit, seen| {
        now = now + Span::from_millis(100);
        events.push(Event { at: now, what: EventKind::Seen(visit, seen) });
        now
    };
    let visit = |client| Visit { user: USER, client: ClientId(client), number: 1 };
    for client in 0..2 {
        see(visit(client), Seen::Began);
    }
    for (step, (client, command, outcome)) in (0u16..).zip(steps) {
        let request = Request { step, attempt: 0, command: *command };
        let sent = see(visit(*client), Seen::Sent(request));
        see(visit(*client), Seen::Told { request, sent, meant: sent, outcome: *outcome, settled: true });
    }
    events
}

fn audit(found: Items) -> Event {
    Event { at: Instant::ZERO + Span::from_secs(60), what: EventKind::Pool(PoolEvent::Audited { user: USER, found }) }
}

fn findings(events: &[Event]) -> Vec<Finding> {
    assert_eq!(agree(events), Ok(()));
    streaming(events).findings.into_values().flatten().collect()
}

#[test]
fn a_file_that_is_not_there_when_it_is_asked_for() {
    let fetched = |outcome| {
        let steps = [(0, Command::Upload(file(1)), OK), (1, Command::Download(file(1)), outcome)];
        let mut events = story(&steps);
        events.push(audit(Items::of(file(1).place())));
        (findings(&events), streaming(&events).counts)
    };
    let (found, counts) = fetched(OK);
    assert_eq!((found, counts.files.missing, counts.users_hurt), (vec![], 0, 0));
    let (found, counts) = fetched(Outcome::Refused(Refusal::NotFound));
    assert_eq!((found, counts.files.missing, counts.users_hurt), (vec![Finding::MissingFile], 1, 1));
    assert_eq!((counts.files.missing_downloads, counts.files.destroyed), (1, 0), "it is there in the end");
}

#[test]
fn a_file_that_is_gone_in_the_end() {
    let kept = |outcome, found| {
        let mut events = story(&[(0, Command::Upload(file(2)), outcome)]);
        events.push(audit(found));
        let counts = streaming(&events).counts;
        assert_eq!(agree(&events), Ok(()));
        (counts.files.destroyed, counts.files.missing, counts.users_hurt)
    };
    let there = Items::of(file(2).place());
    assert_eq!(kept(OK, there), (0, 0, 0));
    assert_eq!(kept(OK, Items::NONE), (1, 1, 1));
    assert_eq!(kept(Outcome::TimedOut, Items::NONE), (0, 0, 0), "nobody was told that it is there");
    assert_eq!(kept(Outcome::TimedOut, there), (0, 0, 0));
}

#[test]
fn a_page_that_is_older_than_one_seen_before() {
    let pages = |versions: &[(u32, u32)]| {
        let steps: Vec<_> =
            versions.iter().map(|(client, version)| (*client, Command::Browse, page(*version))).collect();
        findings(&story(&steps))
    };
    assert_eq!(pages(&[(0, 3), (0, 3), (1, 4)]), []);
    assert_eq!(pages(&[(0, 3), (0, 2)]), [Finding::StalePage]);
    assert_eq!(pages(&[(0, 3), (1, 2), (0, 2)]), [Finding::StalePage, Finding::StalePage], "in any tab");
}

/// The older page was requested before the newer one arrived, so the user has not gone back in time.
#[test]
fn pages_that_cross_each_other() {
    let mut events = story(&[(0, Command::Browse, page(3)), (1, Command::Browse, page(2))]);
    let sent = events.remove(4);
    events.insert(2, sent);
    assert_eq!(findings(&events), []);
}

#[test]
fn a_form_that_is_refused() {
    let steps = [(0, Command::Browse, OK), (0, Command::Checkout, Outcome::Refused(Refusal::Forbidden))];
    let events = story(&steps);
    assert_eq!(findings(&events), [Finding::Forbidden]);
    assert_eq!(streaming(&events).counts.users_hurt, 1);
}

#[test]
fn more_than_one_limiter_would_allow() {
    let steps = [(0, Command::Browse, OK); 9];
    let over = |outcomes: [Outcome; 9], limit| {
        let steps: Vec<_> = steps.iter().zip(outcomes).map(|((client, what, _), how)| (*client, *what, how)).collect();
        let allowance = Allowance { limit, window_nanos: 1_000_000_000, longest_nanos: 15_000_000_000 };
        let mut checker = Checker::of_hidden_state(Some(allowance));
        for event in story(&steps) {
            let EventKind::Seen(visit, seen) = event.what else { unreachable!("all of it is seen") };
            checker.observe(visit, &seen);
        }
        checker.counts().hidden.over_limit
    };
    // Sent at 0.3, 0.5, 0.7 and 0.9 s, and so on: four, then five.
    assert_eq!([4, 3, 2, 1].map(|limit| over([OK; 9], limit)), [1, 3, 5, 7]);
    let mut refused = [OK; 9];
    refused[1..4].fill(Outcome::Refused(Refusal::TooMany));
    assert_eq!(over(refused, 1), 4);
}
