//! Where the simulation keeps carts, behind one small interface for every home.

use std::collections::BTreeMap;
use std::hint::black_box;

use crate::history::Evidence;
use crate::model::{ClientId, Command, Item, Items, Life, Reply};
use crate::pool::Pool;
use crate::scenario::CartHome;
use crate::shop::{Basket, Order};

/// What one request did to a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartResult {
    /// The answer.
    pub reply: Reply,
    /// Whether the cart was known where it was looked for.
    pub knew: bool,
    /// What it held after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// Where else items of this visit are, for a checkout.
    pub evidence: Evidence,
    /// A charge that appears on the statement.
    pub billed: Option<Items>,
}

/// Where a client's carts are kept: a place in [`Carts`], or [`NO_CART`].
pub type CartPlace = u32;

/// The client has no cart anywhere.
pub const NO_CART: CartPlace = u32::MAX;

/// All carts of open visits.
#[derive(Clone, Debug)]
pub struct Carts {
    home: Home,
    orders: OrderBook,
}

/// Orders that may be asked for again. An order whose user is there to hear of it is not: it ends its visit's shopping.
/// So these are few.
type OrderBook = BTreeMap<ClientId, Order>;

/// A command as it reaches a home.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Whose cart.
    pub client: ClientId,
    /// What to do.
    pub command: Command,
    /// Whether the user waits for the answer.
    pub awaited: bool,
}

#[derive(Clone, Debug)]
enum Home {
    ServerMemory(MemoryLedger),
    /// One copy each: in the store, or with the user.
    OneCopy(OneCopy),
}

impl Carts {
    /// No carts yet.
    #[must_use]
    pub fn new(home: CartHome) -> Carts {
        let home = match home {
            CartHome::ServerMemory => Home::ServerMemory(MemoryLedger::default()),
            CartHome::SharedStore | CartHome::SignedToken => Home::OneCopy(OneCopy::default()),
        };
        Carts { home, orders: OrderBook::new() }
    }

    /// The cart as its user carries it: what a request takes along when the home is a signed token.
    #[inline]
    #[must_use]
    pub fn carried(&self, place: CartPlace) -> Option<Items> {
        match &self.home {
            Home::ServerMemory(_) => None,
            Home::OneCopy(copies) => copies.baskets.get(place as usize).map(|basket| basket.items),
        }
    }

    /// The user received a token.
    #[inline]
    pub fn receive(&mut self, place: &mut CartPlace, items: Items) {
        if let Home::OneCopy(copies) = &mut self.home {
            *copies.at(place) = Basket { items };
        }
    }

    /// A server applies a command to the cart in its home, at once and completely.
    #[inline]
    pub fn apply(&mut self, place: &mut CartPlace, life: Life, call: Call, pool: &Pool) -> CartResult {
        match &mut self.home {
            Home::ServerMemory(ledger) => ledger.apply(place, life, call, &mut self.orders, pool),
            Home::OneCopy(copies) => {
                let knew = *place != NO_CART;
                apply_to(copies.at(place), knew, call, &mut self.orders)
            }
        }
    }

    /// A server applies a command to the copy that came with a request; the user gets the new copy with the answer.
    #[inline]
    pub fn apply_to_token(&mut self, token: Option<Items>, call: Call) -> (CartResult, Items) {
        let mut basket = Basket { items: token.unwrap_or_default() };
        let result = apply_to(&mut basket, token.is_some(), call, &mut self.orders);
        (result, basket.items)
    }

    /// Reads what the next commands of these carts will need.
    #[inline]
    pub fn foresee(&self, places: impl Iterator<Item = CartPlace>) {
        match &self.home {
            Home::ServerMemory(ledger) => {
                black_box(
                    places.filter_map(|at| ledger.chunks.get(at as usize)).fold(0, |sum, chunk| sum ^ chunk.next),
                );
            }
            Home::OneCopy(copies) => {
                let baskets = places.filter_map(|at| copies.baskets.get(at as usize));
                black_box(baskets.fold(0, |sum, basket| sum ^ basket.items.0));
            }
        }
    }

    /// The visit is over: its carts will not be asked for again.
    #[inline]
    pub fn forget(&mut self, place: &mut CartPlace, client: ClientId) {
        if !self.orders.is_empty() {
            self.orders.remove(&client);
        }
        let at = std::mem::replace(place, NO_CART);
        if at == NO_CART {
            return;
        }
        match &mut self.home {
            Home::ServerMemory(ledger) => ledger.forget(at),
            Home::OneCopy(copies) => copies.free.push(at),
        }
    }
}

