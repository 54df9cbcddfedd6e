//! What the shared store does to what is in it, beside keeping it: it is full, lets carts expire, and forgets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use super::World;
use super::carts::CartSlot;
use super::requests::InFlight;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Items, Refusal, Visit};
use crate::scenario::{CartHome, Forgets, Scenario, StoreMemory, WhenFull};

/// What the store does beside keeping. Most stores do nothing of it.
#[derive(Clone, Debug)]
pub struct StoreLimits {
    limited: bool,
    ttl: Option<Span>,
    memory: Option<Memory>,
    journal: Option<Journal>,
    logins: Logins,
    outages: u32,
}

/// Carts that have a place in a store with few.
#[derive(Clone, Debug)]
struct Memory {
    limit: StoreMemory,
    /// When each was used last, and when its time is over.
    places: BTreeMap<Visit, (u64, Instant)>,
    by_use: BTreeMap<u64, Visit>,
    by_end: BTreeSet<(Instant, Visit)>,
    uses: u64,
}

/// What was written during the durability window, from the oldest on.
#[derive(Clone, Debug)]
struct Journal {
    window: Span,
    carts: VecDeque<Written>,
}

/// A cart as it was before a write.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: Instant,
    visit: Visit,
    before: Option<Items>,
}

/// Sessions in the store: numbers, given out in order of time.
#[derive(Clone, Debug, Default)]
struct Logins {
    window: Span,
    next: u32,
    recent: VecDeque<(Instant, u32)>,
    forgotten: Vec<Range<u32>>,
    /// Spans of time in which nothing that was written has lasted.
    undone: Vec<Range<Instant>>,
}

impl StoreLimits {
    /// As the scenario says.
    #[must_use]
    pub fn new(scenario: &Scenario) -> StoreLimits {
        let store = &scenario.store;
        let window = match store.durability_window {
            Forgets::Last(window) => window,
            Forgets::Everything => Span::ZERO,
        };
        let carts = scenario.homes.cart == CartHome::SharedStore;
        let ttl = store.ttl.filter(|_| carts).map(crate::scenario::Time::get);
        let memory = store.memory.filter(|_| carts).map(Memory::new);
        let journal = (carts && window > Span::ZERO).then(|| Journal { window, carts: VecDeque::new() });
        let limited = ttl.is_some() || memory.is_some() || journal.is_some();
        StoreLimits { limited, ttl, memory, journal, logins: Logins { window, ..Logins::default() }, outages: 0 }
    }

    /// Whether it does anything to carts, beside keeping them.
    #[inline]
    #[must_use]
    pub fn has_limits(&self) -> bool {
        self.limited
    }

    /// Whether nobody reaches it.
    #[inline]
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.outages > 0
    }

    /// Whether carts are kept for a time only.
    #[must_use]
    pub fn lets_expire(&self) -> bool {
        self.ttl.is_some()
    }

    /// An outage begins; several may overlap.
    pub fn goes_down(&mut self) {
        self.outages += 1;
    }

    /// An outage is over.
    pub fn is_back(&mut self) {
        self.outages -= 1;
    }

    /// Keeps a session, and gives it a number.
    pub fn log_in(&mut self, now: Instant) -> u32 {
        let Logins { window, next, recent, .. } = &mut self.logins;
        let number = *next;
        *next += 1;
        if *window > Span::ZERO {
            recent.push_back((now, number));
            while recent.front().is_some_and(|(at, _)| *at + *window <= now) {
                recent.pop_front();
            }
        }
        number
    }

    /// Whether it still knows this session.
    #[inline]
    #[must_use]
    pub fn knows(&self, login: u32) -> bool {
        !self.logins.forgotten.iter().any(|range| range.contains(&login))
    }

    /// Whether it has forgotten what was written then.
    #[must_use]
    pub fn has_forgotten(&self, written: Instant) -> bool {
        self.logins.undone.iter().any(|range| range.contains(&written))
    }
}

