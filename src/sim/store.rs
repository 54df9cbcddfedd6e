//! The shared store: its latency, the line for its connections, and what it does to stored data.

mod faults;
mod limits;
mod logins;
pub mod replicas;

use std::collections::VecDeque;

use super::requests::InFlight;
use crate::base::seed::{Purpose, Sampler, Seed};
use crate::base::time::Span;
use crate::base::{Items, Visit};
use crate::scenario::{CartHome, Scenario, Whole};
use crate::state::store::{Journal, Limits, StoreCall, durability_window};
use logins::Logins;

pub use limits::StoredCarts;

/// Borrows the carts in the store from the parts of a simulation that own them.
macro_rules! stored_carts {
    ($sim:expr) => {
        $crate::sim::store::StoredCarts { users: &mut $sim.users, carts: &mut $sim.shop.carts, now: $sim.events.now }
    };
}
pub(super) use stored_carts;

/// The store that all servers share.
#[derive(Clone, Debug)]
pub struct Store {
    latency: Sampler,
    /// Free connections. `None`: no limit, and all store calls of a request are a single event.
    free: Option<u32>,
    /// Workers that wait for a connection.
    waiting: VecDeque<u32>,
    /// The number of current outages, which may overlap.
    outages: u32,
    /// Whether it is the home of carts.
    keeps_carts: bool,
    /// Whether it can change or lose carts: by expiry, eviction, refusal, or a failover.
    touches_carts: bool,
    limits: Limits<Visit>,
    /// The state of each cart before each recent write.
    journal: Option<Journal<(Visit, Option<Items>)>>,
    /// The sessions it holds.
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

    /// Whether each store call is an event of its own, because connections are limited or the store may fail.
    #[inline]
    #[must_use]
    pub fn has_line(&self) -> bool {
        self.free.is_some()
    }

    /// Whether it can change or lose carts: by expiry, eviction, refusal, or a failover.
    #[inline]
    #[must_use]
    pub fn touches_carts(&self) -> bool {
        self.touches_carts
    }

    /// Whether the store is down.
    #[inline]
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.outages > 0
    }

    /// An outage ends.
    pub fn end_outage(&mut self) {
        self.outages -= 1;
    }

    /// Free connections, if they are limited. (A store without a limit is given more than can ever be used when its
    /// calls become events of their own.)
    #[must_use]
    pub fn free_connections(&self) -> Option<u32> {
        self.free.filter(|free| *free < u32::MAX / 2)
    }

    /// The workers that wait for a connection, in order.
    pub fn line(&self) -> impl Iterator<Item = u32> {
        self.waiting.iter().copied()
    }

    /// Takes a connection for a worker. Returns false if none is free, and queues the worker.
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

    /// Frees a connection. Returns the next worker in line, which takes it over.
    pub fn disconnect(&mut self) -> Option<u32> {
        let next = self.waiting.pop_front();
        if next.is_none() {
            self.free = self.free.map(|n| n + 1);
        }
        next
    }

    /// Removes a worker from the line.
    pub fn leave_line(&mut self, worker: u32) {
        self.waiting.retain(|waiting| *waiting != worker);
    }

    /// How long a request's calls on one side of the work take, one after the other on one connection. `way` is what
    /// the distance adds to each. Each side has its own draws, derived from the request's.
    #[inline]
    #[must_use]
    pub fn time(&self, request: &InFlight, side: StoreCall, way: Span, seed: Seed) -> Span {
        let calls = match side {
            StoreCall::Before => request.plan.calls_before(),
            StoreCall::After => request.plan.calls_after(),
        };
        if calls == 0 {
            return Span::ZERO;
        }
        if let Sampler::Constant(span) = self.latency {
            return (span + way) * u64::from(calls);
        }
        let draw = seed.draw(Purpose::Store, request.key);
        side.times(self.latency, draw).take(calls as usize).fold(Span::ZERO, |sum, time| sum + time + way)
    }
}
