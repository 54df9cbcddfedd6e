//! A plain scenario, spelled out for the naive simulator: arrivals, journeys, faults.

use std::collections::BTreeSet;

use whatcart::base::seed::{Draw, Key, Purpose, Sampler, Seed};
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Command, Item, Items, Step, UserId, Visit};
use whatcart::scenario::{Fault, FaultKind, Scenario};

/// Pending events; the order of the variants breaks ties in time. Faults, servers, workers, requests and users count
/// from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A server dies. Of several faults at the same time, the first in the file strikes first.
    Crash { fault: usize, server: usize, back_after: Option<Span> },
    /// A server that died is back, empty.
    Back { server: usize },
    /// The balancer checks the health of a server.
    Check { server: usize },
    /// A worker finishes.
    Done { server: usize, worker: usize, request: usize },
    /// The user of a request stops waiting.
    Patience { request: usize },
    /// A user does the next step.
    Wake { user: usize },
}

/// A user, between two requests or during one.
#[derive(Default)]
pub struct User {
    /// The user's number, and the next visit, step and attempt.
    pub key: Key,
    /// The intended start of this step.
    pub meant: Instant,
    /// The request that the user waits for.
    pub waits_for: Option<usize>,
    /// The server named in the cookie.
    pub pin: Option<usize>,
    /// The cart token, as the last answer set it.
    pub token: Items,
    /// The items charged in this visit.
    pub order: Option<Items>,
}

/// The visit that a key belongs to.
pub fn visit(key: Key) -> Visit {
    let user = u32::try_from(key.entity).expect("few");
    Visit { user: UserId(user), client: ClientId(user - 1), number: key.visit }
}

/// The commands of the journey's steps.
pub fn commands(s: &Scenario) -> Vec<Command> {
    let mut added = 0;
    let command = |step: &Step| match step {
        Step::Login => Command::Login,
        Step::View => Command::View,
        Step::Checkout => Command::Checkout,
        Step::Browse => Command::Browse,
        Step::Add => {
            added += 1;
            Command::Add(Item::new(added).expect("few"))
        }
        other => panic!("{other:?} is not in a plain world"),
    };
    s.users.journey.iter().map(command).collect()
}

/// Every user, before the first visit.
pub fn users(s: &Scenario) -> Vec<User> {
    let key = |entity| Key { entity, visit: 1, ..Key::default() };
    (1..=s.users.people().expect("closed")).map(|entity| User { key: key(entity), ..User::default() }).collect()
}

/// The events known at the start: each user's first request, every crash, each server's first check.
pub fn due(s: &Scenario, seed: Seed) -> BTreeSet<(Instant, Due)> {
    let closes = Instant::ZERO + s.duration.get();
    let people = usize::try_from(s.users.people().expect("closed")).expect("few");
    let first_requests = (0..people).map(|user| (first_visit(s, seed, user), Due::Wake { user }));
    let crashes = s.faults.iter().enumerate().map(|(order, fault)| crash(order, fault));
    let checks = (0..s.servers.count.index()).map(|server| (first_check(s, seed, server), Due::Check { server }));
    first_requests.filter(|(at, _)| *at < closes).chain(crashes).chain(checks).collect()
}

fn draw(seed: Seed, purpose: Purpose, entity: usize) -> Draw {
    seed.draw(purpose, Key { entity: entity as u64, ..Key::default() })
}

/// Users arrive within the mean length of a visit, and think before they begin.
fn first_visit(s: &Scenario, seed: Seed, user: usize) -> Instant {
    let number = user + 1;
    let think = s.users.think.sampler();
    let a_visit = (think.mean() + s.servers.service.sampler().mean()) * s.users.journey.len() as u64;
    let ramp = Sampler::Uniform { from: Span::ZERO, to: a_visit };
    let comes = Instant::ZERO + ramp.sample(&mut draw(seed, Purpose::Arrival, number));
    comes + think.sample(&mut draw(seed, Purpose::Think, number))
}

fn crash(order: usize, fault: &Fault) -> (Instant, Due) {
    let Ok(FaultKind::Crash { server, comeback }) = &fault.kind else { panic!("no crash: {fault:?}") };
    let number = server.strip_prefix("server-").expect("a server");
    let server = number.parse::<usize>().expect("a number") - 1;
    let back_after = comeback.map(|comeback| comeback.after);
    (Instant::ZERO + fault.at.get(), Due::Crash { fault: order, server, back_after })
}

/// Each server's checks have their own phase.
fn first_check(s: &Scenario, seed: Seed, server: usize) -> Instant {
    let interval = s.balancer.health.interval.get().as_nanos();
    Instant::from_nanos(draw(seed, Purpose::HealthPhase, server).bits() % interval)
}
