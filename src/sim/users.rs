//! Users: they wake, send requests, receive answers, and leave.

mod concurrent_steps;
mod sessions;

use std::collections::BTreeMap;

use super::Sim;
use super::events::{Due, TimerKind};
use super::requests::{InFlight, RequestId, RequestState};
use super::shop::carts::CartSlot;
use crate::balancing::attempt::AttemptFailure;
use crate::base::seed::Key;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Outcome, Reply, ServerId, UserId, Visit};
use crate::history::{Ending, Event, EventKind, Recorder, Request, Seen};
use crate::scenario::{Affinity, CartHome, CartPath, Scenario};
use crate::state::plan::Plan;
use crate::state::session::CredentialStatus;
use crate::traffic::{Client, ConcurrentSteps, Jar, Loop, Next, Workload};

pub use sessions::Stolen;

/// The maximum number of simultaneous clients: the wake queue stores their ids in 24 bits.
const MAX_CLIENTS: usize = 1 << 24;

/// All users who have arrived, and what their browsers keep.
#[derive(Clone, Debug)]
pub struct Users {
    /// By client.
    pub clients: Vec<ClientSlot>,
    free_clients: Vec<u32>,
    /// Cookie jars, each shared by the tabs of one user. Empty if neither logins nor affinity need one.
    pub jars: Vec<Jar>,
    free_jars: Vec<u32>,
    /// Whether users have jars.
    pub needs_jars: bool,
    /// Clients with several requests in flight.
    pub concurrent_steps: BTreeMap<ClientId, ConcurrentSteps>,
    /// Visits that have begun and not ended.
    pub open_visits: u64,
    /// Copies of sessions whose users have logged out, if the journey replays them.
    pub stolen: BTreeMap<ClientId, Stolen>,
}

/// A client and its carts: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct ClientSlot {
    /// The client.
    pub client: Client,
    /// Its carts, or the part of them that fits.
    pub carts_here: CartSlot,
}

impl ClientSlot {
    fn new(client: Client) -> ClientSlot {
        ClientSlot { client, carts_here: CartSlot::EMPTY }
    }
}

impl Users {
    /// The users of a scenario before any has arrived.
    #[must_use]
    pub fn new(scenario: &Scenario, workload: &Workload) -> Users {
        Users {
            clients: Vec::new(),
            free_clients: Vec::new(),
            jars: Vec::new(),
            free_jars: Vec::new(),
            needs_jars: workload.logs_in || scenario.balancer.affinity != Affinity::None,
            concurrent_steps: BTreeMap::new(),
            open_visits: 0,
            stolen: BTreeMap::new(),
        }
    }

    fn new_client_id(&self) -> ClientId {
        assert!(self.clients.len() < MAX_CLIENTS, "more than 16 million clients at once");
        #[expect(clippy::cast_possible_truncation, reason = "just checked")]
        ClientId(self.clients.len() as u32)
    }

    /// Gives a client a free slot, or a new one.
    fn admit(&mut self, client: Client) -> ClientId {
        let id = self.free_clients.pop().map_or_else(|| self.new_client_id(), ClientId);
        if id.index() == self.clients.len() {
            self.clients.push(ClientSlot::new(client));
        } else {
            self.clients[id.index()] = ClientSlot::new(client);
        }
        id
    }

    fn new_jar(&mut self) -> u32 {
        if !self.needs_jars {
            return 0;
        }
        self.free_jars.pop().unwrap_or_else(|| {
            self.jars.push(Jar::new());
            u32::try_from(self.jars.len() - 1).expect("at most as many as clients")
        })
    }

    /// A client.
    #[inline]
    #[must_use]
    pub fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.index()].client
    }

    /// A client's carts.
    #[inline]
    pub fn carts_of(&mut self, id: ClientId) -> &mut CartSlot {
        &mut self.clients[id.index()].carts_here
    }

    /// The cookie jar of a client's user.
    #[inline]
    pub fn jar_of(&mut self, id: ClientId) -> &mut Jar {
        &mut self.jars[self.clients[id.index()].client.jar as usize]
    }

    /// Whether a visit is still open.
    #[inline]
    #[must_use]
    pub fn is_open(&self, visit: Visit) -> bool {
        let client = self.client(visit.client);
        !client.is_away() && client.visit(visit.client) == visit
    }

    /// Users whom a cookie binds to a server.
    pub fn bound_to(&self, server: ServerId, affinity: Affinity, now: Instant) -> u32 {
        let bound = self.jars.iter().filter(|jar| jar.pin.binds(affinity, server, now)).count();
        u32::try_from(bound).expect("at most as many as users")
    }
}

