//! Serverless functions instead of servers: the platform starts an instance when a request finds none idle.

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{Affinity, Dist, Duration, FaultKind, Pause, Scenario, Target, Time, Whole};
use crate::base::time::Span;

/// Instances that a platform starts and stops on demand, like AWS Lambda. Only a simulation can run it.
///
/// An instance works on one request at a time. A request goes to the idle instance that was started last (as has been
/// observed with Lambda, and as the simulator `SimFaaS` models it); if none is idle, a new one is started. There is no
/// queue, and no server at the start: `servers.count`, `workers`, `queue`, `weights` and `boot` have no effect here,
/// and neither has the balancer. With regions, every region has its own instances.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Serverless {
    /// How long a request waits for a new instance.
    pub cold_start: Pause,
    /// An instance is recycled, with its memory, after this long without a request. (Lambda does not document it; 5 to
    /// 10 minutes have been measured.)
    pub idle: Duration,
    /// The maximum number of concurrent instances in each region; a request that needs one more is refused with 429.
    /// (The default limit of an AWS account is 1,000.)
    pub most: Whole<1, 10_000>,
    /// An instance is evicted this long after its start, or at the end of the request it is working on. Never when
    /// absent.
    pub evicted_after: Option<Dist>,
}

impl Default for Serverless {
    fn default() -> Self {
        Serverless {
            cold_start: Time::of(Span::from_millis(400)),
            idle: Time::of(Span::from_secs(300)),
            most: Whole::of(1_000),
            evicted_after: None,
        }
    }
}

/// Refuses settings that make no sense on a serverless platform.
pub(super) fn check(scenario: &Scenario) -> Checked {
    if scenario.serverless.is_none() {
        return Ok(());
    }
    if scenario.balancer.affinity != Affinity::None {
        let help = "leave `balancer.affinity` out: serverless platforms have no sticky sessions";
        return wrong_but("balancer.affinity", "no cookie can bind a user to an instance: the platform chooses", help);
    }
    for (i, fault) in scenario.faults.iter().enumerate() {
        let Ok(kind) = &fault.kind else { continue };
        let (what, help) = match kind.target() {
            // A server that is cut off is refused together with all else that copies and moves need.
            _ if matches!(kind, FaultKind::Isolate { .. }) => continue,
            Target::Server(_) | Target::Region(_) => (
                "instances come and go, so a fault cannot name one",
                "leave this fault out; `evicted_after` makes the platform evict instances",
            ),
            Target::Pool => {
                ("only the platform starts and stops instances", "leave it out: instances start when they are needed")
            }
            Target::Store | Target::Users | Target::Carts => continue,
        };
        return wrong_but(format!("faults[{i}].{}", kind.key()), what, help);
    }
    for (path, is_given) in
        [("autoscaler", scenario.autoscaler.is_some()), ("random_faults", !scenario.random_faults.is_empty())]
    {
        if is_given {
            let help = "leave it out: the platform starts instances, and `evicted_after` makes it evict them";
            return wrong_but(path, "only the platform starts and stops instances", help);
        }
    }
    Ok(())
}
