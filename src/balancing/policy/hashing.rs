//! Policies that hash the user: weak affinity. They do not pin users, and a change of the pool moves some of them.

use super::bounded::BoundedLoad;
use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::{Draw, Key, Purpose, Seed};
use crate::base::time::Instant;

/// Consistent hashing: every server owns points on a ring, and a user belongs to the next point clockwise.
///
/// With v points per server, the shares of N servers have a coefficient of variation of `sqrt((N-1)/(N v + 1))`. A
/// server that joins or leaves moves 1/(N+1) or 1/N of the users.
#[derive(Clone, Debug)]
pub struct RingHash {
    points_per_weight: u32,
    seed: Seed,
    bound: BoundedLoad,
    ring: Vec<(u64, ServerId)>,
    generation: u64,
}

impl RingHash {
    /// A ring of the servers that are eligible now, with this many points per unit of weight.
    #[must_use]
    pub fn new(points_per_weight: u32, pool: &PoolView, seed: Seed, bound: BoundedLoad) -> RingHash {
        let mut ring = RingHash { points_per_weight, seed, bound, ring: Vec::new(), generation: 0 };
        ring.rebuild(pool);
        ring
    }

    fn rebuild(&mut self, pool: &PoolView) {
        self.generation = pool.generation;
        self.ring.clear();
        for &server in &pool.up {
            for point in 0..self.points_per_weight * pool.weights[server.index()] {
                let key = Key { entity: u64::from(server.0), visit: point, ..Key::default() };
                self.ring.push((self.seed.draw(Purpose::Ring, key).bits(), server));
            }
        }
        self.ring.sort_unstable();
    }

    /// The position of a user's key on the ring.
    fn place(&self, hash_key: u64) -> u64 {
        self.seed.draw(Purpose::Ring, Key { entity: hash_key, step: 1, ..Key::default() }).bits()
    }
}

impl Policy for RingHash {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        if self.generation != pool.generation {
            self.rebuild(pool);
        }
        let place = self.place(request.hash_key);
        let start = self.ring.partition_point(|(point, _)| *point < place);
        let (before, after) = self.ring.split_at(start);
        self.bound.first(pool, request, after.iter().chain(before).map(|(_, server)| *server))
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
pub(super) mod tests {
    use super::*;
    use crate::base::ServerState;

    /// The server of each of the first users.
    pub fn owners(policy: &mut impl Policy, pool: &PoolView, users: u64) -> Vec<ServerId> {
        let draw = Seed(1).draw(Purpose::Pick, Key::default());
        (0..users)
            .map(|user| {
                let request = RequestView { hash_key: user, excluded: &[] };
                policy.pick(Instant::ZERO, &request, pool, draw).expect("somebody is up")
            })
            .collect()
    }

    /// The share of users whose server changed.
    pub fn moved(before: &[ServerId], after: &[ServerId]) -> f64 {
        assert_eq!(before.len(), after.len());
        before.iter().zip(after).filter(|(a, b)| a != b).count() as f64 / before.len() as f64
    }

    /// Checks that a policy picks another server if the preferred one is closed to the request.
    pub fn check_exclusion(policy: &mut impl Policy) {
        let pool = PoolView::new(vec![1; 3]);
        let draw = Seed(1).draw(Purpose::Pick, Key::default());
        for hash_key in 0..100 {
            let mut pick =
                |excluded: &[_]| policy.pick(Instant::ZERO, &RequestView { hash_key, excluded }, &pool, draw);
            let home = pick(&[]).expect("all are up");
            let other = pick(&[home]).expect("two are left");
            assert_ne!(other, home);
            let last = pick(&[home, other]).expect("one is left");
            assert!(last != home && last != other);
            assert_eq!(pick(&[home, other, last]), None);
        }
    }

    /// Checks that a policy notices when its cached data is outdated because one server has left and another has
    /// joined: it must then pick like a new policy.
    pub fn check_upkeep<P: Policy>(new: impl Fn(&PoolView) -> P) {
        let mut pool = PoolView::new(vec![1; 4]);
        let mut policy = new(&pool);
        let before = owners(&mut policy, &pool, 1_000);
        pool.believe(ServerId(2), ServerState::Down);
        pool.add(1);
        pool.believe(ServerId(4), ServerState::Up);
        let after = owners(&mut policy, &pool, 1_000);
        assert_eq!(after, owners(&mut new(&pool), &pool, 1_000));
        assert_ne!(after, before);
    }

