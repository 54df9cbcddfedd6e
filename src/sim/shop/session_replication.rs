//! Carts in replicated memory: which process has which copy, and the updates in transit.

use std::collections::{BTreeMap, VecDeque};

use crate::balancing::pool::Pool;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Items, ProcessId, ServerId, Visit};
use crate::history::Evidence;
use crate::scenario::Replication;
use crate::sim::events::{Due, Events};
use crate::state::replication::{Change, Copies, delivered, receivers};
use crate::state::shop::Basket;

/// The carts of open visits.
#[derive(Clone, Debug)]
pub struct SessionReplicas {
    copies: usize,
    lag: Span,
    carts: BTreeMap<ClientId, (Visit, Copies)>,
    /// In order of arrival, since every update takes the same time.
    on_their_way: VecDeque<Message>,
    versions: u64,
}

/// An update in transit.
#[derive(Clone, Copy, Debug)]
struct Message {
    arrives: Instant,
    visit: Visit,
    from: ProcessId,
    to: ServerId,
    change: Change,
}

impl SessionReplicas {
    /// Creates an empty set of carts.
    #[must_use]
    pub fn new(replication: &Replication) -> SessionReplicas {
        SessionReplicas {
            copies: replication.copies.index(),
            lag: replication.lag.get(),
            carts: BTreeMap::new(),
            on_their_way: VecDeque::new(),
            versions: 0,
        }
    }

    /// All copies of a client's cart, in live and dead processes.
    pub fn copies(&self, client: ClientId) -> impl Iterator<Item = (ProcessId, Items)> + '_ {
        self.carts.get(&client).into_iter().flat_map(|(_, copies)| copies.all())
    }

    /// Forgets the cart of a visit that has ended.
    pub fn forget(&mut self, client: ClientId) {
        self.carts.remove(&client);
    }

    /// A server does something to its copy of a cart: what came of it, and what it changed. `views`: it only looks.
    pub(super) fn apply<T>(
        &mut self,
        visit: Visit,
        process: ProcessId,
        views: bool,
        pool: &Pool,
        act: impl FnOnce(&mut Basket, bool) -> T,
    ) -> (T, Option<Change>) {
        let (of, copies) = self.carts.entry(visit.client).or_insert_with(|| (visit, Copies::default()));
        debug_assert_eq!(*of, visit, "carts of visits that are over are forgotten");
        copies.asked(process, |process| pool.lives_on(process));
        let known = copies.of(process);
        let before = known.unwrap_or_default();
        let mut basket = Basket { items: before };
        let result = act(&mut basket, known.is_some());
        if views {
            return (result, None);
        }
        self.versions += 1;
        let change = Change::new(before, basket.items, self.versions);
        copies.changed(process, change);
        (result, Some(change))
    }

    /// What happened to the items of a visit.
    #[must_use]
    pub fn evidence(&self, client: ClientId, pool: &Pool) -> Evidence {
        let Some((_, copies)) = self.carts.get(&client) else { return Evidence::default() };
        copies.evidence(|process| pool.killed_by(process))
    }

    fn next_arrival(&mut self, now: Instant) -> Option<Message> {
        let first = self.on_their_way.front().filter(|message| message.arrives <= now).copied()?;
        self.on_their_way.pop_front();
        Some(first)
    }

    fn arrive(&mut self, message: &Message, process: ProcessId) {
        if let Some((_, copies)) = self.carts.get_mut(&message.visit.client).filter(|(of, _)| *of == message.visit) {
            copies.arrived(process, message.change);
        }
    }

    /// Sends a change to the servers that follow in the order of the pool. Returns how many they are.
    pub(super) fn send(
        &mut self,
        visit: Visit,
        server: ServerId,
        change: Change,
        pool: &Pool,
        events: &mut Events,
    ) -> u32 {
        let (from, arrives) = (pool.process_on(server), events.now + self.lag);
        let servers: Vec<ServerId> = pool.present().collect();
        let mut sent = 0;
        for to in receivers(&servers, server, self.copies) {
            self.on_their_way.push_back(Message { arrives, visit, from, to, change });
            sent += 1;
        }
        if sent > 0 {
            events.schedule(arrives, Due::Copies);
        }
        sent
    }

    /// Delivers the updates that arrive now to servers that can be reached, unless the sender has died or is isolated.
    pub(in crate::sim) fn deliver(&mut self, pool: &Pool, now: Instant) {
        let reached = |server| pool.is_within_reach(server).then(|| (pool.process_on(server), ()));
        while let Some(message) = self.next_arrival(now) {
            let sender = (pool.server_of(message.from), message.from);
            for (receiver, ()) in delivered(sender, [message.to], reached) {
                self.arrive(&message, receiver);
            }
        }
    }
}
