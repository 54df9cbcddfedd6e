//! Random faults.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::violation::{Checked, Violation, found, line, wrong_but};
use super::{Dist, Scenario};
use crate::base::words::thousands;

/// Most random faults in a run, on average.
const MOST: u32 = 10_000;

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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The process dies; connections are refused at once.
    #[default]
    Crash,
    /// The host falls silent: it refuses nothing and answers nothing, so connections time out.
    Vanish,
}

/// Random faults must not strike too often.
pub(super) fn check(scenario: &Scenario) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut names: BTreeSet<&String> = scenario.faults.iter().filter_map(|fault| fault.name.as_ref()).collect();
    for (i, faults) in scenario.random_faults.iter().enumerate() {
        let path = format!("random_faults[{i}]");
        if let Some(name) = &faults.name {
            violations.extend(check_name(&path, name, &mut names).err());
        }
        violations.extend(found([repairs(&path, faults), how_often(&path, faults, scenario)]));
    }
    violations
}

/// A name is a line, and no two faults have the same.
pub(super) fn check_name<'a>(path: &str, name: &'a String, names: &mut BTreeSet<&'a String>) -> Checked {
    line(&format!("{path}.name"), name)?;
    if names.insert(name) {
        return Ok(());
    }
    let help = "patches refer to faults by name: give each its own";
    wrong_but(format!("{path}.name"), format!("two faults are named `{name}`"), help)
}

fn repairs(path: &str, faults: &RandomFaults) -> Checked {
    for (key, dist) in [("replace_after", &faults.replace_after), ("restart_after", &faults.restart_after)] {
        if let Some(dist) = dist {
            dist.check(&format!("{path}.{key}"))?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
fn how_often(path: &str, faults: &RandomFaults, scenario: &Scenario) -> Checked {
    let (key, between, servers) = match (&faults.every, &faults.mtbf) {
        (Some(every), _) => ("every", every, 1),
        (None, Some(mtbf)) => ("mtbf", mtbf, scenario.servers.count.get()),
        (None, None) => {
            let help = "`every = { constant = \"20s\" }` kills one server of the pool every 20 s, \
                        `mtbf = { exponential = \"10m\" }` each server every 10 minutes on average";
            return wrong_but(path, "these random faults do not say how often they strike", help);
        }
    };
    between.check(&format!("{path}.{key}"))?;
    let expected = scenario.duration.get().as_secs_f64() * servers as f64 / between.mean_seconds();
    if expected <= f64::from(MOST) {
        return Ok(());
    }
    let message = "these are too many random faults";
    wrong_but(format!("{path}.{key}"), message, format!("at most {} in a run", thousands(u64::from(MOST))))
}
