//! Users: who has arrived, where each of their tabs is in its visit, and what their browsers keep.

mod concurrent_steps;
mod sessions;

use std::collections::BTreeMap;
use std::hint::black_box;

use super::events::{Due, Events};
use super::requests::{InFlight, RequestState};
use super::shop::cart_slot::CartSlot;
use crate::balancing::balancer::Attempt;
use crate::base::seed::{Key, Purpose};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Outcome, RegionId, ServerId, UserId, Visit};
use crate::history::{Ending, Event, Prefetch, Recorder, Request, Seen};
use crate::scenario::{Affinity, CartPath, Scenario};
use crate::state::plan::Plan;
use crate::state::session::CredentialStatus;
use crate::traffic::{Client, ConcurrentSteps, Folder, Jar, Loop, Next, SessionCookie, Workload};

/// The maximum number of simultaneous clients: the wake queue stores their ids in 24 bits.
const MAX_CLIENTS: usize = 1 << 24;

/// All users who have arrived, and what their browsers keep.
#[derive(Clone, Debug)]
pub struct Users {
    /// How they behave: who visits when, and what each visit does.
    pub workload: Workload,
    /// By client.
    pub clients: Vec<ClientSlot>,
    free_clients: Vec<u32>,
    /// Cookie jars, each shared by the tabs of one user. Empty if neither logins nor affinity need one.
    pub jars: Vec<Jar>,
    free_jars: Vec<u32>,
    /// Whether users have jars.
    pub needs_jars: bool,
    /// Whether they carry their carts, in tokens or because the shop keeps them nowhere else.
    carry_carts: bool,
    /// Clients with several requests in flight.
    pub concurrent_steps: BTreeMap<ClientId, ConcurrentSteps>,
    /// Visits that have begun and not ended.
    pub open_visits: u64,
    /// Copies of the sessions that logouts were sent with, if the journey replays them.
    stolen: BTreeMap<ClientId, SessionCookie>,
    /// By jar: sessions that a logout has ended, and when, until the browser closes. Their users may not know yet.
    logged_out: BTreeMap<u32, Vec<(SessionCookie, Instant)>>,
    /// By user: which files they have uploaded, as far as they know. `None` if nobody uploads any.
    folders: Option<Vec<Folder>>,
}

/// A client and its carts: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct ClientSlot {
    /// The client.
    pub client: Client,
    /// Its carts, or the part of them that fits.
    pub carts: CartSlot,
}

/// What a client does as soon as it is told an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing: it thinks, pauses, or waits for another answer.
    Wait,
    /// It sends its next request.
    Send,
    /// It sends the request of this concurrent step again.
    SendStep(u16),
    /// It ends its visit.
    Leave(Ending),
}

impl ClientSlot {
    fn new(client: Client) -> ClientSlot {
        ClientSlot { client, carts: CartSlot::EMPTY }
    }
}

impl Users {
    /// The users of a scenario before any has arrived.
    #[must_use]
    pub fn new(scenario: &Scenario, workload: Workload) -> Users {
        Users {
            clients: Vec::new(),
            free_clients: Vec::new(),
            jars: Vec::new(),
            free_jars: Vec::new(),
            needs_jars: workload.logs_in || scenario.balancer.affinity != Affinity::None,
            carry_carts: scenario.homes.cart.travels(),
            concurrent_steps: BTreeMap::new(),
            open_visits: 0,
            stolen: BTreeMap::new(),
            logged_out: BTreeMap::new(),
            folders: scenario.users.upload().then(Vec::new),
            workload,
        }
    }

    /// A client.
    #[inline]
    #[must_use]
    pub fn client(&self, id: ClientId) -> &Client {
        &self.clients[id.index()].client
    }

    /// A client's carts.
    #[inline]
    #[must_use]
    pub fn carts(&self, id: ClientId) -> &CartSlot {
        &self.clients[id.index()].carts
    }

    /// A client's carts, for changing them.
    #[inline]
    pub fn carts_of(&mut self, id: ClientId) -> &mut CartSlot {
        &mut self.clients[id.index()].carts
    }

    /// The cookie jar of a client's user.
    #[inline]
    pub fn jar_of(&mut self, id: ClientId) -> &mut Jar {
        &mut self.jars[self.clients[id.index()].client.jar as usize]
    }

