//! Outlier ejection: how a balancer avoids servers that fail.

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{Duration, Scenario, Share, Time, Whole};
use crate::base::time::Span;

/// Passive health checks (outlier ejection): a server that fails several times in a row gets no requests for a while.
/// Failures are 5xx responses (including those of a full queue), connections that are refused or time out, and
/// connections that break. The defaults are Envoy's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Outlier {
    /// After this many failures in a row the server is ejected.
    pub consecutive: Whole<1, 1_000_000>,
    /// The length of an ejection, multiplied by the number of times the server has been ejected.
    pub ejection: Duration,
    /// The upper limit of an ejection.
    pub longest: Duration,
    /// At most this share of the pool is ejected at once. (Envoy since 1.28: of three servers, 10 % eject none.)
    pub at_most: Share,
    /// One server may be ejected even if that is more than `at_most` allows (`always_eject_one_host` in Envoy, and what
    /// it always did before 1.28).
    pub always_one: bool,
}

impl Default for Outlier {
    fn default() -> Self {
        Outlier {
            consecutive: Whole::of(5),
            ejection: Time::of(Span::from_secs(30)),
            longest: Time::of(Span::from_secs(300)),
            at_most: Share::of_thousand(100),
            always_one: false,
        }
    }
}

/// The first ejection is the shortest.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let Some(outlier) = &scenario.balancer.outlier else { return Ok(()) };
    let (first, longest) = (outlier.ejection.get(), outlier.longest.get());
    if longest < first {
        let message = format!("the first ejection ({first}) would be longer than the longest one ({longest})");
        return wrong_but("balancer.outlier.longest", message, "Envoy's defaults are 30s and 5m");
    }
    Ok(())
}
