//! The history of a run: events in order, as both engines record them.
//!
//! The types separate two kinds of events. [`Seen`] events are what users sent and what they were told; the checker
//! gets nothing else. [`Inside`] events are known only to an omniscient observer; they explain losses, but never
//! decide whether something was lost.

use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Items, Outcome, ProcessId, ServerId, ServerState, UserId, Visit};

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// When it happened.
    pub at: Instant,
    /// What happened.
    pub what: EventKind,
}

impl Event {
    /// A user did something, or was told something.
    #[inline]
    #[must_use]
    pub const fn seen(at: Instant, visit: Visit, what: Seen) -> Event {
        Event { at, what: EventKind::Seen(visit, what) }
    }

    /// Something happened to a request behind the balancer.
    #[inline]
    #[must_use]
    pub const fn inside(at: Instant, visit: Visit, what: Inside) -> Event {
        Event { at, what: EventKind::Inside(visit, what) }
    }

    /// Something happened to the pool.
    #[inline]
    #[must_use]
    pub const fn pool(at: Instant, what: PoolEvent) -> Event {
        Event { at, what: EventKind::Pool(what) }
    }
}

/// Any kind of event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventKind {
    /// Something that a user did or was told.
    Seen(Visit, Seen),
    /// Something that happened to a request of this visit behind the balancer.
    Inside(Visit, Inside),
    /// Something that happened to the pool.
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
    /// The user learns the result of a request.
    Told {
        /// The request as it was sent.
        request: Request,
        /// When it was sent.
        sent: Instant,
        /// When the user first intended to do this step.
        meant: Instant,
        /// How it ended.
        outcome: Outcome,
        /// Whether the step is over after it: done, or given up.
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
    /// Its sequence number among the requests of this step, counted from 0.
    pub attempt: u16,
    /// What it asks for.
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

/// The kind of failure that used up a user's patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbandonReason {
    /// Requests that certainly had no effect.
    Refused,
    /// Requests that may have had an effect.
    Unknown,
    /// Repeated logouts.
    LoggedOut,
}

/// What happened to a request behind the balancer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inside {
    /// The balancer's attempt at a server failed to connect or was cut off; the balancer retries on another server.
    Retried {
        /// The server where it failed.
        from: ServerId,
    },
    /// A server finished the request and committed its effect. (The user may have left by then.)
    Served(Served),
    /// A server or the balancer gave up the request before any effect.
    Dropped {
        /// The server, if the request had reached one.
        server: Option<ServerId>,
    },
}

/// A request that was served.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// The request as its user knows it.
    pub request: Request,
    /// The server that did.
    pub server: ServerId,
    /// The process that did.
    pub process: ProcessId,
    /// From when it was sent until a worker took it.
    pub waited: Span,
    /// How long it held a worker, including waits for the store.
    pub busy: Span,
    /// Whether the cart (or the file) was known where the server looked for it; `None` if the server did not look.
    pub knew_cart: Option<bool>,
    /// What the cart held, as the server saw it after the effect (for a checkout: before the cart was emptied).
    pub cart: Items,
    /// Calls to the shared store.
    pub store_calls: u32,
    /// Bytes of state that the user's tokens carried, in both directions.
    pub carried_bytes: u32,
    /// Copies of the cart sent to other servers.
    pub copies: u32,
    /// For a checkout or a view: where the visit's items are. For a download that finds nothing: where the file is.
    pub evidence: Evidence,
}

/// Where the items of a visit are instead of where the server looked for them, or what removed them: the input of the
/// post-mortem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// In the memory of live servers.
    pub elsewhere: Items,
    /// Only in the memory of processes that died.
    pub died: Items,
    /// The fault that took the first of the items that died or were rolled back: an index into the faults that struck,
    /// or [`RECYCLED`].
    pub killed_by: Option<u32>,
    /// Replaced at some time of the visit by the older copy of a concurrent writer.
    pub overwritten: Items,
    /// At some time of the visit in a newer copy than the one that answered, or written elsewhere but not replicated
    /// yet.
    pub stale: Items,
    /// At some time of the visit in a token shown after its expiry, or in a cart whose time to live in the store had
    /// ended.
    pub expired: Items,
    /// Lost by the store when it failed over or restarted.
    pub rolled_back: Items,
    /// Evicted by the store, which was full.
    pub evicted: Items,
}

/// Used instead of a fault if a platform stopped an instance because it was idle, or to free its memory.
pub const RECYCLED: u32 = u32::MAX;

/// What happened to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolEvent {
    /// A fault struck. Faults are numbered: first those of the scenario, then the injected ones.
    Struck {
        /// The index of the fault.
        fault: u32,
        /// The server; `None` if the fault does not concern one.
        server: Option<ServerId>,
        /// Whether a server lost its memory.
        memory_lost: bool,
    },
    /// A server works again: restarted empty, no longer slow, or reachable again with its old memory.
    Ready {
        /// The server.
        server: ServerId,
    },
    /// The balancer changed its belief about a server.
    Believed {
        /// The server.
        server: ServerId,
        /// Whether it is now believed to be up.
        up: bool,
    },
    /// The operator of the pool, not an accident, changed the state of a server. The first such event of a new server
    /// is that it boots; servers are added in the order of their numbers.
    Turned {
        /// The server.
        server: ServerId,
        /// The new state.
        state: ServerState,
    },
    /// The balancer ejects a server because of its failures.
    Ejected {
        /// The server.
        server: ServerId,
    },
    /// The ejection is over.
    Readmitted {
        /// The server.
        server: ServerId,
    },
    /// The operator stopped a process, which lost its memory. A [`PoolEvent::Turned`] tells what the server does next.
    Stopped {
        /// The server.
        server: ServerId,
        /// The plan that caused it: an index into the faults of the run, or [`RECYCLED`].
        fault: u32,
        /// Users who were still bound to it by a cookie.
        cut_off_users: u32,
        /// Requests in flight at the server whose users were waiting.
        cut_requests: u32,
    },
    /// After the end of the run, every server and store was searched for a user's files.
    Audited {
        /// The owner of the files.
        user: UserId,
        /// The files that were found.
        found: Items,
    },
    /// A deploy is complete: every server is new and ready.
    Finished {
        /// The index of the deploy among the faults of the run.
        fault: u32,
    },
}

/// Something that receives the history as it happens.
pub trait Recorder {
    /// Records one event; events arrive in order of time.
    fn record(&mut self, event: &Event);
}

/// A recorder that can prefetch. Separate from [`Recorder`], so that where speed does not matter any recorder can be a
/// `&mut dyn Recorder`, which does not prefetch.
pub trait Prefetch {
    /// A hint that these clients will send soon, so that their data can be prefetched.
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

/// Discards all events.
impl Recorder for () {
    #[inline]
    fn record(&mut self, _: &Event) {}
}

/// Keeps all events.
impl Recorder for Vec<Event> {
    fn record(&mut self, event: &Event) {
        self.push(*event);
    }
}
