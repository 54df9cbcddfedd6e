//! Settings that make no sense on a serverless platform.

use super::{Checked, wrong_but};
use crate::scenario::{Affinity, FaultKind, Scenario, Target};

pub(super) fn serverless(scenario: &Scenario) -> Checked {
    if scenario.serverless.is_none() {
        return Ok(());
    }
    if scenario.balancer.affinity != Affinity::None {
        let help = "leave `balancer.affinity` out: serverless platforms have no sticky sessions";
        return wrong_but("balancer.affinity", "no cookie can bind a user to an instance: the platform chooses", help);
    }
    for (i, fault) in scenario.faults.iter().enumerate() {
        let Ok(kind) = &fault.kind else { continue };
        let (what, help) = match kind.target() {
            // A server that is cut off is refused together with all else that copies and moves need.
            _ if matches!(kind, FaultKind::Isolate { .. }) => continue,
            Target::Server(_) | Target::Region(_) => (
                "instances come and go, so a fault cannot name one",
                "leave this fault out; `evicted_after` makes the platform evict instances",
            ),
            Target::Pool => {
                ("only the platform starts and stops instances", "leave it out: instances start when they are needed")
            }
            Target::Store | Target::Users | Target::Carts => continue,
        };
        return wrong_but(format!("faults[{i}].{}", kind.key()), what, help);
    }
    for (path, is_given) in
        [("autoscaler", scenario.autoscaler.is_some()), ("random_faults", !scenario.random_faults.is_empty())]
    {
        if is_given {
            let help = "leave it out: the platform starts instances, and `evicted_after` makes it evict them";
            return wrong_but(path, "only the platform starts and stops instances", help);
        }
    }
    Ok(())
}
