//! A store in this process. As the scenario says, it can be full, expire carts, and lose data.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Backend, StoreError, StoreFuture, Updated};
use crate::base::time::Instant;
use crate::base::{Command, Items};
use crate::http::clock::Clock;
use crate::http::log::Log;
use crate::http::wire::CartId;
use crate::scenario::{Forgets, Store};
use crate::state::evidence::Loss;
use crate::state::shop::Basket;
use crate::state::store::{Journal, Limits, RolledBack, durability_window, has_expired, roll_back};

/// The most carts and sessions that it keeps, whatever the scenario says.
const MOST: usize = 1_000_000;

/// Keeps everything in this process. It reports lost carts to the log under its lock, before anybody can notice.
#[derive(Debug)]
pub struct Embedded {
    clock: Clock,
    log: Arc<Log>,
    contents: Mutex<StoreContents>,
}

#[derive(Debug)]
struct StoreContents {
    carts: BTreeMap<CartId, Cart>,
    limits: Limits<CartId>,
    sessions: BTreeMap<String, String>,
    /// The state before each write, if writes can be lost.
    journal: Option<Journal<Undo>>,
}

#[derive(Clone, Copy, Debug)]
struct Cart {
    items: Items,
    /// When it expires.
    end: Instant,
}

/// How to undo a write.
#[derive(Clone, Debug)]
enum Undo {
    Cart(CartId, Option<Items>),
    Session(String, Option<String>),
}

fn now<T: Send + 'static>(answer: Result<T, StoreError>) -> StoreFuture<'static, T> {
    Box::pin(std::future::ready(answer))
}

impl Embedded {
    /// An empty store for this scenario.
    #[must_use]
    pub fn new(store: &Store, clock: Clock, log: Arc<Log>) -> Embedded {
        let contents = StoreContents {
            carts: BTreeMap::new(),
            limits: Limits::new(store),
            sessions: BTreeMap::new(),
            journal: durability_window(store).map(Journal::new),
        };
        Embedded { clock, log, contents: Mutex::new(contents) }
    }

    fn contents(&self) -> MutexGuard<'_, StoreContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cart, unless it is absent or has expired.
    fn find(&self, contents: &mut StoreContents, id: CartId) -> Option<Items> {
        let cart = *contents.carts.get(&id)?;
        if !has_expired(cart.end, self.clock.now()) {
            return Some(cart.items);
        }
        self.lose(contents, id, Loss::Expired);
        None
    }

    /// Removes a cart and tells the log.
    fn lose(&self, contents: &mut StoreContents, id: CartId, how: Loss) {
        if let Some(cart) = contents.remove(id) {
            self.log.lost_by_store(id, how, cart.items);
        }
    }

    /// Overwrites a cart.
    fn put(
        &self,
        contents: &mut StoreContents,
        id: CartId,
        before: Option<Items>,
        items: Items,
    ) -> Result<(), StoreError> {
        if contents.limits.needs_room(before, Some(items)) {
            self.make_room(contents)?;
        }
        contents.note(self.clock.now(), Undo::Cart(id, before));
        if contents.limits.takes_place(items) {
            contents.keep(id, items, self.clock.now());
        } else {
            contents.remove(id);
        }
        Ok(())
    }

    fn make_room(&self, contents: &mut StoreContents) -> Result<(), StoreError> {
        contents.check_size()?;
        let now = self.clock.now();
        for id in contents.limits.expire(now) {
            self.lose(contents, id, Loss::Expired);
        }
        if let Some(id) = contents.limits.make_room(now)? {
            self.lose(contents, id, Loss::Evicted);
        }
        Ok(())
    }

    fn update(&self, id: CartId, command: Command) -> Result<Updated, StoreError> {
        let contents = &mut *self.contents();
        let before = self.find(contents, id);
        let mut basket = Basket { items: before.unwrap_or_default() };
        let reply = basket.apply(command);
        if command.is_safe() {
            contents.use_again(id);
        } else {
            self.put(contents, id, before, basket.items)?;
        }
        Ok(Updated { before, after: basket.items, reply })
    }

