//! The history of a run over sockets, to which every part writes as things happen.
//!
//! One lock puts all events in one order, and each is stamped while the lock is held. So timestamps never go backwards,
//! and an effect is recorded before its answer can be.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use super::wire::{CartId, RequestId};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, File, Items, Outcome, ProcessId, ServerId, UserId, Visit};
use crate::history::{Event, EventKind, Evidence, Inside, PoolEvent, Recorder, Request, Seen, Served};
use crate::judging::meter::LatencyMeter;
use crate::scenario::CartPath;
use crate::state::evidence::{self, Loss};
use crate::state::file_locations::{self, FileLocation, Whereabouts};
use crate::state::replication::{Change, Copies};

/// The history, and what is measured along with it.
#[derive(Debug)]
pub struct Log {
    clock: Clock,
    state: Mutex<LogState>,
}

/// What the log has recorded.
#[derive(Debug)]
pub struct LogState {
    /// Events since the recorder was last told.
    pub untold: Vec<Event>,
    /// Requests that users have sent.
    pub sent: u64,
    /// How late requests were sent, in real time.
    pub late: LatencyMeter,
    clients: Vec<VisitEvidence>,
    /// What the shared store has lost of carts, whether the visit is still open or not.
    lost_by_store: BTreeMap<CartId, Evidence>,
    killed_by: Vec<(ProcessId, u32)>,
    /// Where servers have put files.
    whereabouts: Whereabouts,
    /// Servers that no longer run on their first host, with the sequence number of the current one, from 1.
    hosts: BTreeMap<ServerId, u32>,
    /// Faults that have struck, by index.
    pub struck: Vec<u32>,
    /// Recording has ended.
    closed: bool,
}

/// What an omniscient observer knows about a client's visit.
#[derive(Debug, Default)]
struct VisitEvidence {
    /// The number of the open visit; 0 when none is known.
    visit: u32,
    /// How many requests the user is waiting for.
    waiting: u32,
    /// What each process, live or dead, holds of the visit's cart.
    copies: Vec<(ProcessId, Items)>,
    /// The same with versions, when servers replicate carts to each other.
    replicas: Copies,
    /// What was lost by concurrent writers and in expired tokens.
    lost: Evidence,
    /// What the user's token holds, when the cart travels in a token.
    token: Items,
    /// What is in tokens that the user has not received yet.
    tokens: Vec<(Request, Items)>,
}

/// How a server accessed its replica of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaAccess {
    /// It read the replica.
    Looked,
    /// It changed the replica.
    Changed(Change),
}

/// What a server did to the cart of a visit, besides answering.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitRecord {
    /// What the process now remembers of the cart, if it keeps carts.
    pub copy: Option<Items>,
    /// Items that its write replaced with an older copy.
    pub overwritten: Items,
    /// Items in a token that had expired.
    pub expired: Items,
    /// Items in the new token that the answer sets.
    pub token: Option<Items>,
    /// How it accessed its replica, when carts are replicated.
    pub replica: Option<ReplicaAccess>,
    /// While carts migrate: the lookup path for this one, and the index of the migration among the faults.
    pub moving: Option<(CartPath, u32)>,
    /// Items charged by this request.
    pub billed: Option<Items>,
    /// Where a file was stored or looked for.
    pub file: Option<(FileLocation, File)>,
}

/// A request as its user sent it, and how it ended.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "as in history::Seen::Told")]
pub struct Answered {
    pub request: Request,
    pub sent: Instant,
    pub meant: Instant,
    pub outcome: Outcome,
    pub settled: bool,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(clock: Clock) -> Log {
        let late = LatencyMeter::default();
        let state = LogState {
            untold: Vec::new(),
            sent: 0,
            late,
            clients: Vec::new(),
            lost_by_store: BTreeMap::new(),
            killed_by: Vec::new(),
            whereabouts: Whereabouts::default(),
            hosts: BTreeMap::new(),
            struck: Vec::new(),
            closed: false,
        };
        Log { clock, state: Mutex::new(state) }
    }

    /// Locks the log's state. Poisoning is ignored: a panic elsewhere fails the run in another way.
    pub fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes new events to a recorder. The lock is not held meanwhile, so writers do not wait.
    pub fn tell(&self, recorder: &mut dyn Recorder) {
        let untold = std::mem::take(&mut self.state().untold);
        for event in &untold {
            recorder.record(event);
        }
    }

    /// Ends the recording: requests that are still in flight are not recorded any more. Returns how late requests were
    /// sent, in real time, and how many requests users were still waiting for.
    #[must_use]
    pub fn close(&self) -> (LatencyMeter, u64) {
        let mut state = self.state();
        state.closed = true;
        (state.late.clone(), state.clients.iter().map(|known| u64::from(known.waiting)).sum())
    }

