//! Hashing with bounded loads: no server gets much more than its fair share of the requests in flight.

use super::{PoolView, RequestView};
use crate::base::ServerId;
use crate::scenario::Positive;

const BILLION: u128 = 1_000_000_000;

/// The bound on a server's requests in flight, as a multiple of its fair share (Mirrokni, Thorup and Zadimoghaddam
/// 2016; HAProxy's `hash-balance-factor`). If the server of a request is full, the request goes to the next one in the
/// order of the policy; later requests return to it when it has room again.
#[derive(Clone, Copy, Debug, Default)]
pub struct BoundedLoad {
    /// In billionths of the fair share.
    times: Option<u64>,
}

/// How many requests in flight each server may have at this moment.
#[derive(Clone, Copy, Debug)]
pub struct Headroom {
    /// Of a billion times the weight of all, so much belongs to each unit of weight.
    share: u128,
    all_weights: u128,
}

impl BoundedLoad {
    /// A multiple of the fair share, to a hundredth; no bound if `None`.
    #[must_use]
    pub fn new(times: Option<Positive>) -> BoundedLoad {
        BoundedLoad { times: times.map(Positive::billionths) }
    }

    /// The room of servers for one more request; `None` if there is no bound.
    #[must_use]
    pub fn room(self, pool: &PoolView) -> Option<Headroom> {
        let times = u128::from(self.times?);
        let sum = |column: &[u32]| pool.up.iter().map(|server| u128::from(column[server.index()])).sum::<u128>();
        Some(Headroom { share: times * (sum(&pool.in_flight) + 1), all_weights: BILLION * sum(&pool.weights) })
    }

    /// The first server, in the order of a policy, that is open to the request and has room. If none has room
    /// (possible only if servers with room are closed to this request), the first that is open.
    pub fn first(
        self,
        pool: &PoolView,
        request: &RequestView,
        order: impl Iterator<Item = ServerId> + Clone,
    ) -> Option<ServerId> {
        let mut open = order.filter(|server| pool.open_to(*server, request));
        let Some(room) = self.room(pool) else { return open.next() };
        let mut again = open.clone();
        again.find(|server| room.is_at(*server, pool)).or_else(|| open.next())
    }
}

impl Headroom {
    /// Whether this server has room. Its limit is its share of all requests in flight, rounded up.
    #[must_use]
    pub fn is_at(self, server: ServerId, pool: &PoolView) -> bool {
        let Headroom { share, all_weights } = self;
        // A whole number is below a fraction rounded up when it is below the fraction.
        u128::from(pool.in_flight[server.index()]) * all_weights < share * u128::from(pool.weights[server.index()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ServerState;

    fn bounded(times: &str) -> BoundedLoad {
        BoundedLoad::new(Some(serde_json::from_str(times).expect("a number above 0")))
    }

    fn first(load: BoundedLoad, pool: &PoolView, excluded: &[ServerId]) -> Option<u32> {
        let request = RequestView { hash_key: 0, excluded };
        load.first(pool, &request, (0..4).map(ServerId)).map(|server| server.0)
    }

    #[test]
    fn a_full_server_sends_on_to_the_next() {
        let mut pool = PoolView::new(vec![1; 4]);
        pool.in_flight = vec![3, 2, 2, 0];
        // 1.25 x (7 + 1) / 4 = 2.5: at most 3 each.
        assert_eq!(first(bounded("1.25"), &pool, &[]), Some(1));
        assert_eq!(first(BoundedLoad::default(), &pool, &[]), Some(0));
        // Exactly the mean: 2 each.
        assert_eq!(first(bounded("1.0"), &pool, &[]), Some(3));
        assert_eq!(
            first(bounded("1.0"), &pool, &[ServerId(3)]),
            Some(0),
            "no room anywhere: as if there were no bound"
        );
        // Exactly the mean of the requests in flight including this one: 5 / 4, so 2 each.
        pool.in_flight = vec![1, 0, 1, 2];
        assert_eq!(first(bounded("1.0"), &pool, &[]), Some(0));
    }

    #[test]
    fn the_bound_is_kept_to_one_in_a_million() {
        let mut pool = PoolView::new(vec![1; 4]);
        // 1.000001 x 1,000,000 / 4 is a quarter more than 250,000: there is room for one more.
        pool.in_flight = vec![250_000, 249_999, 250_000, 250_000];
        assert_eq!(first(bounded("1.0"), &pool, &[]), Some(1));
        assert_eq!(first(bounded("1.000001"), &pool, &[]), Some(0));
        assert_eq!(first(bounded("1000000.0"), &pool, &[]), Some(0), "the largest bound there is");
    }

    #[test]
    fn weights_and_the_dead_count() {
        let mut pool = PoolView::new(vec![3, 1, 1, 1]);
        pool.in_flight = vec![3, 1, 1, 9];
        pool.believe(ServerId(3), ServerState::Down);
        // 1 x (5 + 1) / 5: at most 4 for a weight of 3.
        assert_eq!(first(bounded("1.0"), &pool, &[]), Some(0));
        // 1 x (7 + 1) / 5: at most 5 for a weight of 3, 2 for one of 1.
        pool.in_flight[0] = 5;
        assert_eq!(first(bounded("1.0"), &pool, &[]), Some(1));
    }
}
