//! The shared store: what every server can reach, with a latency and a capacity.
//!
//! [`Backend`] is the seam behind which a real database can stand; [`Embedded`] keeps everything in this process.

use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::{DashMap, Entry};
use thiserror::Error;
use tokio::sync::Semaphore;

use super::clock::Clock;
use super::wire::CartId;
use crate::model::{Command, Items, Reply};
use crate::scenario;
use crate::seed::Sampler;
use crate::shop::Basket;
use crate::time::Span;

/// Most carts and sessions that the embedded store keeps.
const MOST: usize = 1_000_000;

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It has no room left.
    #[error("the store is full")]
    Full,
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
}

/// Everything in this process.
#[derive(Debug, Default)]
pub struct Embedded {
    carts: DashMap<CartId, Items>,
    sessions: DashMap<String, String>,
    kept: AtomicUsize,
}

fn now<T: Send + 'static>(answer: Result<T, StoreError>) -> Answer<'static, T> {
    Box::pin(std::future::ready(answer))
}

impl Embedded {
    /// Puts a value where nothing or an older one is. Answers with the older one.
    fn put<K: Eq + Hash, V>(&self, map: &DashMap<K, V>, key: K, value: V) -> Result<Option<V>, StoreError> {
        match map.entry(key) {
            Entry::Occupied(mut place) => Ok(Some(place.insert(value))),
            Entry::Vacant(place) => {
                self.make_room()?;
                place.insert(value);
                Ok(None)
            }
        }
    }

    fn make_room(&self) -> Result<(), StoreError> {
        if self.kept.fetch_add(1, Ordering::Relaxed) < MOST {
            return Ok(());
        }
        self.kept.fetch_sub(1, Ordering::Relaxed);
        Err(StoreError::Full)
    }

    fn update(&self, id: CartId, command: Command) -> Result<Updated, StoreError> {
        let place = self.carts.entry(id);
        let before = match &place {
            Entry::Occupied(cart) => Some(*cart.get()),
            Entry::Vacant(_) => {
                self.make_room()?;
                None
            }
        };
        let mut basket = Basket { items: before.unwrap_or_default() };
        let reply = basket.apply(command);
        place.insert(basket.items);
        Ok(Updated { before, after: basket.items, reply })
    }
}

impl Backend for Embedded {
    fn update_cart(&self, id: CartId, command: Command) -> Answer<'_, Updated> {
        now(self.update(id, command))
    }

    fn read_cart(&self, id: CartId) -> Answer<'_, Option<Items>> {
        now(Ok(self.carts.get(&id).map(|items| *items)))
    }

    fn write_cart(&self, id: CartId, items: Items) -> Answer<'_, Option<Items>> {
        now(self.put(&self.carts, id, items))
    }

    fn session(&self, id: String) -> Answer<'_, Option<String>> {
        now(Ok(self.sessions.get(&id).map(|user| user.clone())))
    }

    fn put_session(&self, id: String, user: String) -> Answer<'_, ()> {
        now(self.put(&self.sessions, id, user).map(drop))
    }

    fn drop_session(&self, id: String) -> Answer<'_, ()> {
        if self.sessions.remove(&id).is_some() {
            self.kept.fetch_sub(1, Ordering::Relaxed);
        }
        now(Ok(()))
    }
}

/// A backend behind a line: every call takes a connection for the scenario's latency.
pub struct Store {
    backend: Box<dyn Backend>,
    clock: Clock,
    /// How long a call takes.
    pub latency: Sampler,
    connections: Option<Semaphore>,
}

impl Store {
    /// A store with the scenario's latency and capacity.
    #[must_use]
    pub fn new(store: &scenario::Store, backend: Box<dyn Backend>, clock: Clock) -> Store {
        let connections = store.connections.map(|n| Semaphore::new(n.index()));
        Store { backend, clock, latency: store.latency.sampler(), connections }
    }

    /// One visit to the store: waits in line, then `span`, and then does it, whatever it is.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    pub async fn call<'a, T>(
        &'a self,
        span: Span,
        what: impl FnOnce(&'a dyn Backend) -> Answer<'a, T>,
    ) -> Result<T, StoreError> {
        let _connection = match &self.connections {
            None => None,
            Some(line) => Some(line.acquire().await.expect("never closed")),
        };
        if span > Span::ZERO {
            self.clock.sleep_until(self.clock.now() + span).await;
        }
        what(&*self.backend).await
    }
}
