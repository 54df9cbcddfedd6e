//! The history: what happened, in order, as both engines record it.
//!
//! Two kinds of events are kept apart by type. [`Seen`] is what users sent and were told: the checker gets nothing
//! else. [`Inside`] is what only an omniscient observer knows: it explains, and it never judges.

use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Items, Outcome, ProcessId, ServerId, ServerState, UserId, Visit};

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub what: EventKind,
}

/// Either kind of event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventKind {
    /// A user saw it.
    Seen(Visit, Seen),
    /// It happened to a request of this visit, inside.
    Inside(Visit, Inside),
    /// It happened to the pool.
    Pool(PoolEvent),
}

/// What a user did or was told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Seen {
    /// A visit begins.
    Began,
    /// A request goes to the balancer.
    Sent(Request),
    /// An order appears on the user's statement.
    Billed(Items),
    /// A request ends, for its user.
    Told {
        /// The request as it was sent.
        request: Request,
        /// When it was sent.
        sent: Instant,
        /// When the user first meant to do this step.
        meant: Instant,
        /// How it ended.
        outcome: Outcome,
        /// Whether the step ends with it: done, or given up.
        settled: bool,
    },
    /// The visit is over.
    Left(Ending),
}

/// A request as its user knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The step of the journey, counted from 0.
    pub step: u16,
    /// The how-manieth request of this step, counted from 0.
    pub attempt: u16,
    /// What it asks.
    pub command: Command,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All steps are done.
    Finished,
    /// The user gave up at a step.
    GaveUp(AbandonReason),
}

/// What a user's patience ended on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbandonReason {
    /// Requests that certainly had no effect.
    Refused,
    /// Requests that may have had one.
    Unknown,
    /// Being logged out again and again.
    LoggedOut,
}

/// What happened to a request behind the balancer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inside {
    /// The balancer's attempt at a server did not get through, or was cut; it goes on to another.
    Retried {
        /// Where it failed.
        from: ServerId,
    },
    /// A server ended work on it, and its effect was committed. (The user may have left meanwhile.)
    Served(Served),
    /// A server or the balancer gave it up before any effect.
    Dropped {
        /// Where it was, if it had reached a server.
        server: Option<ServerId>,
    },
}

/// A request that was served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// The request as its user knows it.
    pub request: Request,
    /// Where.
    pub server: ServerId,
    /// By which incarnation.
    pub process: ProcessId,
    /// From being sent until a worker took it.
    pub waited: Span,
    /// How long it held a worker, waiting for the store included.
    pub busy: Span,
    /// Whether the cart (or the file) was known where it was looked for; `None` when it was not looked for.
    pub knew_cart: Option<bool>,
    /// What the cart held, as the server saw it after the effect (before it was emptied, for a checkout).
    pub cart: Items,
    /// Calls to the shared store.
    pub store_calls: u32,
    /// Bytes of state that the user's tokens carried, both ways.
    pub carried_bytes: u32,
    /// Copies of the cart that were sent to other servers.
    pub copies: u32,
    /// Whereabouts of the visit's items, for a checkout or a view; of the file, for a download that does not find it.
    pub evidence: Evidence,
}

/// Where the items of a visit are, other than where they were looked for, or what took them: input of the post-mortem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the memory of servers that live.
    pub elsewhere: Items,
    /// In the memory of incarnations that died, and nowhere else.
    pub died: Items,
    /// The fault that took the first of those or of the rolled back, an index into the faults that struck; or
    /// [`RECYCLED`].
    pub killed_by: Option<u32>,
    /// Replaced by a concurrent writer's older copy, at some time of the visit.
    pub overwritten: Items,
    /// In a newer copy than the one that answered, at some time of the visit; or written elsewhere and not here yet.
    pub stale: Items,
    /// In a token that was shown after its time, or in a cart that the store had kept for its time, at some time of the
    /// visit.
    pub expired: Items,
    /// Forgotten by the store when it failed over or restarted.
    pub rolled_back: Items,
    /// Thrown out by the store, which was full.
    pub evicted: Items,
}

/// Stands for a fault where a platform ended an instance because it was idle, or because it needed the room.
pub const RECYCLED: u32 = u32::MAX;

/// What happened to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolEvent {
    /// A fault struck: an index into the faults of the run (those of the scenario, then those injected).
    Struck {
        /// The fault.
        fault: u32,
        /// The server; `None` when it was not about one.
        server: Option<ServerId>,
        /// Whether the memory of a server went with it.
        memory_lost: bool,
    },
    /// A server runs again: empty, or no longer slow, or within reach with what it had.
    Ready {
        /// The server.
        server: ServerId,
    },
    /// The balancer's opinion of a server changed.
    Believed {
        /// The server.
        server: ServerId,
        /// Whether it is taken to be up.
        up: bool,
    },
    /// The operator of the pool, not an accident, changed what a server does. The first of a new server is that it
    /// boots; servers are added in the order of their numbers.
    Turned {
        /// The server.
        server: ServerId,
        /// What it does from now on.
        state: ServerState,
    },
    /// The balancer leaves a server alone for a while, for its answers.
    Ejected {
        /// The server.
        server: ServerId,
    },
    /// That while is over.
    Readmitted {
        /// The server.
        server: ServerId,
    },
    /// The operator ended a process, with its memory. What the server does next is told by a [`PoolEvent::Turned`].
    Stopped {
        /// The server.
        server: ServerId,
        /// The plan that wanted it: an index into the faults of the run; or [`RECYCLED`].
        fault: u32,
        /// Users whom a cookie still bound to it.
        cut_off_users: u32,
        /// Requests that it held, in its workers or in its queue, and that somebody still waited for. One that was given
        /// up, by its user or by the balancer, is not cut, though the server was working on it; nor is one that the
        /// balancer counts as in flight and that has not come to the server, or has an answer already.
        cut_requests: u32,
    },
    /// After the end every server and store was searched for a user's files.
    Audited {
        /// Whose.
        user: UserId,
        /// Those that were there.
        found: Items,
    },
    /// A deploy is done: every server is new and ready.
    Finished {
        /// The deploy: an index into the faults of the run.
        fault: u32,
    },
}

/// Something that takes in the history as it happens. Every engine is given one by its caller.
pub trait Recorder {
    /// Takes in one event; events come in order of time.
    fn record(&mut self, event: &Event);
}

/// A recorder that can be warned of what comes. Apart from [`Recorder`], so that where speed does not matter any recorder
/// can be a `&mut dyn Recorder`, which heeds no warning.
pub trait Prefetch {
    /// A hint: these clients will soon send, and what is kept of them may be fetched from memory by then.
    #[inline]
    fn prefetch(&self, clients: impl Iterator<Item = ClientId>) {
        clients.for_each(drop);
    }
}

impl Prefetch for dyn Recorder + '_ {}

impl<R: Recorder + ?Sized> Recorder for &mut R {
    #[inline]
    fn record(&mut self, event: &Event) {
        (**self).record(event);
    }
}

impl<R: Prefetch + ?Sized> Prefetch for &mut R {
    #[inline]
    fn prefetch(&self, clients: impl Iterator<Item = ClientId>) {
        (**self).prefetch(clients);
    }
}

/// Records nothing.
impl Recorder for () {
    #[inline]
    fn record(&mut self, _: &Event) {}
}

impl Prefetch for () {}

/// Keeps everything.
impl Recorder for Vec<Event> {
    fn record(&mut self, event: &Event) {
        self.push(*event);
    }
}

impl Prefetch for Vec<Event> {}
