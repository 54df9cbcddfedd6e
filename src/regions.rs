//! Where in the world users, servers and stores are, and how long messages between them take.

use crate::base::seed::{Key, Purpose, Seed};
use crate::base::time::Span;
use crate::base::{RegionId, ServerId, UserId};
use crate::scenario::{RegionRouting, RegionStore, Regions, Scenario, Share};

/// Regions, prepared for fast lookups.
#[derive(Clone, Debug)]
pub struct RegionMap {
    /// The names of the regions.
    pub names: Vec<String>,
    /// Which region answers: the nearest to where the user is now, or to where the user lives.
    pub routing: RegionRouting,
    /// The region of each server; instances of a platform are added when they start.
    pub servers: Vec<RegionId>,
    /// Where the store is.
    pub store: StorePlace,
    /// The round trip for each pair of regions.
    between: Vec<Vec<Span>>,
    /// For each region, all regions in order of distance, nearest first.
    nearest: Vec<Vec<RegionId>>,
    last_mile: Span,
    /// Cumulative shares of users by home region, as fractions of 2^64.
    homes: Vec<u64>,
    /// The share of users who travel, as a fraction of 2^64.
    travellers: u64,
    steps: u32,
}

/// Where the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// In one region.
    In(RegionId),
    /// In every region; each replica lags behind writes in the others.
    Everywhere {
        /// How long a write takes to reach the other regions.
        lag: Span,
    },
}

/// 2^64 divided by the golden ratio: any number of its multiples, modulo 2^64, are evenly distributed.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// 2^64 times (sqrt 2 - 1), for a second choice that is independent of the first.
const SILVER: u64 = 0x6a09_e667_f3bc_c909;

/// Itineraries are the same in every run, like the homes of users.
const ITINERARIES: Seed = Seed(1);

impl RegionMap {
    /// The regions of a scenario, if it has regions.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<RegionMap> {
        let regions = scenario.regions.as_ref()?;
        let n = regions.names.len();
        let between: Vec<Vec<Span>> =
            (0..n).map(|a| (0..n).map(|b| regions.between(a, b).unwrap_or_default()).collect()).collect();
        Some(RegionMap {
            names: regions.names.clone(),
            routing: regions.routing,
            servers: servers(regions, scenario.servers_at_first()),
            store: store(regions),
            nearest: between.iter().map(|ways| nearest_first(ways)).collect(),
            between,
            last_mile: regions.last_mile.get(),
            homes: homes(&regions.users_each()),
            travellers: if n > 1 { fraction(regions.travellers) } else { 0 },
            steps: u32::try_from(scenario.users.journey.len()).expect("limited to 1,000"),
        })
    }

    /// The number of regions.
    #[must_use]
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The home region of a user.
    #[inline]
    #[must_use]
    pub fn home(&self, user: UserId) -> RegionId {
        let place = u64::from(user.0).wrapping_mul(GOLDEN);
        let index = self.homes.iter().position(|end| place < *end).unwrap_or(self.homes.len() - 1);
        region(index)
    }

    /// The region of a user at a step of a visit.
    #[inline]
    #[must_use]
    pub fn place(&self, user: UserId, visit: u32, step: u16) -> RegionId {
        let home = self.home(user);
        if self.travellers == 0 || u64::from(user.0).wrapping_mul(SILVER) >= self.travellers || self.steps < 2 {
            return home;
        }
        let key = Key { entity: u64::from(user.0), visit, ..Key::default() };
        let mut draw = ITINERARIES.draw(Purpose::Travel, key);
        let leaves_before = 1 + draw.below(self.steps - 1);
        let others = u32::try_from(self.count()).expect("limited to 64") - 1;
        let away = home.index() + 1 + draw.below(others) as usize;
        if u32::from(step) < leaves_before { home } else { region(away % self.count()) }
    }

    /// The region that the balancer tries first for a request.
    #[inline]
    #[must_use]
    pub fn asked_from(&self, user: UserId, visit: u32, step: u16) -> RegionId {
        match self.routing {
            RegionRouting::Nearest => self.place(user, visit, step),
            RegionRouting::HomeRegion => self.home(user),
        }
    }

    /// For each region, all regions in order of distance, nearest first.
    #[must_use]
    pub fn nearest(&self) -> &[Vec<RegionId>] {
        &self.nearest
    }

    /// The region of a server.
    #[inline]
    #[must_use]
    pub fn of(&self, server: ServerId) -> RegionId {
        self.servers[server.index()]
    }

    /// The round trip between a user in one region and a server in another, including the last mile.
    #[inline]
    #[must_use]
    pub fn to_region(&self, from: RegionId, to: RegionId) -> Span {
        self.last_mile + self.between[from.index()][to.index()]
    }

    /// The round trip between a server and the store that it calls.
    #[inline]
    #[must_use]
    pub fn to_store(&self, server: ServerId) -> Span {
        match self.store {
            StorePlace::In(region) => self.between[self.of(server).index()][region.index()],
            StorePlace::Everywhere { .. } => Span::ZERO,
        }
    }
}

