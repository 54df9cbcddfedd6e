//! Settings that make no sense on a serverless platform.

use super::{Checked, wrong_but};
use crate::scenario::{Affinity, Scenario};

pub(super) fn serverless(scenario: &Scenario) -> Checked {
    if scenario.serverless.is_none() {
        return Ok(());
    }
    if scenario.balancer.affinity != Affinity::None {
        let help = "leave `balancer.affinity` out: serverless platforms have no sticky sessions";
        return wrong_but("balancer.affinity", "no cookie can bind a user to an instance: the platform chooses", help);
    }
    let named = |fault: &crate::scenario::Fault| {
        [
            ("crash", &fault.crash),
            ("restart", &fault.restart),
            ("replace", &fault.replace),
            ("vanish", &fault.vanish),
            ("slow", &fault.slow),
            ("failing", &fault.failing),
            ("region_outage", &fault.region_outage),
        ]
        .into_iter()
        .find(|(_, whom)| whom.is_some())
        .map(|(verb, _)| verb)
    };
    for (i, fault) in scenario.faults.iter().enumerate() {
        if let Some(verb) = named(fault) {
            let help = "leave this fault out; `evicted_after` makes the platform evict instances";
            return wrong_but(format!("faults[{i}].{verb}"), "instances come and go, so a fault cannot name one", help);
        }
    }
    for (i, fault) in scenario.faults.iter().enumerate() {
        for (verb, is_given) in [("deploy", fault.deploy.is_some()), ("scale", fault.scale.is_some())] {
            if is_given {
                let help = "leave it out: instances start when they are needed";
                return wrong_but(format!("faults[{i}].{verb}"), "only the platform starts and stops instances", help);
            }
        }
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
