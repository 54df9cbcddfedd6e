//! A store in this process: it can be full, let carts expire, and forget, as the scenario says.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Answer, Backend, StoreError, Updated};
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items};
use crate::http::clock::Clock;
use crate::http::log::{Log, StoreLoss};
use crate::http::wire::CartId;
use crate::scenario::{Forgets, Store, StoreMemory, WhenFull};
use crate::state::shop::Basket;

/// Most carts and sessions that it keeps, whatever the scenario says.
const MOST: usize = 1_000_000;

/// Everything in this process. What it throws out, it tells the log while nobody can notice yet.
#[derive(Debug)]
pub struct Embedded {
    rules: Rules,
    clock: Clock,
    log: Arc<Log>,
    shelves: Mutex<StoreContents>,
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    ttl: Option<Span>,
    memory: Option<StoreMemory>,
    window: Span,
}

#[derive(Debug, Default)]
struct StoreContents {
    carts: BTreeMap<CartId, Cart>,
    /// Carts by their last use.
    by_use: BTreeMap<u64, CartId>,
    uses: u64,
    sessions: BTreeMap<String, String>,
    /// What was written during the durability window, from the oldest on.
    journal: VecDeque<(Instant, Undo)>,
}

#[derive(Clone, Copy, Debug)]
struct Cart {
    items: Items,
    written: Instant,
    used: u64,
}

/// How to take a write back.
#[derive(Clone, Debug)]
enum Undo {
    Cart(CartId, Option<Items>),
    Session(String, Option<String>),
}

fn now<T: Send + 'static>(answer: Result<T, StoreError>) -> Answer<'static, T> {
    Box::pin(std::future::ready(answer))
}

impl Embedded {
    /// An empty store of this scenario.
    #[must_use]
    pub fn new(store: &Store, clock: Clock, log: Arc<Log>) -> Embedded {
        let window = match store.durability_window {
            Forgets::Last(window) => window,
            Forgets::Everything => Span::ZERO,
        };
        let rules = Rules { ttl: store.ttl.map(crate::scenario::Time::get), memory: store.memory, window };
        Embedded { rules, clock, log, shelves: Mutex::default() }
    }

    fn shelves(&self) -> MutexGuard<'_, StoreContents> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cart that is there, and whose time is not over.
    fn find(&self, shelves: &mut StoreContents, id: CartId) -> Option<Items> {
        let cart = *shelves.carts.get(&id)?;
        if !self.has_expired(&cart) {
            return Some(cart.items);
        }
        self.log.gone(id, StoreLoss::Expired, cart.items);
        shelves.remove(id);
        None
    }

    fn has_expired(&self, cart: &Cart) -> bool {
        self.rules.ttl.is_some_and(|ttl| cart.written + ttl <= self.clock.now())
    }

    /// Writes a cart over what was there. With a limit an empty one takes no room.
    fn put(
        &self,
        shelves: &mut StoreContents,
        id: CartId,
        before: Option<Items>,
        items: Items,
    ) -> Result<(), StoreError> {
        if before.is_none() && (self.rules.memory.is_none() || !items.is_empty()) {
            self.make_room(shelves)?;
        }
        shelves.note(self.clock.now(), self.rules.window, Undo::Cart(id, before));
        if items.is_empty() && self.rules.memory.is_some() {
            shelves.remove(id);
        } else {
            shelves.keep(id, items, self.clock.now());
        }
        Ok(())
    }

    fn make_room(&self, shelves: &mut StoreContents) -> Result<(), StoreError> {
        if shelves.carts.len() + shelves.sessions.len() >= MOST {
            return Err(StoreError::Full);
        }
        let Some(StoreMemory { carts, when_full }) = self.rules.memory else { return Ok(()) };
        if shelves.carts.len() >= carts.index() {
            self.throw_out_expired(shelves);
        }
        if shelves.carts.len() < carts.index() {
            return Ok(());
        }
        match when_full {
            WhenFull::Refuse => Err(StoreError::Full),
            WhenFull::Evict => {
                let oldest = shelves.by_use.first_key_value().map(|(_, id)| *id);
                if let Some((id, cart)) = oldest.and_then(|id| Some((id, shelves.remove(id)?))) {
                    self.log.gone(id, StoreLoss::Evicted, cart.items);
                }
                Ok(())
            }
        }
    }

    fn throw_out_expired(&self, shelves: &mut StoreContents) {
        let expired: Vec<CartId> =
            shelves.carts.iter().filter(|(_, cart)| self.has_expired(cart)).map(|(id, _)| *id).collect();
        for id in expired {
            self.find(shelves, id);
        }
    }

