//! Random faults must not strike too often.

use std::collections::BTreeSet;

use super::{Checked, distribution, line, mean, wrong_but};
use crate::scenario::{RandomFaults, Scenario, thousands};

/// Most random faults in a run, on average.
const MOST: u32 = 10_000;

pub(super) fn random_faults(scenario: &Scenario) -> Checked {
    let mut names: BTreeSet<&String> = scenario.faults.iter().filter_map(|fault| fault.name.as_ref()).collect();
    for (i, faults) in scenario.random_faults.iter().enumerate() {
        let path = format!("random_faults[{i}]");
        if let Some(name) = &faults.name {
            line(&format!("{path}.name"), name)?;
            if !names.insert(name) {
                let help = "patches refer to faults by name: give each its own";
                return wrong_but(format!("{path}.name"), format!("two faults are named `{name}`"), help);
            }
        }
        repairs(&path, faults)?;
        how_often(&path, faults, scenario)?;
    }
    Ok(())
}

fn repairs(path: &str, faults: &RandomFaults) -> Checked {
    for (key, dist) in [("replace_after", &faults.replace_after), ("restart_after", &faults.restart_after)] {
        if let Some(dist) = dist {
            distribution(&format!("{path}.{key}"), dist)?;
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
    distribution(&format!("{path}.{key}"), between)?;
    let expected = scenario.duration.get().as_secs_f64() * servers as f64 / mean(between);
    if expected <= f64::from(MOST) {
        return Ok(());
    }
    let message = "these are too many random faults";
    wrong_but(format!("{path}.{key}"), message, format!("at most {} in a run", thousands(u64::from(MOST))))
}
