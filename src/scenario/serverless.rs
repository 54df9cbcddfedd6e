//! Serverless functions instead of servers: the platform starts an instance when a request finds none idle.

use serde::Deserialize;

use super::{Dist, Duration, Pause, Time, Whole};
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
