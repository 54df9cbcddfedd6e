//! Functions instead of servers: the platform starts one where a request finds nobody idle.

use serde::Deserialize;

use super::{Dist, Duration, Pause, Time, Whole};
use crate::base::time::Span;

/// Instances that a platform starts and ends as it likes, as AWS Lambda does. Only a simulation can play it.
///
/// An instance works on one request at a time. A request goes to the idle instance that was started last (as has been
/// observed of Lambda, and as the simulator `SimFaaS` models it), or else a new one is started for it. There is no queue
/// and no server at the beginning: `servers.count`, `workers`, `queue`, `weights` and `boot` mean nothing here, nor does
/// the balancer. With regions every region has instances of its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Serverless {
    /// How long a request waits for a new instance.
    pub cold_start: Pause,
    /// After so long without a request an instance is recycled, with its memory. (Lambda says nothing about it; 5 to 10
    /// minutes have been measured.)
    pub idle: Duration,
    /// So many instances at once, in each region; a request that would need one more is refused with 429. (1,000 is an
    /// account's limit on Lambda.)
    pub most: Whole<1, 10_000>,
    /// The platform needs the room: an instance is evicted after so long, or at the end of its request. Never when absent.
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
