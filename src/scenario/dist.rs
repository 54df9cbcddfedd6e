//! Distributions of durations.

use serde::Deserialize;

use super::{Pause, Positive};
use crate::base::seed::Sampler;

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dist {
    /// Always the same.
    Constant(Pause),
    /// Memoryless, with this mean.
    Exponential(Pause),
    /// Skewed to the right, like human think times.
    Lognormal(Lognormal),
    /// Uniform between two bounds.
    Uniform(Uniform),
}

/// A lognormal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Half of the values are shorter.
    pub median: Pause,
    /// Standard deviation of the logarithm; at most 5.
    pub sigma: Positive,
}

/// A uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// The shortest value.
    pub from: Pause,
    /// The longest value.
    pub to: Pause,
}

impl Dist {
    /// The sampler that draws from it.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        match *self {
            Dist::Constant(span) => Sampler::Constant(span.get()),
            Dist::Exponential(mean) => Sampler::Exponential(mean.get()),
            Dist::Lognormal(l) => Sampler::Lognormal { median: l.median.get(), sigma: l.sigma.get() },
            Dist::Uniform(u) => Sampler::Uniform { from: u.from.get(), to: u.to.get() },
        }
    }
}