impl Sim {
    /// Schedules the arrival of all users.
    pub(super) fn expect_users(&mut self) {
        match self.workload.arrivals {
            Loop::Closed { users, ramp } => {
                let extra = self.workload.heavy().map_or(0, |_| 64);
                self.users.clients.reserve_exact(users as usize + extra);
                for user in (1..=users).map(UserId) {
                    self.expect_user(user, Instant::ZERO, ramp);
                }
            }
            Loop::Open { .. } => self.events.schedule(Instant::ZERO, Due::Visitor(UserId(0))),
        }
    }

    /// Schedules the arrival of one user within the ramp that begins at `from`.
    pub(super) fn expect_user(&mut self, user: UserId, from: Instant, ramp: Span) {
        let jar = self.users.jars.len();
        if self.users.needs_jars {
            self.users.jars.push(Jar::new());
        }
        for tab in 0..self.workload.tabs(user) {
            let client = Client::new(user, tab, u32::try_from(jar).expect("as many as users"));
            let at = self.workload.first_visit(&client, from, ramp);
            if at < self.workload.closes {
                self.events.wakes.push(at, self.users.new_client_id());
            }
            self.users.clients.push(ClientSlot::new(client));
        }
    }

    /// Admits a new visitor, and schedules the next one. User 0 only stands for the moment the shop opens.
    pub(super) fn visitor<R: Recorder>(&mut self, recorder: &mut R, user: UserId) {
        let Loop::Open { rate } = self.workload.arrivals else { return };
        let next = UserId(user.0 + 1);
        let at = self.now + self.workload.until_visitor(next, self.now, rate);
        if at < self.workload.closes {
            self.events.schedule(at, Due::Visitor(next));
        }
        if user.0 == 0 {
            return;
        }
        let jar = self.users.new_jar();
        // All tabs get their slots before the first wakes. Otherwise one that leaves at once could free its slot for
        // another tab of the same user.
        let first = self.users.admit(Client::new(user, 0, jar));
        let others: Vec<ClientId> =
            (1..self.workload.tabs(user)).map(|tab| self.users.admit(Client::new(user, tab, jar))).collect();
        self.wake(recorder, first);
        for id in others {
            self.wake(recorder, id);
        }
    }

    /// A client's think time or pause ends.
    #[inline(always)]
    pub(super) fn wake<R: Recorder>(&mut self, recorder: &mut R, id: ClientId) {
        let client = &mut self.users.clients[id.index()].client;
        if client.is_away() {
            client.begin();
            self.users.open_visits += 1;
            if self.users.needs_jars {
                self.users.jars[client.jar as usize].open_visits += 1;
            }
            if let Some(hidden) = &mut self.shop.hidden {
                hidden.shows(id, None);
            }
            let what = EventKind::Seen(client.visit(id), Seen::Began);
            recorder.record(&Event { at: self.now, what });
        }
        if self.workload.is_simultaneous() && self.begin_concurrent_steps(recorder, id) {
            return;
        }
        self.send(recorder, id);
    }

    #[inline]
    fn send<R: Recorder>(&mut self, recorder: &mut R, client: ClientId) {
        let sender = &mut self.users.clients[client.index()].client;
        let mut request = sender.request(&self.workload, self.now);
        if let Some(files) = &mut self.shop.files {
            request.command = sender.name_file(&self.workload, files.folder(sender.user), request.command);
        }
        let key = sender.key();
        self.post(recorder, client, request, key);
    }

    /// Sends a request to the balancer.
    #[inline(always)]
    pub(super) fn post<R: Recorder>(&mut self, recorder: &mut R, client: ClientId, request: Request, key: Key) {
        let ClientSlot { client: sender, carts_here } = &self.users.clients[client.index()];
        let visit = sender.visit(client);
        let session = match request.command {
            Command::Login | Command::ForgeSession => None,
            Command::ReplayToken => self.users.stolen.get(&client).map(|stolen| stolen.session),
            _ if self.workload.logs_in => self.users.jars[sender.jar as usize].session,
            _ => None,
        };
        let travels = self.shop.rules.homes.cart.travels();
        let (copy, copy_ends) =
            if travels { (carts_here.copy(), carts_here.token_end()) } else { (None, Instant::ZERO) };
        let id = self.requests.insert(InFlight {
            key,
            client,
            command: request.command,
            sent: self.now,
            started: self.now,
            copy,
            copy_ends,
            session,
            server: ServerId(0),
            worker: 0,
            place: RequestState::Balancer,
            retries: 0,
            departed: false,
            refused: None,
            path: CartPath::Usual,
            credential: CredentialStatus::Nothing,
            plan: Plan::WORK,
            serial: 0,
        });
        self.events.start_timer(TimerKind::Answer, self.now + self.workload.timeout, id, &self.requests[id]);
        recorder.record(&Event { at: self.now, what: EventKind::Seen(visit, Seen::Sent(request)) });
        self.route(recorder, id);
    }

