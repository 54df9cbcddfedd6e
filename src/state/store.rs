//! Store capacity, expiry and data loss. This module holds no data: each engine keeps the carts and follows these
//! rules.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::seed::{Draw, Sampler};
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items};
use crate::scenario::{Forgets, Store, StoreMemory, Time, WhenFull};

/// When a request calls the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreCall {
    /// Before the work.
    Before,
    /// After the work.
    After,
}

impl StoreCall {
    /// Whether calls at this time only look: when one of them breaks off, its server knows that nothing has changed.
    #[must_use]
    pub fn only_looks(self, command: Command) -> bool {
        self == StoreCall::Before || command.is_safe()
    }

    /// How long the calls at this time take, one after another. The draw is the request's; it gives the calls before and
    /// after the work different luck, and the first call of each the luck that it always had.
    #[inline]
    pub fn times(self, latency: Sampler, mut draw: Draw) -> impl Iterator<Item = Span> {
        let [first, last, second, third, last_but_one] = [(); 5].map(|()| latency.sample(&mut draw));
        let known = match self {
            StoreCall::Before => [Some(first), Some(second), Some(third)],
            StoreCall::After => [Some(last), Some(last_but_one), None],
        };
        known.into_iter().flatten().chain(std::iter::repeat_with(move || latency.sample(&mut draw)))
    }
}

/// The error when the store has no room for another cart and does not evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Whether a cart that expires at `end` is gone.
#[must_use]
pub fn has_expired(end: Instant, now: Instant) -> bool {
    now >= end
}

/// Whether a fault of the store that lasts so long (`None`: until the end) takes it down. One of no duration only breaks off
/// the calls in progress.
#[must_use]
pub fn goes_down(lasting: Option<Span>) -> bool {
    lasting != Some(Span::ZERO)
}

/// Whether a store that fails over or restarts `now` loses what was `written` then. A write made exactly one durability
/// window ago survives.
#[must_use]
pub fn is_forgotten(written: Instant, now: Instant, forgets: Forgets) -> bool {
    match forgets {
        Forgets::Everything => true,
        Forgets::Last(window) => written + window > now,
    }
}

/// The durability window, if it matters: `None` for a store that loses nothing, or everything, since neither needs a
/// journal.
#[must_use]
pub fn durability_window(store: &Store) -> Option<Span> {
    match store.durability_window {
        Forgets::Last(window) => Some(window).filter(|window| *window > Span::ZERO),
        Forgets::Everything => None,
    }
}

/// What a rollback leaves of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolledBack {
    /// What it holds then; `None` if the store no longer has it.
    pub items: Option<Items>,
    /// What it has lost.
    pub lost: Items,
}

/// Undoes a write that had found `before`. `now`: what the cart holds. `None` if nothing is to be done, because the
/// cart has been evicted or has expired since: it stays out.
#[must_use]
pub fn roll_back(now: Option<Items>, before: Option<Items>) -> Option<RolledBack> {
    now.map(|now| RolledBack { items: before, lost: now.minus(before.unwrap_or_default()) })
}

/// An undo log of the writes within the durability window, oldest first.
#[derive(Clone, Debug)]
pub struct Journal<U> {
    window: Span,
    writes: VecDeque<(Instant, U)>,
}

impl<U> Journal<U> {
    /// An empty journal.
    #[must_use]
    pub fn new(window: Span) -> Journal<U> {
        Journal { window, writes: VecDeque::new() }
    }

    /// Notes a write; `undo` restores what was there before.
    pub fn note(&mut self, now: Instant, undo: U) {
        let forgets = Forgets::Last(self.window);
        self.writes.push_back((now, undo));
        while self.writes.front().is_some_and(|(at, _)| !is_forgotten(*at, now, forgets)) {
            self.writes.pop_front();
        }
    }

    /// Takes what has to be undone now, last write first, and empties the journal.
    pub fn undo(&mut self, now: Instant, forgets: Forgets) -> impl Iterator<Item = U> + use<U> {
        let writes = std::mem::take(&mut self.writes).into_iter().rev();
        writes.filter(move |(at, _)| is_forgotten(*at, now, forgets)).map(|(_, undo)| undo)
    }

    /// Empties the journal.
    pub fn clear(&mut self) {
        self.writes.clear();
    }
}

