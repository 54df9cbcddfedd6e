//! Planted bugs: a correct run is sabotaged in one small way, and the checker must say exactly what is wrong.
//!
//! The correct run is a real simulation with carts in a shared store. One of its visits is changed to what its user
//! would have seen of a buggy shop or balancer.

mod accounting;
mod beside_carts;
mod in_flight;

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Items, Outcome, Refusal, Reply, Step, UserId, Visit};
use whatcart::history::{Event, EventKind, Request, Seen};
use whatcart::judging::checker::{CartVerdict, Finding};
use whatcart::scenario::{CartHome, Scenario, SessionHome, Whole};
use whatcart::sim::Sim;

use crate::oracle::{agree, streaming};
use crate::support::naive::Judgement;
use crate::support::worlds::{end, time};
use crate::support::{item, items, told_as_lines};

/// Two items are added, the second is removed, and a third is added; then a view, the checkout, another view, a forged
/// session, the logout, and a replay of the session after it.
fn honest() -> Scenario {
    use Step::{Add, Browse, Checkout, ForgeSession, Login, Logout, Remove, ReplayToken, View};
    let mut scenario = Scenario::house();
    scenario.duration = time(60_000);
    scenario.users.count = Some(Whole::of(5));
    scenario.users.journey =
        vec![Login, Browse, Add, Add, Remove, Add, View, Checkout, View, ForgeSession, Logout, ReplayToken].into();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.homes.session = SessionHome::SharedStore;
    scenario
}

fn play(scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    Sim::new(scenario, Seed(1)).advance(end(scenario), &mut events);
    events
}

/// The visit that is changed.
fn victim(events: &[Event]) -> Visit {
    let finished = |event: &Event| match event.what {
        EventKind::Seen(visit, Seen::Left(_)) if visit.user == UserId(3) => Some(visit),
        _ => None,
    };
    events.iter().find_map(finished).expect("user 3 finishes a visit")
}

/// The positions of some of the victim's events.
fn places(events: &[Event], visit: Visit, wanted: impl Fn(&Seen) -> bool) -> Vec<usize> {
    let is = |event: &Event| matches!(&event.what, EventKind::Seen(of, seen) if *of == visit && wanted(seen));
    (0..events.len()).filter(|i| is(&events[*i])).collect()
}

const VIEW: Command = Command::View;
const CHECKOUT: Command = Command::Checkout;

fn add(n: u8) -> Command {
    Command::Add(item(n))
}

fn remove(n: u8) -> Command {
    Command::Remove(item(n))
}

fn shows(numbers: &[u8]) -> Outcome {
    Outcome::Ok(Reply::Cart(items(numbers)))
}

fn charges(numbers: &[u8]) -> Outcome {
    Outcome::Ok(Reply::Charged(items(numbers)))
}

const DONE: Outcome = Outcome::Ok(Reply::Done);
const REFUSED: Outcome = Outcome::Refused(Refusal::QueueFull);

/// Replaces the victim's n-th answer to a command.
fn answer(events: &mut [Event], command: Command, n: usize, with: Outcome) {
    let visit = victim(events);
    let at = places(events, visit, |seen| matches!(seen, Seen::Told { request, .. } if request.command == command))[n];
    let EventKind::Seen(_, Seen::Told { outcome, .. }) = &mut events[at].what else { unreachable!("just found") };
    *outcome = with;
}

/// Inserts an event after one of the victim's events.
fn slip_in(events: &mut Vec<Event>, after: impl Fn(&Seen) -> bool, seen: Seen) {
    let visit = victim(events);
    let at = places(events, visit, after)[0];
    let event = Event { at: events[at].at, what: EventKind::Seen(visit, seen) };
    events.insert(at + 1, event);
}

fn told(command: Command) -> impl Fn(&Seen) -> bool {
    move |seen| matches!(seen, Seen::Told { request, .. } if request.command == command)
}

/// Repeats a command of the victim after its first answer, with this outcome.
fn again(events: &mut Vec<Event>, command: Command, attempt: u16, outcome: Outcome) {
    let request = Request { step: 60, attempt, command };
    let sent = whatcart::base::time::Instant::ZERO;
    let last = move |seen: &Seen| match seen {
        Seen::Told { request, .. } if attempt == 1 => request.command == command,
        Seen::Told { request, .. } => request.command == command && request.attempt + 1 == attempt,
        _ => false,
    };
    slip_in(events, last, Seen::Told { request, sent, meant: sent, outcome, settled: true });
    slip_in(events, last, Seen::Sent(request));
}

