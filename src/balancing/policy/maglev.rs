//! Maglev hashing: a table of slots that each server fills in its own order.

use super::bounded::BoundedLoad;
use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::{Draw, Key, Purpose, Seed};
use crate::base::time::Instant;

/// The number of slots: the prime used by Eisenbud et al. 2016 and by Envoy.
pub const SLOTS: u32 = 65_537;

/// Maglev (Eisenbud et al. 2016): servers take turns claiming the next free slot in their own permutation of the
/// table, as many slots per round as their weight, until the table is full. A user belongs to the server that owns the
/// slot of the user's hash.
///
/// Slots are shared out as evenly as possible. A pick is one table lookup. A server that leaves moves its own users
/// and a few others: of 65,537 slots 33.36 % change their owner when one of 3 servers leaves, 10.25 % when one of 10
/// leaves.
#[derive(Clone, Debug)]
pub struct Maglev {
    seed: Seed,
    bound: BoundedLoad,
    /// The owner of each slot; empty if no server is eligible.
    table: Vec<ServerId>,
    generation: u64,
}

/// The order in which a server claims slots: `(offset + n * skip) % SLOTS` for n = 0, 1, ….
struct Permutation {
    server: ServerId,
    weight: u32,
    next: u32,
    skip: u32,
}

impl Maglev {
    /// A table of the servers that are eligible now.
    #[must_use]
    pub fn new(pool: &PoolView, seed: Seed, bound: BoundedLoad) -> Maglev {
        let mut maglev = Maglev { seed, bound, table: Vec::new(), generation: 0 };
        maglev.rebuild(pool);
        maglev
    }

    fn rebuild(&mut self, pool: &PoolView) {
        self.generation = pool.generation;
        let mut servers: Vec<Permutation> =
            pool.up.iter().map(|server| self.permutation(*server, pool.weights[server.index()])).collect();
        if servers.is_empty() {
            self.table.clear();
            return;
        }
        let mut claimed: Vec<Option<ServerId>> = vec![None; SLOTS as usize];
        let mut free = SLOTS;
        while free > 0 {
            for server in &mut servers {
                let turns = server.weight.min(free);
                (0..turns).for_each(|_| server.claim(&mut claimed));
                free -= turns;
            }
        }
        self.table.clear();
        self.table.extend(claimed.into_iter().flatten());
    }

    fn permutation(&self, server: ServerId, weight: u32) -> Permutation {
        let mut draw = self.seed.draw(Purpose::Maglev, Key { entity: u64::from(server.0), ..Key::default() });
        Permutation { server, weight, next: draw.below(SLOTS), skip: 1 + draw.below(SLOTS - 1) }
    }

    /// The slot of a user's key.
    fn slot(&self, hash_key: u64) -> usize {
        self.seed.draw(Purpose::Maglev, Key { entity: hash_key, step: 1, ..Key::default() }).below(SLOTS) as usize
    }
}

impl Permutation {
    /// Claims the next free slot; there must be one.
    fn claim(&mut self, claimed: &mut [Option<ServerId>]) {
        loop {
            let slot = &mut claimed[self.next as usize];
            self.next = (self.next + self.skip) % SLOTS;
            if slot.is_none() {
                *slot = Some(self.server);
                return;
            }
        }
    }
}

impl Policy for Maglev {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        if self.generation != pool.generation {
            self.rebuild(pool);
        }
        let start = self.slot(request.hash_key).min(self.table.len());
        let (before, after) = self.table.split_at(start);
        self.bound.first(pool, request, after.iter().chain(before).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hashing::tests::{check_exclusion, check_numbers, check_upkeep, moved, owners};
    use super::*;
    use crate::base::ServerState;

    fn maglev(pool: &PoolView, seed: u64) -> Maglev {
        Maglev::new(pool, Seed(seed), BoundedLoad::default())
    }

    fn slots(maglev: &Maglev, servers: u32) -> Vec<usize> {
        let owned = |server| maglev.table.iter().filter(|owner| **owner == server).count();
        (0..servers).map(ServerId).map(owned).collect()
    }

    #[test]
    fn slots_are_shared_to_the_last_one() {
        for servers in [1u32, 2, 3, 10, 1_000] {
            let maglev = maglev(&PoolView::new(vec![1; servers as usize]), 1);
            let fair = (SLOTS / servers) as usize;
            let fair = fair..=fair + usize::from(!SLOTS.is_multiple_of(servers));
            assert!(slots(&maglev, servers).iter().all(|n| fair.contains(n)), "{servers} servers: not {fair:?} each");
        }
    }

    #[test]
    fn weights_are_turns() {
        let counts = slots(&maglev(&PoolView::new(vec![3, 1, 2]), 1), 3);
        // 65,537 = 10,922 rounds of 6 and 5 turns more: three, one and one.
        assert_eq!(counts, [32_769, 10_923, 21_845]);
    }

    /// The expected figures for this table size: the share of slots that change their owner when one of N servers
    /// leaves.
    #[test]
    fn few_slots_change_when_a_server_leaves() {
        for (servers, want, seeds) in [(3u32, 0.3336, 20), (10, 0.1025, 20), (1_000, 0.0068, 4)] {
            let share = |seed| {
                let mut pool = PoolView::new(vec![1; servers as usize]);
                let before = maglev(&pool, seed);
                pool.believe(ServerId(1), ServerState::Down);
                let after = maglev(&pool, seed);
                moved(&before.table, &after.table)
            };
            let mean = (0..seeds).map(share).sum::<f64>() / f64::from(u32::try_from(seeds).expect("few"));
            assert!((mean / want - 1.0).abs() < 0.05, "{servers} servers: {mean} of the slots changed, not {want}");
        }
    }

    #[test]
    fn the_table_follows_the_pool() {
        let mut pool = PoolView::new(vec![1; 4]);
        let mut policy = maglev(&pool, 3);
        let before = owners(&mut policy, &pool, 10_000);
        pool.believe(ServerId(2), ServerState::Down);
        let without = owners(&mut policy, &pool, 10_000);
        assert!(!without.contains(&ServerId(2)));
        assert!((0.24..0.28).contains(&moved(&before, &without)));
        for server in 0..4 {
            pool.believe(ServerId(server), ServerState::Down);
        }
        let draw = Seed(1).draw(Purpose::Pick, Key::default());
        assert_eq!(policy.pick(Instant::ZERO, &RequestView { hash_key: 1, excluded: &[] }, &pool, draw), None);
        for server in 0..4 {
            pool.believe(ServerId(server), ServerState::Up);
        }
        assert_eq!(owners(&mut policy, &pool, 10_000), before);
    }

    #[test]
    fn an_excluded_server_is_passed_over() {
        let pool = PoolView::new(vec![1; 3]);
        check_exclusion(&mut maglev(&pool, 3));
    }

    #[test]
    fn nobody_needs_to_say_that_the_pool_has_changed() {
        check_upkeep(|pool| maglev(pool, 3));
    }

    #[test]
    fn users_and_servers_are_hashed_apart() {
        check_numbers(|pool| maglev(pool, 3));
    }

    /// The length of the table is prime, so every step other than 0 and multiples of the length visits all slots.
    #[test]
    fn every_order_has_all_slots() {
        let maglev = maglev(&PoolView::new(vec![1]), 1);
        for server in (0..1_000_000).map(ServerId) {
            let Permutation { next, skip, .. } = maglev.permutation(server, 1);
            assert!(next < SLOTS && (1..SLOTS).contains(&skip), "{server} begins at {next} and goes on by {skip}");
        }
    }
}
