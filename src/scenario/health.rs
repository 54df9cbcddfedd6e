//! How the balancer finds out who is alive.

use serde::Deserialize;

use super::{Duration, Time, Whole};
use crate::base::time::Span;

/// Active health checks. The defaults are HAProxy's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Keys")]
pub struct Health {
    /// Between two checks of one server.
    pub interval: Duration,
    /// How long a check waits for its answer.
    pub timeout: Duration,
    /// So many failures in a row: down.
    pub fall: Whole<1, 100>,
    /// So many successes in a row: up.
    pub rise: Whole<1, 100>,
}

/// Active health checks as a scenario writes them: those of a product, and what is different.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Health"))]
#[serde(deny_unknown_fields, default)]
pub(super) struct Keys {
    /// Whose defaults hold for the keys that are not given here; HAProxy's when absent.
    preset: Preset,
    /// Between two checks of one server.
    interval: Option<Duration>,
    /// How long a check waits for its answer.
    timeout: Option<Duration>,
    /// So many failures in a row: down.
    fall: Option<Whole<1, 100>>,
    /// So many successes in a row: up.
    rise: Option<Whole<1, 100>>,
}

/// Whose health checks, with their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// HAProxy: every 2 s, waiting 2 s; down after 3, up after 2. A dead process is noticed after 4 to 6 s.
    #[default]
    Haproxy,
    /// A target group of an AWS Application Load Balancer: every 30 s, waiting 5 s; unhealthy after 2, healthy after 5.
    /// A dead process is noticed after 30 to 60 s.
    Alb,
    /// A Kubernetes readiness probe: every 10 s, waiting 1 s; down after 3, up after 1. A dead process is noticed after
    /// 20 to 30 s.
    Kubernetes,
}

impl Health {
    /// The health checks of a product as it comes.
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
        let Health { interval, timeout, fall, rise } = Health::of(keys.preset);
        Health {
            interval: keys.interval.unwrap_or(interval),
            timeout: keys.timeout.unwrap_or(timeout),
            fall: keys.fall.unwrap_or(fall),
            rise: keys.rise.unwrap_or(rise),
        }
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Health {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Keys::schema_name()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Keys::json_schema(generator)
    }
}
