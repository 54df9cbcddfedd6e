//! Requests in flight, in a slab so that none needs an allocation.

use std::ops::{Index, IndexMut};

use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, Refusal, ServerId, UserId, Visit};
use crate::history::{Event, Inside, Request};
use crate::scenario::CartPath;
use crate::state::plan::Plan;
use crate::state::session::CredentialStatus;
use crate::state::store::StoreCall;
use crate::state::tokens;
use crate::traffic::SessionCookie;

/// A slot of the slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestSlot(pub u32);

/// A request, from when it is sent until neither its user nor a server holds it any more.
#[derive(Clone, Copy, Debug)]
pub struct InFlight {
    /// The key of its draws: user, visit, step and attempt.
    pub key: Key,
    /// The client that sent it.
    pub client: ClientId,
    /// What it asks for.
    pub command: Command,
    /// When it was sent.
    pub sent: Instant,
    /// Since when its worker has it. Before a worker takes it: when it was sent to its present server.
    pub since: Instant,
    /// The cart that came with the request (a signed token), or that was read from the store before the work. In the
    /// answer: the new token, if it sets one.
    pub cart: Option<Items>,
    /// When that token expires.
    pub cart_expires: Instant,
    /// The session it carries.
    pub session: Option<SessionCookie>,
    /// The server it was last sent to.
    pub server: ServerId,
    /// The worker that holds it, while one does.
    pub worker: u32,
    /// Where it is.
    pub place: RequestState,
    /// How many times the balancer has sent it to another server.
    pub retries: u8,
    /// Whether its user has stopped waiting.
    pub departed: bool,
    /// Why its server refuses it, if it does.
    pub refused: Option<Refusal>,
    /// How its cart is looked up during a migration.
    pub path: CartPath,
    /// The state of its login as seen by its server, known once a worker takes it.
    pub credential: CredentialStatus,
    /// The stages of serving it, known once a worker takes it.
    pub plan: Plan,
    /// Distinguishes this use of the slot from earlier ones.
    pub serial: u32,
}

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestState {
    /// With the balancer.
    Balancer,
    /// Waiting for a connection that will never be made.
    Connecting,
    /// In a server's queue.
    Queued,
    /// Held by a worker.
    Running(Phase),
    /// In a server that fell silent.
    Swallowed,
    /// In transit between two regions.
    Travelling,
    /// At a server that is about to fail it.
    Failing,
}

/// What a worker is doing for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting in line for a connection to the store.
    StoreLine(StoreCall),
    /// Waiting for the store's answer.
    Store(StoreCall),
    /// Working. When store calls are not events of their own, this includes them.
    Work,
    /// The store refused the call.
    Refused(StoreCall),
    /// The call broke off; whether it took effect is unknown.
    BrokenOff,
}

impl InFlight {
    /// The request as its user knows it.
    #[inline]
    pub fn request(&self) -> Request {
        Request { step: self.key.step, attempt: self.key.attempt, command: self.command }
    }

    /// The key for draws about its current attempt. The retry count goes into the upper byte of `attempt`, which is
    /// otherwise unused, so that each attempt has its own draws.
    #[inline]
    pub fn key_of_try(&self) -> Key {
        self.key.of_retry(self.retries)
    }

    /// That its server has dropped it.
    pub fn dropped_by_server(&self, now: Instant) -> Event {
        Event::inside(now, self.visit(), Inside::Dropped { server: Some(self.server) })
    }

    /// When its present attempt began. For a retry, only the time it was sent, or taken by a worker, is known.
    #[inline]
    pub fn attempt_began(&self) -> Instant {
        if self.retries > 0 { self.since } else { self.sent }
    }

    /// What its login is worth to the server that has just taken it, going by the token alone.
    #[inline]
    pub fn credential_status(&self) -> CredentialStatus {
        match self.session {
            Some(SessionCookie::Until(end) | SessionCookie::Renewable { until: end, .. })
                if !tokens::is_current(end, self.since) =>
            {
                CredentialStatus::Expired
            }
            Some(_) => CredentialStatus::Current,
            None if self.command.is_a_thief_s() => CredentialStatus::Forged,
            None => CredentialStatus::Nothing,
        }
    }

    /// The visit it belongs to.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the user")]
    pub fn visit(&self) -> Visit {
        Visit { user: UserId(self.key.entity as u32), client: self.client, number: self.key.visit }
    }
}

/// All requests in flight.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    slots: Vec<InFlight>,
    free: Vec<RequestSlot>,
}

impl Requests {
    /// Stores a request, and assigns its serial.
    #[inline]
    pub fn insert(&mut self, mut request: InFlight) -> RequestSlot {
        if let Some(id) = self.free.pop() {
            let slot = &mut self.slots[id.0 as usize];
            request.serial = slot.serial;
            *slot = request;
            return id;
        }
        self.slots.push(request);
        RequestSlot(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 requests at once"))
    }

    /// Frees the slot of a request that neither its user nor a server holds.
    #[inline]
    pub fn remove(&mut self, id: RequestSlot) {
        let slot = &mut self.slots[id.0 as usize];
        slot.serial = slot.serial.wrapping_add(1);
        slot.departed = true;
        self.free.push(id);
    }

    /// Whether a user still waits for this use of the slot.
    #[inline]
    pub fn is_awaited(&self, id: RequestSlot, serial: u32) -> bool {
        let slot = &self.slots[id.0 as usize];
        slot.serial == serial && !slot.departed
    }

    /// Counts the requests that users wait for, in linear time.
    pub fn awaited(&self) -> u64 {
        self.awaited_ones().count() as u64
    }

    /// All slots, including free ones.
    pub fn slots(&self) -> &[InFlight] {
        &self.slots
    }

    /// The free slots.
    pub fn free_slots(&self) -> &[RequestSlot] {
        &self.free
    }

    /// Requests that users wait for.
    pub fn awaited_ones(&self) -> impl Iterator<Item = &InFlight> {
        self.slots.iter().filter(|request| !request.departed)
    }
}

impl Index<RequestSlot> for Requests {
    type Output = InFlight;
    #[inline]
    fn index(&self, id: RequestSlot) -> &InFlight {
        &self.slots[id.0 as usize]
    }
}

impl IndexMut<RequestSlot> for Requests {
    #[inline]
    fn index_mut(&mut self, id: RequestSlot) -> &mut InFlight {
        &mut self.slots[id.0 as usize]
    }
}
