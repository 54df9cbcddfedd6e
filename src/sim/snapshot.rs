//! Who is where at one moment: plain data for whoever draws a run.
//!
//! [`Sim::snapshot`] clears a [`Snapshot`] and fills it again, in buffers that are kept: after the first few nothing is
//! allocated. It costs as much as there are clients, servers, and requests under way. What servers and store hold is in it
//! as counts; [`Sim::memory`] and [`Sim::memory_of`] tell it in full.
//!
//! A snapshot says what is true, what the balancer believes, and what users believe, side by side. All of it is computed
//! from the simulation, and nothing of it is kept there for its sake.

mod memory;
mod people;
mod requests;
mod servers;

use serde::Serialize;

use super::Sim;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ProcessId, RegionId, ServerId, ServerState, UserId, Visit};

/// Everything that can be drawn of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Snapshot {
    /// The moment.
    pub now: Instant,
    /// Visits that have begun and not ended.
    pub open_visits: u64,
    /// Requests that users wait for.
    pub awaited: u64,
    /// By [`ServerId`], those that are gone for good too.
    pub servers: Vec<ServerSnapshot>,
    /// Requests under way: those that users wait for, and those that servers still work on though nobody waits.
    pub requests: Vec<RequestSnapshot>,
    /// By [`ClientId`].
    pub clients: Vec<ClientSnapshot>,
    /// The shared store, and the object store.
    pub store: StoreSnapshot,
    /// What travels with users: carts and logins in tokens.
    pub tokens: MemoryCounts,
    /// Carts that users believe to have.
    pub carts: CartCounts,
    #[serde(skip)]
    scratch: Scratch,
}

/// One server, or instance of a platform.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServerSnapshot {
    /// Which.
    pub id: ServerId,
    /// Where in the world, when that is not one place.
    pub region: Option<RegionId>,
    /// What it really does.
    pub state: ServerState,
    /// What the balancer takes it to do.
    pub believed: ServerState,
    /// Whether the balancer sends users there who are not bound to it.
    pub eligible: bool,
    /// Whether it runs, and neither the balancer nor other servers reach it.
    pub cut_off: bool,
    /// The process that runs, or ran last.
    pub process: ProcessId,
    /// The number of its host under this name, counted from 1.
    pub host: u32,
    /// How many times slower than usual it works.
    pub slow: u32,
    /// Of a thousand requests, how many it fails at once.
    pub failing: u32,
    /// Requests that the balancer waits for.
    pub in_flight: u32,
    /// Worker by worker: the request it holds, an index into [`Snapshot::requests`].
    pub workers: Vec<Option<u32>>,
    /// The requests in its queue, the next one first; indices into [`Snapshot::requests`].
    pub queue: Vec<u32>,
    /// What it remembers. A dead server remembers nothing, but for files on its disk.
    pub memory: MemoryCounts,
    /// Users whom a cookie sends there.
    pub bound_users: u32,
    /// When its operator stops it at the latest, while it is drained.
    pub leaves_by: Option<Instant>,
    /// When its process will take requests, while it is dead or boots. `None` when nothing is planned.
    pub ready_at: Option<Instant>,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RequestSnapshot {
    /// Whose.
    pub visit: Visit,
    /// The step of the journey, counted from 0.
    pub step: u16,
    /// The number of this request among those of the step, counted from 0.
    pub attempt: u16,
    /// What it asks.
    pub command: Command,
    /// When its user sent it.
    pub sent: Instant,
    /// How often the balancer has sent it to another server.
    pub retries: u8,
    /// Whether its user still waits for it.
    pub awaited: bool,
    /// Where it comes from in this phase.
    pub from: Spot,
    /// Where it goes to in this phase, or is.
    pub to: Spot,
    /// What happens to it.
    pub phase: Phase,
    /// When this phase began. In line for the store: when its worker took it.
    pub since: Instant,
    /// When this phase ends by itself; `None` when that depends on others.
    pub until: Option<Instant>,
}

/// A place where a request can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// With its user.
    User,
    /// With the balancer, or at the entrance of a platform.
    Balancer,
    /// At a server.
    Server(ServerId),
    /// At the shared store.
    Store,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The balancer looks for a server.
    Routing,
    /// The balancer waits for a connection to a server that is silent.
    Connecting,
    /// It is on its way to a server in some region.
    Travelling,
    /// Its answer, or the news that there is none, is on the way back.
    Returning,
    /// In the queue of a server. An instance that has not started yet has one, too.
    Queued,
    /// A worker works on it.
    Working,
    /// A worker waits for the store's answer.
    CallingStore,
    /// A worker waits in line for a connection to the store.
    WaitingForStore,
    /// A server is about to fail it.
    Failing,
    /// It was in a server that fell silent, or its answer cannot get out of there.
    Swallowed,
}

