//! What an operator plans: deploys, changes of the pool's size, an autoscaler, and users who join.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Duration, Fault, FaultKind, Pause, Positive, Scenario, Time, Whole};
use crate::base::time::Span;

/// A new version of the shop goes to all servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// In what order servers are replaced.
    #[serde(default = "rolling")]
    pub strategy: Strategy,
    /// How long a server may take to let its users go before it is stopped. `"0s"`: it is stopped at once, and nobody
    /// tells the balancer. (Kubernetes' grace period is 30 s, AWS ALB's deregistration delay 300 s.)
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Rolling: so many new servers may run beside the old ones (Kubernetes' `maxSurge`). 0 when absent.
    pub surge: Option<Whole<0, 10_000>>,
    /// Rolling: so many servers may be missing at a time (Kubernetes' `maxUnavailable`). When absent 1, or 0 with a
    /// surge.
    pub unavailable: Option<Whole<0, 10_000>>,
    /// The process restarts on its host, which keeps its disk; otherwise every server is a new host.
    #[serde(default)]
    pub in_place: bool,
}

/// In what order servers are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A few at a time, each after the one before it is ready.
    Rolling,
    /// All together.
    AllAtOnce,
    /// A second pool boots and passes its checks; then new users go there, and the old pool is drained and stopped.
    BlueGreen,
}

/// The pool gets another size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// How many servers there are to be.
    pub to: Whole<0, 10_000>,
    /// How long a server that leaves may take to let its users go. `"0s"`: it is stopped at once, and nobody tells the
    /// balancer.
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Which servers leave first.
    #[serde(default = "newest")]
    pub first: First,
}

/// Which servers leave first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum First {
    /// Those that came last.
    Newest,
    /// Those that came first.
    Oldest,
}

/// More users come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// With `users.count`: so many people visit from then on, those included who do so already.
    pub to: Option<Whole<1, 10_000_000>>,
    /// With `users.rate`: so many new visitors a second come from then on.
    pub rate_to: Option<Positive>,
    /// Over how long the newcomers begin, or the rate rises.
    #[serde(default = "nothing")]
    pub over: Pause,
}

/// Adds servers when those there are busy, and takes some out when they are not, as the autoscaler of Kubernetes does:
/// `ceil(servers x utilisation / target)`, with a tolerance of 10 %.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Autoscaler {
    /// The busy share of workers' time that it aims at, above 0 and at most 1. Servers that boot or drain do not count.
    #[serde(default = "target")]
    pub target: Positive,
    /// The fewest servers.
    #[serde(default = "one")]
    pub min: Whole<1, 10_000>,
    /// The most servers.
    pub max: Whole<1, 10_000>,
    /// How often it looks. (Kubernetes: every 15 s.)
    #[serde(default = "interval")]
    pub interval: Duration,
    /// How long after any change, and after the start, no server is taken out. (Kubernetes: 5 min.)
    #[serde(default = "cool_down")]
    pub cool_down: Pause,
    /// How long a server that leaves may take to let its users go.
    #[serde(default = "nothing")]
    pub drain: Pause,
    /// Which servers leave first.
    #[serde(default = "newest")]
    pub first: First,
}

impl Scenario {
    /// Slots that there may be in the end, with those that are retired by then.
    #[must_use]
    pub fn most_slots(&self) -> u64 {
        let kinds = || self.faults.iter().filter_map(Fault::what);
        let sizes =
            kinds().filter_map(|kind| if let FaultKind::Scale(scale) = kind { Some(scale.to.get()) } else { None });
        let most = sizes.clone().chain(self.autoscaler.map(|autoscaler| autoscaler.max.get()));
        let most = most.fold(self.servers.count.get(), u64::max);
        let anew = |deploy: &Deploy| deploy.surge() > 0 || deploy.strategy == Strategy::BlueGreen;
        let deploys = kinds().filter(|kind| matches!(kind, FaultKind::Deploy(deploy) if anew(deploy))).count() as u64;
        // Nobody knows how often an autoscaler goes up and down.
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
    /// How many new servers may run beside the old ones.
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

/// `scale = 6`, or a table.
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

/// A change of the pool's size as it is written: a number of servers, or a table with more.
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
