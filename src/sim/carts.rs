//! Where the simulation keeps carts, behind one small interface for every home.

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

/// All carts of open visits, by client.
#[derive(Clone, Debug)]
pub struct Carts {
    home: Home,
    orders: Vec<Order>,
}

#[derive(Clone, Debug)]
enum Home {
    ServerMemory(MemoryLedger),
    /// One copy each: in the store, or with the user.
    OneCopy(Vec<Option<Basket>>),
}

impl Carts {
    /// No carts yet.
    #[must_use]
    pub fn new(home: CartHome) -> Carts {
        let home = match home {
            CartHome::ServerMemory => Home::ServerMemory(MemoryLedger::default()),
            CartHome::SharedStore | CartHome::SignedToken => Home::OneCopy(Vec::new()),
        };
        Carts { home, orders: Vec::new() }
    }

    /// Makes room for clients up to this one.
    pub fn grow(&mut self, clients: usize) {
        self.orders.resize(clients, Order::default());
        match &mut self.home {
            Home::ServerMemory(ledger) => ledger.heads.resize(clients, NIL),
            Home::OneCopy(baskets) => baskets.resize(clients, None),
        }
    }

    /// The cart as its user carries it: what a request takes along when the home is a signed token.
    #[inline]
    #[must_use]
    pub fn carried(&self, client: ClientId) -> Option<Items> {
        match &self.home {
            Home::ServerMemory(_) => None,
            Home::OneCopy(baskets) => baskets[client.index()].map(|basket| basket.items),
        }
    }

    /// The user received a token.
    #[inline]
    pub fn receive(&mut self, client: ClientId, items: Items) {
        if let Home::OneCopy(baskets) = &mut self.home {
            baskets[client.index()] = Some(Basket { items });
        }
    }

    /// A server applies a command to the cart in its home, at once and completely.
    #[inline]
    pub fn apply(&mut self, client: ClientId, life: Life, command: Command, pool: &Pool) -> CartResult {
        let order = &mut self.orders[client.index()];
        match &mut self.home {
            Home::ServerMemory(ledger) => ledger.apply(client, life, command, order, pool),
            Home::OneCopy(baskets) => {
                let slot = &mut baskets[client.index()];
                let knew = slot.is_some();
                let (result, basket) = apply_to(slot.unwrap_or_default(), knew, command, order);
                *slot = Some(basket);
                result
            }
        }
    }

    /// A server applies a command to the copy that came with a request; the user gets the new copy with the answer.
    #[inline]
    pub fn apply_to_token(&mut self, client: ClientId, token: Option<Items>, command: Command) -> (CartResult, Items) {
        let basket = Basket { items: token.unwrap_or_default() };
        let (result, basket) = apply_to(basket, token.is_some(), command, &mut self.orders[client.index()]);
        (result, basket.items)
    }

    /// The visit is over: its carts will not be asked for again.
    #[inline]
    pub fn forget(&mut self, client: ClientId) {
        self.orders[client.index()] = Order::default();
        match &mut self.home {
            Home::ServerMemory(ledger) => ledger.forget(client),
            Home::OneCopy(baskets) => baskets[client.index()] = None,
        }
    }
}

/// Applies a command to one copy.
#[inline]
fn apply_to(mut basket: Basket, knew: bool, command: Command, order: &mut Order) -> (CartResult, Basket) {
    let before = basket.items;
    let (reply, billed) =
        if command == Command::Checkout { order.charge(&mut basket) } else { (basket.apply(command), None) };
    let held = if command == Command::Checkout { before } else { basket.items };
    (CartResult { reply, knew, held, evidence: Evidence::default(), billed }, basket)
}

/// Carts in the memories of servers: for each client a chain of small entries, one per (incarnation, item).
///
/// An entry that names a dead incarnation is what died with it: no server can read it, the post-mortem can. So a crash
/// costs nothing here, and memory is what the open visits hold, not users times servers.
#[derive(Clone, Debug, Default)]
struct MemoryLedger {
    /// Each client's first chunk.
    heads: Vec<u32>,
    chunks: Vec<Chunk>,
    free: Vec<u32>,
}

const NIL: u32 = u32::MAX;
const ENTRIES: usize = 7;

/// 32 bytes, half a cache line.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    entries: [Entry; ENTRIES],
    next: u32,
}

/// An item in the memory of an incarnation, or (item 0) only the fact that it knows the cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(u32);

const CODE_BITS: u32 = 7;

impl Entry {
    const EMPTY: Entry = Entry(NIL);

    fn new(life: Life, item: Option<Item>) -> Entry {
        debug_assert!(life.0 < (1 << (32 - CODE_BITS)) - 1, "too many incarnations for an entry");
        Entry(life.0 << CODE_BITS | item.map_or(0, |item| u32::from(item.number())))
    }

    fn life(self) -> Life {
        Life(self.0 >> CODE_BITS)
    }

    #[expect(clippy::cast_possible_truncation, reason = "masked to 7 bits")]
    fn item(self) -> Option<Item> {
        Item::new((self.0 & ((1 << CODE_BITS) - 1)) as u8)
    }
}

