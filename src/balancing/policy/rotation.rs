//! Policies that ignore load: each server in turn, smoothly by weight, or at random.

use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::Draw;
use crate::base::time::Instant;

/// Each eligible server in turn.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    next: u32,
}

impl Policy for RoundRobin {
    #[inline]
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        for _ in 0..pool.len() {
            let server = ServerId(self.next);
            self.next += 1;
            if self.next as usize >= pool.len() {
                self.next = 0;
            }
            if pool.open_to(server, request) {
                return Some(server);
            }
        }
        None
    }
}

/// Smooth weighted round robin, as in nginx: every server gains its weight as credit; the server with the most credit
/// is picked and pays the sum of all weights. Weights 5, 1, 1 give a a b a c a a.
#[derive(Clone, Debug)]
pub struct WeightedRoundRobin {
    credit: Vec<i64>,
}

impl WeightedRoundRobin {
    /// All servers start with no credit.
    #[must_use]
    pub fn new(pool: &PoolView) -> WeightedRoundRobin {
        WeightedRoundRobin { credit: vec![0; pool.len()] }
    }
}

impl Policy for WeightedRoundRobin {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, _: Draw) -> Option<ServerId> {
        let mut total = 0;
        let mut best: Option<ServerId> = None;
        for &server in pool.up.iter().filter(|server| pool.open_to(**server, request)) {
            let weight = i64::from(pool.current_weights[server.index()]);
            total += weight;
            self.credit[server.index()] += weight;
            if best.is_none_or(|best| self.credit[server.index()] > self.credit[best.index()]) {
                best = Some(server);
            }
        }
        let best = best?;
        self.credit[best.index()] -= total;
        Some(best)
    }

    fn on_pool_change(&mut self, pool: &PoolView) {
        self.credit.clear();
        self.credit.resize(pool.len(), 0);
    }
}

/// Any eligible server, uniformly at random.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Policy for Random {
    #[inline]
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, mut draw: Draw) -> Option<ServerId> {
        draw_open(request, pool, &mut draw)
    }
}

/// A server drawn uniformly from those that are open to the request.
#[inline]
pub(super) fn draw_open(request: &RequestView, pool: &PoolView, draw: &mut Draw) -> Option<ServerId> {
    let among = u32::try_from(pool.up.len()).ok().filter(|n| *n > 0)?;
    let server = pool.up[draw.below(among) as usize];
    if request.excluded.is_empty() || pool.open_to(server, request) {
        return Some(server);
    }
    let open = || pool.up.iter().filter(|server| pool.open_to(**server, request));
    let left = u32::try_from(open().count()).ok().filter(|n| *n > 0)?;
    open().nth(draw.below(left) as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ServerState;
    use crate::base::seed::{Key, Purpose, Seed};

    fn draw(i: u64) -> Draw {
        Seed(1).draw(Purpose::Pick, Key { entity: i, ..Key::default() })
    }

    fn picks(policy: &mut impl Policy, pool: &PoolView, n: u64) -> String {
        let request = RequestView { hash_key: 0, excluded: &[] };
        (0..n)
            .map(|i| policy.pick(Instant::ZERO, &request, pool, draw(i)).map_or('-', |s| ['a', 'b', 'c'][s.index()]))
            .collect()
    }

    #[test]
    fn round_robin_takes_turns_and_skips_the_dead() {
        let mut pool = PoolView::new(vec![1, 1, 1]);
        let mut policy = RoundRobin::default();
        assert_eq!(picks(&mut policy, &pool, 7), "abcabca");
        pool.believe(ServerId(1), ServerState::Down);
        assert_eq!(picks(&mut policy, &pool, 4), "caca");
        pool.believe(ServerId(0), ServerState::Down);
        pool.believe(ServerId(2), ServerState::Down);
        assert_eq!(picks(&mut policy, &pool, 2), "--");
    }

    #[test]
    fn smooth_weights_interleave() {
        let pool = PoolView::new(vec![5, 1, 1]);
        assert_eq!(picks(&mut WeightedRoundRobin::new(&pool), &pool, 14), "aabacaaaabacaa");
    }

    #[test]
    fn random_is_even_and_heeds_exclusions() {
        let pool = PoolView::new(vec![1, 1, 1]);
        let all = picks(&mut Random, &pool, 30_000);
        for server in ['a', 'b', 'c'] {
            let n = all.matches(server).count();
            assert!((9_700..10_300).contains(&n), "{server}: {n}");
        }
        let request = RequestView { hash_key: 0, excluded: &[ServerId(0), ServerId(2)] };
        for i in 0..100 {
            assert_eq!(Random.pick(Instant::ZERO, &request, &pool, draw(i)), Some(ServerId(1)));
        }
    }

    #[test]
    fn an_exclusion_changes_only_the_choices_that_it_forbids() {
        let pool = PoolView::new(vec![1; 3]);
        let pick = |excluded, i| Random.pick(Instant::ZERO, &RequestView { hash_key: 0, excluded }, &pool, draw(i));
        for i in 0..100 {
            let (free, bound) = (pick(&[], i), pick(&[ServerId(1)], i));
            assert!(free == bound || free == Some(ServerId(1)) && bound != free, "{free:?}, then {bound:?}");
        }
    }
}
