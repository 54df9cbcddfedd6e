//! The shared store, which every server can reach. It has a latency, a capacity, and outages.
//!
//! [`Backend`] is the interface for a real database; [`Embedded`] keeps everything in this process.

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

/// Why a call to the store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The store has no room left, and has done nothing.
    #[error("the store is full")]
    Full,
    /// The store cannot be reached, and has not received the call.
    #[error("the store is down")]
    Down,
    /// The connection broke after the call was sent and before the store answered.
    #[error("the store broke off")]
    BrokenOff,
}

impl From<Full> for StoreError {
    fn from(Full: Full) -> StoreError {
        StoreError::Full
    }
}

/// A backend's eventual answer.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// What an atomic update did to a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The cart before the update; `None` when there was none.
    pub before: Option<Items>,
    /// The cart after the update.
    pub after: Items,
    /// The shop's answer.
    pub reply: Reply,
}

/// The storage behind the store.
pub trait Backend: Send + Sync {
    /// Applies a command to a cart atomically.
    fn update_cart(&self, id: CartId, command: Command) -> StoreFuture<'_, Updated>;
    /// Reads a cart.
    fn read_cart(&self, id: CartId) -> StoreFuture<'_, Option<Items>>;
    /// Overwrites a cart. Returns its previous contents.
    fn write_cart(&self, id: CartId, items: Items) -> StoreFuture<'_, Option<Items>>;
    /// Returns the user of a session.
    fn session(&self, id: String) -> StoreFuture<'_, Option<String>>;
    /// Stores a session.
    fn put_session(&self, id: String, user: String) -> StoreFuture<'_, ()>;
    /// Deletes a session.
    fn drop_session(&self, id: String) -> StoreFuture<'_, ()>;
    /// A fault ends the backend's process, which forgets what it had not made durable.
    fn forget(&self, forgets: Forgets, fault: u32);
}

/// A backend behind a limited number of connections: every call holds one for the scenario's latency.
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
    /// Outages in progress.
    outages: u32,
    /// How many times all calls in flight have been cut off.
    cuts: u64,
}

impl Reachability {
    fn is_down(&self) -> bool {
        self.outages > 0
    }
}

impl Store {
    /// A store with the scenario's latency and number of connections.
    #[must_use]
    pub fn new(store: &scenario::Store, backend: Box<dyn Backend>, clock: Clock) -> Store {
        let connections = store.connections.map(|n| Semaphore::new(n.index()));
        let line = watch::Sender::new(Reachability::default());
        Store { backend, clock, latency: store.latency.sampler(), connections, line }
    }

    /// Makes a call that may change something: waits for a connection, then for `span`, and then runs `what`.
    ///
    /// # Errors
    ///
    /// The backend's errors; also when the store is down, or goes down meanwhile.
    pub async fn call<'a, T>(
        &'a self,
        span: Span,
        what: impl FnOnce(&'a dyn Backend) -> StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        if span == Span::ZERO && self.connections.is_none() {
            // A call that takes no time can neither wait nor be cut off.
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

    /// Makes a read-only call. If it is cut off, it has had no effect, so the error is `StoreError::Down`.
    ///
    /// # Errors
    ///
    /// As for [`Store::call`].
    pub async fn look<'a, T>(
        &'a self,
        span: Span,
        what: impl FnOnce(&'a dyn Backend) -> StoreFuture<'a, T>,
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

    /// A fault strikes: calls in flight are cut off and, if it takes the store down, later ones are refused until
    /// [`Store::is_back`]. `forgets`: which data is lost.
    pub fn break_off(&self, forgets: Forgets, fault: u32, goes_down: bool) {
        self.line.send_modify(|line| {
            line.outages += u32::from(goes_down);
            line.cuts += 1;
        });
        self.backend.forget(forgets, fault);
    }

    /// An outage is over.
    pub fn is_back(&self) {
        self.line.send_modify(|line| line.outages -= 1);
    }
}