/// Applies a command to one copy.
#[inline]
fn apply_to(basket: &mut Basket, knew: bool, call: Call, orders: &mut OrderBook) -> CartResult {
    let evidence = Evidence::default();
    if call.command == Command::Checkout {
        let held = basket.items;
        let mut order = orders.get(&call.client).copied().unwrap_or_default();
        let (reply, billed) = order.charge(basket);
        if !call.awaited {
            orders.insert(call.client, order);
        }
        return CartResult { reply, knew, held, evidence, billed };
    }
    let reply = basket.apply(call.command);
    CartResult { reply, knew, held: basket.items, evidence, billed: None }
}

/// Carts of which there is one copy.
#[derive(Clone, Debug, Default)]
struct OneCopy {
    baskets: Vec<Basket>,
    free: Vec<CartPlace>,
}

impl OneCopy {
    #[inline]
    fn at(&mut self, place: &mut CartPlace) -> &mut Basket {
        if *place == NO_CART {
            *place = self.free.pop().unwrap_or_else(|| {
                self.baskets.push(Basket::default());
                index_of_last(self.baskets.len())
            });
            self.baskets[*place as usize] = Basket::default();
        }
        &mut self.baskets[*place as usize]
    }
}

fn index_of_last(len: usize) -> u32 {
    u32::try_from(len - 1).ok().filter(|at| *at != NO_CART).expect("fewer than 2^32 carts")
}

/// Carts in the memories of servers: for each client a chain of small entries, one per (incarnation, item).
///
/// An entry that names a dead incarnation is what died with it: no server can read it, the post-mortem can. So a crash
/// costs nothing here, and memory is what the open visits hold, not users times servers.
#[derive(Clone, Debug, Default)]
struct MemoryLedger {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
}

const ENTRIES: usize = 7;

/// 32 bytes, half a cache line. Entries fill it from the front; only the last chunk of a chain has room.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Chunk {
    entries: [Entry; ENTRIES],
    next: u32,
}

/// An item in the memory of an incarnation, or (item 0) only the fact that it knows the cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(u32);

const CODE_BITS: u32 = 7;
const CODE_MASK: u32 = (1 << CODE_BITS) - 1;

impl Entry {
    const EMPTY: Entry = Entry(u32::MAX);

    #[inline]
    fn new(life: Life, item: Option<Item>) -> Entry {
        debug_assert!(life.0 < (1 << (32 - CODE_BITS)) - 1, "too many incarnations for an entry");
        Entry(life.0 << CODE_BITS | item.map_or(0, |item| u32::from(item.number())))
    }

    #[inline]
    fn life(self) -> Life {
        Life(self.0 >> CODE_BITS)
    }

    /// The item as a set; the mark without an item is the empty set.
    #[inline]
    fn items(self) -> Items {
        let code = self.0 & CODE_MASK;
        Items(1u64.wrapping_shl(code.wrapping_sub(1)) * u64::from(code != 0))
    }
}

/// What a walk along a client's chain found.
struct Found {
    items: Items,
    knew: bool,
    /// The last chunk, and how many of its entries are taken.
    last: u32,
    taken: usize,
}

impl MemoryLedger {
    #[inline]
    fn apply(
        &mut self,
        place: &mut CartPlace,
        life: Life,
        call: Call,
        orders: &mut OrderBook,
        pool: &Pool,
    ) -> CartResult {
        let mut found = self.read(*place, life);
        let before = found.items;
        let mut basket = Basket { items: before };
        let mut result = apply_to(&mut basket, found.knew, call, orders);
        if call.command == Command::Checkout {
            result.evidence = self.evidence(*place, life, pool);
        }
        for item in before.minus(basket.items).iter() {
            self.replace(*place, Entry::new(life, Some(item)), Entry::new(life, None));
        }
        for item in basket.items.minus(before).iter() {
            self.append(place, &mut found, Entry::new(life, Some(item)));
        }
        if !found.knew && basket.items.is_empty() {
            self.append(place, &mut found, Entry::new(life, None));
        }
        result
    }

    /// What this incarnation holds of a chain, and whether it knows the cart at all. Compares without branches,
    /// for they could not be predicted.
    #[inline]
    fn read(&self, place: CartPlace, life: Life) -> Found {
        let mut found = Found { items: Items::NONE, knew: false, last: NO_CART, taken: ENTRIES };
        let mut at = place;
        while let Some(chunk) = self.chunks.get(at as usize) {
            let mut here = 0u32;
            let mut taken = 0;
            for (i, entry) in chunk.entries.iter().enumerate() {
                here |= u32::from(entry.life() == life) << i;
                taken += usize::from(*entry != Entry::EMPTY);
            }
            found.knew |= here != 0;
            while here != 0 {
                found.items.0 |= chunk.entries[here.trailing_zeros() as usize].items().0;
                here &= here - 1;
            }
            (found.last, found.taken) = (at, taken);
            at = chunk.next;
        }
        found
    }