/// One tab of one user.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClientSnapshot {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub client: ClientId,
    /// Its number among the tabs of its user, counted from 0.
    pub tab: u16,
    /// The number of the visit that is open, or was last; 0 before the first.
    pub visit: u32,
    /// The step of the journey that it does, or will do next, counted from 0.
    pub step: u16,
    /// What it does.
    pub doing: Doing,
    /// Where in the world the user is, when that is not one place.
    pub region: Option<RegionId>,
    /// What the user believes to have in the cart: adds that the shop has acknowledged; nothing after a checkout.
    pub cart: Items,
    /// Of those, what is in a copy that still counts, wherever that is.
    pub exists: Items,
    /// Whether one such copy has all of them.
    pub whole: bool,
    /// The server to which a cookie sends the user.
    pub bound_to: Option<ServerId>,
}

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doing {
    /// Is between two visits.
    Away {
        /// When the next one begins; `None` when there is none.
        until: Option<Instant>,
    },
    /// Thinks before the next step.
    Thinking {
        /// When that step is sent.
        until: Instant,
    },
    /// Waits for an answer; the first of several when it does several things at once.
    Waiting {
        /// When the request was sent.
        since: Instant,
    },
    /// Pauses before it tries a step again.
    Pausing {
        /// When it does.
        until: Instant,
    },
}

/// The shared store, and the object store for files.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StoreSnapshot {
    /// Whether nobody reaches the shared store.
    pub down: bool,
    /// Calls under way.
    pub calls: u32,
    /// Connections that are free; `None` when there is no limit.
    pub free_connections: Option<u32>,
    /// Requests whose workers wait in line for a connection, the first one first; indices into [`Snapshot::requests`].
    pub line: Vec<u32>,
    /// What the shared store holds. Where every region has a replica, the sum of these.
    pub memory: MemoryCounts,
    /// Region by region, where every region has a replica.
    pub replicas: Vec<MemoryCounts>,
    /// Files in the object store.
    pub objects: u64,
}

/// What is kept somewhere, in numbers. Carts and logins are those of visits that are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryCounts {
    /// Carts, or parts of carts, that are not empty.
    pub carts: u32,
    /// Items in them.
    pub items: u32,
    /// Logins.
    pub logins: u32,
    /// Files.
    pub files: u32,
}

/// Carts that users believe to have, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CartCounts {
    /// All of them: something is in them, as far as their users know. The sum of the others.
    pub believed: u32,
    /// Somewhere there is one copy that has everything.
    pub whole: u32,
    /// Everything exists, and no copy has all of it.
    pub split: u32,
    /// Some of it exists nowhere any more.
    pub gone: u32,
}

/// Everything that servers, stores and tokens remember, in full. Of carts and logins those of open visits; what is empty
/// is left out.
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
    /// Who has it.
    pub holder: Holder,
    /// Whose it is.
    pub visit: Visit,
    /// What is in it.
    pub items: Items,
    /// What the user believes to have in the cart.
    pub believed: Items,
}

/// A login that somebody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldLogin {
    /// Who knows it.
    pub holder: Holder,
    /// Whose it is.
    pub user: UserId,
}

/// Files of one user in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct HeldFiles {
    /// Who has them.
    pub holder: Holder,
    /// Whose they are.
    pub user: UserId,
    /// Their numbers, as a set.
    pub files: Items,
}

/// Who remembers something.
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

/// Buffers that are kept between two snapshots. They are no part of what a snapshot says.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// By slot of the slab of requests: its index among the requests shown, or [`FREE`].
    credential: Vec<u32>,
    /// By slot: when what is on its way arrives.
    arrives: Vec<Instant>,
    /// By step: what a user has in the cart before it.
    carts_before: Vec<Items>,
    /// Copies of one cart.
    copies: Vec<(Holder, Items)>,
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Scratch) -> bool {
        true
    }
}

/// A slot that no request has.
const FREE: u32 = u32::MAX;

impl Sim {
    /// Fills a snapshot with this moment. What was in it before is gone.
    pub fn snapshot(&self, into: &mut Snapshot) {
        into.now = self.now;
        into.open_visits = self.users.open_visits;
        into.awaited = self.requests.awaited();
        self.show_requests(into);
        self.show_servers(into);
        self.show_store(into);
        self.show_clients(into);
        self.count_memory(into);
    }

    /// Fills in everything that anybody remembers, and who.
    pub fn memory(&self, into: &mut Memory) {
        self.recall(into, |_| true);
    }

    /// The same of one server, store or replica; of all tokens together for [`Holder::Token`].
    pub fn memory_of(&self, holder: Holder, into: &mut Memory) {
        self.recall(into, |of| of == holder);
    }
}
