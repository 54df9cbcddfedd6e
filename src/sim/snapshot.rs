//! A snapshot of one moment: plain data for drawing a run.
//!
//! [`Sim::snapshot`] clears and refills a [`Snapshot`] in place, so that after the first few calls nothing is
//! allocated. The cost is proportional to the number of clients, servers and requests in flight. A snapshot only counts
//! what servers and the store hold; [`Sim::memory`] and [`Sim::memory_of`] list it in full.
//!
//! A snapshot shows what is true, what the balancer believes and what users believe, side by side. All of it is derived
//! from the simulation, which keeps nothing for this purpose.

mod memory;
mod people;
mod requests;
mod servers;

use serde::Serialize;

use super::Sim;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ProcessId, RegionId, ServerId, ServerState, UserId, Visit};
use crate::history::Evidence;

/// Everything that can be drawn of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// The moment.
    pub now: Instant,
    /// Visits that have begun and not yet ended.
    pub open_visits: u64,
    /// Requests that users wait for.
    pub awaited: u64,
    /// By [`ServerId`], including those that are gone for good.
    pub servers: Vec<ServerSnapshot>,
    /// Requests in flight: those that users wait for, and those that servers still work on although nobody waits.
    pub requests: Vec<RequestSnapshot>,
    /// By [`ClientId`].
    pub clients: Vec<ClientSnapshot>,
    /// The shared store, and the object store.
    pub store: StoreSnapshot,
    /// What users carry in tokens: carts and logins.
    pub tokens: MemoryCounts,
    /// The carts that users believe they have.
    pub carts: CartCounts,
    #[serde(skip)]
    scratch: Scratch,
}

/// One server, or one instance of a platform.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerSnapshot {
    /// Its id.
    pub id: ServerId,
    /// Its region, in scenarios with regions.
    pub region: Option<RegionId>,
    /// Its actual state.
    pub state: ServerState,
    /// The state that the balancer believes it to be in.
    pub believed: ServerState,
    /// Whether the balancer sends it users who are not bound to it.
    pub eligible: bool,
    /// Whether it runs but cannot be reached by the balancer or by other servers.
    pub cut_off: bool,
    /// The process that runs on it, or the last one that did.
    pub process: ProcessId,
    /// Which host this is under this name, counted from 1.
    pub host: u32,
    /// By what factor it is slowed down; 1 is normal.
    pub slow: u32,
    /// How many of a thousand requests it fails at once.
    pub failing: u32,
    /// Requests that the balancer waits for.
    pub in_flight: u32,
    /// Worker by worker, the request it holds: an index into [`Snapshot::requests`].
    pub workers: Vec<Option<u32>>,
    /// The requests in its queue, the next one first: indices into [`Snapshot::requests`].
    pub queue: Vec<u32>,
    /// What it remembers. A dead server remembers nothing but the files on its disk.
    pub memory: MemoryCounts,
    /// Users whom a cookie binds to it.
    pub bound_users: u32,
    /// While it drains: when its operator stops it at the latest.
    pub leaves_by: Option<Instant>,
    /// While it is dead or boots: when its process will accept requests. `None` if nothing is planned.
    pub ready_at: Option<Instant>,
}

/// A request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RequestSnapshot {
    /// The visit it belongs to.
    pub visit: Visit,
    /// The step of the journey, counted from 0.
    pub step: u16,
    /// Its number among the requests of that step, counted from 0.
    pub attempt: u16,
    /// What it asks for.
    pub command: Command,
    /// When its user sent it.
    pub sent: Instant,
    /// How many times the balancer has sent it to another server.
    pub retries: u8,
    /// Whether its user still waits for it.
    pub awaited: bool,
    /// Where this phase starts.
    pub from: Spot,
    /// Where this phase leads, or where the request is.
    pub to: Spot,
    /// What is happening to it.
    pub phase: Phase,
    /// When this phase began. In line for the store: when a worker took the request.
    pub since: Instant,
    /// When this phase will end; `None` if that depends on something else.
    pub until: Option<Instant>,
}

/// A place where a request can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// With its user.
    User,
    /// At the balancer, or at the entrance of a platform.
    Balancer,
    /// At a server.
    Server(ServerId),
    /// At the shared store.
    Store,
}

/// What is happening to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The balancer is choosing a server.
    Routing,
    /// The balancer is waiting for a connection to a silent server.
    Connecting,
    /// It is on its way to a server in some region.
    Travelling,
    /// Its answer, or the news of its failure, is on the way back.
    Returning,
    /// It is in a server's queue. An instance that is still starting has one, too.
    Queued,
    /// A worker is working on it.
    Working,
    /// A worker is waiting for the store's answer.
    CallingStore,
    /// A worker is waiting in line for a store connection.
    WaitingForStore,
    /// A server is about to fail it.
    Failing,
    /// It was in a server that fell silent, or its answer is withheld by isolation.
    Swallowed,
}

