//! Where the simulation keeps carts, behind one small interface for every home.

use std::collections::BTreeMap;

use super::cart_slot::{CartSlot, Entry, Overflow};
use super::session_replication::SessionReplicas;
use crate::balancing::pool::Pool;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ProcessId, Reply, ServerId, Visit};
use crate::history::Evidence;
use crate::scenario::{CartHome, Replication};
use crate::sim::events::Events;
use crate::sim::requests::InFlight;
use crate::state::evidence::{self, Loss};
use crate::state::shop::{self, Applied, Basket, Order};
use crate::state::tokens;

/// The effect of one request on a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartResult {
    /// The answer.
    pub reply: Reply,
    /// Whether the cart was found where the server looked.
    pub knew: bool,
    /// The cart's content after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// The charge that appears on the statement.
    pub billed: Option<Items>,
}

/// The state of open visits' carts that is not in the clients' own [`CartSlot`]s.
#[derive(Clone, Debug)]
pub struct Carts {
    home: CartHome,
    pub(in crate::sim) orders: OrderBook,
    overflow: Overflow,
    /// What was lost from carts with a single copy. A sparse map, since few carts lose anything before their visit
    /// ends.
    lost: BTreeMap<ClientId, Evidence>,
    /// The copies in replicated memory.
    pub(in crate::sim) replicas: SessionReplicas,
    /// During a migration: the copies in the store.
    pub(in crate::sim) moved: BTreeMap<ClientId, Items>,
}

/// Orders that may be asked for again. Only those are kept: nearly every order is placed once, by a user who gets the
/// answer.
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct OrderBook {
    /// Whether each process knows only the orders it has charged itself.
    by_process: bool,
    orders: BTreeMap<(ClientId, ProcessId), Order>,
}

impl OrderBook {
    fn key(&self, call: Call) -> (ClientId, ProcessId) {
        (call.client, if self.by_process { call.by } else { ProcessId(0) })
    }

    fn get(&self, call: Call) -> Order {
        self.orders.get(&self.key(call)).copied().unwrap_or_default()
    }

    fn keep(&mut self, call: Call, order: Order) {
        self.orders.insert(self.key(call), order);
    }

    #[cold]
    fn forget(&mut self, client: ClientId) {
        self.orders.retain(|(of, _), _| *of != client);
    }
}

/// A command as it reaches a cart's home.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The client whose cart it is.
    pub client: ClientId,
    /// What to do.
    pub command: Command,
    /// The process that executes it.
    pub by: ProcessId,
    /// Whether the command may run more than once: it is a retry, or its user has left or may not get the answer.
    pub repeated: bool,
}

impl Carts {
    /// Creates an empty set of carts. With `orders_by_process`, each process remembers only the orders it has charged
    /// itself.
    #[must_use]
    pub fn new(home: CartHome, orders_by_process: bool, replication: &Replication) -> Carts {
        Carts {
            home,
            orders: OrderBook { by_process: orders_by_process, ..OrderBook::default() },
            overflow: Overflow::default(),
            lost: BTreeMap::new(),
            replicas: SessionReplicas::new(replication),
            moved: BTreeMap::new(),
        }
    }

    /// What a process holds in its memory; `None` if it does not know the cart.
    pub(in crate::sim) fn in_memory(&self, slot: &CartSlot, process: ProcessId) -> Option<Items> {
        let found = self.overflow.find(slot, process);
        found.knew.then_some(found.items)
    }

    /// What live and dead processes hold of a cart. A process may appear more than once.
    pub(in crate::sim) fn memories<'a>(&'a self, slot: &'a CartSlot) -> impl Iterator<Item = (ProcessId, Items)> + 'a {
        self.overflow.entries(slot).map(|entry| (entry.process(), entry.items()))
    }

    /// Applies a command to the cart in its home, atomically.
    #[inline]
    pub fn apply(&mut self, slot: &mut CartSlot, call: Call) -> CartResult {
        match self.home {
            CartHome::ServerMemory => self.apply_in_memory(slot, call),
            CartHome::SharedStore | CartHome::SignedToken | CartHome::ReplicatedMemory => {
                let copy = slot.copy();
                let mut basket = Basket { items: copy.unwrap_or_default() };
                let result = apply_to(&mut basket, copy.is_some(), call, &mut self.orders);
                slot.keep(basket.items);
                result
            }
        }
    }