    /// The cookie jar of a client's user, if users have jars. That of a visitor who has left (open loop) may have been
    /// reused.
    #[must_use]
    pub fn jar(&self, client: &Client) -> Option<&Jar> {
        let gone = client.is_away() && matches!(self.workload.arrivals, Loop::Open { .. });
        self.jars.get(client.jar as usize).filter(|_| self.needs_jars && !gone)
    }

    /// Whether a visit is still open.
    #[inline]
    #[must_use]
    pub fn is_open(&self, visit: Visit) -> bool {
        let client = self.client(visit.client);
        !client.is_away() && client.visit(visit.client) == visit
    }

    /// Touches the data of clients that are about to wake, a batch at a time, so that their cache misses overlap and
    /// are resolved before the data is needed. With millions of users none of it is cached, and waiting for one cache
    /// miss after another would dominate the run time.
    #[inline]
    pub fn prefetch(&self, clients: impl Iterator<Item = ClientId>, recorder: &impl Prefetch) {
        recorder.prefetch(clients.inspect(|client| {
            black_box(self.client(*client).meant);
        }));
    }

    /// Users whom a cookie binds to a server.
    pub fn bound_to(&self, server: ServerId, affinity: Affinity, now: Instant) -> u32 {
        let bound = self.jars.iter().filter(|jar| jar.pin.binds(affinity, server, now)).count();
        u32::try_from(bound).expect("at most as many as users")
    }
}

/// How users arrive.
impl Users {
    /// Schedules the arrival of all users.
    pub fn expect_all(&mut self, events: &mut Events) {
        match self.workload.arrivals {
            Loop::Closed { users, ramp } => {
                let extra = self.workload.heavy().map_or(0, |_| 64);
                self.clients.reserve_exact(users as usize + extra);
                for user in (1..=users).map(UserId) {
                    self.expect(events, user, Instant::ZERO, ramp);
                }
            }
            Loop::Open { .. } => events.schedule(Instant::ZERO, Due::Visitor(UserId(0))),
        }
    }

    /// Schedules the arrival of one user within the ramp that begins at `from`.
    pub fn expect(&mut self, events: &mut Events, user: UserId, from: Instant, ramp: Span) {
        let jar = self.jars.len();
        if self.needs_jars {
            self.jars.push(Jar::new());
        }
        for tab in 0..self.workload.tabs(user) {
            let client = Client::new(user, tab, u32::try_from(jar).expect("as many as users"));
            let at = self.workload.first_visit(&client, from, ramp);
            if at < self.workload.closes {
                events.wakes.push(at, self.new_client_id());
            }
            self.clients.push(ClientSlot::new(client));
        }
    }

    /// Admits a new visitor, and schedules the next one. User 0 only stands for the moment the shop opens. All tabs get
    /// their slots before the first wakes. Otherwise one that leaves at once could free its slot for another tab of the
    /// same user.
    pub fn admit_visitor(&mut self, events: &mut Events, user: UserId) -> impl Iterator<Item = ClientId> + use<> {
        if let Loop::Open { rate } = self.workload.arrivals {
            let next = UserId(user.0 + 1);
            let at = events.now + self.workload.until_visitor(next, events.now, rate);
            if at < self.workload.closes {
                events.schedule(at, Due::Visitor(next));
            }
        }
        let tabs = if user.0 == 0 { 0 } else { self.workload.tabs(user) };
        let jar = if tabs > 0 { self.new_jar() } else { 0 };
        let first = (tabs > 0).then(|| self.admit(Client::new(user, 0, jar)));
        let others: Vec<ClientId> = (1..tabs).map(|tab| self.admit(Client::new(user, tab, jar))).collect();
        first.into_iter().chain(others)
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
}

/// A visit, from its beginning to its end.
impl Users {
    /// A client's think time or pause has ended: it begins a visit if it is away. Returns whether it does.
    #[inline(always)]
    pub fn begin_visit<R: Recorder>(&mut self, recorder: &mut R, id: ClientId, now: Instant) -> bool {
        let client = &mut self.clients[id.index()].client;
        if !client.is_away() {
            return false;
        }
        client.begin();
        self.open_visits += 1;
        if self.needs_jars {
            self.jars[client.jar as usize].open.began();
        }
        recorder.record(&Event::seen(now, client.visit(id), Seen::Began));
        true
    }

    /// What a client sends now, and the key of its draws.
    #[inline(always)]
    pub fn next_request(&mut self, id: ClientId, now: Instant) -> (Request, Key) {
        let sender = &mut self.clients[id.index()].client;
        let mut request = sender.request(&self.workload, now);
        if let Some(folders) = &mut self.folders {
            request.command = sender.name_file(&self.workload, folder(folders, sender.user), request.command);
        }
        (request, sender.key())
    }