/// When carts expire, and which carts occupy the places of a store with limited memory.
#[derive(Clone, Debug)]
pub struct Limits<K> {
    ttl: Option<Span>,
    places: Option<Places<K>>,
}

/// The carts in a store with limited memory.
#[derive(Clone, Debug)]
struct Places<K> {
    limit: StoreMemory,
    /// For each cart, when it was last used (counted in uses) and when it expires.
    taken: BTreeMap<K, (u64, Instant)>,
    by_use: BTreeMap<u64, K>,
    by_end: BTreeSet<(Instant, K)>,
    uses: u64,
}

impl<K: Copy + Ord> Limits<K> {
    /// The limits of a scenario's store.
    #[must_use]
    pub fn new(store: &Store) -> Limits<K> {
        Limits { ttl: store.ttl.map(Time::get), places: store.memory.map(Places::new) }
    }

    /// No limits.
    #[must_use]
    pub fn none() -> Limits<K> {
        Limits { ttl: None, places: None }
    }

    /// Whether carts can expire or be evicted.
    #[inline]
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.ttl.is_some() || self.places.is_some()
    }

    /// Whether carts expire.
    #[must_use]
    pub fn has_ttl(&self) -> bool {
        self.ttl.is_some()
    }

    /// Whether a cart with these items takes a place. With limited memory, an empty one does not: it is removed.
    #[must_use]
    pub fn takes_place(&self, items: Items) -> bool {
        self.places.is_none() || !items.is_empty()
    }

    /// Whether there must be room for a cart before a request may change it: it is not in the store yet, and will take a
    /// place. `before`: the cart in the store. `written`: what it will hold; `None` if the request only reads.
    #[must_use]
    pub fn needs_room(&self, before: Option<Items>, written: Option<Items>) -> bool {
        before.is_none() && written.is_some_and(|items| self.takes_place(items))
    }

    /// When a cart written now expires. Reads do not extend the TTL.
    #[must_use]
    pub fn end_if_written(&self, now: Instant) -> Option<Instant> {
        self.ttl.map(|ttl| now + ttl)
    }

    /// When places are short, expired carts give theirs back. Returns these carts.
    pub fn expire(&mut self, now: Instant) -> Vec<K> {
        self.places.as_mut().map_or(Vec::new(), |places| places.expire(now))
    }

    /// Makes room for a new cart: expired carts are removed first, then the least recently used one is evicted. Returns
    /// the evicted cart, if any.
    ///
    /// # Errors
    ///
    /// [`Full`] if the store refuses instead of evicting.
    pub fn make_room(&mut self, now: Instant) -> Result<Option<K>, Full> {
        self.places.as_mut().map_or(Ok(None), |places| places.make_room(now))
    }

    /// Notes that a cart was just read or written. `end` is its new expiry, if that has changed.
    pub fn used(&mut self, cart: K, end: Option<Instant>) {
        if let Some(places) = &mut self.places {
            places.used(cart, end);
        }
    }

    /// A cart was removed from the store, or is empty now.
    pub fn removed(&mut self, cart: K) {
        if let Some(places) = &mut self.places {
            places.remove(cart);
        }
    }

    /// All carts were removed from the store.
    pub fn clear(&mut self) {
        if let Some(places) = &mut self.places {
            *places = Places::new(places.limit);
        }
    }
}

impl<K: Copy + Ord> Places<K> {
    fn new(limit: StoreMemory) -> Places<K> {
        let (taken, by_use) = (BTreeMap::new(), BTreeMap::new());
        Places { limit, taken, by_use, by_end: BTreeSet::new(), uses: 0 }
    }

    fn used(&mut self, cart: K, end: Option<Instant>) {
        let old = self.remove(cart);
        let end = end.or(old).unwrap_or(Instant::NEVER);
        self.uses += 1;
        self.taken.insert(cart, (self.uses, end));
        self.by_use.insert(self.uses, cart);
        self.by_end.insert((end, cart));
    }

    /// Frees a cart's place. Returns its expiry.
    fn remove(&mut self, cart: K) -> Option<Instant> {
        let (used, end) = self.taken.remove(&cart)?;
        self.by_use.remove(&used);
        self.by_end.remove(&(end, cart));
        Some(end)
    }

    fn is_full(&self) -> bool {
        self.taken.len() >= self.limit.carts.index()
    }

