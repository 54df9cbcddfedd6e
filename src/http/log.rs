//! The history of a run over sockets, written down by everyone as it happens.
//!
//! One lock gives all events one order, and each is stamped while it is held: so times never run back, and an effect is
//! written down before its answer can be.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use super::wire::{CartId, RequestId};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, File, Items, Outcome, ProcessId, ServerId, UserId, Visit};
use crate::history::{Event, EventKind, Evidence, Inside, PoolEvent, Recorder, Request, Seen, Served};
use crate::judging::meter::LatencyMeter;
use crate::scenario::CartPath;
use crate::state::evidence::{self, StoreLoss};
use crate::state::file_locations::{FileLocation, Whereabouts};
use crate::state::replication::{Change, Copies};

/// The history, and what is measured beside it.
#[derive(Debug)]
pub struct Log {
    clock: Clock,
    state: Mutex<LogState>,
}

/// What the log has taken in.
#[derive(Debug)]
pub struct LogState {
    /// What has happened since the recorder was last told.
    pub untold: Vec<Event>,
    /// Requests that users have sent.
    pub sent: u64,
    /// How late requests were sent, in real time.
    pub late: LatencyMeter,
    clients: Vec<VisitEvidence>,
    /// What the shared store took of carts, open or not.
    gone: BTreeMap<CartId, Evidence>,
    killed_by: Vec<(ProcessId, u32)>,
    /// Where servers have put files.
    whereabouts: Whereabouts,
    /// Servers that run on another host than the first, and the how-manieth it is.
    hosts: BTreeMap<ServerId, u32>,
    /// Faults that have struck, by their index.
    pub struck: Vec<u32>,
    /// Nothing is taken in any more.
    closed: bool,
}

/// What an omniscient observer knows of a client.
#[derive(Debug, Default)]
struct VisitEvidence {
    /// The number of the visit that is open; 0 when none is.
    visit: u32,
    /// Requests that the user waits for.
    waiting: u32,
    /// What incarnations hold of the visit's cart, living or dead.
    copies: Vec<(ProcessId, Items)>,
    /// The same, with their versions, when servers copy carts to each other.
    replicas: Copies,
    overwritten: Items,
    expired: Items,
    /// What is in the user's token, when the cart travels so.
    token: Items,
    /// What is in tokens that the user has not been told of yet.
    tokens: Vec<(Request, Items)>,
}

/// What a server did to its copy of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaAccess {
    /// It looked at it.
    Looked,
    /// It changed it.
    Changed(Change),
}

/// What a server did to the cart of a visit, beside the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitRecord {
    /// What the incarnation now remembers of the cart, if it keeps carts.
    pub copy: Option<Items>,
    /// What its write replaced with an older copy.
    pub overwritten: Items,
    /// What was in a token that had expired.
    pub expired: Items,
    /// What is in the token that the answer sets anew.
    pub token: Option<Items>,
    /// In replicated memory: what was done there.
    pub replica: Option<ReplicaAccess>,
    /// While carts move: the way to this one, and the migration as a fault.
    pub moving: Option<(CartPath, u32)>,
    /// What was charged now.
    pub billed: Option<Items>,
    /// Where a file was put or looked for.
    pub file: Option<(FileLocation, File)>,
}

