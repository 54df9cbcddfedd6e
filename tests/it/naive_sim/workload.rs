//! A plain scenario, spelled out for the naive simulator: who comes and when, what they do, what breaks.

use std::collections::BTreeSet;

use whatcart::base::seed::{Key, Purpose, Sampler, Seed};
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Command, Item, Items, Step, UserId, Visit};
use whatcart::scenario::{Fault, FaultKind, Scenario};

/// What is due; at the same instant in this order. Faults, servers, workers, requests and users count from 0.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Crash(usize, usize, Option<Span>),
    Back(usize),
    Check(usize),
    Done(usize, usize, usize),
    Patience(usize),
    Wake(usize),
}

/// One user, between two requests or while one is out.
#[derive(Default)]
pub struct User {
    /// Who, and which visit, step and attempt is next.
    pub key: Key,
    /// When this step was first meant to be done.
    pub meant: Instant,
    /// When the last request was sent.
    pub sent: Instant,
    /// The request whose answer is awaited.
    pub waits_for: Option<usize>,
    /// How many retries this request had.
    pub retries: u64,
    /// The servers that this attempt does not try again.
    pub tried: Vec<usize>,
    /// The server that the cookie names.
    pub pin: Option<usize>,
    /// The cart as the last answer left it, when it is a token.
    pub token: Items,
    /// What this visit was charged for.
    pub order: Option<Items>,
}

/// The visit that a key belongs to.
pub fn visit(key: Key) -> Visit {
    let user = u32::try_from(key.entity).expect("few");
    Visit { user: UserId(user), client: ClientId(user - 1), number: key.visit }
}

/// What each step of the journey asks the shop for.
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

/// What is due from the start: each user's first request, every crash, each server's first check.
pub fn due(s: &Scenario, seed: Seed) -> BTreeSet<(Instant, Due)> {
    let draw = |purpose, entity: usize| seed.draw(purpose, Key { entity: entity as u64, ..Key::default() });
    let (think, service) = (s.users.think.sampler(), s.servers.service.sampler());
    let ramp =
        Sampler::Uniform { from: Span::ZERO, to: (think.mean() + service.mean()) * s.users.journey.len() as u64 };
    let comes = |u: usize| {
        let offset = ramp.sample(&mut draw(Purpose::Arrival, u + 1)) + think.sample(&mut draw(Purpose::Think, u + 1));
        (Instant::ZERO + offset, Due::Wake(u))
    };
    let breaks = |(order, fault): (usize, &Fault)| {
        let Ok(FaultKind::Crash { server, comeback }) = &fault.kind else { panic!("no crash: {fault:?}") };
        let server = server[7..].parse::<usize>().expect("a number") - 1;
        (Instant::ZERO + fault.at.get(), Due::Crash(order, server, comeback.map(|comeback| comeback.after)))
    };
    let check = |server: usize| {
        let phase = draw(Purpose::HealthPhase, server).bits() % s.balancer.health.interval.get().as_nanos();
        (Instant::from_nanos(phase), Due::Check(server))
    };
    let people = usize::try_from(s.users.people().expect("closed")).expect("few");
    let first = (0..people).map(comes).filter(|(at, _)| *at < Instant::ZERO + s.duration.get());
    first.chain(s.faults.iter().enumerate().map(breaks)).chain((0..s.servers.count.index()).map(check)).collect()
}