fn region(index: usize) -> RegionId {
    RegionId(u8::try_from(index).expect("limited to 64"))
}

fn servers(regions: &Regions, count: u32) -> Vec<RegionId> {
    let each = regions.servers_each(count);
    each.into_iter().enumerate().flat_map(|(i, n)| std::iter::repeat_n(region(i), n as usize)).collect()
}

fn store(regions: &Regions) -> StorePlace {
    match &regions.store {
        None => StorePlace::In(RegionId(0)),
        Some(RegionStore::In(name)) => StorePlace::In(region(regions.index(name).unwrap_or(0))),
        Some(RegionStore::Replicated(within)) => StorePlace::Everywhere { lag: within.get() },
    }
}

/// Regions in order of distance; ties keep the order of the regions.
fn nearest_first(ways: &[Span]) -> Vec<RegionId> {
    let mut order: Vec<usize> = (0..ways.len()).collect();
    order.sort_by_key(|i| ways[*i]);
    order.into_iter().map(region).collect()
}

fn homes(shares: &[f64]) -> Vec<u64> {
    let mut sum = 0.0;
    let ends = shares.iter().map(|share| {
        sum += share;
        part(sum)
    });
    ends.collect()
}

fn fraction(share: Share) -> u64 {
    part(share.get())
}

const TWO_TO_THE_64: f64 = 18_446_744_073_709_551_616.0;

/// This share of 2^64; a share of 1 gives 2^64 - 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share; saturates")]
fn part(share: f64) -> u64 {
    (share * TWO_TO_THE_64) as u64
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "shares")]
mod tests {
    use super::*;

    fn scenario(rest: &str) -> Scenario {
        let text = format!(
            "title = 't'\nduration = '1m'\nservers.count = 9\n[regions]\nnames = ['us', 'eu', 'asia']\n\
             round_trip = {{ us-eu = '80ms', asia-us = '160ms', others = '240ms' }}\n{rest}"
        );
        crate::scenario::load("t", "t", &text, &[], &[]).unwrap_or_else(|error| panic!("{error}")).base
    }

    fn map(rest: &str) -> RegionMap {
        RegionMap::new(&scenario(rest)).expect("there are regions")
    }

    const US: RegionId = RegionId(0);
    const EU: RegionId = RegionId(1);
    const ASIA: RegionId = RegionId(2);

    #[test]
    fn users_live_where_their_shares_say() {
        let map = map("users = { us = 0.4, eu = 0.35, asia = 0.25 }");
        for users in [20u32, 300, 10_000] {
            for (region, share) in [(US, 0.4), (EU, 0.35), (ASIA, 0.25)] {
                let here = (1..=users).filter(|user| map.home(UserId(*user)) == region).count();
                let off = here as f64 - share * f64::from(users);
                assert!(off.abs() <= 3.0, "{here} of {users} in {region:?}");
            }
        }
    }

    #[test]
    fn servers_are_where_they_are_put() {
        let ids = |map: &RegionMap| map.servers.iter().map(|region| region.0).collect::<Vec<_>>();
        assert_eq!(ids(&map("")), [0, 0, 0, 1, 1, 1, 2, 2, 2]);
        assert_eq!(ids(&map("servers = 'eu'")), [1; 9]);
        assert_eq!(ids(&map("servers = { us = 7, asia = 2 }")), [0, 0, 0, 0, 0, 0, 0, 2, 2]);
    }

    #[test]
    fn ways_add_up() {
        let map = map("last_mile = '12ms'\nstore = 'eu'");
        let ms = Span::from_millis;
        assert_eq!(map.to_region(US, map.of(ServerId(0))), ms(12));
        assert_eq!(map.to_region(US, map.of(ServerId(3))), ms(92));
        assert_eq!(map.to_region(EU, map.of(ServerId(8))), ms(252), "`others`");
        assert_eq!([0, 3, 6].map(|server| map.to_store(ServerId(server))), [ms(80), ms(0), ms(240)]);
        assert_eq!(map.nearest()[ASIA.index()], [ASIA, US, EU]);
        let map = self::map("store = { replicated_within = '200ms' }");
        assert_eq!(map.store, StorePlace::Everywhere { lag: ms(200) });
        assert_eq!(map.to_store(ServerId(8)), ms(0));
    }

    #[test]
    fn travellers_leave_home_once_in_a_visit() {
        let map = map("travellers = 0.25\nrouting = 'home-region'");
        let mut travellers = 0;
        let mut left_before = [0u32; 8];
        for user in (1..=2_000).map(UserId) {
            let home = map.home(user);
            let places: Vec<RegionId> = (0..8).map(|step| map.place(user, 3, step)).collect();
            assert_eq!((places[0], map.asked_from(user, 3, 7)), (home, home));
            if let Some(step) = places.iter().position(|place| *place != home) {
                assert!(places[step..].iter().all(|place| *place == places[step]), "{places:?}");
                travellers += 1;
                left_before[step] += 1;
            }
        }
        assert!((495..=505).contains(&travellers), "{travellers}");
        assert!(left_before[1..].iter().all(|n| *n > 40), "{left_before:?}");
    }
}
