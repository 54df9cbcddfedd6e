//! A second simulator, as plain as it can be: one sorted list of events, every health check played, a map for every cart.
//! It shares nothing with the engine but plain data and keyed draws, and must agree with it event for event.

#![expect(clippy::cast_possible_truncation, reason = "small numbers")]
#![expect(clippy::single_match_else, reason = "plain to read")]

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use whatcart::history::{Ending, Event, Request, Seen, Trouble, What};
use whatcart::model::{ClientId, Command, Item, Items, Outcome, Refusal, Reply, UserId, Visit};
use whatcart::scenario::{Affinity, CartHome, Scenario};
use whatcart::seed::{Key, Purpose, Sampler, Seed};
use whatcart::sim::Sim;
use whatcart::time::{Instant, Span};

use crate::support::worlds::{end, plain_world, show};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Crash(usize),
    Ready(usize, u32),
    Check(usize),
    Done(usize, usize, usize),
    Patience(usize),
    Wake(usize),
}

#[derive(Clone, Default)]
struct User {
    visit: u32,
    step: usize,
    attempt: u16,
    tries: u64,
    inside: bool,
    meant: Instant,
    pin: Option<usize>,
    token: Option<Items>,
    order: Option<Items>,
}

#[derive(Clone)]
struct Server {
    up: bool,
    life: u32,
    believed: bool,
    against: u64,
    held: Vec<Option<usize>>,
    idle: Vec<usize>,
    queue: VecDeque<usize>,
}

#[derive(Clone)]
struct Sent {
    user: usize,
    visit: u32,
    key: Key,
    request: Request,
    at: Instant,
    waiting: bool,
    retries: u64,
    server: usize,
    token: Option<Items>,
}

struct Naive<'a> {
    s: &'a Scenario,
    seed: Seed,
    now: Instant,
    list: Vec<(Instant, Due)>,
    users: Vec<User>,
    servers: Vec<Server>,
    sent: Vec<Sent>,
    carts: BTreeMap<(usize, u32, Option<u32>), Items>,
    next: usize,
    lives: u32,
    told: Vec<(Instant, Visit, Seen)>,
}