/// A request as its user sent it and how it ended.
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
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(clock: Clock) -> Log {
        let late = LatencyMeter::default();
        let state = LogState {
            untold: Vec::new(),
            sent: 0,
            late,
            clients: Vec::new(),
            gone: BTreeMap::new(),
            killed_by: Vec::new(),
            whereabouts: Whereabouts::default(),
            hosts: BTreeMap::new(),
            struck: Vec::new(),
            closed: false,
        };
        Log { clock, state: Mutex::new(state) }
    }

    /// Looks into the book. A panic elsewhere fails the run by other ways.
    pub fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells a recorder what has happened since the last time; nobody who writes has to wait for it meanwhile.
    pub fn tell(&self, recorder: &mut dyn Recorder) {
        let untold = std::mem::take(&mut self.state().untold);
        for event in &untold {
            recorder.record(event);
        }
    }

    /// The run is over: whatever is still under way is not written down any more. Returns how late requests were sent,
    /// in real time, and how many users still waited for.
    #[must_use]
    pub fn close(&self) -> (LatencyMeter, u64) {
        let mut state = self.state();
        state.closed = true;
        (state.late.clone(), state.clients.iter().map(|seat| u64::from(seat.waiting)).sum())
    }

    /// A visit begins.
    pub fn began(&self, visit: Visit) {
        let mut state = self.state();
        *state.seat(visit.client) = VisitEvidence { visit: visit.number, ..VisitEvidence::default() };
        state.write(self.clock.now(), EventKind::Seen(visit, Seen::Began));
    }

    /// A request goes to the balancer; its user meant to send it at `intended`.
    pub fn sent(&self, visit: Visit, request: Request, intended: Instant) {
        let mut state = self.state();
        let now = self.clock.now();
        state.seat(visit.client).waiting += 1;
        let late = Span::from_nanos(u64::try_from(self.clock.real(now - intended).as_nanos()).unwrap_or(u64::MAX));
        state.late.record(late);
        state.write(now, EventKind::Seen(visit, Seen::Sent(request)));
    }

    /// A request ended for its user.
    pub fn told(&self, visit: Visit, answered: &Answered) {
        let Answered { request, sent, meant, outcome, settled } = *answered;
        let mut state = self.state();
        let seat = state.seat(visit.client);
        seat.waiting -= 1;
        seat.received(request, outcome);
        let told = Seen::Told { request, sent, meant, outcome, settled };
        state.write(self.clock.now(), EventKind::Seen(visit, told));
    }

    /// A visit is over.
    pub fn left(&self, visit: Visit, ending: crate::history::Ending) {
        let mut state = self.state();
        *state.seat(visit.client) = VisitEvidence::default();
        state.write(self.clock.now(), EventKind::Seen(visit, Seen::Left(ending)));
    }

    /// A server ended work on a request: its effect is committed. `started`: when a worker took it.
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
        if current && served.request.command == Command::Checkout && served.knew_cart.is_some() {
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

    /// The shared store has lost items of a cart.
    pub fn gone(&self, cart: CartId, how: StoreLoss, items: Items) {
        if items.is_empty() {
            return;
        }
        let mut state = self.state();
        evidence::lost_by_store(state.gone.entry(cart).or_default(), how, items);
    }

    /// A change of a cart has come to another server.
    pub fn copied(&self, visit: Visit, process: ProcessId, change: Change) {
        let mut state = self.state();
        let seat = state.seat(visit.client);
        if seat.visit == visit.number {
            seat.replicas.arrived(process, change);
        }
    }

    /// The balancer goes on to another server.
    pub fn retried(&self, visit: Visit, from: ServerId) {
        self.behind(visit, Inside::Retried { from });
    }

    /// A request was given up before any effect.
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

    /// A fault or a plan ended a process: `events` say so.
    pub fn killed(&self, process: ProcessId, fault: u32, events: impl IntoIterator<Item = PoolEvent>) {
        let mut state = self.state();
        state.killed_by.push((process, fault));
        for event in events {
            state.write(self.clock.now(), EventKind::Pool(event));
        }
    }

    /// A server has a new host, and a new disk.
    pub fn new_host(&self, server: ServerId, host: u32) {
        self.state().hosts.insert(server, host);
    }

    /// Everybody whose files were ever put anywhere.
    #[must_use]
    pub fn owners(&self) -> Vec<UserId> {
        self.state().whereabouts.owners().collect()
    }
}

