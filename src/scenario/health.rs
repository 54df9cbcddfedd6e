//! Active health checks.

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{Duration, Scenario, Time, Whole};
use crate::base::time::Span;

const MOST_CHECKS: f64 = 1e10;

/// Active health checks. The defaults are HAProxy's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Keys")]
pub struct Health {
    /// The time between two checks of one server.
    pub interval: Duration,
    /// How long a check waits for its response.
    pub timeout: Duration,
    /// After this many failures in a row the server is down.
    pub fall: Whole<1, 100>,
    /// After this many successes in a row the server is up.
    pub rise: Whole<1, 100>,
    /// The product whose defaults apply to what the scenario does not give.
    pub preset: Preset,
}

/// Active health checks as a scenario writes them: a product's defaults, and what differs from them.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Health"))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Keys {
    /// The product whose defaults apply to the keys that are not given here; HAProxy when absent.
    preset: Preset,
    /// The time between two checks of one server.
    interval: Option<Duration>,
    /// How long a check waits for its response.
    timeout: Option<Duration>,
    /// After this many failures in a row the server is down.
    fall: Option<Whole<1, 100>>,
    /// After this many successes in a row the server is up.
    rise: Option<Whole<1, 100>>,
}

/// The product whose health-check defaults are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// HAProxy: every 2 s, timeout 2 s; down after 3 failures, up after 2 successes. Detects a dead process in 4 to 6
    /// s.
    #[default]
    Haproxy,
    /// A target group of an AWS Application Load Balancer: every 30 s, timeout 5 s; unhealthy after 2 failures, healthy
    /// after 5 successes. Detects a dead process in 30 to 60 s.
    Alb,
    /// A Kubernetes readiness probe: every 10 s, timeout 1 s; down after 3 failures, up after 1 success. Detects a
    /// dead process in 20 to 30 s.
    Kubernetes,
}

impl Health {
    /// The default health checks of a product.
    #[must_use]
    pub const fn of(preset: Preset) -> Health {
        let (interval, timeout, fall, rise) = match preset {
            Preset::Haproxy => (2, 2, 3, 2),
            Preset::Alb => (30, 5, 2, 5),
            Preset::Kubernetes => (10, 1, 3, 1),
        };
        Health {
            interval: Time::of(Span::from_secs(interval)),
            timeout: Time::of(Span::from_secs(timeout)),
            fall: Whole::of(fall),
            rise: Whole::of(rise),
            preset,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        Health::of(Preset::default())
    }
}

impl From<Keys> for Health {
    fn from(keys: Keys) -> Health {
        let Health { interval, timeout, fall, rise, preset } = Health::of(keys.preset);
        Health {
            interval: keys.interval.unwrap_or(interval),
            timeout: keys.timeout.unwrap_or(timeout),
            fall: keys.fall.unwrap_or(fall),
            rise: keys.rise.unwrap_or(rise),
            preset,
        }
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Health {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Keys::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = Keys::json_schema(generator);
        let [haproxy, alb, kubernetes] = [Preset::Haproxy, Preset::Alb, Preset::Kubernetes].map(Health::of);
        let each = |of: fn(&Health) -> String| {
            let [haproxy, alb, kubernetes] = [&haproxy, &alb, &kubernetes].map(of);
            format!("{haproxy} (HAProxy), {alb} (ALB) or {kubernetes} (Kubernetes), by `preset`")
        };
        for (key, default) in [
            ("interval", each(|health| health.interval.get().to_string())),
            ("timeout", each(|health| health.timeout.get().to_string())),
            ("fall", each(|health| health.fall.get().to_string())),
            ("rise", each(|health| health.rise.get().to_string())),
        ] {
            if let Some(shape) = schema.pointer_mut(&format!("/properties/{key}")) {
                shape["x-default"] = default.into();
            }
        }
        schema
    }
}

/// A simulation must not be busy with health checks only.
#[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
pub(super) fn check(scenario: &Scenario) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    let interval = scenario.balancer.health.interval.get().as_secs_f64();
    if scenario.servers.count.get() as f64 * seconds / interval > MOST_CHECKS {
        let help = "HAProxy checks every 2s";
        return wrong_but("balancer.health.interval", "simulating so many health checks would take forever", help);
    }
    Ok(())
}
