//! What a balancer cannot do all at once.

use super::{Checked, wrong_but};
use crate::scenario::Scenario;

pub(super) fn balancer(scenario: &Scenario) -> Checked {
    bounded_load(scenario)
}

fn bounded_load(scenario: &Scenario) -> Checked {
    let balancer = &scenario.balancer;
    let Some(times) = balancer.bounded_load else { return Ok(()) };
    if !balancer.policy.hashes() {
        let message = "`bounded_load` bounds what a hash policy gives one server; this policy does not hash";
        let help = "leave it out, or let `policy` be `ip-hash`, `ring-hash`, `rendezvous` or `maglev`";
        return wrong_but("balancer.bounded_load", message, help);
    }
    if times.get() < 1.0 {
        let message =
            format!("{} times the fair share is less than that share: somebody must have the rest", times.get());
        return wrong_but("balancer.bounded_load", message, "1 is perfectly even, 1.25 usual");
    }
    Ok(())
}