/// The expected result: the victim's findings, and the counts that are not findings.
struct Bug {
    name: &'static str,
    plant: fn(&mut Vec<Event>),
    victim: fn() -> Vec<Finding>,
    ghosts: u64,
    double_charges: u64,
}

fn lost(numbers: &[u8]) -> Finding {
    Finding::Cart(CartVerdict::Lost(items(numbers)))
}

fn overcharged(numbers: &[u8]) -> Finding {
    Finding::Cart(CartVerdict::Overcharged(items(numbers)))
}

const INTACT: Finding = Finding::Cart(CartVerdict::Intact);
const WRONG: Finding = Finding::WrongView;

/// A bug, the expected findings besides `Opened`, ghosts and double charges.
macro_rules! bug {
    ($name:literal, [$($found:expr),*], $ghosts:literal, $doubles:literal, $plant:expr) => {
        Bug {
            name: $name,
            plant: $plant,
            victim: || vec![$($found),*],
            ghosts: $ghosts,
            double_charges: $doubles,
        }
    };
}

/// Bugs in the contents of carts.
const CART_BUGS: &[Bug] = &[
    bug!("an acknowledged add is not stored", [WRONG, lost(&[1])], 0, 0, |e| {
        answer(e, VIEW, 0, shows(&[3]));
        answer(e, CHECKOUT, 0, charges(&[3]));
    }),
    bug!("the charge misses the last item", [lost(&[3])], 0, 0, |e| answer(e, CHECKOUT, 0, charges(&[1]))),
    bug!("checkout charges nothing", [lost(&[1, 3])], 0, 0, |e| answer(e, CHECKOUT, 0, charges(&[]))),
    bug!("an item that was never added is charged", [overcharged(&[7])], 0, 0, |e| {
        answer(e, CHECKOUT, 0, charges(&[1, 3, 7]));
    }),
    bug!("one item is missing and another one too many", [lost(&[3])], 0, 0, |e| {
        answer(e, CHECKOUT, 0, charges(&[1, 7]));
    }),
    bug!("a view shows another visit's item", [WRONG, INTACT], 0, 0, |e| answer(e, VIEW, 0, shows(&[1, 3, 9]))),
    bug!("a view misses the last acknowledged item", [WRONG, INTACT], 0, 0, |e| answer(e, VIEW, 0, shows(&[1]))),
    bug!("a view is empty", [WRONG, INTACT], 0, 0, |e| answer(e, VIEW, 0, shows(&[]))),
    bug!("a stale replica answers a view", [WRONG, INTACT], 1, 0, |e| answer(e, VIEW, 0, shows(&[1, 2]))),
    bug!("a removed item comes back in a view", [WRONG, INTACT], 1, 0, |e| {
        answer(e, VIEW, 0, shows(&[1, 2, 3]));
    }),
    bug!("a removed item is charged", [overcharged(&[2])], 1, 0, |e| answer(e, CHECKOUT, 0, charges(&[1, 2, 3]))),
    bug!("a remove is acknowledged and not done", [WRONG, overcharged(&[2])], 1, 0, |e| {
        answer(e, VIEW, 0, shows(&[1, 2, 3]));
        answer(e, CHECKOUT, 0, charges(&[1, 2, 3]));
    }),
    bug!("a bought item comes back", [INTACT, WRONG], 1, 0, |e| answer(e, VIEW, 1, shows(&[1]))),
    bug!("the whole cart comes back after checkout", [INTACT, WRONG], 2, 0, |e| answer(e, VIEW, 1, shows(&[1, 3]))),
    bug!("a refused add was done", [WRONG, overcharged(&[3])], 0, 0, |e| answer(e, add(3), 0, REFUSED)),
    bug!("a refused remove was done", [WRONG, lost(&[2])], 0, 0, |e| answer(e, remove(2), 0, REFUSED)),
    bug!("an unknown add is answered as if it were done, and dropped", [WRONG, lost(&[3])], 0, 0, |e| {
        answer(e, add(3), 0, Outcome::Failed);
        again(e, add(3), 1, DONE);
        answer(e, VIEW, 0, shows(&[1]));
        answer(e, CHECKOUT, 0, charges(&[1]));
    }),
    bug!("a refused checkout emptied the cart", [lost(&[1, 3])], 0, 0, |e| {
        answer(e, CHECKOUT, 0, REFUSED);
        again(e, CHECKOUT, 1, charges(&[]));
    }),
    bug!("another order's charge is repeated", [lost(&[1, 3])], 0, 0, |e| answer(e, CHECKOUT, 0, charges(&[4, 5]))),
];

