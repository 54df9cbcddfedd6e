//! The shared store: what every server can reach, with a latency, a capacity, and outages.
//!
//! [`Backend`] is the seam behind which a real database can stand; [`Embedded`] keeps everything in this process.

mod embedded;

use std::future::Future;
use std::pin::Pin;

use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::clock::Clock;
use super::wire::CartId;
use crate::base::seed::Sampler;
use crate::base::time::Span;
use crate::base::{Command, Items, Reply};
use crate::scenario::{self, Forgets};
use crate::state::store::Full;

pub use embedded::Embedded;

/// Why the store did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It has no room left, and has done nothing.
    #[error("the store is full")]
    Full,
    /// It cannot be reached, and has not heard of it.
    #[error("the store is down")]
    Down,
    /// It was asked, and the connection broke before it answered.
    #[error("the store broke off")]
    BrokenOff,
}

impl From<Full> for StoreError {
    fn from(Full: Full) -> StoreError {
        StoreError::Full
    }
}

/// What a backend answers, some time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What an atomic update did to a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The cart as it was; `None` when there was none.
    pub before: Option<Items>,
    /// As it is now.
    pub after: Items,
    /// The shop's answer.
    pub reply: Reply,
}

/// Where the store keeps things.
pub trait Backend: Send + Sync {
    /// Does a command to a cart, so that nobody else can come between.
    fn update_cart(&self, id: CartId, command: Command) -> Answer<'_, Updated>;
    /// Reads a cart.
    fn read_cart(&self, id: CartId) -> Answer<'_, Option<Items>>;
    /// Writes a cart, whatever is there. Answers with what was.
    fn write_cart(&self, id: CartId, items: Items) -> Answer<'_, Option<Items>>;
    /// Whose session it is.
    fn session(&self, id: String) -> Answer<'_, Option<String>>;
    /// Keeps a session.
    fn put_session(&self, id: String, user: String) -> Answer<'_, ()>;
    /// Forgets a session.
    fn drop_session(&self, id: String) -> Answer<'_, ()>;
    /// Its process ends by this fault, and forgets what it had not made durable.
    fn forget(&self, forgets: Forgets, fault: u32);
}

/// A backend behind a line: every call takes a connection for the scenario's latency.
pub struct Store {
    backend: Box<dyn Backend>,
    clock: Clock,
    /// How long a call takes.
    pub latency: Sampler,
    connections: Option<Semaphore>,
    line: watch::Sender<Reachability>,
}

/// Whether calls get through.
#[derive(Clone, Copy, Debug, Default)]
struct Reachability {
    /// Outages that are not over.
    outages: u32,
    /// How often all calls under way have broken off.
    cuts: u64,
}

impl Reachability {
    fn is_down(&self) -> bool {
        self.outages > 0
    }
}

impl Store {
    /// A store with the scenario's latency and capacity.
    #[must_use]
    pub fn new(store: &scenario::Store, backend: Box<dyn Backend>, clock: Clock) -> Store {
        let connections = store.connections.map(|n| Semaphore::new(n.index()));
        let line = watch::Sender::new(Reachability::default());
        Store { backend, clock, latency: store.latency.sampler(), connections, line }
    }

    /// One call that may change something: waits in line, then `span`, and then does it, whatever it is.
    ///
    /// # Errors
    ///
    /// Those of the backend; and that the store is down, or goes down meanwhile.
    pub async fn call<'a, T>(
        &'a self,
        span: Span,
        what: impl FnOnce(&'a dyn Backend) -> Answer<'a, T>,
    ) -> Result<T, StoreError> {
        if span == Span::ZERO && self.connections.is_none() {
            // What takes no time can neither wait nor break off.
            let is_down = self.line.borrow().is_down();
            return if is_down { Err(StoreError::Down) } else { what(&*self.backend).await };
        }
        let mut line = self.line.subscribe();
        let _connection = tokio::select! {
            biased;
            _ = line.wait_for(Reachability::is_down) => return Err(StoreError::Down),
            connection = self.connection() => connection,
        };
        let cuts = line.borrow_and_update().cuts;
        if span > Span::ZERO {
            tokio::select! {
                biased;
                _ = line.wait_for(|line| line.cuts != cuts) => return Err(StoreError::BrokenOff),
                () = self.clock.sleep_until(self.clock.now() + span) => {}
            }
        }
        what(&*self.backend).await
    }

    /// One call that only looks: when it breaks off, nothing has come of it.
    ///
    /// # Errors
    ///
    /// As for [`Store::call`].
    pub async fn look<'a, T>(
        &'a self,
        span: Span,
        what: impl FnOnce(&'a dyn Backend) -> Answer<'a, T>,
    ) -> Result<T, StoreError> {
        self.call(span, what).await.map_err(|error| match error {
            StoreError::BrokenOff => StoreError::Down,
            error => error,
        })
    }

    async fn connection(&self) -> Option<SemaphorePermit<'_>> {
        match &self.connections {
            None => None,
            Some(line) => Some(line.acquire().await.expect("never closed")),
        }
    }

    /// A fault strikes: calls under way break off and, if it takes the store down, others are refused until
    /// [`Store::is_back`]. `forgets`: what is gone.
    pub fn break_off(&self, forgets: Forgets, fault: u32, goes_down: bool) {
        self.line.send_modify(|line| {
            line.outages += u32::from(goes_down);
            line.cuts += 1;
        });
        self.backend.forget(forgets, fault);
    }

    /// A fault is over.
    pub fn is_back(&self) {
        self.line.send_modify(|line| line.outages -= 1);
    }
}
