//! The object store that every server can reach.

use serde::Deserialize;

use super::{Dist, Time};
use crate::base::time::Span;

/// The object store that every server can reach: it holds uploads if `homes.upload` is `object-store`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Objects {
    /// The round trip for writing or reading one object.
    pub latency: Dist,
}

impl Default for Objects {
    fn default() -> Self {
        Objects { latency: Dist::Constant(Time::of(Span::from_millis(20))) }
    }
}