impl VisitEvidence {
    /// The user has an answer, and the token in it: what the one before knew besides is gone.
    fn received(&mut self, request: Request, outcome: Outcome) {
        let Some(at) = self.tokens.iter().position(|(of, _)| *of == request) else { return };
        let (_, new) = self.tokens.remove(at);
        if !matches!(outcome, Outcome::Ok(_)) {
            return;
        }
        let replaced = evidence::replaced(self.token, request.command, new);
        self.overwritten = self.overwritten.union(replaced);
        self.token = new;
    }
}

impl LogState {
    /// Takes in an event, unless the run is over.
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

    /// Whether there was ever such a client: somebody with curl can make up the id of a request.
    fn knows(&self, visit: Visit) -> bool {
        visit.client.index() < self.clients.len()
    }

    fn seat(&mut self, client: ClientId) -> &mut VisitEvidence {
        if client.index() >= self.clients.len() {
            self.clients.resize_with(client.index() + 1, VisitEvidence::default);
        }
        &mut self.clients[client.index()]
    }

    /// Notes where the visit's items are now. False when the visit is over, and nothing of it will be asked for again.
    fn keep(&mut self, visit: Visit, served: &Served, kept: CommitRecord) -> bool {
        let process = served.process;
        self.seat(visit.client);
        let LogState { clients, killed_by, .. } = self;
        let seat = &mut clients[visit.client.index()];
        if seat.visit != visit.number {
            return false;
        }
        seat.overwritten = seat.overwritten.union(kept.overwritten);
        seat.expired = seat.expired.union(kept.expired);
        if let Some(at_copy) = kept.replica {
            seat.replicas.asked(process, |process| killed_by.iter().all(|(dead, _)| *dead != process));
            if let ReplicaAccess::Changed(change) = at_copy {
                seat.replicas.changed(process, change);
            }
        }
        if let Some(items) = kept.token {
            seat.tokens.push((served.request, items));
        }
        if let Some(items) = kept.copy {
            match seat.copies.iter_mut().find(|(of, _)| *of == process) {
                Some((_, copy)) => *copy = items,
                None => seat.copies.push((process, items)),
            }
        }
        true
    }

    fn killer(&self, process: ProcessId) -> Option<u32> {
        self.killed_by.iter().find(|(dead, _)| *dead == process).map(|(_, fault)| *fault)
    }

    /// What became of the items of a cart that has copies.
    fn evidence_of_copies(&self, client: ClientId) -> Evidence {
        self.clients[client.index()].replicas.evidence(|process| self.killer(process))
    }

    /// What became of the items of a cart that moves.
    fn evidence_moving(&self, client: ClientId, here: (ProcessId, CartPath), migration: u32) -> Evidence {
        let memories = self.clients[client.index()].copies.iter().copied();
        evidence::of_moving_cart(memories, here, migration, |process| self.killer(process))
    }

    /// Notes where a file is; when it was looked for in vain, says where else it is.
    fn file_served(&mut self, user: UserId, served: &Served, place: FileLocation, file: File) -> Evidence {
        if let Command::Upload(_) = served.request.command {
            self.whereabouts.keep(user, place, file);
        }
        if !matches!(served.request.command, Command::Download(_)) || served.knew_cart != Some(false) {
            return Evidence::default();
        }
        let lives = |process| self.killer(process).is_none();
        let host_of = |server| self.hosts.get(&server).copied().unwrap_or(1);
        evidence::of_file(file, self.whereabouts.there(user, |place| place.lasts(lives, host_of)))
    }

    /// Where else the visit's items are than with this incarnation, and what took them.
    fn evidence(&self, client: ClientId, process: ProcessId, cart: CartId) -> Evidence {
        let seat = &self.clients[client.index()];
        let mut lost = self.gone.get(&cart).copied().unwrap_or_default();
        lost.overwritten = seat.overwritten;
        lost.expired = lost.expired.union(seat.expired);
        evidence::of_cart(lost, process, seat.copies.iter().copied(), |process| self.killer(process))
    }
}
