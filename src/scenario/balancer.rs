//! Who chooses the server.

use serde::Deserialize;

use super::{Affinity, Duration, Health, Outlier, Positive, Share, Time, Whole};
use crate::base::time::Span;

/// What chooses a server for each request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Balancer {
    /// How it chooses.
    pub policy: PolicyName,
    /// Whether a cookie sends users back to the server they used before.
    pub affinity: Affinity,
    /// What happens to a user whose server is believed down.
    pub pinned_down: PinnedDown,
    /// What hash policies hash.
    pub hash_on: HashOn,
    /// Ring hash: points of a server on the ring, times its weight. (nginx and ketama use 160.)
    pub points: Whole<1, 10_000>,
    /// Hash policies: a server has at most so many times its fair share of the requests in flight, one more goes to the
    /// next in the policy's order. No bound when absent. (HAProxy's `hash-balance-factor`, in per cent; its manual
    /// advises 1.2 to 2.)
    pub bounded_load: Option<Positive>,
    /// How often a request is sent to another server, where that is allowed. (HAProxy's default is 3.)
    pub retries: Whole<0, 10>,
    /// How long a connection may take before the balancer tries elsewhere. (Envoy's default is 5 s.)
    pub connect_timeout: Duration,
    /// How long a server may take to answer. After that the balancer sends the request to another server, where that is
    /// allowed, or answers 504; the server works on, for nobody. As long as the user waits when absent. (Envoy's route
    /// timeout is 15 s, nginx's and HAProxy's usual ones 30 to 60 s.)
    pub answer_timeout: Option<Duration>,
    /// At most this share of the requests in flight are ones that the balancer sends a second time; but three always may
    /// be. No limit when absent. (Envoy's default for its retry budget is 0.2.)
    pub retry_budget: Option<Share>,
    /// How the balancer finds out who is alive.
    pub health: Health,
    /// What it learns from answers, beside that. Nothing when absent.
    pub outlier: Option<Outlier>,
    /// For how long a server that comes up gets less than its weight: a share that grows with time from a tenth to all of
    /// it. Heeded by the policies that go by weight and do not hash: `weighted-round-robin`, `least-requests` and
    /// `power-of-two`. No such time when absent. (AWS ALB: 30 s to 15 min.)
    pub slow_start: Option<Duration>,
    /// When less than this share of the servers is believed up, the balancer stops believing and uses all of them. Never
    /// when absent. (Envoy's default is 0.5.)
    pub panic_threshold: Option<Share>,
}

impl Default for Balancer {
    fn default() -> Self {
        Balancer {
            policy: PolicyName::RoundRobin,
            affinity: Affinity::None,
            pinned_down: PinnedDown::Redispatch,
            hash_on: HashOn::User,
            points: Whole::of(160),
            bounded_load: None,
            retries: Whole::of(3),
            connect_timeout: Time::of(Span::from_secs(5)),
            answer_timeout: None,
            retry_budget: None,
            health: Health::default(),
            outlier: None,
            slow_start: None,
            panic_threshold: None,
        }
    }
}

/// How a balancer chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// Each in turn.
    RoundRobin,
    /// Each in turn, in proportion to its weight, smoothly.
    WeightedRoundRobin,
    /// Anyone.
    Random,
    /// Whoever has the fewest requests in flight for its weight.
    LeastRequests,
    /// The less loaded of two drawn at random.
    PowerOfTwo,
    /// Of two drawn at random the one that promises to answer sooner: recent latency times requests in flight. As
    /// Finagle and linkerd choose.
    PeakEwma,
    /// The user's hash modulo the servers that are up. Simple; nearly all users move when the pool changes.
    IpHash,
    /// Where the user's hash falls on a ring of servers.
    RingHash,
    /// The server that bids most for the user, by a hash of both.
    Rendezvous,
    /// Where the user's hash falls in a table of slots that servers take in turn. As Google's Maglev does.
    Maglev,
}

impl PolicyName {
    /// Whether it heeds that a server has only just come up.
    #[must_use]
    pub const fn warms_up(self) -> bool {
        matches!(self, PolicyName::WeightedRoundRobin | PolicyName::LeastRequests | PolicyName::PowerOfTwo)
    }

    /// Whether it hashes users, so that each has a server of their own as long as the pool does not change.
    #[must_use]
    pub const fn hashes(self) -> bool {
        use PolicyName::{IpHash, Maglev, Rendezvous, RingHash};
        matches!(self, IpHash | RingHash | Rendezvous | Maglev)
    }
}

/// What happens to a user whose server is believed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PinnedDown {
    /// The policy chooses another.
    Redispatch,
    /// 503.
    Fail,
}

/// What hash policies hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HashOn {
    /// The user's id.
    User,
    /// The user's virtual address, which `users.nat` users share.
    Address,
}
