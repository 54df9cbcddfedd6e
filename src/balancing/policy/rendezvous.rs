//! Rendezvous hashing: every server bids for every user, and the highest bid wins.

use super::bounded::BoundedLoad;
use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::{Draw, Key, Purpose, Seed};
use crate::base::time::Instant;

/// Highest random weight (Thaler and Ravishankar 1998), weighted by the logarithmic method: a server of weight `w`
/// bids `-w / ln u`, where `u` is a hash of user and server between 0 and 1.
///
/// A server that joins N others moves 1/(N+1) of the users, all of them to itself. A server that leaves a pool of N
/// moves its own 1/N, spread over all that stay. Every pick looks at every server.
#[derive(Clone, Copy, Debug)]
pub struct Rendezvous {
    seed: Seed,
    bound: BoundedLoad,
}

impl Rendezvous {
    /// The seed determines the bids.
    #[must_use]
    pub fn new(seed: Seed, bound: BoundedLoad) -> Rendezvous {
        Rendezvous { seed, bound }
    }

    fn bid(user: Seed, server: ServerId, weight: u32) -> f64 {
        let bits = user.draw(Purpose::Rendezvous, Key { entity: u64::from(server.0), ..Key::default() }).bits();
        // The middle of one of 2^52 intervals, so neither 0 nor 1.
        #[expect(clippy::cast_precision_loss, reason = "52 bits are exact")]
        let unit = ((bits >> 12) as f64 + 0.5) / (1u64 << 52) as f64;
        -f64::from(weight) / libm::log(unit)
    }

    /// The server with the highest bid among these.
    fn winner(user: Seed, pool: &PoolView, among: impl Iterator<Item = ServerId>) -> Option<ServerId> {
        let bids = among.map(|server| (Rendezvous::bid(user, server, pool.weights[server.index()]), server));
        bids.max_by(|(a, first), (b, second)| a.total_cmp(b).then(second.cmp(first))).map(|(_, server)| server)
    }
}

impl Policy for Rendezvous {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        let key = Key { entity: request.hash_key, step: 1, ..Key::default() };
        let user = Seed(self.seed.draw(Purpose::Rendezvous, key).bits() >> 1);
        let open = || pool.up.iter().copied().filter(|server| pool.open_to(*server, request));
        let with_room = self.bound.room(pool).and_then(|room| {
            let has_room = move |server: &ServerId| room.is_at(*server, pool);
            Rendezvous::winner(user, pool, open().filter(has_room))
        });
        with_room.or_else(|| Rendezvous::winner(user, pool, open()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hashing::tests::{check_exclusion, moved, owners};
    use super::*;
    use crate::base::ServerState;

    fn policy() -> Rendezvous {
        Rendezvous::new(Seed(3), BoundedLoad::default())
    }

    #[test]
    fn only_the_users_of_the_one_that_leaves_or_joins_move() {
        for servers in [3u32, 5, 10] {
            let mut pool = PoolView::new(vec![1; servers as usize]);
            let all = owners(&mut policy(), &pool, 40_000);
            pool.believe(ServerId(1), ServerState::Down);
            let without = owners(&mut policy(), &pool, 40_000);
            for (before, after) in all.iter().zip(&without) {
                assert!(before == after || *before == ServerId(1), "{before} lives, and lost a user to {after}");
            }
            let share = moved(&all, &without);
            assert!((share * f64::from(servers) - 1.0).abs() < 0.03, "{servers} servers: {share} moved");
            // The moved users are spread over all servers that stay.
            for server in (0..servers).filter(|server| *server != 1).map(ServerId) {
                let heirs = all.iter().zip(&without).filter(|(a, b)| a != b && **b == server).count();
                let fair = 40_000 / (servers * (servers - 1)) as usize;
                assert!(heirs.abs_diff(fair) < fair / 5, "{server} inherits {heirs}, not {fair}");
            }
        }
    }

    #[test]
    fn shares_follow_weights() {
        let pool = PoolView::new(vec![3, 1, 2, 4]);
        let owners = owners(&mut policy(), &pool, 100_000);
        for (server, weight) in (0u32..).zip([3usize, 1, 2, 4]) {
            let n = owners.iter().filter(|owner| **owner == ServerId(server)).count();
            assert!(n.abs_diff(weight * 10_000) <= weight * 300, "server {server} has {n}");
        }
    }

    #[test]
    fn a_full_server_leaves_its_users_to_the_next_highest_bids() {
        let mut pool = PoolView::new(vec![1; 4]);
        let bound = BoundedLoad::new(serde_json::from_str("1.25").ok());
        let free = owners(&mut policy(), &pool, 4_000);
        pool.in_flight = vec![0, 8, 0, 0];
        let full = owners(&mut Rendezvous::new(Seed(3), bound), &pool, 4_000);
        pool.believe(ServerId(1), ServerState::Down);
        assert_eq!(full, owners(&mut policy(), &pool, 4_000), "as if it were not there");
        assert_ne!(full, free);
    }

    #[test]
    fn an_excluded_server_is_passed_over() {
        check_exclusion(&mut policy());
    }
}
