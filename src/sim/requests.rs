//! Requests on their way: a slab, so that none is allocated anew.

use std::ops::{Index, IndexMut};

use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, Refusal, ServerId, UserId, Visit};
use crate::history::Request;
use crate::scenario::CartPath;
use crate::state::plan::Plan;
use crate::state::session::CredentialStatus;
use crate::traffic::Session;

/// A place in the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u32);

/// A request from the moment it is sent until neither its user nor a server holds it any more.
#[derive(Clone, Copy, Debug)]
pub struct InFlight {
    /// Whose, and the how-manieth: the key of its draws.
    pub key: Key,
    /// By which client.
    pub client: ClientId,
    /// What it asks.
    pub command: Command,
    /// When it was sent.
    pub sent: Instant,
    /// When a worker took it; before that when it was sent, to the server that has it now.
    pub started: Instant,
    /// The cart as it came with the request (a signed token), or as it was read from the store before the work. In the
    /// answer: the new token, when it sets one.
    pub copy: Option<Items>,
    /// From when on servers refuse that token.
    pub copy_ends: Instant,
    /// The session it carries.
    pub session: Option<Session>,
    /// The server it was sent to last.
    pub server: ServerId,
    /// The worker that holds it, while it runs.
    pub worker: u32,
    /// Where it is.
    pub place: RequestState,
    /// How often the balancer has sent it elsewhere.
    pub retries: u8,
    /// Whether its user has stopped waiting.
    pub departed: bool,
    /// Why the server that works on it will do nothing for it, if so.
    pub refused: Option<Refusal>,
    /// The way to its cart, while carts move.
    pub path: CartPath,
    /// What it shows of a login to the server that has begun to work on it.
    pub credential: CredentialStatus,
    /// What serving it consists of, for the server that has begun to work on it.
    pub plan: Plan,
    /// Tells this use of the slot from earlier ones.
    pub serial: u32,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// With the balancer.
    Balancer,
    /// Waiting for a connection that will not come.
    Connecting,
    /// In a server's queue.
    Queued,
    /// With a worker.
    Running(Phase),
    /// In a server that fell silent.
    Swallowed,
    /// Between two regions, one way or the other.
    Travelling,
    /// With a server that is about to fail it.
    Failing,
}

/// What a worker does for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting in line for a connection to the store.
    StoreLine(StoreCall),
    /// Waiting for the store's answer.
    Store(StoreCall),
    /// Working, or doing all of it at once when the store has no line.
    Work,
    /// The store refused the call.
    Refused(StoreCall),
    /// The call broke off, and might have changed something.
    BrokenOff,
}

/// When a request calls the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// Before the work.
    Before,
    /// After the work.
    After,
}

impl InFlight {
    /// The request as its user knows it.
    #[inline]
    pub fn request(&self) -> Request {
        Request { step: self.key.step, attempt: self.key.attempt, command: self.command }
    }

    /// The key of draws about its present attempt: another one has other luck. The upper byte of the attempt is free for
    /// that.
    #[inline]
    pub fn key_of_try(&self) -> Key {
        Key { attempt: self.key.attempt | u16::from(self.retries) << 8, ..self.key }
    }

    /// The visit it belongs to.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the user")]
    pub fn visit(&self) -> Visit {
        Visit { user: UserId(self.key.entity as u32), client: self.client, number: self.key.visit }
    }
}

/// All requests on their way.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    slots: Vec<InFlight>,
    free: Vec<RequestId>,
}

impl Requests {
    /// Takes in a request; its serial is set here.
    #[inline]
    pub fn insert(&mut self, mut request: InFlight) -> RequestId {
        if let Some(id) = self.free.pop() {
            let slot = &mut self.slots[id.0 as usize];
            request.serial = slot.serial;
            *slot = request;
            return id;
        }
        self.slots.push(request);
        RequestId(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests at once"))
    }

    /// Neither user nor server holds it any more.
    #[inline]
    pub fn remove(&mut self, id: RequestId) {
        let slot = &mut self.slots[id.0 as usize];
        slot.serial = slot.serial.wrapping_add(1);
        slot.departed = true;
        self.free.push(id);
    }

    /// Whether a user still waits for this use of the slot.
    #[inline]
    pub fn is_awaited(&self, id: RequestId, serial: u32) -> bool {
        let slot = &self.slots[id.0 as usize];
        slot.serial == serial && !slot.departed
    }

    /// Requests that users wait for, counted one by one.
    pub fn awaited(&self) -> u64 {
        self.awaited_ones().count() as u64
    }

    /// All places of the slab, taken or not.
    pub fn slots(&self) -> &[InFlight] {
        &self.slots
    }

    /// Those that are not taken.
    pub fn free_slots(&self) -> &[RequestId] {
        &self.free
    }

    /// Requests that users wait for.
    pub fn awaited_ones(&self) -> impl Iterator<Item = &InFlight> {
        self.slots.iter().filter(|request| !request.departed)
    }
}

impl Index<RequestId> for Requests {
    type Output = InFlight;
    #[inline]
    fn index(&self, id: RequestId) -> &InFlight {
        &self.slots[id.0 as usize]
    }
}

impl IndexMut<RequestId> for Requests {
    #[inline]
    fn index_mut(&mut self, id: RequestId) -> &mut InFlight {
        &mut self.slots[id.0 as usize]
    }
}
