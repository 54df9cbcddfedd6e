//! How a balancer chooses: the seam, and the policies by name.
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

/// What a policy may know of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// What hash policies hash: the user's id or virtual address.
    pub hash_key: u64,
    /// Servers that this request has already failed to reach.
    pub excluded: &'a [ServerId],
}

/// What a policy may know of the pool: one entry a server, kept up to date in place by the engine. Servers that have
/// gone for good keep their entries.
#[derive(Clone, Debug, Default)]
pub struct PoolView {
    /// Weights, 1 by default.
    pub weights: Vec<u32>,
    /// Weights as of now, in thousandths: less while a server warms up. For policies that can heed what changes all the
    /// time.
    pub current_weights: Vec<u32>,
    /// Requests sent and not answered yet, as the balancer counts them.
    pub in_flight: Vec<u32>,
    /// What the balancer believes.
    pub states: Vec<ServerState>,
    /// Whether it may get requests of users who are not bound to it.
    pub eligible: Vec<bool>,
    /// The eligible servers, in order.
    pub up: Vec<ServerId>,
    /// Grows whenever `eligible` or `weights` change, for those who cache.
    pub generation: u64,
    /// When less than so many billionths of the servers are believed up, all are eligible.
    panic_below: u32,
}

impl PoolView {
    /// A pool of `weights.len()` servers, all believed up.
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

    /// The same, and when less than this share of the servers is believed up, belief is not relied upon any more.
    #[must_use]
    pub fn with_panic(mut self, threshold: Option<Share>) -> PoolView {
        self.panic_below = threshold.map_or(0, Share::billionths);
        self
    }

    /// A current weight that is not reduced.
    #[must_use]
    pub fn full(weight: u32) -> u32 {
        weight * 1_000
    }

    /// How many servers there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are none.
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

    /// Who is eligible: those that are believed up; in panic those that are believed down too.
    fn reconsider(&mut self) {
        let believed = |wanted| self.states.iter().filter(|state| **state == wanted).count() as u64;
        let (up, down) = (believed(ServerState::Up), believed(ServerState::Down));
        let panic = up * u64::from(Share::ALL) < u64::from(self.panic_below) * (up + down);
        for (eligible, state) in self.eligible.iter_mut().zip(&self.states) {
            *eligible = *state == ServerState::Up || panic && *state == ServerState::Down;
        }
        self.refresh();
    }

    /// Eligible servers have changed.
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

/// A way to choose.
pub trait Policy: Clone {
    /// The server for a request, or `None` when no eligible one is left. `draw` belongs to the request.
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId>;

    /// The next request to choose for comes from this region, or is for users who live there.
    #[inline]
    fn asked_from(&mut self, _region: RegionId) {}

    /// The request came back, or was given up.
    #[inline]
    fn on_complete(&mut self, _now: Instant, _server: ServerId, _latency: Span, _outcome: Outcome) {}

    /// Servers became eligible or ceased to be.
    #[inline]
    fn on_pool_change(&mut self, _pool: &PoolView) {}
}

/// Any of the policies.
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
    /// The policy that a scenario names.
    #[must_use]
    pub fn new(scenario: &Scenario, pool: &PoolView, seed: Seed) -> AnyPolicy {
        if scenario.serverless.is_some() {
            // The platform chooses; nobody asks a policy.
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

/// Does the same with any of the policies, knowing which.
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

/// Matched at every call. A copy of the simulation's loop for each policy was measured: it would be 2 to 4 % faster, and take
/// a third of the build (docs/performance.md).
impl Policy for AnyPolicy {
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId> {
        dispatch_policy!(self, policy => policy.pick(now, request, pool, draw))
    }

    fn asked_from(&mut self, region: RegionId) {
        dispatch_policy!(self, policy => policy.asked_from(region));
    }

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

    /// Whether a policy prefers, of two servers, the one that answered sooner.
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