/// Bugs in bills and sessions.
const OTHER_BUGS: &[Bug] = &[
    bug!("a checkout is billed twice", [INTACT], 0, 1, |e| {
        slip_in(e, |seen| matches!(seen, Seen::Billed(_)), Seen::Billed(items(&[1, 3])));
    }),
    bug!("a retried checkout is billed again", [INTACT], 0, 1, |e| {
        answer(e, CHECKOUT, 0, Outcome::TimedOut);
        again(e, CHECKOUT, 1, charges(&[1, 3]));
        slip_in(e, told(CHECKOUT), Seen::Billed(items(&[1, 3])));
    }),
    bug!("a refused checkout was billed", [INTACT], 0, 1, |e| {
        answer(e, CHECKOUT, 0, REFUSED);
        again(e, CHECKOUT, 1, charges(&[1, 3]));
        slip_in(e, told(CHECKOUT), Seen::Billed(items(&[1, 3])));
    }),
    bug!("a bill that comes three times is one double charge", [INTACT], 0, 1, |e| {
        for _ in 0..2 {
            slip_in(e, |seen| matches!(seen, Seen::Billed(_)), Seen::Billed(items(&[1, 3])));
        }
    }),
    bug!("a forged session is accepted", [INTACT, Finding::Impostor], 0, 0, |e| {
        answer(e, Command::ForgeSession, 0, DONE);
    }),
    bug!("a session outlives its logout", [INTACT, Finding::Zombie], 0, 0, |e| {
        answer(e, Command::ReplayToken, 0, DONE);
    }),
    bug!("401 for a user with a valid session", [Finding::LoggedOut, INTACT], 0, 0, |e| {
        answer(e, Command::Browse, 0, Outcome::Refused(Refusal::Unauthorized));
        again(e, Command::Browse, 1, DONE);
    }),
];

/// Changes that look bad but are not bugs.
const INNOCENT: &[Bug] = &[
    bug!("nothing at all", [INTACT], 0, 0, |_| {}),
    bug!("an unknown add that was not done", [INTACT], 0, 0, |e| {
        answer(e, add(3), 0, Outcome::TimedOut);
        answer(e, VIEW, 0, shows(&[1]));
        answer(e, CHECKOUT, 0, charges(&[1]));
    }),
    bug!("an unknown add that was done late", [INTACT], 0, 0, |e| {
        answer(e, add(3), 0, Outcome::TimedOut);
        answer(e, VIEW, 0, shows(&[1]));
    }),
    bug!("an unknown remove that was not done", [INTACT], 0, 0, |e| {
        answer(e, remove(2), 0, Outcome::Failed);
        answer(e, VIEW, 0, shows(&[1, 2, 3]));
        answer(e, CHECKOUT, 0, charges(&[1, 2, 3]));
    }),
    bug!("an answer to a checkout is lost, and the charge repeated", [INTACT], 0, 0, |e| {
        answer(e, CHECKOUT, 0, Outcome::Failed);
        again(e, CHECKOUT, 1, charges(&[1, 3]));
    }),
    bug!("a checkout is never answered", [Finding::Cart(CartVerdict::Unknown)], 0, 0, |e| {
        answer(e, CHECKOUT, 0, Outcome::TimedOut);
    }),
    bug!("a view without an answer shows nothing wrong", [INTACT], 0, 0, |e| answer(e, VIEW, 0, Outcome::Failed)),
];