    fn write(&self, id: CartId, items: Items) -> Result<Option<Items>, StoreError> {
        let contents = &mut *self.contents();
        let before = self.find(contents, id);
        self.put(contents, id, before, items)?;
        Ok(before)
    }

    fn set_session(&self, id: String, user: Option<String>) -> Result<(), StoreError> {
        let contents = &mut *self.contents();
        if user.is_some() {
            contents.check_size()?;
        }
        let before = contents.set_session(id.clone(), user);
        contents.note(self.clock.now(), Undo::Session(id, before));
        Ok(())
    }

    /// Restores a cart to what it was before a write.
    fn roll_back(&self, contents: &mut StoreContents, id: CartId, before: Option<Items>, fault: u32) {
        let now = contents.carts.get(&id).map(|cart| cart.items);
        let Some(RolledBack { items, lost }) = roll_back(now, before) else { return };
        match (items, contents.carts.get_mut(&id)) {
            (Some(items), Some(cart)) => cart.items = items,
            _ => drop(contents.remove(id)),
        }
        self.log.lost_by_store(id, Loss::RolledBack(fault), lost);
    }
}

impl StoreContents {
    /// Enforces the hard limit, whatever the scenario says.
    fn check_size(&self) -> Result<(), StoreError> {
        if self.carts.len() + self.sessions.len() < MOST { Ok(()) } else { Err(StoreError::Full) }
    }

    fn keep(&mut self, id: CartId, items: Items, now: Instant) {
        let end = self.limits.end_if_written(now);
        self.carts.insert(id, Cart { items, end: end.unwrap_or(Instant::NEVER) });
        self.limits.used(id, end);
    }

    /// Marks a cart as used, because it was read.
    fn use_again(&mut self, id: CartId) {
        if self.carts.contains_key(&id) {
            self.limits.used(id, None);
        }
    }

    fn remove(&mut self, id: CartId) -> Option<Cart> {
        self.limits.removed(id);
        self.carts.remove(&id)
    }

    fn set_session(&mut self, id: String, user: Option<String>) -> Option<String> {
        match user {
            Some(user) => self.sessions.insert(id, user),
            None => self.sessions.remove(&id),
        }
    }

    fn note(&mut self, now: Instant, undo: Undo) {
        if let Some(journal) = &mut self.journal {
            journal.note(now, undo);
        }
    }

    /// Deletes everything. Returns the carts.
    fn clear(&mut self) -> BTreeMap<CartId, Cart> {
        self.limits.clear();
        self.sessions.clear();
        self.journal.iter_mut().for_each(Journal::clear);
        std::mem::take(&mut self.carts)
    }
}

impl Backend for Embedded {
    fn update_cart(&self, id: CartId, command: Command) -> StoreFuture<'_, Updated> {
        now(self.update(id, command))
    }

    fn read_cart(&self, id: CartId) -> StoreFuture<'_, Option<Items>> {
        let contents = &mut *self.contents();
        let found = self.find(contents, id);
        contents.use_again(id);
        now(Ok(found))
    }

    fn write_cart(&self, id: CartId, items: Items) -> StoreFuture<'_, Option<Items>> {
        now(self.write(id, items))
    }

    fn session(&self, id: String) -> StoreFuture<'_, Option<String>> {
        now(Ok(self.contents().sessions.get(&id).cloned()))
    }

    fn put_session(&self, id: String, user: String) -> StoreFuture<'_, ()> {
        now(self.set_session(id, Some(user)))
    }

    fn drop_session(&self, id: String) -> StoreFuture<'_, ()> {
        now(self.set_session(id, None))
    }

    fn forget(&self, forgets: Forgets, fault: u32) {
        let contents = &mut *self.contents();
        if forgets == Forgets::Everything {
            for (id, cart) in contents.clear() {
                self.log.lost_by_store(id, Loss::RolledBack(fault), cart.items);
            }
            return;
        }
        let Some(journal) = &mut contents.journal else { return };
        for undo in journal.undo(self.clock.now(), forgets) {
            match undo {
                Undo::Cart(id, before) => self.roll_back(contents, id, before, fault),
                Undo::Session(id, user) => drop(contents.set_session(id, user)),
            }
        }
    }
}
