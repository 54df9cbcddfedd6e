//! How a server leaves the pool: whom the balancer goes on sending there, and for how long the server waits.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::limits::no_time;
use super::violation::{Checked, wrong_but};
use super::{Pause, Scenario, Time};
use crate::base::time::Span;
use crate::base::words;

/// How a server is drained before it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Drain {
    /// How long it takes at most; `"0s"` for none. (The grace period of Kubernetes is 30 s, the deregistration delay of
    /// AWS ALB 300 s.)
    pub timeout: Pause,
    /// What it waits for.
    #[serde(rename = "for", default = "bound_users")]
    pub waits_for: DrainFor,
    /// For requests: how long the server goes on taking requests after it was told to stop, like a `preStop` hook of
    /// Kubernetes. It is part of the timeout.
    #[serde(default = "no_time")]
    pub pre_stop: Pause,
    /// For requests: how long it takes until the balancer learns that the server leaves. Until then it sends requests
    /// there. (In Kubernetes endpoints propagate within seconds.)
    #[serde(default = "no_time")]
    pub learns_after: Pause,
}

/// What a drain waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum DrainFor {
    /// Users whom a cookie binds to the server, who are served there until they leave. Without such a cookie: requests
    /// in flight. (HAProxy's `drain`.)
    BoundUsers,
    /// Requests in flight. Bound users are sent elsewhere at once. (Kubernetes, AWS ALB, Envoy.)
    Requests,
}

impl Default for Drain {
    fn default() -> Drain {
        Drain::from(no_time())
    }
}

/// A drain for bound users.
impl From<Pause> for Drain {
    fn from(timeout: Pause) -> Drain {
        Drain { timeout, waits_for: DrainFor::BoundUsers, pre_stop: no_time(), learns_after: no_time() }
    }
}

impl Drain {
    /// How long it takes at most.
    #[must_use]
    pub fn at_most(&self) -> Span {
        self.timeout.get()
    }

    /// Whether there is one at all.
    #[must_use]
    pub fn happens(&self) -> bool {
        self.at_most() > Span::ZERO
    }
}

/// `30 s to drain`
impl fmt::Display for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_most = words::span(self.at_most());
        match self.waits_for {
            DrainFor::BoundUsers => write!(f, "{at_most} to drain"),
            DrainFor::Requests => write!(f, "{at_most} for requests in flight"),
        }
    }
}

fn bound_users() -> DrainFor {
    DrainFor::BoundUsers
}

/// Reads `drain = "30s"`, or a table.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Drain, D::Error> {
    struct Shape;
    impl<'de> Visitor<'de> for Shape {
        type Value = Drain;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time, or a table such as { timeout = \"30s\", for = \"requests\" }")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<Drain, E> {
            Time::deserialize(serde::de::value::StrDeserializer::<E>::new(text)).map(Drain::from)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Drain, A::Error> {
            Drain::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(Shape)
}

/// A drain as written: a time, or a table with details.
#[cfg(feature = "cli")]
pub(super) struct Written;

/// The parts of a drain must fit together.
pub(super) fn check_parts(path: &str, drain: Drain) -> Checked {
    for (key, time) in [("pre_stop", drain.pre_stop), ("learns_after", drain.learns_after)] {
        if time.get() > Span::ZERO && drain.waits_for == DrainFor::BoundUsers {
            let message = format!("`{key}` is for drains that wait for requests in flight");
            let help = "leave it out, or say `for = \"requests\"`: a server that waits for its users is drained first";
            return wrong_but(format!("{path}.{key}"), message, help);
        }
    }
    if drain.waits_for == DrainFor::Requests && drain.pre_stop.get() >= drain.at_most() {
        let message = format!("no time is left for requests in flight: `timeout` is {}", drain.at_most());
        return wrong_but(path, message, "make `timeout` longer than `pre_stop`; Kubernetes allows 30 s in all");
    }
    Ok(())
}

/// A drain that begins then must end while the shop is open.
pub(super) fn check(path: &str, drain: Drain, from: Span, scenario: &Scenario) -> Checked {
    check_parts(path, drain)?;
    let closes = scenario.duration.get();
    if !drain.happens() || from + drain.at_most().max(drain.learns_after.get()) < closes {
        return Ok(());
    }
    let message = format!("this drain could take longer than the run: the shop closes at {closes}");
    wrong_but(path, message, "shorten the drain, start earlier, or make `duration` longer")
}