    fn expire(&mut self, now: Instant) -> Vec<K> {
        let mut expired = Vec::new();
        while self.is_full()
            && let Some((_, cart)) = self.by_end.first().copied().filter(|(end, _)| has_expired(*end, now))
        {
            self.remove(cart);
            expired.push(cart);
        }
        expired
    }

    fn make_room(&mut self, now: Instant) -> Result<Option<K>, Full> {
        self.expire(now);
        if !self.is_full() {
            return Ok(None);
        }
        match self.limit.when_full {
            WhenFull::Refuse => Err(Full),
            WhenFull::Evict => {
                let oldest = self.by_use.first_key_value().map(|(_, cart)| *cart);
                oldest.map(|cart| self.remove(cart));
                Ok(oldest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::{Key, Purpose, Seed};
    use crate::scenario::Whole;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn limits(carts: u64, when_full: WhenFull) -> Limits<u32> {
        let memory = StoreMemory { carts: Whole::of(carts), when_full };
        Limits::new(&Store { memory: Some(memory), ttl: Some(Time::of(Span::from_secs(10))), ..Store::default() })
    }

    #[test]
    fn the_cart_used_longest_ago_goes() {
        let mut limits = limits(2, WhenFull::Evict);
        for cart in [1, 2, 1] {
            assert_eq!(limits.make_room(at(0)).map(|_| ()), Ok(()));
            limits.used(cart, limits.end_if_written(at(0)));
        }
        assert_eq!(limits.make_room(at(1)), Ok(Some(2)));
    }

    #[test]
    fn only_a_new_cart_that_takes_a_place_needs_room() {
        let (mug, none) = (Some(Items(1)), Some(Items::NONE));
        let asks = |limits: &Limits<u32>| {
            [(None, mug), (None, none), (None, None), (mug, mug), (mug, none)]
                .map(|(before, written)| limits.needs_room(before, written))
        };
        assert_eq!(asks(&limits(1, WhenFull::Evict)), [true, false, false, false, false]);
        assert_eq!(asks(&Limits::none()), [true, true, false, false, false], "without a limit it may be empty");
    }

    #[test]
    fn a_rolled_back_cart_loses_what_was_put_in_since_and_an_evicted_one_stays_out() {
        let (mug, both) = (Items(1), Items(3));
        let lamp = both.minus(mug);
        assert_eq!(roll_back(Some(both), Some(mug)), Some(RolledBack { items: Some(mug), lost: lamp }));
        assert_eq!(roll_back(Some(mug), Some(both)), Some(RolledBack { items: Some(both), lost: Items::NONE }));
        assert_eq!(roll_back(Some(mug), None), Some(RolledBack { items: None, lost: mug }));
        assert_eq!(roll_back(None, Some(mug)), None);
    }

    #[test]
    fn a_full_store_refuses_until_something_expires() {
        let mut limits = limits(1, WhenFull::Refuse);
        limits.used(1, limits.end_if_written(at(0)));
        assert_eq!(limits.make_room(at(9)), Err(Full));
        limits.used(1, None);
        assert_eq!(limits.clone().make_room(at(10)), Ok(None), "reading it has not made it last longer");
        assert_eq!((limits.expire(at(9)), limits.expire(at(10))), (vec![], vec![1]));
    }

    #[test]
    fn each_call_has_luck_of_its_own() {
        let latency = Sampler::Exponential(Span::from_millis(1));
        let times = |call: StoreCall| call.times(latency, Seed(1).draw(Purpose::Store, Key::default())).take(5);
        let mut all: Vec<Span> = times(StoreCall::Before).chain(times(StoreCall::After)).collect();
        all.sort_unstable();
        all.dedup();
        // Whatever is beyond three calls before the work and two after it begins with the same luck.
        assert_eq!(all.len(), 5 + 3);
    }

    #[test]
    fn what_was_written_within_the_window_is_undone_last_write_first() {
        let mut journal = Journal::new(Span::from_secs(5));
        for second in 0..10 {
            journal.note(at(second), second);
        }
        assert_eq!(journal.writes.len(), 5, "no more is kept than can be forgotten");
        let undone: Vec<u64> = journal.undo(at(10), Forgets::Last(Span::from_secs(5))).collect();
        assert_eq!(undone, [9, 8, 7, 6], "what was written at second 5 has lasted for one window");
        assert_eq!(journal.undo(at(10), Forgets::Everything).count(), 0);
    }
}