impl Naive<'_> {
    fn at(&mut self, at: Instant, due: Due) {
        self.list.push((at, due));
        self.list.sort();
    }
    fn key(&self, u: usize) -> Key {
        Key {
            entity: u as u64 + 1,
            visit: self.users[u].visit,
            step: self.users[u].step as u16,
            attempt: self.users[u].attempt,
        }
    }
    fn think(&self, u: usize) -> Span {
        self.s.users.think.sampler().sample(&mut self.seed.draw(Purpose::Think, self.key(u)))
    }
    fn visit(&self, u: usize) -> Visit {
        Visit { user: UserId(u as u32 + 1), client: ClientId(u as u32), number: self.users[u].visit }
    }
    fn say(&mut self, visit: Visit, seen: Seen) {
        self.told.push((self.now, visit, seen));
    }

    fn command(&self, step: usize) -> Command {
        use whatcart::model::Step;
        let adds = self.s.users.journey[..=step].iter().filter(|s| **s == Step::Add).count() as u8;
        match self.s.users.journey[step] {
            Step::Login => Command::Login,
            Step::View => Command::View,
            Step::Checkout => Command::Checkout,
            Step::Add => Command::Add(Item::new(adds).expect("few")),
            _ => Command::Browse,
        }
    }

    fn wake(&mut self, u: usize) {
        if !self.users[u].inside {
            let User { visit, pin, .. } = self.users[u];
            self.users[u] = User { visit: visit + 1, inside: true, pin, ..User::default() };
            self.say(self.visit(u), Seen::Began);
        }
        if self.users[u].attempt == 0 {
            self.users[u].meant = self.now;
        }
        let key = self.key(u);
        let request = Request { step: key.step, attempt: key.attempt, command: self.command(self.users[u].step) };
        let (id, visit, token) = (self.sent.len(), self.users[u].visit, self.users[u].token);
        self.sent.push(Sent {
            user: u,
            visit,
            key,
            request,
            at: self.now,
            waiting: true,
            retries: 0,
            server: 0,
            token,
        });
        self.at(self.now + self.s.users.timeout.get(), Due::Patience(id));
        self.say(self.visit(u), Seen::Sent(request));
        self.route(id, Vec::new());
    }

    fn route(&mut self, id: usize, mut not: Vec<usize>) {
        loop {
            let n = self.servers.len();
            let pinned = self.users[self.sent[id].user].pin.filter(|s| self.servers[*s].believed && !not.contains(s));
            let turn = || (0..n).map(|i| (self.next + i) % n).find(|s| self.servers[*s].believed && !not.contains(s));
            let Some(server) = pinned.or_else(turn) else {
                let refusal = if not.is_empty() { Refusal::NoServer } else { Refusal::Unreachable };
                return self.tell(id, Outcome::Refused(refusal));
            };
            if pinned.is_none() {
                self.next = (server + 1) % n;
            }
            self.sent[id].server = server;
            if self.servers[server].up {
                return self.arrive(id, server);
            }
            if self.sent[id].retries >= self.s.balancer.retries.get() {
                return self.tell(id, Outcome::Refused(Refusal::Unreachable));
            }
            self.sent[id].retries += 1;
            not.push(server);
        }
    }

    fn arrive(&mut self, id: usize, server: usize) {
        if let Some(worker) = self.servers[server].idle.pop() {
            return self.start(id, server, worker);
        }
        if self.servers[server].queue.len() < self.s.servers.queue.index() {
            return self.servers[server].queue.push_back(id);
        }
        self.answer(id, Outcome::Refused(Refusal::QueueFull));
    }

    fn start(&mut self, id: usize, server: usize, worker: usize) {
        self.servers[server].held[worker] = Some(id);
        let work = self.s.servers.service.sampler().sample(&mut self.seed.draw(Purpose::Service, self.sent[id].key));
        let calls =
            u64::from(self.s.homes.cart == CartHome::SharedStore && self.sent[id].request.command.touches_cart());
        self.at(self.now + work + self.s.store.latency.sampler().mean() * calls, Due::Done(server, worker, id));
    }

    fn done(&mut self, server: usize, worker: usize, id: usize) {
        let Sent { user, visit, request, waiting, token, .. } = self.sent[id];
        let current = self.users[user].inside && self.users[user].visit == visit;
        let mut outcome = Outcome::Ok(Reply::Done);
        if request.command.touches_cart() && (waiting || current) {
            let life = (self.s.homes.cart == CartHome::ServerMemory).then_some(self.servers[server].life);
            let place = (user, visit, life);
            let with_user = self.s.homes.cart == CartHome::SignedToken;
            let mut items = if with_user { token } else { self.carts.get(&place).copied() }.unwrap_or_default();
            outcome = Outcome::Ok(match request.command {
                Command::Add(item) => {
                    items = items.with(item);
                    Reply::Done
                }
                Command::View => Reply::Cart(items),
                _ => match self.users[user].order {
                    Some(before) => Reply::Charged(before),
                    None => {
                        self.users[user].order = Some(items);
                        let charged = std::mem::take(&mut items);
                        self.say(self.visit(user), Seen::Billed(charged));
                        Reply::Charged(charged)
                    }
                },
            });
            if with_user {
                if waiting {
                    self.users[user].token = Some(items);
                }
            } else {
                self.carts.insert(place, items);
            }
        }
        match self.servers[server].queue.pop_front() {
            Some(next) => self.start(next, server, worker),
            None => {
                self.servers[server].held[worker] = None;
                self.servers[server].idle.push(worker);
            }
        }
        if waiting {
            self.answer(id, outcome);
        }
    }

    fn answer(&mut self, id: usize, outcome: Outcome) {
        if self.s.balancer.affinity != Affinity::None {
            self.users[self.sent[id].user].pin = Some(self.sent[id].server);
        }
        self.tell(id, outcome);
    }

    fn tell(&mut self, id: usize, outcome: Outcome) {
        let Sent { user: u, request, at, .. } = self.sent[id];
        self.sent[id].waiting = false;
        let User { tries, step, meant, .. } = self.users[u];
        let good = matches!(outcome, Outcome::Ok(_));
        let gives_up = !good && tries >= self.s.users.patience.get();
        let last = good && step + 1 == self.s.users.journey.len();
        self.say(self.visit(u), Seen::Told { request, sent: at, meant, outcome, settled: good || gives_up });
        if good {
            (self.users[u].step, self.users[u].attempt, self.users[u].tries) = (step + 1, 0, 0);
        } else {
            self.users[u].attempt += 1;
            self.users[u].tries += 1;
        }
        if !(gives_up || last) {
            let pause = if good { self.think(u) } else { self.s.users.pause.get() };
            return self.at(self.now + pause, Due::Wake(u));
        }
        let trouble = if matches!(outcome, Outcome::Refused(_)) { Trouble::Refused } else { Trouble::Unknown };
        self.say(self.visit(u), Seen::Left(if last { Ending::Finished } else { Ending::GaveUp(trouble) }));
        (self.users[u].inside, self.users[u].pin) = (false, None);
        let again = self.now + self.think(u);
        if again < Instant::ZERO + self.s.duration.get() {
            self.at(again, Due::Wake(u));
        }
    }

    fn crash(&mut self, fault: usize) {
        let server =
            self.s.faults[fault].crash.as_deref().and_then(|name| name[7..].parse::<usize>().ok()).expect("a server")
                - 1;
        if !self.servers[server].up {
            return;
        }
        let life = self.servers[server].life;
        self.servers[server].up = false;
        if let Some(after) = self.s.faults[fault].replace_after {
            self.at(self.now + after.get(), Due::Ready(server, life));
        }
        let workers = self.s.servers.workers.index();
        let held = std::mem::replace(&mut self.servers[server].held, vec![None; workers]);
        let queued = std::mem::take(&mut self.servers[server].queue);
        self.servers[server].idle = (0..workers).rev().collect();
        self.list.retain(|(_, due)| !matches!(due, Due::Done(of, ..) if *of == server));
        for id in held.into_iter().flatten().chain(queued).filter(|id| self.sent[*id].waiting).collect::<Vec<_>>() {
            if self.sent[id].request.command.is_idempotent() && self.sent[id].retries < self.s.balancer.retries.get() {
                self.sent[id].retries += 1;
                self.route(id, vec![server]);
            } else {
                self.tell(id, Outcome::Failed);
            }
        }
    }

    fn check(&mut self, server: usize) {
        let (health, s) = (&self.s.balancer.health, &mut self.servers[server]);
        s.against = if s.up == s.believed { 0 } else { s.against + 1 };
        if s.against >= if s.believed { health.fall.get() } else { health.rise.get() } {
            (s.believed, s.against) = (s.up, 0);
        }
        self.at(self.now + health.interval.get(), Due::Check(server));
    }
}

