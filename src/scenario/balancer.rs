//! How a server is chosen for each request.

use serde::Deserialize;

use super::violation::{Checked, Violation, found, wrong_but};
use super::{Affinity, Duration, Health, Outlier, Positive, Scenario, Share, Time, Whole, outlier};
use crate::base::time::Span;

/// How a server is chosen for each request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Balancer {
    /// How the balancer picks a server.
    pub policy: PolicyName,
    /// Whether a cookie sends users back to the server they used before.
    pub affinity: Affinity,
    /// What happens to a user whose server is believed to be down.
    pub pinned_down: PinnedDown,
    /// What hash policies hash.
    pub hash_on: HashOn,
    /// Ring hash: points per server on the ring, multiplied by its weight. (nginx and ketama use 160.)
    pub points: Whole<1, 10_000>,
    /// Hash policies: a server may have at most this many times its fair share of the requests in flight; one more
    /// goes to the next server in the policy's order. No bound when absent. (HAProxy's `hash-balance-factor`, there in
    /// percent; its manual recommends 1.2 to 2.)
    pub bounded_load: Option<Positive>,
    /// How often a request may be retried on another server, if a retry is allowed. (HAProxy's default is 3.)
    pub retries: Whole<0, 10>,
    /// How long a connection attempt may take before the balancer tries another server. (Envoy's default is 5 s.)
    pub connect_timeout: Duration,
    /// How long a server may take to answer. After that the balancer retries the request on another server, if that is
    /// allowed, or answers 504; the server keeps working on the abandoned request. When absent, the balancer waits as
    /// long as the user does. (Envoy's route timeout is 15 s; nginx and HAProxy are usually set to 30 to 60 s.)
    pub answer_timeout: Option<Duration>,
    /// Retries may be at most this share of the requests in flight, but three are always allowed. No limit when
    /// absent. (Envoy's default for its retry budget is 0.2.)
    pub retry_budget: Option<Share>,
    /// How the balancer finds out which servers are up.
    pub health: Health,
    /// What the balancer also learns from responses. Nothing when absent.
    pub outlier: Option<Outlier>,
    /// How long a server that comes up gets less than its weight: its share grows over this time from a tenth to the
    /// full weight. Used by the policies that use weights and do not hash: `weighted-round-robin`, `least-requests`
    /// and `power-of-two`. No slow start when absent. (AWS ALB: 30 s to 15 min.)
    pub slow_start: Option<Duration>,
    /// When less than this share of the servers is believed to be up, the balancer ignores its belief and uses all of
    /// them. Never when absent. (Envoy's default is 0.5.)
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

/// How a balancer picks a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// Each eligible server in turn.
    RoundRobin,
    /// Each in turn, in proportion to its weight, smoothly interleaved.
    WeightedRoundRobin,
    /// Any eligible server, uniformly at random.
    Random,
    /// The server with the fewest requests in flight relative to its weight.
    LeastRequests,
    /// The less loaded of two servers drawn at random.
    PowerOfTwo,
    /// Of two servers drawn at random, the one with the lower expected latency: recent latency times requests in
    /// flight. As in Finagle and linkerd.
    PeakEwma,
    /// The user's hash modulo the number of servers that are up. Simple, but nearly all users move when the pool
    /// changes.
    IpHash,
    /// The server whose point on the ring follows the user's hash.
    RingHash,
    /// The server with the highest bid for the user; a bid is a hash of both.
    Rendezvous,
    /// The server that owns the user's slot in a table that servers fill in turn. As in Google's Maglev.
    Maglev,
}

impl PolicyName {
    /// Whether it supports slow start.
    #[must_use]
    pub const fn warms_up(self) -> bool {
        matches!(self, PolicyName::WeightedRoundRobin | PolicyName::LeastRequests | PolicyName::PowerOfTwo)
    }

    /// Whether it hashes users, so that each user always reaches the same server as long as the pool does not change.
    #[must_use]
    pub const fn hashes(self) -> bool {
        use PolicyName::{IpHash, Maglev, Rendezvous, RingHash};
        matches!(self, IpHash | RingHash | Rendezvous | Maglev)
    }
}

/// What happens to a user whose server is believed to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum PinnedDown {
    /// The policy picks another server.
    Redispatch,
    /// The request fails with 503.
    Fail,
}

/// What hash policies hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum HashOn {
    /// The user's id.
    User,
    /// The user's virtual address, which `users.nat` users share.
    Address,
}

/// Refuses settings that contradict each other.
pub(super) fn check(scenario: &Scenario) -> Vec<Violation> {
    found([
        bounded_load(scenario),
        slow_start(scenario),
        outlier::check(scenario),
        whose_choice(scenario),
        overdue(scenario),
    ])
}

/// Settings of the balancer make sense only if there is a balancer.
fn whose_choice(scenario: &Scenario) -> Checked {
    if scenario.serverless.is_none() {
        return Ok(());
    }
    let balancer = &scenario.balancer;
    let given = [
        ("answer_timeout", balancer.answer_timeout.is_some()),
        ("retry_budget", balancer.retry_budget.is_some()),
        ("outlier", balancer.outlier.is_some()),
        ("slow_start", balancer.slow_start.is_some()),
        ("panic_threshold", balancer.panic_threshold.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((key, _)) => {
            wrong_but(format!("balancer.{key}"), "there is no balancer here: the platform chooses", "leave it out")
        }
    }
}

/// An answer timeout is not modelled between regions: a message on its way cannot be abandoned.
fn overdue(scenario: &Scenario) -> Checked {
    if scenario.balancer.answer_timeout.is_none() || scenario.regions.is_none() {
        return Ok(());
    }
    let message = "a balancer that does not wait for an answer is not modelled between regions";
    wrong_but("balancer.answer_timeout", message, "leave it out, or `regions`")
}

fn slow_start(scenario: &Scenario) -> Checked {
    if scenario.balancer.slow_start.is_none() || scenario.balancer.policy.warms_up() {
        return Ok(());
    }
    let message = "`slow_start` reduces the weight of a server that comes up, but this policy does not use weights";
    let help = "leave it out, or set `policy` to `weighted-round-robin`, `least-requests` or `power-of-two`";
    wrong_but("balancer.slow_start", message, help)
}

fn bounded_load(scenario: &Scenario) -> Checked {
    let balancer = &scenario.balancer;
    let Some(times) = balancer.bounded_load else { return Ok(()) };
    if !balancer.policy.hashes() {
        let message = "`bounded_load` limits what a hash policy gives one server, but this policy does not hash";
        let help = "leave it out, or set `policy` to `ip-hash`, `ring-hash`, `rendezvous` or `maglev`";
        return wrong_but("balancer.bounded_load", message, help);
    }
    if times.get() < 1.0 {
        let message =
            format!("{} times the fair share is less than the fair share: some requests could go nowhere", times.get());
        return wrong_but("balancer.bounded_load", message, "1 is perfectly even, 1.25 usual");
    }
    Ok(())
}