    /// A visit begins.
    pub fn began(&self, visit: Visit) {
        let mut state = self.state();
        *state.known(visit.client) = VisitEvidence { visit: visit.number, ..VisitEvidence::default() };
        state.write(self.clock.now(), EventKind::Seen(visit, Seen::Began));
    }

    /// A user sends a request to the balancer, having meant to send it at `intended`.
    pub fn sent(&self, visit: Visit, request: Request, intended: Instant) {
        let mut state = self.state();
        let now = self.clock.now();
        state.known(visit.client).waiting += 1;
        let late = Span::from_nanos(u64::try_from(self.clock.real(now - intended).as_nanos()).unwrap_or(u64::MAX));
        state.late.record(late);
        state.write(now, EventKind::Seen(visit, Seen::Sent(request)));
    }

    /// A request ended for its user.
    pub fn told(&self, visit: Visit, answered: &Answered) {
        let Answered { request, sent, meant, outcome, settled } = *answered;
        let mut state = self.state();
        let known = state.known(visit.client);
        known.waiting -= 1;
        known.received(request, outcome);
        let told = Seen::Told { request, sent, meant, outcome, settled };
        state.write(self.clock.now(), EventKind::Seen(visit, told));
    }

    /// A visit is over.
    pub fn left(&self, visit: Visit, ending: crate::history::Ending) {
        let mut state = self.state();
        *state.known(visit.client) = VisitEvidence::default();
        state.write(self.clock.now(), EventKind::Seen(visit, Seen::Left(ending)));
    }

    /// A server has finished a request, and its effect is committed. `started`: when a worker took the request.
    pub fn served(&self, id: RequestId, mut served: Served, started: Instant, kept: CommitRecord) {
        let visit = id.visit();
        let mut state = self.state();
        if !state.knows(visit) {
            return;
        }
        let now = self.clock.now();
        served.busy = now - started;
        let current = state.keep(visit, &served, kept);
        if let Some((place, file)) = kept.file {
            served.evidence = state.file_served(visit.user, &served, place, file);
        }
        if current && evidence::is_about_a_cart(served.request.command, served.knew_cart) {
            served.evidence = match kept {
                CommitRecord { replica: Some(_), .. } => state.evidence_of_copies(visit.client),
                CommitRecord { moving: Some((path, migration)), .. } => {
                    state.evidence_moving(visit.client, (served.process, path), migration)
                }
                _ => state.evidence(visit.client, served.process, CartId::of(&id.key)),
            };
        }
        state.write(now, EventKind::Inside(visit, Inside::Served(served)));
        if let (true, Some(items)) = (current, kept.billed) {
            state.write(now, EventKind::Seen(visit, Seen::Billed(items)));
        }
    }

    /// Whether a visit of the run is over.
    #[must_use]
    pub fn is_over(&self, visit: Visit) -> bool {
        let state = self.state();
        state.clients.get(visit.client.index()).is_some_and(|known| known.visit != visit.number)
    }

    /// The shared store has lost items of a cart.
    pub fn lost_by_store(&self, cart: CartId, how: Loss, items: Items) {
        if items.is_empty() {
            return;
        }
        let mut state = self.state();
        evidence::lost(state.lost_by_store.entry(cart).or_default(), how, items);
    }

    /// A change to a cart has reached another server.
    pub fn copied(&self, visit: Visit, process: ProcessId, change: Change) {
        let mut state = self.state();
        let known = state.known(visit.client);
        if known.visit == visit.number {
            known.replicas.arrived(process, change);
        }
    }

    /// The balancer retries a request on another server.
    pub fn retried(&self, visit: Visit, from: ServerId) {
        self.behind(visit, Inside::Retried { from });
    }

    /// A request was abandoned before it had any effect.
    pub fn dropped(&self, visit: Visit, server: Option<ServerId>) {
        self.behind(visit, Inside::Dropped { server });
    }

    fn behind(&self, visit: Visit, what: Inside) {
        let mut state = self.state();
        if state.knows(visit) {
            state.write(self.clock.now(), EventKind::Inside(visit, what));
        }
    }

    /// Something happened to the pool.
    pub fn pool(&self, event: PoolEvent) {
        self.state().write(self.clock.now(), EventKind::Pool(event));
    }

    /// A fault or a plan ended a process, as `events` say.
    pub fn killed(&self, process: ProcessId, fault: u32, events: impl IntoIterator<Item = PoolEvent>) {
        let mut state = self.state();
        state.killed_by.push((process, fault));
        for event in events {
            state.write(self.clock.now(), EventKind::Pool(event));
        }
    }

