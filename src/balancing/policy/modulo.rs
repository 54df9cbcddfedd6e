//! Hashing by modulo: no table is needed, but nearly all users move when the pool changes.

use super::bounded::BoundedLoad;
use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::{Draw, Key, Purpose, Seed};
use crate::base::time::Instant;

/// The hash of the user modulo the eligible servers, each counted as often as its weight. (Compare nginx's `ip_hash`
/// and HAProxy's `hash-type map-based`.)
///
/// A server that joins N others moves N/(N+1) of the users; a server that leaves a pool of N moves (N-1)/N of them.
#[derive(Clone, Copy, Debug)]
pub struct IpHash {
    seed: Seed,
    bound: BoundedLoad,
}

impl IpHash {
    /// The seed determines which users share a server.
    #[must_use]
    pub fn new(seed: Seed, bound: BoundedLoad) -> IpHash {
        IpHash { seed, bound }
    }

    fn hash(self, hash_key: u64) -> u64 {
        self.seed.draw(Purpose::Modulo, Key { entity: hash_key, ..Key::default() }).bits()
    }
}

impl Policy for IpHash {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        let weight = |server: &ServerId| u64::from(pool.weights[server.index()]);
        let all: u64 = pool.up.iter().map(weight).sum();
        let mut place = self.hash(request.hash_key).checked_rem(all)?;
        let home = pool.up.iter().position(|server| match place.checked_sub(weight(server)) {
            Some(left) => {
                place = left;
                false
            }
            None => true,
        })?;
        let (before, after) = pool.up.split_at(home);
        self.bound.first(pool, request, after.iter().chain(before).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hashing::tests::{check_exclusion, moved, owners};
    use super::*;
    use crate::base::ServerState;

    #[test]
    fn nearly_everybody_moves_when_a_server_leaves_or_joins() {
        for servers in [3u32, 5, 10] {
            let mut policy = IpHash::new(Seed(3), BoundedLoad::default());
            let mut pool = PoolView::new(vec![1; servers as usize]);
            let all = owners(&mut policy, &pool, 40_000);
            pool.believe(ServerId(servers - 1), ServerState::Down);
            let without_last = owners(&mut policy, &pool, 40_000);
            // The last of N servers leaves, or joins N-1 others: the same users keep their remainder in both cases.
            let share = moved(&all, &without_last);
            let want = f64::from(servers - 1) / f64::from(servers);
            assert!((share / want - 1.0).abs() < 0.01, "{servers} servers: {share} moved, not {want}");
        }
    }

    #[test]
    fn shares_follow_weights() {
        let pool = PoolView::new(vec![3, 1, 0, 4]);
        let owners = owners(&mut IpHash::new(Seed(3), BoundedLoad::default()), &pool, 80_000);
        for (server, weight) in (0u32..).zip([3u32, 1, 0, 4]) {
            let n = owners.iter().filter(|owner| **owner == ServerId(server)).count();
            let want = weight as usize * 10_000;
            assert!(n.abs_diff(want) <= want / 30, "server {server} has {n}, not {want}");
        }
    }

    #[test]
    fn an_excluded_server_is_passed_over() {
        check_exclusion(&mut IpHash::new(Seed(3), BoundedLoad::default()));
    }
}
