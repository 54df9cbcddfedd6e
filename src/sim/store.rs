//! The shared store: its latency, the line for its connections, and what it does to what is in it.

mod faults;
mod limits;
mod logins;
pub mod replicas;

use std::collections::VecDeque;

use crate::base::seed::{Draw, Sampler};
use crate::base::time::Span;
use crate::base::{Items, Visit};
use crate::scenario::{CartHome, Scenario, Whole};
use crate::state::store::{Journal, Limits, StoreCall, durability_window};
use logins::Logins;

pub use limits::StoredCarts;

/// The carts in the store, borrowed from the parts of a simulation that have them.
macro_rules! stored_carts {
    ($sim:expr) => {
        $crate::sim::store::StoredCarts { users: &mut $sim.users, carts: &mut $sim.shop.carts, now: $sim.now }
    };
}
pub(super) use stored_carts;

/// The store that all servers share.
#[derive(Clone, Debug)]
pub struct Store {
    latency: Sampler,
    /// Connections that are free. `None`: there is no limit, and all calls of a request are one event.
    free: Option<u32>,
    /// Workers that wait for a connection.
    waiting: VecDeque<u32>,
    /// Outages that are not over; several may overlap.
    outages: u32,
    /// Whether carts live in it.
    keeps_carts: bool,
    /// Whether anything below does something to carts, beside keeping them.
    touches_carts: bool,
    limits: Limits<Visit>,
    /// Carts as they were before each write.
    journal: Option<Journal<(Visit, Option<Items>)>>,
    /// Sessions that it keeps.
    pub logins: Logins,
}

impl Store {
    /// The store of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Store {
        let rules = &scenario.store;
        let keeps_carts = scenario.homes.cart == CartHome::SharedStore;
        let limits = if keeps_carts { Limits::new(rules) } else { Limits::none() };
        let window = durability_window(rules);
        let journal = window.filter(|_| keeps_carts).map(Journal::new);
        Store {
            latency: rules.latency.sampler(),
            free: rules.connections.map(Whole::get32),
            waiting: VecDeque::new(),
            outages: 0,
            keeps_carts,
            touches_carts: limits.has_any() || journal.is_some(),
            limits,
            journal,
            logins: Logins::new(window),
        }
    }

    /// Whether calls are events of their own, because connections are few or because the store may break.
    #[inline]
    #[must_use]
    pub fn has_line(&self) -> bool {
        self.free.is_some()
    }

    /// Whether it does anything to carts, beside keeping them.
    #[inline]
    #[must_use]
    pub fn touches_carts(&self) -> bool {
        self.touches_carts
    }

    /// Whether nobody reaches it.
    #[inline]
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.outages > 0
    }

    /// An outage is over.
    pub fn is_back(&mut self) {
        self.outages -= 1;
    }

    /// Connections that are free, where there is a limit. (Telling calls apart gives a store without one more connections
    /// than anybody can use.)
    #[must_use]
    pub fn free_connections(&self) -> Option<u32> {
        self.free.filter(|free| *free < u32::MAX / 2)
    }

    /// Workers that wait for a connection, in their order.
    pub fn line(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().copied()
    }

    /// A worker wants a connection. False: it waits in line.
    pub fn connect(&mut self, worker: u32) -> bool {
        match &mut self.free {
            Some(0) => {
                self.waiting.push_back(worker);
                false
            }
            free => {
                *free = free.map(|n| n - 1);
                true
            }
        }
    }

    /// A connection is free: for the next worker in line, if one waits.
    pub fn disconnect(&mut self) -> Option<u32> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.free = self.free.map(|n| n + 1);
        }
        next
    }

    /// A worker waits no longer.
    pub fn leave_line(&mut self, worker: u32) {
        self.waiting.retain(|waiting| *waiting != worker);
    }

    /// How long so many calls before the work take, or after it: one by one, on one connection.
    #[must_use]
    pub fn time(&self, calls: u32, side: StoreCall, draw: impl FnOnce() -> Draw) -> Span {
        if let Sampler::Constant(span) = self.latency {
            return span * u64::from(calls);
        }
        side.times(self.latency, draw()).take(calls as usize).fold(Span::ZERO, |sum, time| sum + time)
    }

    /// How long one call takes, when that is always the same.
    #[inline]
    #[must_use]
    pub fn constant_latency(&self) -> Option<Span> {
        if let Sampler::Constant(span) = self.latency { Some(span) } else { None }
    }
}
