//! How a balancer picks a server: the `Policy` trait, and the policies by name.
//!
//! Policies are `Clone` structs behind one trait. An engine matches [`AnyPolicy`] once, outside its hot loop.

pub mod bounded;
pub mod hashing;
pub mod least_loaded;
pub mod maglev;
pub mod modulo;
pub mod peak_ewma;
pub mod regional;
pub mod rendezvous;
pub mod rotation;

use crate::base::seed::{Draw, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, RegionId, ServerId, ServerState};
use crate::regions::RegionMap;
use crate::scenario::{PolicyName, Scenario, Share};

pub use bounded::BoundedLoad;
pub use hashing::RingHash;
pub use least_loaded::{LeastRequests, PowerOfTwo};
pub use maglev::Maglev;
pub use modulo::IpHash;
pub use peak_ewma::PeakEwma;
pub use regional::Regional;
pub use rendezvous::Rendezvous;
pub use rotation::{Random, RoundRobin, WeightedRoundRobin};

/// What a policy knows about a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// What hash policies hash: the user's id or virtual address.
    pub hash_key: u64,
    /// Servers that this request has already failed to reach.
    pub excluded: &'a [ServerId],
}

/// What a policy knows about the pool: one entry per server, which the engine keeps up to date in place. Retired
/// servers keep their entries.
#[derive(Clone, Debug, Default)]
pub struct PoolView {
    /// Weights; the default is 1.
    pub weights: Vec<u32>,
    /// Current weights in thousandths; a server has less while it warms up. For policies that can use weights that
    /// change all the time.
    pub current_weights: Vec<u32>,
    /// Requests that the balancer has sent and that are not answered yet.
    pub in_flight: Vec<u32>,
    /// The state that the balancer believes each server to be in.
    pub states: Vec<ServerState>,
    /// Whether a server may get requests from users who are not bound to it.
    pub eligible: Vec<bool>,
    /// The eligible servers, in order.
    pub up: Vec<ServerId>,
    /// Increases whenever `eligible` or `weights` change, to invalidate caches.
    pub generation: u64,
    /// When less than so many billionths of the servers are believed up, all are eligible.
    panic_below: u32,
}

impl PoolView {
    /// A pool of `weights.len()` servers, all believed to be up.
    #[must_use]
    pub fn new(weights: Vec<u32>) -> PoolView {
        let n = weights.len();
        let mut view = PoolView {
            current_weights: weights.iter().map(|weight| PoolView::full(*weight)).collect(),
            weights,
            in_flight: vec![0; n],
            states: vec![ServerState::Up; n],
            eligible: vec![true; n],
            up: Vec::new(),
            generation: 0,
            panic_below: 0,
        };
        view.refresh();
        view
    }

    /// The same pool with a panic threshold: if less than this share of the servers is believed to be up, all are
    /// used.
    #[must_use]
    pub fn with_panic(mut self, threshold: Option<Share>) -> PoolView {
        self.panic_below = threshold.map_or(0, Share::billionths);
        self
    }

    /// The current weight of a server that is not warming up.
    #[must_use]
    pub fn full(weight: u32) -> u32 {
        weight * 1_000
    }

    /// The number of servers.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are no servers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Changes the balancer's belief about one server.
    pub fn believe(&mut self, server: ServerId, state: ServerState) {
        self.states[server.index()] = state;
        self.reconsider();
    }

    /// Adds a server that the balancer does not use yet.
    pub fn add(&mut self, weight: u32) {
        self.weights.push(weight);
        self.current_weights.push(PoolView::full(weight));
        self.in_flight.push(0);
        self.states.push(ServerState::Booting);
        self.eligible.push(false);
        self.reconsider();
    }

    /// Recomputes which servers are eligible: those believed to be up and, in panic, also those believed to be down.
    fn reconsider(&mut self) {
        let believed = |wanted| self.states.iter().filter(|state| **state == wanted).count() as u64;
        let (up, down) = (believed(ServerState::Up), believed(ServerState::Down));
        let panic = up * u64::from(Share::ALL) < u64::from(self.panic_below) * (up + down);
        for (eligible, state) in self.eligible.iter_mut().zip(&self.states) {
            *eligible = *state == ServerState::Up || panic && *state == ServerState::Down;
        }
        self.refresh();
    }

    /// Called when the set of eligible servers has changed.
    fn refresh(&mut self) {
        self.up = (0u32..).map(ServerId).zip(&self.eligible).filter(|(_, up)| **up).map(|(id, _)| id).collect();
        self.generation += 1;
    }

    /// Whether this request may go to this server.
    #[inline]
    #[must_use]
    pub fn open_to(&self, server: ServerId, request: &RequestView) -> bool {
        self.eligible[server.index()] && !request.excluded.contains(&server)
    }
}

/// A load-balancing policy.
pub trait Policy: Clone {
    /// The server for a request, or `None` if no eligible one is left. `draw` belongs to the request.
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId>;

    /// The next request to route comes from this region or, depending on the routing, from a user who lives there.
    #[inline]
    fn asked_from(&mut self, _region: RegionId) {}

    /// A response arrived, or the balancer gave up the request.
    #[inline]
    fn on_complete(&mut self, _now: Instant, _server: ServerId, _latency: Span, _outcome: Outcome) {}

    /// The set of eligible servers changed.
    #[inline]
    fn on_pool_change(&mut self, _pool: &PoolView) {}
}

/// One of the policies.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the policy of the same name")]
pub enum AnyPolicy {
    RoundRobin(RoundRobin),
    WeightedRoundRobin(WeightedRoundRobin),
    Random(Random),
    LeastRequests(LeastRequests),
    PowerOfTwo(PowerOfTwo),
    PeakEwma(PeakEwma),
    IpHash(IpHash),
    RingHash(RingHash),
    Rendezvous(Rendezvous),
    Maglev(Maglev),
    Regional(Regional),
}