    /// A server's answer reaches a user who is still waiting: first the cookies are updated, then the user reacts.
    #[inline(always)]
    pub(super) fn answer<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, outcome: Outcome) {
        let request = self.requests[id];
        if let Some(hidden) = &mut self.shop.hidden
            && !outcome.is_server_error()
        {
            hidden.shows(request.client, Some(self.balancer.pool.members[request.server.index()].process));
        }
        if self.users.needs_jars {
            self.users.jar_of(request.client).pin.answered(self.balancer.affinity, request.server, self.now);
            self.keep_session(id, &request, outcome);
        }
        if let (CartHome::SignedToken, Some(items), Outcome::Ok(_)) =
            (self.shop.rules.homes.cart, request.copy, outcome)
        {
            let carts_here = self.users.carts_of(request.client);
            if self.workload.is_simultaneous() {
                self.shop.carts.token_replaced(carts_here.copy(), items, request.client, request.command);
            }
            carts_here.keep_token(items, self.shop.rules.tokens.end_if_issued(self.now));
        }
        self.tell(recorder, id, outcome);
        self.requests.remove(id);
    }

    /// A user learns how a request ended, and goes on. The request's slot is not freed here.
    #[inline(always)]
    pub(super) fn tell<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, outcome: Outcome) {
        let request = self.requests[id];
        // From here on nobody waits for it, whatever its user does next.
        self.requests[id].departed = true;
        if !self.users.concurrent_steps.is_empty() && self.tell_concurrent_steps(recorder, &request, outcome) {
            return;
        }
        let client = &mut self.users.clients[request.client.index()].client;
        if let Some(files) = &mut self.shop.files {
            files.folder(client.user).told(request.command, outcome);
        }
        let meant = client.meant;
        let next = client.told(&self.workload, request.command, outcome);
        let settled = matches!(next, Next::Think | Next::Leave(_));
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        recorder.record(&Event { at: self.now, what: EventKind::Seen(request.visit(), told) });
        self.go_on(recorder, request.client, next);
    }

    /// Carries out a client's next move.
    #[inline(always)]
    pub(super) fn go_on<R: Recorder>(&mut self, recorder: &mut R, id: ClientId, next: Next) {
        match next {
            Next::Think => {
                let at = self.now + self.workload.think(&self.users.clients[id.index()].client);
                self.events.wakes.push(at, id);
            }
            Next::Pause => self.events.wakes.push(self.now + self.workload.pause, id),
            Next::Again => self.send(recorder, id),
            Next::Leave(ending) => self.leave(recorder, id, ending),
        }
    }

    fn leave<R: Recorder>(&mut self, recorder: &mut R, id: ClientId, ending: Ending) {
        let client = self.users.clients[id.index()].client;
        let what = EventKind::Seen(client.visit(id), Seen::Left(ending));
        recorder.record(&Event { at: self.now, what });
        self.shop.carts.forget(&mut self.users.clients[id.index()].carts_here, id);
        if self.workload.replays {
            self.users.stolen.remove(&id);
        }
        if let Some(replicas) = self.network.as_mut().and_then(|network| network.replicas.as_mut()) {
            replicas.forget(id);
        }
        self.users.open_visits -= 1;
        let mut last = true;
        if self.users.needs_jars {
            let jar = &mut self.users.jars[client.jar as usize];
            jar.visit_ended(self.balancer.affinity);
            last = jar.open_visits == 0;
        }
        match self.workload.arrivals {
            Loop::Closed { .. } => {
                let at = self.now + self.workload.think(&client);
                if at < self.workload.closes {
                    self.events.wakes.push(at, id);
                }
            }
            Loop::Open { .. } => {
                self.users.free_clients.push(id.0);
                if self.users.needs_jars && last {
                    self.users.jars[client.jar as usize] = Jar::new();
                    self.users.free_jars.push(client.jar);
                }
            }
        }
    }

    /// The earliest timer expires.
    pub(super) fn timer_event<R: Recorder>(&mut self, recorder: &mut R) {
        let Some((kind, id)) = self.events.take_timer(&self.requests) else { return };
        match kind {
            TimerKind::Connect => self.attempt_failed(recorder, id, AttemptFailure::Unreachable),
            TimerKind::Answer => {
                self.hang_up(id);
                self.give_up(recorder, id, Outcome::TimedOut);
            }
            TimerKind::Try => self.answer_overdue(recorder, id),
            TimerKind::Fail => self.fail(recorder, id),
        }
    }
}

/// The outcome of a request that succeeded.
#[inline]
pub const fn ok(reply: Reply) -> Outcome {
    Outcome::Ok(reply)
}