fn naive(s: &Scenario, seed: Seed) -> Vec<(Instant, Visit, Seen)> {
    let (users, workers) = (s.users.people().expect("closed") as usize, s.servers.workers.index());
    let server = |life| Server {
        up: true,
        life,
        believed: true,
        against: 0,
        held: vec![None; workers],
        idle: (0..workers).rev().collect(),
        queue: VecDeque::new(),
    };
    let servers: Vec<Server> = (0..s.servers.count.get32()).map(server).collect();
    let lives = servers.len() as u32;
    let mut sim = Naive {
        s,
        seed,
        now: Instant::ZERO,
        list: Vec::new(),
        users: vec![User::default(); users],
        servers,
        sent: Vec::new(),
        carts: BTreeMap::new(),
        next: 0,
        lives,
        told: Vec::new(),
    };
    let ramp = (s.users.think.sampler().mean() + s.servers.service.sampler().mean()) * s.users.journey.len() as u64;
    for u in 0..users {
        let offset =
            Sampler::Uniform { from: Span::ZERO, to: ramp }.sample(&mut seed.draw(Purpose::Arrival, sim.key(u)));
        let first = Instant::ZERO + offset + sim.think(u);
        if first < Instant::ZERO + s.duration.get() {
            sim.at(first, Due::Wake(u));
        }
    }
    for (i, fault) in s.faults.iter().enumerate() {
        sim.at(Instant::ZERO + fault.at.get(), Due::Crash(i));
    }
    for i in 0..sim.servers.len() {
        let bits = seed.draw(Purpose::HealthPhase, Key { entity: i as u64, ..Key::default() }).bits();
        sim.at(Instant::from_nanos(bits % s.balancer.health.interval.get().as_nanos()), Due::Check(i));
    }
    while sim.list[0].0 <= end(s) {
        let (at, due) = sim.list.remove(0);
        sim.now = at;
        match due {
            Due::Crash(fault) => sim.crash(fault),
            Due::Ready(server, life) if sim.servers[server].life == life => {
                (sim.servers[server].up, sim.servers[server].life) = (true, sim.lives);
                sim.lives += 1;
            }
            Due::Check(server) => sim.check(server),
            Due::Done(server, worker, id) => sim.done(server, worker, id),
            Due::Patience(id) if sim.sent[id].waiting => sim.tell(id, Outcome::TimedOut),
            Due::Wake(u) => sim.wake(u),
            Due::Ready(..) | Due::Patience(_) => {}
        }
    }
    sim.told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_event_for_event(scenario in plain_world(), seed in 0u64..1 << 40) {
        let mut events: Vec<Event> = Vec::new();
        Sim::new(&scenario, Seed(seed)).advance(end(&scenario), &mut events);
        let seen: Vec<(Instant, Visit, Seen)> = events.into_iter().filter_map(|event| match event.what { What::Seen(visit, seen) => Some((event.at, visit, seen)), _ => None }).collect();
        let plain = naive(&scenario, Seed(seed));
        let differs = (0..seen.len().max(plain.len())).find(|i| seen.get(*i) != plain.get(*i));
        prop_assert!(differs.is_none(), "{:?}\nnot {:?}\n{}", differs.map(|i| seen.get(i)), differs.map(|i| plain.get(i)), show(&scenario));
    }
}