    /// A request as it leaves its client now, with what the user's browser adds to it.
    #[inline(always)]
    pub fn post(&mut self, client: ClientId, request: Request, key: Key, now: Instant) -> InFlight {
        let ClientSlot { client: sender, carts } = &self.clients[client.index()];
        let session = match request.command {
            Command::Login | Command::ForgeSession => None,
            Command::ReplayToken => self.stolen.get(&client).copied(),
            _ if self.workload.logs_in => self.jars[sender.jar as usize].session,
            _ => None,
        };
        if let (true, Some(session)) = (self.workload.thief_copies(request.command), session) {
            self.stolen.insert(client, session);
        }
        let (cart, cart_expires) =
            if self.carry_carts { (carts.copy(), carts.expires()) } else { (None, Instant::ZERO) };
        InFlight {
            key,
            client,
            command: request.command,
            sent: now,
            since: now,
            cart,
            cart_expires,
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
        }
    }

    /// What the balancer's choice for a request depends on.
    #[inline(always)]
    pub fn attempt(&self, request: &InFlight, region: Option<RegionId>) -> Attempt<'_> {
        let client = self.client(request.client);
        Attempt {
            pin: self.needs_jars.then(|| &self.jars[client.jar as usize].pin),
            hash_key: self.workload.hash_key(client.user),
            region,
            draw: self.workload.seed.draw(Purpose::Pick, request.key_of_try()),
        }
    }

    /// A user learns how a request ended, and decides what to do next.
    #[inline(always)]
    pub fn told<R: Recorder>(
        &mut self,
        recorder: &mut R,
        events: &mut Events,
        request: &InFlight,
        outcome: Outcome,
    ) -> Reaction {
        if !self.concurrent_steps.is_empty()
            && let Some(reaction) = self.told_step(recorder, events, request, outcome)
        {
            return reaction;
        }
        let client = &mut self.clients[request.client.index()].client;
        if let Some(folders) = &mut self.folders {
            folder(folders, client.user).told(request.command, outcome);
        }
        let meant = client.meant;
        let next = client.told(&self.workload, request.command, outcome);
        let settled = next.settles_the_step();
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        recorder.record(&Event::seen(events.now, request.visit(), told));
        self.go_on(events, request.client, next)
    }

    /// Schedules a client's next move, unless it is to be made at once.
    #[inline(always)]
    fn go_on(&mut self, events: &mut Events, id: ClientId, next: Next) -> Reaction {
        match next {
            Next::Think => events.wakes.push(events.now + self.workload.think(self.client(id)), id),
            Next::Pause => events.wakes.push(events.now + self.workload.pause, id),
            Next::Again => return Reaction::Send,
            Next::Leave(ending) => return Reaction::Leave(ending),
        }
        Reaction::Wait
    }

    /// A client ends its visit, and schedules its next one.
    #[inline(always)]
    pub fn leave<R: Recorder>(
        &mut self,
        recorder: &mut R,
        events: &mut Events,
        id: ClientId,
        ending: Ending,
        affinity: Affinity,
    ) {
        let client = self.clients[id.index()].client;
        recorder.record(&Event::seen(events.now, client.visit(id), Seen::Left(ending)));
        if self.workload.replays {
            self.stolen.remove(&id);
        }
        self.open_visits -= 1;
        let mut last = true;
        if self.needs_jars {
            let jar = &mut self.jars[client.jar as usize];
            jar.visit_ended(affinity);
            last = jar.open.are_none();
            if last && !self.logged_out.is_empty() {
                self.logged_out.remove(&client.jar);
            }
        }
        match self.workload.arrivals {
            Loop::Closed { .. } => {
                let at = events.now + self.workload.think(&client);
                if at < self.workload.closes {
                    events.wakes.push(at, id);
                }
            }
            Loop::Open { .. } => {
                self.free_clients.push(id.0);
                if self.needs_jars && last {
                    self.jars[client.jar as usize] = Jar::new();
                    self.free_jars.push(client.jar);
                }
            }
        }
    }
}

fn folder(folders: &mut Vec<Folder>, user: UserId) -> &mut Folder {
    let index = user.0 as usize;
    if index >= folders.len() {
        folders.resize_with(index + 1, Folder::default);
    }
    &mut folders[index]
}
