//! The pool's size: changes at a given time, and an autoscaler.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::servers::check_workers;
use super::violation::{Checked, wrong_but};
use super::{Drain, Duration, Pause, Positive, Scenario, Time, Whole, drain};
use crate::base::time::Span;
use crate::base::words::{self, thousands};

/// A change of the pool's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The target number of servers.
    pub to: Whole<0, 10_000>,
    /// How a removed server is drained before it is stopped. `"0s"`: it is stopped at once, without notice to the
    /// balancer.
    #[serde(default, deserialize_with = "drain::read")]
    #[cfg_attr(feature = "cli", schemars(with = "drain::Written", extend("default" = "0s")))]
    pub drain: Drain,
    /// Which servers are removed first.
    #[serde(default = "newest")]
    pub first: First,
}

/// Which servers are removed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum First {
    /// Those that were added last.
    Newest,
    /// Those that were added first.
    Oldest,
}

/// Adds servers when the pool is busy and removes some when it is not, like the Kubernetes autoscaler: `ceil(servers x
/// utilisation / target)`, with a tolerance of 10 %.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Autoscaler {
    /// The target utilisation of the workers: 0.6 aims at 60 %. Servers that boot or drain do not count.
    #[serde(default = "target")]
    pub target: Positive<1>,
    /// The fewest servers.
    #[serde(default = "one")]
    pub min: Whole<1, 10_000>,
    /// The most servers.
    pub max: Whole<1, 10_000>,
    /// The time between two decisions. (Kubernetes: 15 s.)
    #[serde(default = "interval")]
    pub interval: Duration,
    /// No server is removed for this long after any change, and after the start. (Kubernetes: 5 min.)
    #[serde(default = "cool_down")]
    pub cool_down: Pause,
    /// How a removed server is drained before it is stopped.
    #[serde(default, deserialize_with = "drain::read")]
    #[cfg_attr(feature = "cli", schemars(with = "drain::Written", extend("default" = "0s")))]
    pub drain: Drain,
    /// Which servers are removed first.
    #[serde(default = "newest")]
    pub first: First,
}

fn newest() -> First {
    First::Newest
}

fn interval() -> Duration {
    Time::of(Span::from_secs(15))
}

fn cool_down() -> Pause {
    Time::of(Span::from_secs(300))
}

fn one() -> Whole<1, 10_000> {
    Whole::of(1)
}

fn target() -> Positive<1> {
    Positive::of(0.6)
}

/// Reads `scale = 6`, or a table.
impl<'de> Deserialize<'de> for ScaleTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = Scale;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of servers, or a table such as { to = 6, drain = \"30s\" }")
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Scale, E> {
                let to = Whole::deserialize(serde::de::value::I64Deserializer::<E>::new(number))?;
                Ok(Scale { to, drain: Drain::default(), first: newest() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scale, A::Error> {
                Scale::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Shape).map(ScaleTo)
    }
}

/// A change of the pool's size as written: a number of servers, or a table with details.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleTo(pub Scale);

/// `scaled to 6 servers`
impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "scaled to {}", words::plural(f64::from(self.to.get32()), "server", "servers"))
    }
}

/// Somebody must be left to answer, and servers that go must go in time.
pub(super) fn check(path: &str, at: Pause, scale: &Scale, scenario: &Scenario) -> Checked {
    if scale.to.get() == 0 {
        let help = "keep at least one server; `serverless` platforms scale to zero";
        return wrong_but(path, "with 0 servers nobody would ever answer", help);
    }
    check_workers(path, scale.to.get(), scenario)?;
    drain::check(&format!("{path}.drain"), scale.drain, at.get(), scenario)
}

/// Checks the autoscaler.
pub(super) fn check_autoscaler(scenario: &Scenario) -> Checked {
    let Some(autoscaler) = &scenario.autoscaler else { return Ok(()) };
    let (min, max, count) = (autoscaler.min.get(), autoscaler.max.get(), scenario.servers.count.get());
    if min > max {
        let message = format!("`min` ({}) is larger than `max` ({})", thousands(min), thousands(max));
        return wrong_but("autoscaler.min", message, "`min` is the fewest servers, `max` the most");
    }
    if !(min..=max).contains(&count) {
        let message = format!("the run begins with {} servers", thousands(count));
        let help = "`servers.count` must lie between `autoscaler.min` and `autoscaler.max`";
        return wrong_but(if count < min { "autoscaler.min" } else { "autoscaler.max" }, message, help);
    }
    check_workers("autoscaler.max", max, scenario)?;
    drain::check_parts("autoscaler.drain", autoscaler.drain)
}
