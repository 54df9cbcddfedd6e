//! How a balancer deals with servers that answer badly, or have only just come.

use serde::Deserialize;

use super::{Duration, Share, Time, Whole};
use crate::base::time::Span;

/// Passive health checks (outlier ejection): a server whose answers fail several times in a row is left alone for a
/// while. Failures are answers with 5xx (a full queue included), connections that are refused or get no answer, and ones
/// that break off. The defaults are Envoy's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Outlier {
    /// So many failures in a row: ejected.
    pub consecutive: Whole<1, 1_000_000>,
    /// For how long, times how often the server has been ejected.
    pub ejection: Duration,
    /// Never longer than this.
    pub longest: Duration,
    /// At most this share of the pool is ejected at once; but always one server, if one deserves it.
    pub at_most: Share,
}

impl Default for Outlier {
    fn default() -> Self {
        Outlier {
            consecutive: Whole::of(5),
            ejection: Time::of(Span::from_secs(30)),
            longest: Time::of(Span::from_secs(300)),
            at_most: Share::of_thousand(100),
        }
    }
}
