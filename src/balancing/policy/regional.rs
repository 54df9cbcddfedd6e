//! One policy per region: a request goes to the nearest region with an eligible server.

use super::{AnyPolicy, Policy, PoolView, RequestView};
use crate::base::seed::Draw;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, RegionId, ServerId};

/// One policy per region; each knows only the servers of its region.
#[derive(Clone, Debug)]
pub struct Regional {
    /// Indexed by region.
    parts: Vec<Part>,
    /// For each region, all regions in order of distance, nearest first.
    nearest: Vec<Vec<RegionId>>,
    /// The region of each server.
    of: Vec<RegionId>,
    /// The region that the next request comes from.
    asked_from: RegionId,
    generation: u64,
}

#[derive(Clone, Debug)]
struct Part {
    policy: AnyPolicy,
    /// The pool with only the servers of this region eligible.
    view: PoolView,
}

impl Regional {
    /// Creates a policy for each region from the servers there. `of` gives the region of each server.
    #[must_use]
    pub fn new(
        of: Vec<RegionId>,
        nearest: Vec<Vec<RegionId>>,
        pool: &PoolView,
        policy: impl Fn(&PoolView) -> AnyPolicy,
    ) -> Regional {
        let part = |region: usize| {
            let view = only(pool, &of, region);
            Part { policy: policy(&view), view }
        };
        let parts = (0..nearest.len()).map(part).collect();
        Regional { parts, nearest, of, asked_from: RegionId(0), generation: pool.generation }
    }

    fn refresh(&mut self, pool: &PoolView) {
        self.generation = pool.generation;
        for (region, part) in self.parts.iter_mut().enumerate() {
            part.view = only(pool, &self.of, region);
            part.policy.on_pool_change(&part.view);
        }
    }

    fn part_of(&mut self, server: ServerId) -> &mut Part {
        let region = self.of[server.index()];
        &mut self.parts[region.index()]
    }
}

/// The pool with only the servers of one region eligible.
fn only(pool: &PoolView, of: &[RegionId], region: usize) -> PoolView {
    let mut view = pool.clone();
    for (eligible, of) in view.eligible.iter_mut().zip(of) {
        *eligible &= of.index() == region;
    }
    view.refresh();
    view
}

impl Policy for Regional {
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId> {
        if self.generation != pool.generation {
            self.refresh(pool);
        }
        for region in &self.nearest[self.asked_from.index()] {
            let Part { policy, view } = &mut self.parts[region.index()];
            view.in_flight.clone_from(&pool.in_flight);
            view.current_weights.clone_from(&pool.current_weights);
            if let Some(server) = policy.pick(now, request, view, draw) {
                return Some(server);
            }
        }
        None
    }

    fn asked_from(&mut self, region: RegionId) {
        self.asked_from = region;
    }

    fn on_complete(&mut self, now: Instant, server: ServerId, latency: Span, outcome: Outcome) {
        self.part_of(server).policy.on_complete(now, server, latency, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancing::policy::tests::check_that_it_learns;
    use crate::balancing::policy::{PeakEwma, RoundRobin};
    use crate::base::ServerState;
    use crate::base::seed::{Key, Purpose, Seed};

    const WEST: RegionId = RegionId(0);
    const EAST: RegionId = RegionId(1);

    fn picks(policy: &mut Regional, pool: &PoolView, from: RegionId, n: usize) -> Vec<u32> {
        let draw = Seed(1).draw(Purpose::Pick, Key::default());
        let request = RequestView { hash_key: 0, excluded: &[] };
        policy.asked_from(from);
        (0..n).filter_map(|_| policy.pick(Instant::ZERO, &request, pool, draw)).map(|server| server.0).collect()
    }

    #[test]
    fn each_region_takes_turns_of_its_own_and_stands_in_for_the_other() {
        let mut pool = PoolView::new(vec![1; 5]);
        let of = [WEST, WEST, EAST, EAST, EAST].to_vec();
        let nearest = vec![vec![WEST, EAST], vec![EAST, WEST]];
        let mut policy = Regional::new(of, nearest, &pool, |_| AnyPolicy::RoundRobin(RoundRobin::default()));
        assert_eq!(picks(&mut policy, &pool, WEST, 3), [0, 1, 0]);
        assert_eq!(picks(&mut policy, &pool, EAST, 4), [2, 3, 4, 2]);
        assert_eq!(picks(&mut policy, &pool, WEST, 2), [1, 0], "the other region's turns change nothing here");
        for server in [0, 1].map(ServerId) {
            pool.believe(server, ServerState::Down);
        }
        assert_eq!(picks(&mut policy, &pool, WEST, 3), [3, 4, 2]);
        pool.believe(ServerId(0), ServerState::Up);
        assert_eq!(picks(&mut policy, &pool, WEST, 2), [0, 0]);
        for server in 0..5 {
            pool.believe(ServerId(server), ServerState::Down);
        }
        assert_eq!(picks(&mut policy, &pool, WEST, 2), [0u32; 0]);
    }

    #[test]
    fn each_region_is_told_how_its_requests_ended() {
        let pool = PoolView::new(vec![1; 2]);
        let policy = |_: &PoolView| AnyPolicy::PeakEwma(PeakEwma::new());
        check_that_it_learns(&mut Regional::new(vec![WEST; 2], vec![vec![WEST]], &pool, policy));
    }
}