    /// Users and servers have the same numbers. Checks that this does not bind a user to the server with the same
    /// number.
    pub fn check_numbers<P: Policy>(new: impl Fn(&PoolView) -> P) {
        let pool = PoolView::new(vec![1; 100]);
        let owners = owners(&mut new(&pool), &pool, 100);
        let alike = (0..).map(ServerId).zip(&owners).filter(|(user, owner)| user == *owner).count();
        assert!(alike < 10, "{alike} of 100 users are alike");
    }

    fn ring(points: u32, pool: &PoolView, seed: u64) -> RingHash {
        RingHash::new(points, pool, Seed(seed), BoundedLoad::default())
    }

    #[test]
    fn shares_vary_as_theory_says() {
        // The CV of the shares is sqrt((N-1)/(N v + 1)), estimated over many rings.
        for (points, want) in [(16u32, 0.236), (160, 0.075)] {
            let pool = PoolView::new(vec![1; 10]);
            let squares: f64 = (0..60)
                .map(|seed| {
                    let ring = ring(points, &pool, seed);
                    let mut share = [0.0; 10];
                    let last = ring.ring.last().expect("not empty").0;
                    let mut previous = last;
                    for (point, server) in &ring.ring {
                        share[server.index()] += point.wrapping_sub(previous) as f64 / 2f64.powi(64);
                        previous = *point;
                    }
                    share.iter().map(|s| (s * 10.0 - 1.0).powi(2)).sum::<f64>() / 10.0
                })
                .sum();
            let cv = (squares / 60.0).sqrt();
            assert!((cv / want - 1.0).abs() < 0.1, "{points} points: CV {cv}, not {want}");
        }
    }

    #[test]
    fn a_server_that_leaves_moves_only_its_own_users() {
        let mut pool = PoolView::new(vec![1; 5]);
        let mut ring = ring(160, &pool, 3);
        let before = owners(&mut ring, &pool, 20_000);
        pool.believe(ServerId(2), ServerState::Down);
        let after = owners(&mut ring, &pool, 20_000);
        let share = moved(&before, &after);
        let of_the_dead = before.iter().filter(|s| **s == ServerId(2)).count() as f64 / 20_000.0;
        assert!((share - of_the_dead).abs() < 1e-9, "{share} moved, {of_the_dead} were its own");
        assert!((share - 0.2).abs() < 0.04, "{share} moved");
        pool.believe(ServerId(2), ServerState::Up);
        assert_eq!(owners(&mut ring, &pool, 20_000), before);
    }

    #[test]
    fn a_full_server_sends_its_users_to_the_next_points() {
        let mut pool = PoolView::new(vec![1; 4]);
        let bound = BoundedLoad::new(serde_json::from_str("1.25").ok());
        pool.in_flight = vec![0, 8, 0, 0];
        let full = owners(&mut RingHash::new(16, &pool, Seed(3), bound), &pool, 4_000);
        pool.believe(ServerId(1), ServerState::Down);
        assert_eq!(full, owners(&mut ring(16, &pool, 3), &pool, 4_000), "as if it were not there");
    }

    #[test]
    fn an_excluded_server_is_passed_over() {
        check_exclusion(&mut ring(16, &PoolView::new(vec![1; 3]), 3));
    }

    #[test]
    fn points_follow_weights() {
        let ring = ring(160, &PoolView::new(vec![3, 1, 2]), 3);
        let points = |server| ring.ring.iter().filter(|(_, owner)| *owner == ServerId(server)).count();
        assert_eq!([0, 1, 2].map(points), [480, 160, 320]);
    }

    #[test]
    fn the_ring_follows_the_pool() {
        check_upkeep(|pool| ring(16, pool, 3));
    }

    #[test]
    fn users_and_servers_are_hashed_apart() {
        check_numbers(|pool| ring(16, pool, 3));
    }

    #[test]
    fn a_user_who_falls_on_a_point_belongs_to_it() {
        let pool = PoolView::new(vec![1; 2]);
        let mut ring = ring(1, &pool, 3);
        let place = ring.place(0);
        ring.ring = vec![(place, ServerId(0)), (place + 1, ServerId(1))];
        assert_eq!(owners(&mut ring, &pool, 1), [ServerId(0)]);
    }
}