impl Logins {
    /// What was written in the last while, or ever, is gone.
    fn forget(&mut self, now: Instant, forgets: Forgets) {
        let first = match forgets {
            Forgets::Everything => Instant::ZERO,
            Forgets::Last(window) => Instant::from_nanos((now.as_nanos() + 1).saturating_sub(window.as_nanos())),
        };
        let from = match forgets {
            Forgets::Everything => 0,
            Forgets::Last(_) => self.recent.iter().find(|(at, _)| *at >= first).map_or(self.next, |(_, login)| *login),
        };
        self.forgotten.push(from..self.next);
        self.undone.push(first..now);
        self.recent.clear();
    }
}

impl Memory {
    fn new(limit: StoreMemory) -> Memory {
        let (places, by_use) = (BTreeMap::new(), BTreeMap::new());
        Memory { limit, places, by_use, by_end: BTreeSet::new(), uses: 0 }
    }

    /// A cart was used; a new one takes a place. `end`: when it expires, if that has changed.
    fn used(&mut self, visit: Visit, end: Option<Instant>) {
        let old = self.remove(visit);
        let end = end.or(old).unwrap_or(Instant::NEVER);
        self.uses += 1;
        self.places.insert(visit, (self.uses, end));
        self.by_use.insert(self.uses, visit);
        self.by_end.insert((end, visit));
    }

    /// Gives a place back. Answers with the end of what had it.
    fn remove(&mut self, visit: Visit) -> Option<Instant> {
        let (used, end) = self.places.remove(&visit)?;
        self.by_use.remove(&used);
        self.by_end.remove(&(end, visit));
        Some(end)
    }

    /// Makes room for one more. Answers with the cart that had to go for it.
    fn make_room(&mut self, now: Instant) -> Result<Option<Visit>, Refusal> {
        let most = self.limit.carts.index();
        while self.places.len() >= most
            && let Some((_, visit)) = self.by_end.first().copied().filter(|(end, _)| *end <= now)
        {
            self.remove(visit);
        }
        if self.places.len() < most {
            return Ok(None);
        }
        match self.limit.when_full {
            WhenFull::Refuse => Err(Refusal::StoreFull),
            WhenFull::Evict => {
                let oldest = self.by_use.first_key_value().map(|(_, visit)| *visit);
                if let Some(visit) = oldest {
                    self.remove(visit);
                }
                Ok(oldest)
            }
        }
    }
}

/// Whether a request leaves a cart in the store that may not have been there.
fn fills(request: &InFlight) -> bool {
    match request.command {
        Command::Add(_) => true,
        // Written back from the copy that was read.
        Command::Remove(item) => request.copy.is_some_and(|copy| !copy.without(item).is_empty()),
        _ => false,
    }
}

impl World {
    /// A request is about to touch its cart in the store: what has expired goes, a new one needs room.
    #[cold]
    pub(super) fn before_effect(&mut self, request: &InFlight) -> Result<(), Refusal> {
        self.expire_cart(request.client);
        let visit = request.visit();
        let before = self.clients[request.client.index()].carts_here.copy();
        if let (None, true, Some(memory)) = (before, fills(request), &mut self.store_limits.memory)
            && let Some(evicted) = memory.make_room(self.now)?
        {
            self.evict_cart(evicted);
        }
        if let (Some(journal), false) = (&mut self.store_limits.journal, request.command.is_safe()) {
            journal.carts.push_back(Written { at: self.now, visit, before });
            while journal.carts.front().is_some_and(|written| written.at + journal.window <= self.now) {
                journal.carts.pop_front();
            }
        }
        Ok(())
    }

