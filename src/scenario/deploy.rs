//! Deploys: a new version of the shop on every server.

use std::fmt;

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{Drain, Pause, Scenario, Whole, drain};

/// A deploy: all servers get a new version of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// In what order servers are replaced.
    #[serde(default = "rolling")]
    pub strategy: Strategy,
    /// How a server is drained before it is stopped. `"0s"`: it is stopped at once, without notice to the balancer.
    #[serde(default, deserialize_with = "drain::read")]
    #[cfg_attr(feature = "cli", schemars(with = "drain::Written", extend("default" = "0s")))]
    pub drain: Drain,
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
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

fn rolling() -> Strategy {
    Strategy::Rolling
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

/// `rolling deploy, 30 s to drain`
impl fmt::Display for Deploy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.strategy {
            Strategy::Rolling => "rolling deploy",
            Strategy::AllAtOnce => "deploy, all at once",
            Strategy::BlueGreen => "blue-green deploy",
        })?;
        if self.surge() > 0 {
            write!(f, ", {} spare", self.surge())?;
        }
        if self.drain.happens() {
            write!(f, ", {}", self.drain)?;
        }
        Ok(())
    }
}

/// A deploy must be able to begin, and to end in time.
pub(super) fn check(path: &str, at: Pause, deploy: &Deploy, scenario: &Scenario) -> Checked {
    for (key, given) in [("surge", deploy.surge.is_some()), ("unavailable", deploy.unavailable.is_some())] {
        if given && deploy.strategy != Strategy::Rolling {
            let help = "all-at-once and blue-green have no steps: leave it out (a variant can do `without` it), or use the \
                        strategy \"rolling\"";
            return wrong_but(format!("{path}.{key}"), format!("`{key}` is for rolling deploys"), help);
        }
    }
    if deploy.strategy == Strategy::Rolling && deploy.surge() == 0 && deploy.unavailable() == 0 {
        let message = "no server may be added and none may be missing: this deploy could not begin";
        return wrong_but(path, message, "say `surge = 1` or `unavailable = 1`");
    }
    if deploy.in_place && (deploy.surge() > 0 || deploy.strategy == Strategy::BlueGreen) {
        let help = "leave `in_place` out: new servers beside the old ones need their own hosts";
        return wrong_but(format!("{path}.in_place"), "two processes cannot run in the same place at once", help);
    }
    drain::check(&format!("{path}.drain"), deploy.drain, at.get(), scenario)
}