/// One tab of one user.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClientSnapshot {
    /// The user.
    pub user: UserId,
    /// The client's id.
    pub client: ClientId,
    /// The tab's number among those of its user, counted from 0.
    pub tab: u16,
    /// The number of the open or last visit; 0 before the first.
    pub visit: u32,
    /// The current or next step of the journey, counted from 0.
    pub step: u16,
    /// What the client is doing.
    pub doing: Doing,
    /// The user's region, in scenarios with regions.
    pub region: Option<RegionId>,
    /// What the user believes to have in the cart: adds that the shop has acknowledged; nothing after a checkout.
    pub cart: Items,
    /// Which of those items are in some copy that still counts.
    pub exists: Items,
    /// Whether one such copy has all of them.
    pub whole: bool,
    /// The server that a cookie binds the user to.
    pub bound_to: Option<ServerId>,
}

/// What a client is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Between two visits.
    Away {
        /// When the next visit begins; `None` if there is none.
        until: Option<Instant>,
    },
    /// Thinking before the next step.
    Thinking {
        /// When that step is sent.
        until: Instant,
    },
    /// Waiting for an answer; with several requests in flight, for the first of them.
    Waiting {
        /// When the request was sent.
        since: Instant,
    },
    /// Pausing before a retry of a step.
    Pausing {
        /// When the retry is sent.
        until: Instant,
    },
}

/// The shared store, and the object store for files.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoreSnapshot {
    /// Whether the shared store is down.
    pub down: bool,
    /// Calls in progress.
    pub calls: u32,
    /// Free connections; `None` if there is no limit.
    pub free_connections: Option<u32>,
    /// Requests whose workers wait in line for a connection, in order: indices into [`Snapshot::requests`].
    pub line: Vec<u32>,
    /// What the shared store holds. With a replica in every region, the sum over the replicas.
    pub memory: MemoryCounts,
    /// By region, when every region has a replica.
    pub replicas: Vec<MemoryCounts>,
    /// Files in the object store.
    pub objects: u64,
}

/// Counts of what is kept in one place. Carts and logins count only those of open visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryCounts {
    /// Non-empty carts, or parts of carts.
    pub carts: u32,
    /// Items in them.
    pub items: u32,
    /// Logins.
    pub logins: u32,
    /// Files.
    pub files: u32,
}

/// The carts that users believe they have, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CartCounts {
    /// All carts that have something in them as far as their users know: the sum of the other three.
    pub believed: u32,
    /// Carts of which some copy has everything.
    pub whole: u32,
    /// Carts of which everything exists, but no copy has all of it.
    pub split: u32,
    /// Carts of which some items no longer exist anywhere.
    pub gone: u32,
}

/// Everything that servers, stores and tokens remember, in full. Carts and logins are those of open visits; empty ones
/// are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Carts, by client.
    pub carts: Vec<HeldCart>,
    /// Logins, by user.
    pub logins: Vec<HeldLogin>,
    /// Files, by user.
    pub files: Vec<HeldFiles>,
    #[serde(skip)]
    scratch: Scratch,
}

/// A copy of a cart, or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldCart {
    /// Where the copy is.
    pub holder: Holder,
    /// The visit it belongs to.
    pub visit: Visit,
    /// What is in it.
    pub items: Items,
    /// What the user believes is in the cart.
    pub believed: Items,
}

/// A login that a server, a store or a token knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldLogin {
    /// What knows it.
    pub holder: Holder,
    /// The user who is logged in.
    pub user: UserId,
}

/// The files of one user in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldFiles {
    /// Where they are.
    pub holder: Holder,
    /// The user they belong to.
    pub user: UserId,
    /// Their numbers, as a set.
    pub files: Items,
}

/// What holds a piece of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A server: in the memory of its process or on its disk.
    Server(ServerId),
    /// The shared store.
    Store,
    /// The shared store's replica in a region.
    Replica(RegionId),
    /// The object store.
    Objects,
    /// The user, as a token that servers still accept.
    Token,
}

/// Buffers that are reused from one snapshot to the next. They are not part of its content.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// By slot of the request slab: its index in [`Snapshot::requests`], or [`FREE`].
    indices: Vec<u32>,
    /// By slot: when the message in transit arrives.
    arrives: Vec<Instant>,
    /// By step: the content of a user's cart before it.
    carts_before: Vec<Items>,
    /// The copies of one cart.
    copies: Vec<(Holder, Items)>,
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Scratch) -> bool {
        true
    }
}

/// Marks a slot whose request is not in the snapshot.
const FREE: u32 = u32::MAX;

impl Sim {
    /// Replaces the content of `into` with a snapshot of the current moment.
    pub fn snapshot(&self, into: &mut Snapshot) {
        into.now = self.events.now;
        into.open_visits = self.users.open_visits;
        into.awaited = self.requests.awaited();
        requests::show_requests(self, into);
        servers::show_servers(self, into);
        servers::show_store(self, into);
        people::show_clients(self, into);
        memory::count_memory(self, into);
    }

    /// Replaces the content of `into` with everything that anything remembers.
    pub fn memory(&self, into: &mut Memory) {
        memory::recall(self, into, |_| true);
    }

    /// Like [`Sim::memory`], for one server, store or replica; [`Holder::Token`] stands for all tokens together.
    pub fn memory_of(&self, holder: Holder, into: &mut Memory) {
        memory::recall(self, into, |of| of == holder);
    }

    /// What has happened to the items of a client's open cart so far, whichever server looks.
    #[must_use]
    pub fn evidence_so_far(&self, client: ClientId) -> Evidence {
        memory::evidence_so_far(self, client)
    }
}