    #[inline]
    fn apply_in_memory(&mut self, slot: &mut CartSlot, call: Call) -> CartResult {
        let Carts { overflow, orders, .. } = self;
        let process = call.by;
        let mut found = overflow.find(slot, process);
        let before = found.items;
        let mut basket = Basket { items: before };
        let result = apply_to(&mut basket, found.knew, call, orders);
        for item in before.minus(basket.items).iter() {
            overflow.replace(slot, Entry::new(process, Some(item)), Entry::new(process, None));
        }
        for item in basket.items.minus(before).iter() {
            overflow.append(slot, &mut found, Entry::new(process, Some(item)));
        }
        if !found.knew && basket.items.is_empty() {
            overflow.append(slot, &mut found, Entry::new(process, None));
        }
        result
    }

    /// In replicated memory: a server applies a command to its copy of a cart, and sends what it has changed to others.
    /// Returns how many those are.
    #[cold]
    pub fn apply_to_replica(
        &mut self,
        call: Call,
        visit: Visit,
        server: ServerId,
        pool: &Pool,
        events: &mut Events,
    ) -> (CartResult, u32) {
        let Carts { replicas, orders, .. } = self;
        let views = call.command == Command::View;
        let (result, change) =
            replicas.apply(visit, call.by, views, pool, |basket, knew| apply_to(basket, knew, call, orders));
        let sent = change.map_or(0, |change| replicas.send(visit, server, change, pool, events));
        (result, sent)
    }

    /// What a request will write to the store, given the copy of the cart that it starts from; `None` if it only reads.
    pub fn written(&self, copy: Option<Items>, call: Call) -> Option<Items> {
        let mut basket = Basket { items: copy.unwrap_or_default() };
        let mut order = self.orders.get(call);
        shop::apply(&mut basket, call.command, Some(&mut order), self.orders.by_process);
        (!call.command.is_safe()).then_some(basket.items)
    }

    /// Applies a command to the copy that was read earlier, and writes the result over whatever the store holds by now.
    /// A view does not write.
    pub fn write_back(&mut self, slot: &mut CartSlot, read: Option<Items>, call: Call) -> CartResult {
        let mut basket = Basket { items: read.unwrap_or_default() };
        let result = apply_to(&mut basket, read.is_some(), call, &mut self.orders);
        if call.command == Command::View {
            return result;
        }
        let there = slot.copy().unwrap_or_default();
        let overwritten = evidence::overwritten(there, call.command, result.held, basket.items);
        if !overwritten.is_empty() {
            evidence::lost(self.losses(call.client), Loss::Overwritten, overwritten);
        }
        slot.keep(basket.items);
        result
    }

    /// The record of a client's lost items, for adding to it.
    #[cold]
    pub fn losses(&mut self, client: ClientId) -> &mut Evidence {
        self.lost.entry(client).or_default()
    }

    /// Notes the items that are overwritten when one of several concurrent answers replaces the user's token by one
    /// that knows less. (With one request at a time, the user gets back the token that was sent, updated.)
    pub fn token_replaced(&mut self, old: Option<Items>, new: Items, client: ClientId, command: Command) {
        let overwritten = evidence::replaced(old.unwrap_or_default(), command, new);
        if !overwritten.is_empty() {
            evidence::lost(self.losses(client), Loss::Overwritten, overwritten);
        }
    }

    #[cold]
    fn expired(&mut self, client: ClientId, token: Items) {
        evidence::lost(self.losses(client), Loss::Expired, token);
    }

    /// Where the visit's items are other than in this process, and what happened to those that no longer exist.
    #[must_use]
    pub fn evidence(&self, slot: &CartSlot, client: ClientId, process: ProcessId, pool: &Pool) -> Evidence {
        match self.home {
            CartHome::ServerMemory => {
                evidence::of_cart(Evidence::default(), process, self.memories(slot), |dead| pool.killed_by(dead))
            }
            CartHome::ReplicatedMemory => self.replicas.evidence(client, pool),
            CartHome::SharedStore | CartHome::SignedToken => self.lost.get(&client).copied().unwrap_or_default(),
        }
    }

    /// Applies a command to a copy of a cart that was found, or not, and returns what it makes of it.
    #[inline]
    pub fn apply_to_copy(&mut self, found: Option<Items>, call: Call) -> (CartResult, Items) {
        let mut basket = Basket { items: found.unwrap_or_default() };
        let result = apply_to(&mut basket, found.is_some(), call, &mut self.orders);
        (result, basket.items)
    }

