//! What breaks at random.

use serde::Deserialize;

use super::Dist;

/// Servers that die at random times, and come back empty: one of the pool `every` so often, or each of them with a
/// mean time between failures (`mtbf`). The times are drawn against the clock; a server that is down already is spared.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RandomFaults {
    /// What patches and reports call them.
    pub name: Option<String>,
    /// How the servers die.
    #[serde(default)]
    pub how: How,
    /// From one to the next: each strikes one server of the pool, drawn at random.
    pub every: Option<Dist>,
    /// From one to the next of the same server: each server has its own.
    pub mtbf: Option<Dist>,
    /// An empty server on a new host is ready in the dead one's place after this long: the time to repair.
    pub replace_after: Option<Dist>,
    /// The process is ready again on the same host after this long. Without either it takes as long as a boot.
    pub restart_after: Option<Dist>,
}

impl RandomFaults {
    /// What reports call them.
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
    /// The host falls silent: nothing is refused and nothing is answered, until a timeout.
    Vanish,
}