    /// A server has a new host with a new disk.
    pub fn new_host(&self, server: ServerId, host: u32) {
        self.state().hosts.insert(server, host);
    }

    /// Every user for whom a file was ever stored.
    #[must_use]
    pub fn owners(&self) -> Vec<UserId> {
        self.state().whereabouts.owners().collect()
    }
}

impl VisitEvidence {
    /// The user has received an answer, and the token in it. Items that only the previous token held are overwritten.
    fn received(&mut self, request: Request, outcome: Outcome) {
        let Some(at) = self.tokens.iter().position(|(of, _)| *of == request) else { return };
        let (_, new) = self.tokens.remove(at);
        if !matches!(outcome, Outcome::Ok(_)) {
            return;
        }
        let replaced = evidence::replaced(self.token, request.command, new);
        evidence::lost(&mut self.lost, Loss::Overwritten, replaced);
        self.token = new;
    }
}

impl LogState {
    /// Records an event, unless the run is over.
    fn write(&mut self, at: Instant, what: EventKind) {
        if self.closed {
            return;
        }
        match what {
            EventKind::Pool(PoolEvent::Struck { fault, .. }) => self.struck.push(fault),
            EventKind::Seen(_, Seen::Sent(_)) => self.sent += 1,
            _ => {}
        }
        self.untold.push(Event { at, what });
    }

    /// Whether this client exists: anybody with curl can make up a request id.
    fn knows(&self, visit: Visit) -> bool {
        visit.client.index() < self.clients.len()
    }

    fn known(&mut self, client: ClientId) -> &mut VisitEvidence {
        if client.index() >= self.clients.len() {
            self.clients.resize_with(client.index() + 1, VisitEvidence::default);
        }
        &mut self.clients[client.index()]
    }

    /// Records where the visit's items are now. Returns false when the visit is over: nobody will ask for its items
    /// again.
    fn keep(&mut self, visit: Visit, served: &Served, kept: CommitRecord) -> bool {
        let process = served.process;
        self.known(visit.client);
        let LogState { clients, killed_by, .. } = self;
        let known = &mut clients[visit.client.index()];
        if known.visit != visit.number {
            return false;
        }
        evidence::lost(&mut known.lost, Loss::Overwritten, kept.overwritten);
        evidence::lost(&mut known.lost, Loss::Expired, kept.expired);
        if let Some(access) = kept.replica {
            known.replicas.asked(process, |process| killed_by.iter().all(|(dead, _)| *dead != process));
            if let ReplicaAccess::Changed(change) = access {
                known.replicas.changed(process, change);
            }
        }
        if let Some(items) = kept.token {
            known.tokens.push((served.request, items));
        }
        if let Some(items) = kept.copy {
            match known.copies.iter_mut().find(|(of, _)| *of == process) {
                Some((_, copy)) => *copy = items,
                None => known.copies.push((process, items)),
            }
        }
        true
    }

    fn killer(&self, process: ProcessId) -> Option<u32> {
        self.killed_by.iter().find(|(dead, _)| *dead == process).map(|(_, fault)| *fault)
    }

    /// What became of the items of a replicated cart.
    fn evidence_of_copies(&self, client: ClientId) -> Evidence {
        self.clients[client.index()].replicas.evidence(|process| self.killer(process))
    }

    /// What became of the items of a migrating cart.
    fn evidence_moving(&self, client: ClientId, here: (ProcessId, CartPath), migration: u32) -> Evidence {
        let memories = self.clients[client.index()].copies.iter().copied();
        evidence::of_moving_cart(memories, here, migration, |process| self.killer(process))
    }

    /// Records where a file is stored. When a download did not find it, returns where else it is.
    fn file_served(&mut self, user: UserId, served: &Served, place: FileLocation, file: File) -> Evidence {
        if let Command::Upload(_) = served.request.command {
            self.whereabouts.keep(user, place, file);
        }
        if !served.knew_cart.is_some_and(|knew| file_locations::is_missing(served.request.command, knew)) {
            return Evidence::default();
        }
        let lives = |process| self.killer(process).is_none();
        let host_of = |server| self.hosts.get(&server).copied().unwrap_or(1);
        evidence::of_file(file, self.whereabouts.there(user, |place| place.lasts(lives, host_of)))
    }

    /// Where the visit's items are other than in this process, and what destroyed the rest.
    fn evidence(&self, client: ClientId, process: ProcessId, cart: CartId) -> Evidence {
        let known = &self.clients[client.index()];
        let lost = evidence::both(self.lost_by_store.get(&cart).copied().unwrap_or_default(), known.lost);
        evidence::of_cart(lost, process, known.copies.iter().copied(), |process| self.killer(process))
    }
}