    /// It has touched it: with a limit an empty cart takes no room, and any other was used just now.
    #[cold]
    pub(super) fn after_effect(&mut self, request: &InFlight) {
        let carts_here = &mut self.clients[request.client.index()].carts_here;
        let StoreLimits { ttl, memory, .. } = &mut self.store_limits;
        let Some(items) = carts_here.copy() else { return };
        let end = ttl.filter(|_| !request.command.is_safe()).map(|ttl| self.now + ttl);
        if let Some(end) = end {
            carts_here.keep_token(items, end);
        }
        match memory {
            Some(memory) if items.is_empty() => {
                memory.remove(request.visit());
                *carts_here = CartSlot::EMPTY;
            }
            Some(memory) => memory.used(request.visit(), end),
            None => {}
        }
    }

    /// A cart that was kept for its time goes when somebody asks for it.
    pub(super) fn expire_cart(&mut self, client: ClientId) {
        let slot = &mut self.clients[client.index()];
        let Some(items) = slot.carts_here.copy().filter(|_| self.store_limits.ttl.is_some()) else { return };
        if self.now < slot.carts_here.token_end() {
            return;
        }
        slot.carts_here = CartSlot::EMPTY;
        let visit = slot.client.visit(client);
        if let Some(memory) = &mut self.store_limits.memory {
            memory.remove(visit);
        }
        let losses = self.carts.losses(client);
        losses.expired = losses.expired.union(items);
    }

    /// The store throws a cart out: perhaps one whose visit has ended, and that nobody will ask for.
    fn evict_cart(&mut self, visit: Visit) {
        if self.is_open(visit)
            && let Some(items) = self.clients[visit.client.index()].carts_here.copy()
        {
            self.clients[visit.client.index()].carts_here = CartSlot::EMPTY;
            let losses = self.carts.losses(visit.client);
            losses.evicted = losses.evicted.union(items);
        }
    }

    fn is_open(&self, visit: Visit) -> bool {
        let client = &self.clients[visit.client.index()].client;
        !client.is_away() && client.visit(visit.client) == visit
    }

    /// The store's process has ended, and what it had not made durable is gone. What it had thrown out stays out.
    pub(super) fn forget_writes(&mut self, forgets: Forgets, fault: u32) {
        if forgets == Forgets::NOTHING {
            return;
        }
        self.store_limits.logins.forget(self.now, forgets);
        if self.homes.cart != CartHome::SharedStore {
            return;
        }
        match forgets {
            Forgets::Everything => self.empty_store(fault),
            Forgets::Last(window) => self.undo_writes(window, fault),
        }
    }

    fn empty_store(&mut self, fault: u32) {
        for client in 0..u32::try_from(self.clients.len()).expect("limited to 16 million") {
            self.roll_back(ClientId(client), None, fault);
        }
        if let Some(memory) = &mut self.store_limits.memory {
            *memory = Memory::new(memory.limit);
        }
        self.store_limits.journal.iter_mut().for_each(|journal| journal.carts.clear());
    }

    /// The last write first.
    fn undo_writes(&mut self, window: Span, fault: u32) {
        let Some(journal) = &mut self.store_limits.journal else { return };
        for Written { at, visit, before } in std::mem::take(&mut journal.carts).into_iter().rev() {
            if at + window <= self.now || !self.is_open(visit) {
                continue;
            }
            self.roll_back(visit.client, before, fault);
            if let (None, Some(memory)) = (before, &mut self.store_limits.memory) {
                memory.remove(visit);
            }
        }
    }

    /// A cart is as it was before; one that is not there any more was thrown out meanwhile, and stays out.
    fn roll_back(&mut self, client: ClientId, before: Option<Items>, fault: u32) {
        let carts_here = &mut self.clients[client.index()].carts_here;
        let Some(now) = carts_here.copy() else { return };
        match before {
            Some(items) => carts_here.keep(items),
            None => *carts_here = CartSlot::EMPTY,
        }
        let gone = now.minus(before.unwrap_or_default());
        if !gone.is_empty() {
            let losses = self.carts.losses(client);
            losses.rolled_back = losses.rolled_back.union(gone);
            losses.killed_by = Some(losses.killed_by.map_or(fault, |first| first.min(fault)));
        }
    }
}