    fn update(&self, id: CartId, command: Command) -> Result<Updated, StoreError> {
        let shelves = &mut *self.shelves();
        let before = self.find(shelves, id);
        let mut basket = Basket { items: before.unwrap_or_default() };
        let reply = basket.apply(command);
        if command.is_safe() {
            shelves.use_again(id);
        } else {
            self.put(shelves, id, before, basket.items)?;
        }
        Ok(Updated { before, after: basket.items, reply })
    }

    fn write(&self, id: CartId, items: Items) -> Result<Option<Items>, StoreError> {
        let shelves = &mut *self.shelves();
        let before = self.find(shelves, id);
        self.put(shelves, id, before, items)?;
        Ok(before)
    }

    fn set_session(&self, id: String, user: Option<String>) -> Result<(), StoreError> {
        let shelves = &mut *self.shelves();
        if user.is_some() && shelves.carts.len() + shelves.sessions.len() >= MOST {
            return Err(StoreError::Full);
        }
        let before = shelves.set_session(id.clone(), user);
        shelves.note(self.clock.now(), self.rules.window, Undo::Session(id, before));
        Ok(())
    }

    /// A cart is as it was before; one that is not there any more was thrown out meanwhile, and stays out.
    fn roll_back(&self, shelves: &mut StoreContents, id: CartId, before: Option<Items>, fault: u32) {
        let Some(cart) = shelves.carts.get_mut(&id) else { return };
        let gone = cart.items.minus(before.unwrap_or_default());
        match before {
            Some(items) => cart.items = items,
            None => drop(shelves.remove(id)),
        }
        self.log.gone(id, StoreLoss::RolledBack(fault), gone);
    }
}

impl StoreContents {
    fn keep(&mut self, id: CartId, items: Items, written: Instant) {
        self.remove(id);
        self.uses += 1;
        self.carts.insert(id, Cart { items, written, used: self.uses });
        self.by_use.insert(self.uses, id);
    }

    fn use_again(&mut self, id: CartId) {
        if let Some(Cart { items, written, .. }) = self.carts.get(&id).copied() {
            self.keep(id, items, written);
        }
    }

    fn remove(&mut self, id: CartId) -> Option<Cart> {
        let cart = self.carts.remove(&id)?;
        self.by_use.remove(&cart.used);
        Some(cart)
    }

    fn set_session(&mut self, id: String, user: Option<String>) -> Option<String> {
        match user {
            Some(user) => self.sessions.insert(id, user),
            None => self.sessions.remove(&id),
        }
    }

    fn note(&mut self, now: Instant, window: Span, undo: Undo) {
        if window == Span::ZERO {
            return;
        }
        self.journal.push_back((now, undo));
        while self.journal.front().is_some_and(|(at, _)| *at + window <= now) {
            self.journal.pop_front();
        }
    }
}

impl Backend for Embedded {
    fn update_cart(&self, id: CartId, command: Command) -> Answer<'_, Updated> {
        now(self.update(id, command))
    }

    fn read_cart(&self, id: CartId) -> Answer<'_, Option<Items>> {
        let shelves = &mut *self.shelves();
        let found = self.find(shelves, id);
        shelves.use_again(id);
        now(Ok(found))
    }

    fn write_cart(&self, id: CartId, items: Items) -> Answer<'_, Option<Items>> {
        now(self.write(id, items))
    }

    fn session(&self, id: String) -> Answer<'_, Option<String>> {
        now(Ok(self.shelves().sessions.get(&id).cloned()))
    }

    fn put_session(&self, id: String, user: String) -> Answer<'_, ()> {
        now(self.set_session(id, Some(user)))
    }

    fn drop_session(&self, id: String) -> Answer<'_, ()> {
        now(self.set_session(id, None))
    }

    fn forget(&self, forgets: Forgets, fault: u32) {
        let shelves = &mut *self.shelves();
        match forgets {
            Forgets::Everything => {
                for (id, cart) in std::mem::take(shelves).carts {
                    self.log.gone(id, StoreLoss::RolledBack(fault), cart.items);
                }
            }
            Forgets::Last(window) => {
                let now = self.clock.now();
                for (_, undo) in
                    std::mem::take(&mut shelves.journal).into_iter().rev().filter(|(at, _)| *at + window > now)
                {
                    match undo {
                        Undo::Cart(id, before) => self.roll_back(shelves, id, before, fault),
                        Undo::Session(id, user) => drop(shelves.set_session(id, user)),
                    }
                }
            }
        }
    }
}
