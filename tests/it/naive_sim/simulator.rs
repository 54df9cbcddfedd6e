//! The naive simulator: one sorted agenda, every health check simulated, a map for every cart. It shares nothing with
//! the engine except types and random draws.
//!
//! It is written to be read next to the engine and to be obviously right: nothing is cached that can be looked up, and
//! nothing is fast.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use whatcart::base::seed::{Key, Purpose, Seed};
use whatcart::base::time::{Instant, Span};
use whatcart::base::{Command, Items, Outcome, Refusal, Reply, Visit};
use whatcart::history::{AbandonReason, Ending, Request, Seen};
use whatcart::scenario::{Affinity, CartHome, Scenario};

use super::workload::{Due, User, commands, due, users, visit};

/// What the users of a plain scenario see until `end`.
pub fn naive(scenario: &Scenario, seed: Seed, end: Instant) -> Vec<(Instant, Visit, Seen)> {
    let mut shop = Shop::new(scenario, seed);
    while let Some((at, due)) = shop.agenda.pop_first().filter(|(at, _)| *at <= end) {
        shop.now = at;
        shop.play(due);
        shop.start_work();
    }
    shop.seen
}

/// The whole state, and the rules.
struct Shop<'a> {
    scenario: &'a Scenario,
    seed: Seed,
    /// What each step of a visit asks for.
    commands: Vec<Command>,
    now: Instant,
    agenda: BTreeSet<(Instant, Due)>,
    users: Vec<User>,
    servers: Vec<Server>,
    /// Where round robin begins its search for a server.
    next_server: usize,
    /// All requests that were ever sent.
    requests: Vec<Sent>,
    carts: BTreeMap<CartPlace, Items>,
    /// What users have seen so far.
    seen: Vec<(Instant, Visit, Seen)>,
}

struct Server {
    /// The actual state, and the balancer's belief.
    up: bool,
    believed_up: bool,
    /// The number of consecutive health checks that contradicted the belief.
    contradictions: u64,
    /// Idle workers; the last one gets the next request.
    idle: Vec<usize>,
    /// The requests of the busy workers, by worker.
    busy: BTreeMap<usize, usize>,
    queue: VecDeque<usize>,
}

/// A request, as it was sent and as the balancer knows it.
struct Sent {
    user: usize,
    key: Key,
    request: Request,
    at: Instant,
    /// The cart in the user's cookie, if carts are in tokens.
    token: Items,
    retries: u64,
    /// The servers on which this request is not retried.
    tried: Vec<usize>,
}

/// The user and the visit and, with carts in server memory, the server.
type CartPlace = (usize, u32, Option<usize>);

impl Server {
    fn new(workers: usize) -> Server {
        Server {
            up: true,
            believed_up: true,
            contradictions: 0,
            idle: all_idle(workers),
            busy: BTreeMap::new(),
            queue: VecDeque::new(),
        }
    }
}

/// Workers with low numbers come first.
fn all_idle(workers: usize) -> Vec<usize> {
    (0..workers).rev().collect()
}

