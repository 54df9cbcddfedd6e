//! Planned operations: deploys, changes of the pool's size, an autoscaler, and users who join.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Duration, Fault, FaultKind, Pause, Positive, Scenario, Time, Whole};
use crate::base::time::Span;

/// A deploy: all servers get a new version of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// In what order servers are replaced.
    #[serde(default = "rolling")]
    pub strategy: Strategy,
    /// How long a server is drained before it is stopped. `"0s"`: it is stopped at once, without notice to the
    /// balancer. (The grace period of Kubernetes is 30 s, the deregistration delay of AWS ALB 300 s.)
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Rolling: how many extra servers may run beside the old ones (`maxSurge` in Kubernetes). 0 when absent.
    pub surge: Option<Whole<0, 10_000>>,
    /// Rolling: how many servers may be missing at a time (`maxUnavailable` in Kubernetes). When absent: 1, or 0 if
    /// there is a surge.
    pub unavailable: Option<Whole<0, 10_000>>,
    /// Each process restarts on its host and keeps its disk; otherwise every new server is a new host.
    #[serde(default)]
    pub in_place: bool,
}

/// In what order servers are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A few at a time; the next ones follow when the replacements are ready.
    Rolling,
    /// All at once.
    AllAtOnce,
    /// A second pool boots and passes its health checks. Then new users go there, and the old pool is drained and
    /// stopped.
    BlueGreen,
}

/// A change of the pool's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The target number of servers.
    pub to: Whole<0, 10_000>,
    /// How long a removed server is drained before it is stopped. `"0s"`: it is stopped at once, without notice to the
    /// balancer.
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Which servers are removed first.
    #[serde(default = "newest")]
    pub first: First,
}

/// Which servers are removed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum First {
    /// Those that were added last.
    Newest,
    /// Those that were added first.
    Oldest,
}

/// More users arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// With `users.count`: the total number of users from then on.
    pub to: Option<Whole<1, 10_000_000>>,
    /// With `users.rate`: the rate of new visitors per second from then on.
    pub rate_to: Option<Positive>,
    /// The time over which the new users arrive, or the rate rises.
    #[serde(default = "nothing")]
    pub over: Pause,
}

/// Adds servers when the pool is busy and removes some when it is not, like the Kubernetes autoscaler: `ceil(servers x
/// utilisation / target)`, with a tolerance of 10 %.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Autoscaler {
    /// The target utilisation of the workers, above 0 and at most 1. Servers that boot or drain do not count.
    #[serde(default = "target")]
    pub target: Positive,
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
    /// How long a removed server is drained before it is stopped.
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Which servers are removed first.
    #[serde(default = "newest")]
    pub first: First,
}

impl Scenario {
    /// The maximum number of server slots, including those that will have been retired.
    #[must_use]
    pub fn most_slots(&self) -> u64 {
        let kinds = || self.faults.iter().filter_map(Fault::what);
        let sizes =
            kinds().filter_map(|kind| if let FaultKind::Scale(scale) = kind { Some(scale.to.get()) } else { None });
        let most = sizes.clone().chain(self.autoscaler.map(|autoscaler| autoscaler.max.get()));
        let most = most.fold(self.servers.count.get(), u64::max);
        let anew = |deploy: &Deploy| deploy.surge() > 0 || deploy.strategy == Strategy::BlueGreen;
        let deploys = kinds().filter(|kind| matches!(kind, FaultKind::Deploy(deploy) if anew(deploy))).count() as u64;
        // How often an autoscaler scales out and in is not known in advance.
        let up_and_down = self.autoscaler.map_or(0, |autoscaler| 3 * autoscaler.max.get());
        self.servers.count.get() + sizes.sum::<u64>() + deploys * most + up_and_down
    }

    /// Servers that there may be at one time, with those that are drained while others already take their place.
    #[must_use]
    pub fn most_servers_at_once(&self) -> u64 {
        let kinds = || self.faults.iter().filter_map(Fault::what);
        let scales = || kinds().filter_map(|kind| if let FaultKind::Scale(scale) = kind { Some(*scale) } else { None });
        let sizes = scales().map(|scale| scale.to.get()).chain(self.autoscaler.map(|autoscaler| autoscaler.max.get()));
        let largest = sizes.fold(self.servers.count.get(), u64::max);
        let drains = scales().map(|scale| scale.drain).chain(self.autoscaler.map(|autoscaler| autoscaler.drain));
        let drained = if drains.map(Pause::get).any(|drain| drain > Span::ZERO) { largest } else { 0 };
        let deploys =
            kinds().filter_map(|kind| if let FaultKind::Deploy(deploy) = kind { Some(*deploy) } else { None });
        let beside = deploys.map(|deploy| match deploy.strategy {
            Strategy::BlueGreen => largest,
            Strategy::Rolling | Strategy::AllAtOnce => u64::from(deploy.surge()),
        });
        largest + beside.fold(drained, u64::max)
    }
}

impl Deploy {
    /// How many extra servers may run beside the old ones.
    #[must_use]
    pub fn surge(&self) -> u32 {
        self.surge.map_or(0, Whole::get32)
    }

    /// How many servers may be missing at a time.
    #[must_use]
    pub fn unavailable(&self) -> u32 {
        self.unavailable.map_or(u32::from(self.surge() == 0), Whole::get32)
    }
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
                Ok(Scale { to, drain: nothing(), first: newest() })
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

fn rolling() -> Strategy {
    Strategy::Rolling
}

fn newest() -> First {
    First::Newest
}

fn nothing() -> Pause {
    Time::of(Span::ZERO)
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

fn target() -> Positive {
    Positive::of(0.6)
}
