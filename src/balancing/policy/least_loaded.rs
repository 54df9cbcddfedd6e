//! Policies that compare requests in flight.

use super::rotation::draw_open;
use super::{Policy, PoolView, RequestView};
use crate::base::ServerId;
use crate::base::seed::Draw;
use crate::base::time::Instant;

/// The server that would have the fewest requests in flight relative to its weight; ties are broken at random.
#[derive(Clone, Copy, Debug)]
pub struct LeastRequests;

impl Policy for LeastRequests {
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, mut draw: Draw) -> Option<ServerId> {
        let mut best: Option<ServerId> = None;
        let mut ties = 0;
        for &server in pool.up.iter().filter(|server| pool.open_to(**server, request)) {
            let order = best.map_or(std::cmp::Ordering::Less, |best| compare(pool, server, best));
            if order.is_lt() {
                best = Some(server);
                ties = 1;
            } else if order.is_eq() {
                ties += 1;
                if draw.below(ties) == 0 {
                    best = Some(server);
                }
            }
        }
        best
    }
}

/// Compares `(in_flight + 1) / weight`, the load including this request, without a division. So weights matter among
/// idle servers too.
#[inline]
fn compare(pool: &PoolView, a: ServerId, b: ServerId) -> std::cmp::Ordering {
    let load = |s: ServerId, other: ServerId| {
        (u64::from(pool.in_flight[s.index()]) + 1) * u64::from(pool.current_weights[other.index()])
    };
    load(a, b).cmp(&load(b, a))
}

/// The less loaded of two different servers drawn at random: HAProxy's `random(2)`, Envoy's `LEAST_REQUEST`.
#[derive(Clone, Copy, Debug)]
pub struct PowerOfTwo;

impl Policy for PowerOfTwo {
    #[inline]
    fn pick(&mut self, _: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId> {
        two_choices(request, pool, draw, |a, b| compare(pool, a, b).is_lt())
    }
}

/// Draws two different servers; the second wins only if it is strictly better than the first.
#[inline]
pub(super) fn two_choices(
    request: &RequestView,
    pool: &PoolView,
    mut draw: Draw,
    better: impl Fn(ServerId, ServerId) -> bool,
) -> Option<ServerId> {
    let first = draw_open(request, pool, &mut draw)?;
    let second =
        if request.excluded.is_empty() { another(first, pool, &mut draw) } else { draw_open(request, pool, &mut draw) };
    Some(second.filter(|second| better(*second, first)).unwrap_or(first))
}

/// An eligible server other than `first`, drawn uniformly.
#[inline]
fn another(first: ServerId, pool: &PoolView, draw: &mut Draw) -> Option<ServerId> {
    let others = u32::try_from(pool.up.len()).ok()?.checked_sub(1).filter(|n| *n > 0)?;
    let candidate = pool.up[draw.below(others) as usize];
    // The last server stands in for `first`, so that all others are equally likely.
    Some(if candidate == first { pool.up[others as usize] } else { candidate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::{Key, Purpose, Seed};

    fn draw(i: u64) -> Draw {
        Seed(1).draw(Purpose::Pick, Key { entity: i, ..Key::default() })
    }

    fn counts(mut policy: impl Policy, pool: &PoolView) -> Vec<u32> {
        let request = RequestView { hash_key: 0, excluded: &[] };
        let mut counts = vec![0; pool.len()];
        for i in 0..30_000 {
            counts[policy.pick(Instant::ZERO, &request, pool, draw(i)).expect("all are up").index()] += 1;
        }
        counts
    }

    #[test]
    fn the_least_loaded_wins_and_ties_are_even() {
        let mut pool = PoolView::new(vec![1, 1, 2, 1]);
        pool.in_flight = vec![3, 2, 5, 2];
        let counts = counts(LeastRequests, &pool);
        assert_eq!(counts[0], 0);
        for n in &counts[1..] {
            assert!((9_700..10_300).contains(n), "{counts:?}");
        }
    }

    #[test]
    fn two_choices_are_different_and_the_better_one_wins() {
        let mut pool = PoolView::new(vec![1; 3]);
        pool.in_flight = vec![2, 1, 0];
        let counts = counts(PowerOfTwo, &pool);
        // Of the three pairs, the worst server wins none, the middle one wins one and the best one wins two.
        assert_eq!(counts[0], 0, "{counts:?}");
        assert!((9_700..10_300).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn one_server_is_enough() {
        let pool = PoolView::new(vec![1]);
        assert_eq!(counts(PowerOfTwo, &pool), [30_000]);
    }
}