impl<'a> Shop<'a> {
    fn new(scenario: &'a Scenario, seed: Seed) -> Shop<'a> {
        let server = |_| Server::new(scenario.servers.workers.index());
        Shop {
            scenario,
            seed,
            commands: commands(scenario),
            now: Instant::ZERO,
            agenda: due(scenario, seed),
            users: users(scenario),
            servers: (0..scenario.servers.count.index()).map(server).collect(),
            next_server: 0,
            requests: Vec::new(),
            carts: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    fn play(&mut self, due: Due) {
        match due {
            Due::Crash { server, back_after, .. } => self.crash(server, back_after),
            Due::Back { server } => self.servers[server].up = true,
            Due::Check { server } => self.check_health(server),
            Due::Done { server, worker, request } => self.work_done(server, worker, request),
            Due::Patience { request } => self.patience_ends(request),
            Due::Wake { user } => self.send(user),
        }
    }

    fn see(&mut self, key: Key, seen: Seen) {
        self.seen.push((self.now, visit(key), seen));
    }

    // Users.

    /// Sends the request for a user's current step.
    fn send(&mut self, user: usize) {
        let id = self.requests.len();
        let key = self.users[user].key;
        let Key { step, attempt, .. } = key;
        if (step, attempt) == (0, 0) {
            self.see(key, Seen::Began);
        }
        if attempt == 0 {
            self.users[user].meant = self.now;
        }
        let request = Request { step, attempt, command: self.commands[usize::from(step)] };
        self.see(key, Seen::Sent(request));
        let token = self.users[user].token;
        self.requests.push(Sent { user, key, request, at: self.now, token, retries: 0, tried: Vec::new() });
        self.users[user].waits_for = Some(id);
        self.agenda.insert((self.now + self.scenario.users.timeout.get(), Due::Patience { request: id }));
        self.route(id);
    }

    /// Whether the request's user still waits for the answer.
    fn is_awaited(&self, id: usize) -> bool {
        self.users[self.requests[id].user].waits_for == Some(id)
    }

    fn patience_ends(&mut self, id: usize) {
        if self.is_awaited(id) {
            self.tell(id, Outcome::TimedOut);
        }
    }

    /// A user learns how a request ended, and continues with the next step, retries, or leaves.
    fn tell(&mut self, id: usize, outcome: Outcome) {
        let Sent { user, key, request, at: sent, .. } = self.requests[id];
        let succeeded = matches!(outcome, Outcome::Ok(_));
        let settled = succeeded || u64::from(key.attempt) == self.scenario.users.patience.get();
        let meant = self.users[user].meant;
        self.see(key, Seen::Told { request, sent, meant, outcome, settled });

        self.users[user].waits_for = None;
        let next = if succeeded {
            Key { step: key.step + 1, attempt: 0, ..key }
        } else {
            Key { attempt: key.attempt + 1, ..key }
        };
        self.users[user].key = next;
        let pause = if settled { self.think(next) } else { self.scenario.users.pause.get() };
        let wakes_at = self.now + pause;

        let finished = usize::from(next.step) == self.commands.len();
        let leaves = settled && (!succeeded || finished);
        if leaves {
            self.leave(user, key, outcome);
        }
        // No visit begins after closing time; open visits go on.
        let closes = Instant::ZERO + self.scenario.duration.get();
        if !leaves || wakes_at < closes {
            self.agenda.insert((wakes_at, Due::Wake { user }));
        }
    }

    fn think(&self, key: Key) -> Span {
        self.scenario.users.think.sampler().sample(&mut self.seed.draw(Purpose::Think, key))
    }

    /// A user leaves, and keeps nothing of this visit, not even its cookies.
    fn leave(&mut self, user: usize, key: Key, last: Outcome) {
        let ending = match last {
            Outcome::Ok(_) => Ending::Finished,
            Outcome::Refused(_) => Ending::GaveUp(AbandonReason::Refused),
            Outcome::Failed | Outcome::TimedOut => Ending::GaveUp(AbandonReason::Unknown),
        };
        self.see(key, Seen::Left(ending));
        let next_visit = Key { visit: key.visit + 1, step: 0, attempt: 0, ..key };
        self.users[user] = User { key: next_visit, ..User::default() };
    }

    // The balancer.

    /// Offers a request to one server after another, until one accepts or refuses it.
    fn route(&mut self, id: usize) {
        loop {
            let Some(server) = self.choose(id) else {
                let never_tried = self.requests[id].tried.is_empty();
                let refusal = if never_tried { Refusal::NoServer } else { Refusal::Unreachable };
                return self.tell(id, Outcome::Refused(refusal));
            };
            if self.servers[server].up {
                return self.deliver(id, server);
            }
            let request = &mut self.requests[id];
            if request.retries == self.scenario.balancer.retries.get() {
                return self.tell(id, Outcome::Refused(Refusal::Unreachable));
            }
            request.retries += 1;
            request.tried.push(server);
        }
    }

    /// The server in the affinity cookie, if it is eligible, or else the next eligible one in turn.
    fn choose(&mut self, id: usize) -> Option<usize> {
        let Sent { user, ref tried, .. } = self.requests[id];
        let will_do = |server: &usize| self.servers[*server].believed_up && !tried.contains(server);
        if let Some(pinned) = self.users[user].pin.filter(will_do) {
            return Some(pinned);
        }
        let count = self.servers.len();
        let in_turn = (self.next_server..self.next_server + count).map(|server| server % count);
        let chosen = in_turn.into_iter().find(will_do)?;
        self.next_server = (chosen + 1) % count;
        Some(chosen)
    }

    /// Every answer of a server sets the affinity cookie, refusals included.
    fn pin(&mut self, id: usize, server: usize) {
        let sticky = self.scenario.balancer.affinity != Affinity::None;
        self.users[self.requests[id].user].pin = sticky.then_some(server);
    }

    /// The belief changes after a number of consecutive checks that contradict it.
    fn check_health(&mut self, server: usize) {
        let health = &self.scenario.balancer.health;
        self.agenda.insert((self.now + health.interval.get(), Due::Check { server }));
        let server = &mut self.servers[server];
        if server.up == server.believed_up {
            server.contradictions = 0;
            return;
        }
        server.contradictions += 1;
        let enough = if server.believed_up { health.fall.get() } else { health.rise.get() };
        if server.contradictions == enough {
            server.believed_up = server.up;
            server.contradictions = 0;
        }
    }

    // Servers.

    /// A running server accepts a request if a worker is free or there is room in the queue, and refuses it otherwise.
    /// The queue includes requests that free workers are about to take.
    fn deliver(&mut self, id: usize, server: usize) {
        let room = self.servers[server].idle.len() + self.scenario.servers.queue.index();
        if self.servers[server].queue.len() < room {
            self.servers[server].queue.push_back(id);
            return;
        }
        self.pin(id, server);
        self.tell(id, Outcome::Refused(Refusal::QueueFull));
    }

    /// Gives queued requests to free workers.
    fn start_work(&mut self) {
        for server in 0..self.servers.len() {
            while !self.servers[server].idle.is_empty()
                && let Some(request) = self.servers[server].queue.pop_front()
            {
                let worker = self.servers[server].idle.pop().expect("one is idle");
                self.servers[server].busy.insert(worker, request);
                let done_at = self.now + self.work(request);
                self.agenda.insert((done_at, Due::Done { server, worker, request }));
            }
        }
    }

    /// How long a request holds a worker: its work, and a store call if the cart is there.
    fn work(&self, id: usize) -> Span {
        let Sent { key, request, .. } = self.requests[id];
        let work = self.scenario.servers.service.sampler().sample(&mut self.seed.draw(Purpose::Service, key));
        let asks_the_store = self.scenario.homes.cart == CartHome::SharedStore && request.command.touches_cart();
        if asks_the_store { work + self.scenario.store.latency.sampler().mean() } else { work }
    }

    /// A worker finishes, unless its server has died: the effect is committed, and the user is told.
    fn work_done(&mut self, server: usize, worker: usize, id: usize) {
        if self.servers[server].busy.get(&worker) != Some(&id) {
            return;
        }
        self.servers[server].busy.remove(&worker);
        self.servers[server].idle.push(worker);
        let reply = self.commit(server, id);
        if self.is_awaited(id) {
            self.pin(id, server);
            self.tell(id, Outcome::Ok(reply));
        }
    }

    /// The effect of a request on the cart of its visit, and the reply. After the end of the visit it has no effect.
    fn commit(&mut self, server: usize, id: usize) -> Reply {
        let Sent { user, key, request, token, .. } = self.requests[id];
        if !request.command.touches_cart() || self.users[user].key.visit != key.visit {
            return Reply::Done;
        }
        let home = self.scenario.homes.cart;
        let place = (user, key.visit, (home == CartHome::ServerMemory).then_some(server));
        let before = match home {
            CartHome::SignedToken => token,
            _ => self.carts.get(&place).copied().unwrap_or_default(),
        };
        let (after, reply) = match request.command {
            Command::Add(item) => (before.with(item), Reply::Done),
            Command::View => (before, Reply::Cart(before)),
            Command::Checkout => self.check_out(user, key, before),
            other => panic!("{other:?} is not in a plain world"),
        };
        self.carts.insert(place, after);
        if self.is_awaited(id) {
            self.users[user].token = after;
        }
        reply
    }

    /// A visit is charged once, for what is in the cart at that time. A repeated checkout is answered with that order.
    fn check_out(&mut self, user: usize, key: Key, cart: Items) -> (Items, Reply) {
        if let Some(order) = self.users[user].order {
            return (cart, Reply::Charged(order));
        }
        self.see(key, Seen::Billed(cart));
        self.users[user].order = Some(cart);
        (Items::NONE, Reply::Charged(cart))
    }

    /// A server dies, with its carts and all its requests. It may come back, empty.
    fn crash(&mut self, server: usize, back_after: Option<Span>) {
        if !self.servers[server].up {
            return;
        }
        self.servers[server].up = false;
        if let Some(after) = back_after {
            self.agenda.insert((self.now + after, Due::Back { server }));
        }
        self.carts.retain(|(_, _, place), _| *place != Some(server));
        let dead = &mut self.servers[server];
        let running = std::mem::take(&mut dead.busy).into_values();
        let cut_off: Vec<usize> = running.chain(std::mem::take(&mut dead.queue)).collect();
        dead.idle = all_idle(self.scenario.servers.workers.index());
        for id in cut_off {
            if self.is_awaited(id) {
                self.connection_reset(id, server);
            }
        }
    }

    /// The balancer retries a request that was cut off on another server, if its method is idempotent.
    fn connection_reset(&mut self, id: usize, server: usize) {
        let request = &mut self.requests[id];
        let may_retry = request.retries < self.scenario.balancer.retries.get();
        if !(may_retry && request.request.command.is_idempotent()) {
            return self.tell(id, Outcome::Failed);
        }
        request.retries += 1;
        request.tried = vec![server];
        self.route(id);
    }
}
