//! Random faults.

use serde::Deserialize;

use super::Dist;

/// Servers that die at random times and come back empty: one server of the pool `every` so often, or each server with
/// a mean time between failures (`mtbf`). The times are independent of the state of the pool; a server that is already
/// down is not affected.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// Their name in patches and reports.
    pub name: Option<String>,
    /// How the servers die.
    #[serde(default)]
    pub how: How,
    /// The time between two faults; each hits one server of the pool, drawn at random.
    pub every: Option<Dist>,
    /// The time between two faults of the same server; each server has its own sequence.
    pub mtbf: Option<Dist>,
    /// How long it takes until an empty server on a new host replaces the dead one.
    pub replace_after: Option<Dist>,
    /// How long it takes until the process is up again on the same host. With neither key, the time to boot.
    pub restart_after: Option<Dist>,
}

impl RandomFaults {
    /// Their name in reports.
    #[must_use]
    pub fn called(&self) -> &str {
        match (&self.name, self.how) {
            (Some(name), _) => name,
            (None, How::Crash) => "random crashes",
            (None, How::Vanish) => "random vanishings",
        }
    }
}

/// How a server dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The process dies; connections are refused at once.
    #[default]
    Crash,
    /// The host falls silent: it refuses nothing and answers nothing, so connections time out.
    Vanish,
}