impl AnyPolicy {
    /// The policy that a scenario selects.
    #[must_use]
    pub fn new(scenario: &Scenario, pool: &PoolView, seed: Seed) -> AnyPolicy {
        if scenario.serverless.is_some() {
            // The platform chooses; no policy is ever asked.
            return AnyPolicy::Random(Random);
        }
        let Some(map) = RegionMap::new(scenario) else { return AnyPolicy::of_one_place(scenario, pool, seed) };
        let nearest = map.nearest().to_vec();
        let policy = |pool: &PoolView| AnyPolicy::of_one_place(scenario, pool, seed);
        AnyPolicy::Regional(Regional::new(map.servers, nearest, pool, policy))
    }

    fn of_one_place(scenario: &Scenario, pool: &PoolView, seed: Seed) -> AnyPolicy {
        let balancer = &scenario.balancer;
        let bound = BoundedLoad::new(balancer.bounded_load);
        match balancer.policy {
            PolicyName::RoundRobin => AnyPolicy::RoundRobin(RoundRobin::default()),
            PolicyName::WeightedRoundRobin => AnyPolicy::WeightedRoundRobin(WeightedRoundRobin::new(pool)),
            PolicyName::Random => AnyPolicy::Random(Random),
            PolicyName::LeastRequests => AnyPolicy::LeastRequests(LeastRequests),
            PolicyName::PowerOfTwo => AnyPolicy::PowerOfTwo(PowerOfTwo),
            PolicyName::PeakEwma => AnyPolicy::PeakEwma(PeakEwma::new()),
            PolicyName::IpHash => AnyPolicy::IpHash(IpHash::new(seed, bound)),
            PolicyName::RingHash => AnyPolicy::RingHash(RingHash::new(balancer.points.get32(), pool, seed, bound)),
            PolicyName::Rendezvous => AnyPolicy::Rendezvous(Rendezvous::new(seed, bound)),
            PolicyName::Maglev => AnyPolicy::Maglev(Maglev::new(pool, seed, bound)),
        }
    }
}

/// Dispatches to the concrete policy, so that the code is compiled for each of them.
macro_rules! dispatch_policy {
    ($any:expr, $policy:ident => $act:expr) => {
        match $any {
            $crate::balancing::policy::AnyPolicy::RoundRobin($policy) => $act,
            $crate::balancing::policy::AnyPolicy::WeightedRoundRobin($policy) => $act,
            $crate::balancing::policy::AnyPolicy::Random($policy) => $act,
            $crate::balancing::policy::AnyPolicy::LeastRequests($policy) => $act,
            $crate::balancing::policy::AnyPolicy::PowerOfTwo($policy) => $act,
            $crate::balancing::policy::AnyPolicy::PeakEwma($policy) => $act,
            $crate::balancing::policy::AnyPolicy::IpHash($policy) => $act,
            $crate::balancing::policy::AnyPolicy::RingHash($policy) => $act,
            $crate::balancing::policy::AnyPolicy::Rendezvous($policy) => $act,
            $crate::balancing::policy::AnyPolicy::Maglev($policy) => $act,
            $crate::balancing::policy::AnyPolicy::Regional($policy) => $act,
        }
    };
}

/// Dispatches at every call, for an engine in which that cost is negligible.
impl Policy for AnyPolicy {
    #[inline(always)]
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId> {
        dispatch_policy!(self, policy => policy.pick(now, request, pool, draw))
    }

    fn asked_from(&mut self, region: RegionId) {
        dispatch_policy!(self, policy => policy.asked_from(region));
    }

    #[inline(always)]
    fn on_complete(&mut self, now: Instant, server: ServerId, latency: Span, outcome: Outcome) {
        dispatch_policy!(self, policy => policy.on_complete(now, server, latency, outcome));
    }

    fn on_pool_change(&mut self, pool: &PoolView) {
        dispatch_policy!(self, policy => policy.on_pool_change(pool));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Reply;
    use crate::base::seed::{Key, Purpose};

    #[test]
    fn a_pool_that_seems_too_ill_uses_everybody() {
        let half = serde_json::from_str("0.5").expect("a share");
        let mut pool = PoolView::new(vec![1; 10]).with_panic(Some(half));
        let used = (0..7).map(|server| {
            pool.believe(ServerId(server), ServerState::Down);
            pool.up.len()
        });
        assert_eq!(used.collect::<Vec<_>>(), [9, 8, 7, 6, 5, 10, 10]);
        assert!(!pool.is_empty() && PoolView::default().is_empty());
    }

    /// Checks that of two servers a policy prefers the one that answered faster.
    pub(super) fn check_that_it_learns(policy: &mut impl Policy) {
        let pool = PoolView::new(vec![1; 2]);
        let now = Instant::ZERO + Span::from_secs(100);
        for (server, millis) in [(0, 500), (1, 5)] {
            policy.on_complete(now, ServerId(server), Span::from_millis(millis), Outcome::Ok(Reply::Done));
        }
        let request = RequestView { hash_key: 0, excluded: &[] };
        for i in 0..100 {
            let draw = Seed(1).draw(Purpose::Pick, Key { entity: i, ..Key::default() });
            assert_eq!(policy.pick(now, &request, &pool, draw), Some(ServerId(1)));
        }
    }

    #[test]
    fn a_named_policy_is_told_how_requests_ended() {
        check_that_it_learns(&mut AnyPolicy::PeakEwma(PeakEwma::new()));
    }
}
