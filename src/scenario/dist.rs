//! Distributions of durations.

use serde::Deserialize;

use super::violation::{Checked, wrong};
use super::{Pause, Positive};
use crate::base::seed::Sampler;

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Half of the values are shorter.
    pub median: Pause,
    /// Standard deviation of the logarithm. Human think times have about 1.
    pub sigma: Positive<5>,
}

/// A uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
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

    /// Refuses what cannot be drawn from.
    pub(super) fn check(&self, path: &str) -> Checked {
        match self {
            Dist::Uniform(u) if u.from.get() > u.to.get() => wrong(
                format!("{path}.uniform.from"),
                format!("`from` ({}) is later than `to` ({})", u.from.get(), u.to.get()),
            ),
            _ => Ok(()),
        }
    }

    /// The mean, in seconds.
    pub(super) fn mean_seconds(&self) -> f64 {
        match self {
            Dist::Constant(span) | Dist::Exponential(span) => span.get().as_secs_f64(),
            Dist::Lognormal(l) => l.median.get().as_secs_f64() * libm::exp(l.sigma.get() * l.sigma.get() / 2.0),
            Dist::Uniform(u) => f64::midpoint(u.from.get().as_secs_f64(), u.to.get().as_secs_f64()),
        }
    }
}
