//! Bugs with several requests in flight: what is in doubt is forgiven, and nothing else.

use whatcart::base::time::Instant;
use whatcart::base::{ClientId, Command, Outcome, UserId, Visit};
use whatcart::history::{Ending, Event, EventKind, Request, Seen};
use whatcart::judging::checker::Finding;

use super::{CHECKOUT, DONE, INTACT, VIEW, WRONG, add, charges, lost, remove, shows};
use crate::oracle::{agree, streaming};

fn request(step: u16, command: Command) -> Request {
    Request { step, attempt: 0, command }
}

fn sent(step: u16, command: Command) -> Seen {
    Seen::Sent(request(step, command))
}

fn told(step: u16, command: Command, outcome: Outcome) -> Seen {
    let at = Instant::ZERO;
    Seen::Told { request: request(step, command), sent: at, meant: at, outcome, settled: true }
}

/// The findings in a visit with these events after the first add.
fn findings(story: &[Seen]) -> Vec<Finding> {
    let visit = Visit { user: UserId(1), client: ClientId(0), number: 1 };
    let whole = [&[Seen::Began], story, &[Seen::Left(Ending::Finished)]].concat();
    let events: Vec<Event> =
        whole.into_iter().map(|seen| Event { at: Instant::ZERO, what: EventKind::Seen(visit, seen) }).collect();
    assert_eq!(agree(&events), Ok(()));
    let found = streaming(&events).findings[&visit].clone();
    assert_eq!(found[0], Finding::Opened);
    found[1..].to_vec()
}

/// Two concurrent adds are both acknowledged, but the second overwrote the first.
#[test]
fn a_lost_update_is_found() {
    let story = |charged: &[u8]| {
        findings(&[
            sent(0, add(1)),
            sent(1, add(2)),
            told(0, add(1), DONE),
            told(1, add(2), DONE),
            sent(2, CHECKOUT),
            told(2, CHECKOUT, charges(charged)),
        ])
    };
    assert_eq!(story(&[1, 2]), [INTACT]);
    assert_eq!(story(&[2]), [lost(&[1])]);
}

/// An acknowledged item disappears while a request about it is in flight. A remove may have taken it; a second add
/// cannot have.
#[test]
fn an_add_in_flight_excuses_no_loss() {
    let story = |in_flight| {
        findings(&[
            sent(0, add(1)),
            told(0, add(1), DONE),
            sent(1, in_flight),
            sent(2, VIEW),
            told(2, VIEW, shows(&[])),
            sent(3, CHECKOUT),
            told(3, CHECKOUT, charges(&[])),
        ])
    };
    assert_eq!(story(remove(1)), [INTACT]);
    assert_eq!(story(add(1)), [WRONG, lost(&[1])]);
}
