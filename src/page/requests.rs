//! Requests, from the events of a slice.

use std::collections::BTreeMap;

use super::happening::{Happening, What};
use super::units::{ItemSet, RequestName, Seconds};
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, Outcome, Refusal, Reply, ServerId, Visit};
use crate::history::{Ending, Event, EventKind, Inside, Seen, Served};
use crate::sim::snapshot::{ClientSnapshot, RequestSnapshot, Snapshot, Spot};

/// What happened to requests. Where the balancer sent one is known from what became of it, or from where it is now.
pub fn tell(events: &[Event], before: &Snapshot, now: &Snapshot, found: &mut Vec<Happening>) {
    let mut carts = Charges::of(&before.clients);
    for (at, event) in events.iter().enumerate() {
        let to = |name| next_server(name, &events[at + 1..], now);
        let what = match event.what {
            EventKind::Seen(visit, seen) => of_user(visit, seen, to),
            EventKind::Inside(visit, Inside::Served(served)) => Some(done(visit, &served, event, &carts)),
            EventKind::Inside(visit, inside) => of_balancer(visit, inside, event, events, now, to),
            EventKind::Pool(_) => None,
        };
        found.extend(what.map(|what| Happening { t: Seconds(event.at), what }));
        if let EventKind::Seen(visit, Seen::Told { request, outcome, .. }) = event.what {
            carts.told(visit, request.command, outcome);
        }
    }
}

fn of_user(visit: Visit, seen: Seen, to: impl Fn(RequestName) -> Option<u32>) -> Option<What> {
    let client = visit.client.0;
    Some(match seen {
        Seen::Began => What::Began { client, user: visit.user.0, visit: visit.number },
        Seen::Left(ending) => What::Left { client, finished: ending == Ending::Finished },
        Seen::Sent(request) => {
            let id = RequestName::of(visit, request);
            What::Sent { id, what: request.command, to: to(id) }
        }
        Seen::Told { request, outcome, .. } => {
            let (outcome, words) = outcome_of(outcome);
            What::Told { id: RequestName::of(visit, request), ok: outcome == "ok", outcome, words }
        }
        Seen::Billed(_) => return None,
    })
}

fn of_balancer(
    visit: Visit,
    inside: Inside,
    event: &Event,
    events: &[Event],
    now: &Snapshot,
    to: impl Fn(RequestName) -> Option<u32>,
) -> Option<What> {
    Some(match inside {
        Inside::Served(_) => return None,
        Inside::Retried { from } => {
            let id = under_way(visit, event, events, now)?;
            What::Retried { id, from: from.0, to: to(id) }
        }
        Inside::Dropped { server } => {
            What::Dropped { id: under_way(visit, event, events, now)?, by: server.map(|server| server.0) }
        }
    })
}

fn done(visit: Visit, served: &Served, event: &Event, carts: &Charges) -> What {
    let Served { request, server, busy, knew_cart, cart, store_calls, carried_bytes, copies, .. } = *served;
    let taken = Instant::from_nanos(event.at.as_nanos().saturating_sub(busy.as_nanos()));
    let forgotten = knew_cart == Some(false) && request.command.touches_cart() && carts.has_one(visit);
    What::Served {
        id: RequestName::of(visit, request),
        by: server.0,
        taken: Seconds(taken),
        cart: knew_cart.map(|_| ItemSet(cart)),
        words: forgotten.then_some("What cart?"),
        calls: store_calls,
        bytes: carried_bytes,
        copies,
    }
}

/// The request that an event without a name is about: the visit's first that was sent before and not yet told.
fn under_way(visit: Visit, event: &Event, events: &[Event], now: &Snapshot) -> Option<RequestName> {
    let told_later = events.iter().filter(|other| other.at >= event.at).find_map(|other| match other.what {
        EventKind::Seen(of, Seen::Told { request, .. }) if of == visit => Some(RequestName::of(visit, request)),
        _ => None,
    });
    let still_there = || {
        let mut of = now.requests.iter().filter(|request| request.visit == visit);
        of.next().map(|request| RequestName::new(visit, request.step, request.attempt))
    };
    told_later.or_else(still_there)
}

/// The server that a request was sent to, from what is known later.
fn next_server(name: RequestName, later: &[Event], now: &Snapshot) -> Option<u32> {
    for event in later {
        match event.what {
            EventKind::Inside(visit, inside) if visit.client == name.client => match inside {
                Inside::Served(served) if RequestName::of(visit, served.request) == name => {
                    return Some(served.server.0);
                }
                Inside::Retried { from } => return Some(from.0),
                Inside::Dropped { server: Some(server) } => return Some(server.0),
                _ => {}
            },
            EventKind::Seen(visit, Seen::Told { request, .. }) if RequestName::of(visit, request) == name => {
                return None;
            }
            _ => {}
        }
    }
    let same = |request: &&RequestSnapshot| RequestName::new(request.visit, request.step, request.attempt) == name;
    let spots = now.requests.iter().find(same).map(|request| [request.to, request.from])?;
    spots.into_iter().find_map(server_of)
}

fn server_of(spot: Spot) -> Option<u32> {
    if let Spot::Server(ServerId(server)) = spot { Some(server) } else { None }
}

/// How a request ended, and what to say of it if it is news.
fn outcome_of(outcome: Outcome) -> (&'static str, Option<&'static str>) {
    match outcome {
        Outcome::Ok(_) => ("ok", None),
        Outcome::Failed => ("failed", Some("failed: did it work?")),
        Outcome::TimedOut => ("timed-out", Some("no answer")),
        Outcome::Refused(refusal) => (refusal.code(), Some(short(refusal))),
    }
}

/// What a bubble says.
fn short(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unauthorized => "401",
        Refusal::QueueFull | Refusal::NoServer | Refusal::Unreachable | Refusal::StoreDown => "503",
        Refusal::Throttled | Refusal::TooMany => "429",
        Refusal::NotFound => "404",
        Refusal::StoreFull => "507",
        Refusal::Forbidden => "403",
    }
}

/// What users have put into their carts, to compare with what they are charged.
pub struct Charges {
    carts: BTreeMap<ClientId, (u32, Items)>,
}

impl Charges {
    pub fn of(clients: &[ClientSnapshot]) -> Charges {
        Charges { carts: clients.iter().map(|client| (client.client, (client.visit, client.cart))).collect() }
    }

    /// Whether the user believes to have something in the cart.
    fn has_one(&self, visit: Visit) -> bool {
        self.carts.get(&visit.client).is_some_and(|(number, items)| *number == visit.number && !items.is_empty())
    }

    /// A user is told something; returns what is missing from the charge, if anything is.
    pub fn told(&mut self, visit: Visit, command: Command, outcome: Outcome) -> Option<Items> {
        let Outcome::Ok(reply) = outcome else { return None };
        let known = self.carts.entry(visit.client).or_insert((visit.number, Items::NONE));
        if known.0 != visit.number {
            *known = (visit.number, Items::NONE);
        }
        match (command, reply) {
            (Command::Add(item), _) => known.1 = known.1.with(item),
            (Command::Remove(item), _) => known.1 = known.1.without(item),
            (Command::Checkout, Reply::Charged(charged)) => {
                let missing = std::mem::take(&mut known.1).minus(charged);
                return (!missing.is_empty()).then_some(missing);
            }
            _ => {}
        }
        None
    }
}