fn check(bug: &Bug) {
    let honest = play(&honest());
    let visit = victim(&honest);
    let mut events = honest.clone();
    (bug.plant)(&mut events);
    let (before, after) = (streaming(&honest), streaming(&events));
    let story: Vec<Event> =
        events.iter().filter(|e| matches!(e.what, EventKind::Seen(of, _) if of == visit)).copied().collect();
    let name = bug.name;
    assert_eq!(agree(&events), Ok(()), "{name}");
    let want = (bug.victim)();
    let found: Vec<Finding> = after.findings[&visit].iter().filter(|f| **f != Finding::Opened).copied().collect();
    assert_eq!(found, want, "{name}\n{}", told_as_lines(&story));
    let new = |count: fn(&Judgement) -> u64| count(&after) - count(&before);
    assert_eq!(new(|j| j.counts.ghosts), bug.ghosts, "ghosts: {name}");
    assert_eq!(new(|j| j.counts.double_charges), bug.double_charges, "double charges: {name}");
    let harmless = want.iter().all(|found| {
        matches!(found, Finding::Impostor | Finding::Zombie | Finding::Cart(CartVerdict::Intact | CartVerdict::Unknown))
    });
    let hurt = u64::from(!harmless || bug.double_charges > 0);
    assert_eq!(new(|j| j.counts.users_hurt), hurt, "users hurt: {name}");
    let others = |judged: &Judgement| judged.findings.iter().filter(|(of, _)| **of != visit).count();
    assert_eq!(others(&after), others(&before), "nobody else is concerned: {name}");
}

#[test]
fn an_honest_run_is_clean() {
    let judged = streaming(&play(&honest()));
    let counts = &judged.counts;
    assert!(counts.opened > 10, "{counts:?}");
    assert_eq!((counts.intact, counts.wrong_views, counts.users_hurt, counts.ghosts), (counts.opened, 0, 0, 0));
    assert!(judged.findings.values().all(|found| *found == [Finding::Opened, INTACT]));
}

#[test]
fn bugs_in_the_cart_are_found() {
    CART_BUGS.iter().for_each(check);
}

#[test]
fn bugs_in_bills_and_sessions_are_found() {
    OTHER_BUGS.iter().for_each(check);
}

#[test]
fn the_innocent_are_not_accused() {
    INNOCENT.iter().for_each(check);
}

#[test]
fn there_are_enough_of_them() {
    assert!(CART_BUGS.len() + OTHER_BUGS.len() >= 20);
}

/// Two users get each other's cart: both are told the wrong charge.
#[test]
fn swapped_carts_are_found() {
    let mut events = play(&honest());
    let visit = victim(&events);
    let charge = |seen: &Seen| told(CHECKOUT)(seen);
    let mine = places(&events, visit, charge)[0];
    let other = Visit { user: UserId(4), client: whatcart::base::ClientId(3), number: visit.number };
    let theirs = places(&events, other, charge)[0];
    // Both carts have the same items, so the other user's are renumbered first: item 1 becomes item 11.
    for at in places(&events, other, |_| true) {
        renumber(&mut events[at]);
    }
    assert_eq!(streaming(&events).findings[&other], [Finding::Opened, INTACT]);
    swap_outcomes(&mut events, mine, theirs);
    let judged = streaming(&events);
    assert_eq!(judged.findings[&visit], [Finding::Opened, lost(&[1, 3])]);
    assert_eq!(judged.findings[&other], [Finding::Opened, lost(&[11, 13])]);
    assert_eq!(judged.counts.users_hurt, 2);
}

fn renumber(event: &mut Event) {
    let item = |i: whatcart::base::Item| item(i.number() + 10);
    let command = |command: Command| match command {
        Command::Add(i) => Command::Add(item(i)),
        Command::Remove(i) => Command::Remove(item(i)),
        other => other,
    };
    let EventKind::Seen(_, seen) = &mut event.what else { return };
    match seen {
        Seen::Sent(request) => request.command = command(request.command),
        Seen::Told { request, outcome, .. } => {
            request.command = command(request.command);
            if let Outcome::Ok(Reply::Cart(held) | Reply::Charged(held)) = outcome {
                *held = Items(held.0 << 10);
            }
        }
        _ => {}
    }
}

fn swap_outcomes(events: &mut [Event], a: usize, b: usize) {
    let outcome = |event: &Event| match event.what {
        EventKind::Seen(_, Seen::Told { outcome, .. }) => outcome,
        _ => unreachable!("only answers are swapped"),
    };
    let both = [(a, outcome(&events[b])), (b, outcome(&events[a]))];
    for (at, with) in both {
        if let EventKind::Seen(_, Seen::Told { outcome, .. }) = &mut events[at].what {
            *outcome = with;
        }
    }
}