    /// Applies a command to the cart token that a request brought along. If it has expired, the items in it are lost.
    #[inline]
    pub fn apply_to_sent_token(&mut self, request: &InFlight, call: Call, now: Instant) -> (CartResult, Items) {
        let good = request.cart.filter(|_| tokens::is_current(request.cart_expires, now));
        if let (Some(token), None) = (request.cart, good) {
            self.expired(call.client, token);
        }
        self.apply_to_copy(good, call)
    }

    /// Forgets the carts of a visit that has ended.
    #[inline]
    pub fn forget(&mut self, slot: &mut CartSlot, client: ClientId) {
        if !self.orders.orders.is_empty() {
            self.orders.forget(client);
        }
        if !self.lost.is_empty() {
            self.lost.remove(&client);
        }
        match self.home {
            CartHome::ReplicatedMemory => self.replicas.forget(client),
            _ if !self.moved.is_empty() => drop(self.moved.remove(&client)),
            _ => {}
        }
        self.overflow.free_chain(slot.next);
        *slot = CartSlot::EMPTY;
    }
}

/// Applies a command to one copy of a cart.
#[inline]
pub(in crate::sim) fn apply_to(basket: &mut Basket, knew: bool, call: Call, orders: &mut OrderBook) -> CartResult {
    let checkout = call.command == Command::Checkout;
    let mut order = if checkout { orders.get(call) } else { Order::default() };
    let Applied { reply, held, billed } = shop::apply(basket, call.command, Some(&mut order), orders.by_process);
    if checkout && call.repeated {
        orders.keep(call, order);
    }
    CartResult { reply, knew, held, billed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Item;
    use crate::base::seed::Seed;
    use crate::base::time::Span;
    use crate::operations::faults::{Comeback, FaultKind};
    use crate::scenario::Scenario;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn command() -> impl Strategy<Value = Command> {
        let item = (1u8..=64).prop_map(|n| Item::new(n).expect("in range"));
        prop_oneof![
            6 => item.clone().prop_map(Command::Add),
            2 => item.prop_map(Command::Remove),
            2 => Just(Command::View),
            1 => Just(Command::Checkout),
        ]
    }

    proptest! {
        /// The packed overflow compared with a map of baskets, with crashes in between.
        #[test]
        fn entries_are_a_map_of_baskets(
            steps in prop::collection::vec((0u32..3, 0u32..3, command(), 0u32..30), 1..200),
        ) {
            let mut pool = Pool::new(&Scenario::house(), Seed(1));
            let mut carts = Carts::new(CartHome::ServerMemory, false, &Replication::default());
            let mut shelves = [CartSlot::EMPTY; 3];
            let mut model: BTreeMap<(u32, ProcessId), Basket> = BTreeMap::new();
            let mut orders = [Order::default(); 3];
            for (client, server, command, dice) in steps {
                let server = ServerId(server);
                match dice {
                    0 => {
                        pool.kill(server, 7, FaultKind::Crash { server, comeback: None });
                        pool.revive(server, Comeback { after: Span::ZERO, new_host: false });
                    }
                    1 => {
                        carts.forget(&mut shelves[client as usize], ClientId(client));
                        model.retain(|(c, _), _| *c != client);
                        orders[client as usize] = Order::default();
                    }
                    _ => {}
                }
                let process = pool.process_on(server);
                let slot = &mut shelves[client as usize];
                let call = Call { client: ClientId(client), command, by: process, repeated: dice % 2 == 1 };
                let got = carts.apply(slot, call);
                let knew = model.contains_key(&(client, process));
                let basket = model.entry((client, process)).or_default();
                let before = basket.items;
                let (reply, billed) = match command {
                    Command::Checkout => {
                        let mut order = orders[client as usize];
                        let charged = order.charge(basket);
                        if call.repeated {
                            orders[client as usize] = order;
                        }
                        charged
                    }
                    _ => (basket.apply(command), None),
                };
                prop_assert_eq!((got.reply, got.billed, got.knew), (reply, billed, knew));
                let held = if command == Command::Checkout { before } else { basket.items };
                prop_assert_eq!(got.held, held);
                if command == Command::Checkout {
                    let others = |alive: bool| model.iter()
                        .filter(|((c, l), _)| *c == client && *l != process && pool.lives_on(*l) == alive)
                        .fold(Items::NONE, |all, (_, b)| all.union(b.items));
                    let evidence = carts.evidence(slot, ClientId(client), process, &pool);
                    prop_assert_eq!(evidence.elsewhere, others(true));
                    prop_assert_eq!(evidence.died, others(false).minus(others(true)));
                }
            }
        }
    }
}