impl MemoryLedger {
    #[inline]
    fn apply(&mut self, client: ClientId, life: Life, command: Command, order: &mut Order, pool: &Pool) -> CartResult {
        let (items, knew) = self.read(client, life);
        let (mut result, basket) = apply_to(Basket { items }, knew, command, order);
        if command == Command::Checkout {
            result.evidence = self.evidence(client, life, pool);
        }
        self.write(client, life, items, basket.items, knew);
        result
    }

    /// What this incarnation holds for a client, and whether it knows the cart at all.
    #[inline]
    fn read(&self, client: ClientId, life: Life) -> (Items, bool) {
        let (mut items, mut knew) = (Items::NONE, false);
        self.for_each(client, |entry| {
            if entry.life() == life {
                knew = true;
                items = entry.item().map_or(items, |item| items.with(item));
            }
        });
        (items, knew)
    }

    /// Stores what has changed.
    #[inline]
    fn write(&mut self, client: ClientId, life: Life, before: Items, after: Items, knew: bool) {
        for item in bits(before.minus(after)) {
            self.replace(client, Entry::new(life, Some(item)), Entry::new(life, None));
        }
        for item in bits(after.minus(before)) {
            self.append(client, Entry::new(life, Some(item)));
        }
        if !knew && after.is_empty() {
            self.append(client, Entry::new(life, None));
        }
    }

    fn evidence(&self, client: ClientId, life: Life, pool: &Pool) -> Evidence {
        let mut evidence = Evidence::default();
        self.for_each(client, |entry| {
            let Some(item) = entry.item().filter(|_| entry.life() != life) else { return };
            match pool.lives[entry.life().0 as usize].killed_by {
                None => evidence.elsewhere = evidence.elsewhere.with(item),
                Some(fault) => {
                    evidence.died = evidence.died.with(item);
                    evidence.killed_by = Some(evidence.killed_by.map_or(fault, |first| first.min(fault)));
                }
            }
        });
        evidence.died = evidence.died.minus(evidence.elsewhere);
        if evidence.died.is_empty() {
            evidence.killed_by = None;
        }
        evidence
    }

    #[inline]
    fn for_each(&self, client: ClientId, mut visit: impl FnMut(Entry)) {
        let mut at = self.heads[client.index()];
        while at != NIL {
            let chunk = &self.chunks[at as usize];
            for entry in chunk.entries {
                if entry == Entry::EMPTY {
                    return;
                }
                visit(entry);
            }
            at = chunk.next;
        }
    }

    #[inline]
    fn append(&mut self, client: ClientId, entry: Entry) {
        let mut last = NIL;
        let mut at = self.heads[client.index()];
        while at != NIL {
            let chunk = &mut self.chunks[at as usize];
            if let Some(place) = chunk.entries.iter_mut().find(|e| **e == Entry::EMPTY) {
                *place = entry;
                return;
            }
            last = at;
            at = chunk.next;
        }
        let new = self.chunk(entry);
        match last {
            NIL => self.heads[client.index()] = new,
            last => self.chunks[last as usize].next = new,
        }
    }

    fn chunk(&mut self, first: Entry) -> u32 {
        let mut chunk = Chunk { entries: [Entry::EMPTY; ENTRIES], next: NIL };
        chunk.entries[0] = first;
        if let Some(at) = self.free.pop() {
            self.chunks[at as usize] = chunk;
            return at;
        }
        self.chunks.push(chunk);
        u32::try_from(self.chunks.len() - 1).expect("fewer than 2^32 chunks")
    }

    #[cold]
    fn replace(&mut self, client: ClientId, old: Entry, new: Entry) {
        let mut at = self.heads[client.index()];
        while at != NIL {
            let chunk = &mut self.chunks[at as usize];
            if let Some(place) = chunk.entries.iter_mut().find(|e| **e == old) {
                *place = new;
                return;
            }
            at = chunk.next;
        }
    }

    #[inline]
    fn forget(&mut self, client: ClientId) {
        let mut at = std::mem::replace(&mut self.heads[client.index()], NIL);
        while at != NIL {
            self.free.push(at);
            at = self.chunks[at as usize].next;
        }
    }
}

/// The items of a set, by its bits.
#[inline]
fn bits(items: Items) -> impl Iterator<Item = Item> {
    let mut left = items.0;
    std::iter::from_fn(move || {
        let bit = left.trailing_zeros();
        left &= left.wrapping_sub(1);
        u8::try_from(bit).ok().and_then(|bit| Item::new(bit + 1))
    })
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
            carts.grow(3);
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
                        carts.forget(ClientId(client));
                        model.retain(|(c, _), _| *c != client);
                        orders[client as usize] = Order::default();
                    }
                    _ => {}
                }
                let life = pool.members[server.index()].life;
                let got = carts.apply(ClientId(client), life, command, &pool);
                let knew = model.contains_key(&(client, life));
                let basket = model.entry((client, life)).or_default();
                let before = basket.items;
                let (reply, billed) = match command {
                    Command::Checkout => orders[client as usize].charge(basket),
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
