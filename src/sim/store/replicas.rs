//! A store with a replica in every region. A write to one replica reaches the others later.
//!
//! A write records what was added or removed, and when. Every replica applies the writes it knows in order of their
//! timestamps, so all replicas converge once no write is in transit.

use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Items, RegionId};

/// The carts of open visits, as lists of writes.
#[derive(Clone, Debug)]
pub struct StoreReplicas {
    lag: Span,
    /// By client, in order of time.
    writes: Vec<Vec<Write>>,
    outages: Vec<Outage>,
}

#[derive(Clone, Copy, Debug)]
struct Write {
    at: Instant,
    /// The replica that was written to.
    region: RegionId,
    put_in: Items,
    taken_out: Items,
}

/// A period in which a replica neither sends nor receives.
#[derive(Clone, Copy, Debug)]
struct Outage {
    region: RegionId,
    from: Instant,
    until: Instant,
}

impl StoreReplicas {
    /// Creates empty replicas.
    #[must_use]
    pub fn new(lag: Span) -> StoreReplicas {
        StoreReplicas { lag, writes: Vec::new(), outages: Vec::new() }
    }

    /// What a replica holds of a cart; `None` if no write to it has arrived.
    #[must_use]
    pub fn read(&self, client: ClientId, region: RegionId, now: Instant) -> Option<Items> {
        let known = self.of(client).iter().filter(|write| self.reaches(write, region) <= now);
        known.fold(None, |items, write| Some(items.unwrap_or(Items::NONE).minus(write.taken_out).union(write.put_in)))
    }

    /// What was added to a cart elsewhere and has not reached this replica yet.
    #[must_use]
    pub fn on_their_way(&self, client: ClientId, region: RegionId, now: Instant) -> Items {
        let late = self.of(client).iter().filter(|write| self.reaches(write, region) > now);
        late.fold(Items::NONE, |items, write| items.union(write.put_in))
    }

    /// Records the effect of a command on the cart in a replica that held `before`.
    pub fn write(&mut self, client: ClientId, region: RegionId, at: Instant, command: Command, before: Option<Items>) {
        let (put_in, taken_out) = match command {
            Command::Add(item) => (Items::of(item), Items::NONE),
            Command::Remove(item) => (Items::NONE, Items::of(item)),
            Command::Checkout => (Items::NONE, before.unwrap_or_default()),
            _ if before.is_some() => return,
            _ => (Items::NONE, Items::NONE),
        };
        if client.index() >= self.writes.len() {
            self.writes.resize(client.index() + 1, Vec::new());
        }
        self.writes[client.index()].push(Write { at, region, put_in, taken_out });
    }

    /// Forgets the cart of a visit that has ended.
    pub fn forget(&mut self, client: ClientId) {
        if let Some(writes) = self.writes.get_mut(client.index()) {
            writes.clear();
        }
    }

    /// Records an outage of a region.
    pub fn cut_off(&mut self, region: RegionId, from: Instant, until: Instant) {
        self.outages.push(Outage { region, from, until });
    }

    fn of(&self, client: ClientId) -> &[Write] {
        self.writes.get(client.index()).map_or(&[], Vec::as_slice)
    }

    /// When a write becomes visible in a region. A region that is down in the meantime sends and receives what it
    /// missed once it is back.
    fn reaches(&self, write: &Write, region: RegionId) -> Instant {
        if write.region == region {
            return write.at;
        }
        let mut arrives = write.at + self.lag;
        for outage in self.outages.iter().filter(|outage| outage.region == write.region || outage.region == region) {
            if outage.from < arrives && write.at < outage.until {
                arrives = if outage.until == Instant::NEVER { Instant::NEVER } else { outage.until + self.lag };
            }
        }
        arrives
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Item;

    const WEST: RegionId = RegionId(0);
    const EAST: RegionId = RegionId(1);
    const CART: ClientId = ClientId(0);

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Span::from_millis(ms)
    }

    fn item(number: u8) -> Item {
        Item::new(number).expect("in range")
    }

    fn items(numbers: &[u8]) -> Items {
        numbers.iter().fold(Items::NONE, |items, number| items.with(item(*number)))
    }

    fn apply(replicas: &mut StoreReplicas, region: RegionId, ms: u64, command: Command) {
        let before = replicas.read(CART, region, at(ms));
        replicas.write(CART, region, at(ms), command, before);
    }

    #[test]
    fn the_others_hear_of_it_later() {
        let mut replicas = StoreReplicas::new(Span::from_millis(200));
        apply(&mut replicas, WEST, 100, Command::Add(item(1)));
        assert_eq!(replicas.read(CART, WEST, at(100)), Some(items(&[1])));
        assert_eq!(replicas.read(CART, EAST, at(299)), None);
        assert_eq!(replicas.on_their_way(CART, EAST, at(299)), items(&[1]));
        assert_eq!(replicas.read(CART, EAST, at(300)), Some(items(&[1])));
        assert_eq!(replicas.on_their_way(CART, EAST, at(300)), Items::NONE);
        replicas.forget(CART);
        assert_eq!(replicas.read(CART, WEST, at(400)), None);
    }

    #[test]
    fn all_agree_in_the_end() {
        let mut replicas = StoreReplicas::new(Span::from_millis(200));
        apply(&mut replicas, WEST, 0, Command::Add(item(1)));
        apply(&mut replicas, EAST, 50, Command::Remove(item(1)));
        apply(&mut replicas, EAST, 60, Command::Add(item(2)));
        assert_eq!(replicas.read(CART, EAST, at(100)), Some(items(&[2])));
        assert_eq!(replicas.read(CART, WEST, at(100)), Some(items(&[1])));
        for region in [WEST, EAST] {
            assert_eq!(replicas.read(CART, region, at(300)), Some(items(&[2])), "what was removed stays out");
        }
        apply(&mut replicas, EAST, 400, Command::Checkout);
        assert_eq!(replicas.read(CART, WEST, at(600)), Some(Items::NONE));
    }

    #[test]
    fn a_dark_region_catches_up_when_it_is_back() {
        let mut replicas = StoreReplicas::new(Span::from_millis(200));
        replicas.cut_off(WEST, at(1_000), at(5_000));
        for (ms, region, arrives) in
            [(700, WEST, 900), (900, WEST, 5_200), (2_000, EAST, 5_200), (4_999, EAST, 5_200), (5_000, EAST, 5_200)]
        {
            replicas.forget(CART);
            apply(&mut replicas, region, ms, Command::Add(item(1)));
            let other = if region == WEST { EAST } else { WEST };
            assert_eq!(replicas.read(CART, other, at(arrives - 1)), None, "{ms}");
            assert_eq!(replicas.read(CART, other, at(arrives)), Some(items(&[1])), "{ms}");
        }
        replicas.cut_off(EAST, at(6_000), Instant::NEVER);
        replicas.forget(CART);
        apply(&mut replicas, WEST, 7_000, Command::Add(item(1)));
        assert_eq!(replicas.read(CART, EAST, at(1_000_000)), None);
    }
}