    #[inline]
    fn append(&mut self, place: &mut CartPlace, found: &mut Found, entry: Entry) {
        if let Some(slot) = self.chunks.get_mut(found.last as usize).and_then(|c| c.entries.get_mut(found.taken)) {
            *slot = entry;
            found.taken += 1;
            return;
        }
        let mut chunk = Chunk { entries: [Entry::EMPTY; ENTRIES], next: NO_CART };
        chunk.entries[0] = entry;
        let new = if let Some(at) = self.free.pop() {
            self.chunks[at as usize] = chunk;
            at
        } else {
            self.chunks.push(chunk);
            index_of_last(self.chunks.len())
        };
        match found.last {
            NO_CART => *place = new,
            last => self.chunks[last as usize].next = new,
        }
        (found.last, found.taken) = (new, 1);
    }

    fn evidence(&self, place: CartPlace, life: Life, pool: &Pool) -> Evidence {
        let mut evidence = Evidence::default();
        for entry in self.entries(place).filter(|entry| entry.life() != life) {
            match pool.lives[entry.life().0 as usize].killed_by {
                None => evidence.elsewhere = evidence.elsewhere.union(entry.items()),
                Some(fault) if !entry.items().is_empty() => {
                    evidence.died = evidence.died.union(entry.items());
                    evidence.killed_by = Some(evidence.killed_by.map_or(fault, |first| first.min(fault)));
                }
                Some(_) => {}
            }
        }
        evidence.died = evidence.died.minus(evidence.elsewhere);
        if evidence.died.is_empty() {
            evidence.killed_by = None;
        }
        evidence
    }

    fn entries(&self, place: CartPlace) -> impl Iterator<Item = Entry> {
        let first = self.chunks.get(place as usize);
        let chain = std::iter::successors(first, |chunk| self.chunks.get(chunk.next as usize));
        chain.flat_map(|chunk| chunk.entries).filter(|entry| *entry != Entry::EMPTY)
    }

    #[cold]
    fn replace(&mut self, place: CartPlace, old: Entry, new: Entry) {
        let mut at = place;
        while let Some(chunk) = self.chunks.get_mut(at as usize) {
            if let Some(entry) = chunk.entries.iter_mut().find(|entry| **entry == old) {
                *entry = new;
                return;
            }
            at = chunk.next;
        }
    }

    #[inline]
    fn forget(&mut self, place: CartPlace) {
        let mut at = place;
        while at != NO_CART {
            self.free.push(at);
            at = self.chunks[at as usize].next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Comeback, FaultKind};
    use crate::model::ServerId;
    use crate::scenario::Scenario;
    use crate::seed::Seed;
    use crate::time::Span;
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
        /// The packed ledger against a map of baskets, with crashes in between.
        #[test]
        fn the_ledger_is_a_map_of_baskets(
            steps in prop::collection::vec((0u32..3, 0u32..3, command(), 0u32..30), 1..200),
        ) {
            let mut pool = Pool::new(&Scenario::house(), Seed(1));
            let mut carts = Carts::new(CartHome::ServerMemory);
            let mut places = [NO_CART; 3];
            let mut model: BTreeMap<(u32, Life), Basket> = BTreeMap::new();
            let mut orders = [Order::default(); 3];
            for (client, server, command, dice) in steps {
                let server = ServerId(server);
                match dice {
                    0 => {
                        pool.kill(server, 7, FaultKind::Crash(None));
                        pool.revive(server, Comeback { after: Span::ZERO, new_host: false });
                    }
                    1 => {
                        carts.forget(&mut places[client as usize], ClientId(client));
                        model.retain(|(c, _), _| *c != client);
                        orders[client as usize] = Order::default();
                    }
                    _ => {}
                }
                let life = pool.members[server.index()].life;
                let place = &mut places[client as usize];
                let call = Call { client: ClientId(client), command, awaited: dice % 2 == 0 };
                let got = carts.apply(place, life, call, &pool);
                let knew = model.contains_key(&(client, life));
                let basket = model.entry((client, life)).or_default();
                let before = basket.items;
                let (reply, billed) = match command {
                    Command::Checkout => {
                        let mut order = orders[client as usize];
                        let charged = order.charge(basket);
                        if !call.awaited {
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
                        .filter(|((c, l), _)| *c == client && *l != life && pool.lives_on(*l) == alive)
                        .fold(Items::NONE, |all, (_, b)| all.union(b.items));
                    prop_assert_eq!(got.evidence.elsewhere, others(true));
                    prop_assert_eq!(got.evidence.died, others(false).minus(others(true)));
                }
            }
        }
    }
}
