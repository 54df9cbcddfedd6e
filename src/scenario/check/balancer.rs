//! Balancer settings that contradict each other.

use super::{Checked, wrong_but};
use crate::scenario::Scenario;

pub(super) fn balancer(scenario: &Scenario) -> Checked {
    bounded_load(scenario)?;
    slow_start(scenario)?;
    outlier(scenario)?;
    whose_choice(scenario)?;
    overdue(scenario)
}

/// Settings of the balancer make sense only if there is a balancer.
fn whose_choice(scenario: &Scenario) -> Checked {
    if scenario.serverless.is_none() {
        return Ok(());
    }
    let balancer = &scenario.balancer;
    let given = [
        ("answer_timeout", balancer.answer_timeout.is_some()),
        ("retry_budget", balancer.retry_budget.is_some()),
        ("outlier", balancer.outlier.is_some()),
        ("slow_start", balancer.slow_start.is_some()),
        ("panic_threshold", balancer.panic_threshold.is_some()),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((key, _)) => {
            wrong_but(format!("balancer.{key}"), "there is no balancer here: the platform chooses", "leave it out")
        }
    }
}

/// An answer timeout is not modelled between regions: a message on its way cannot be abandoned.
fn overdue(scenario: &Scenario) -> Checked {
    if scenario.balancer.answer_timeout.is_none() || scenario.regions.is_none() {
        return Ok(());
    }
    let message = "a balancer that does not wait for an answer is not modelled between regions";
    wrong_but("balancer.answer_timeout", message, "leave it out, or `regions`")
}

fn slow_start(scenario: &Scenario) -> Checked {
    if scenario.balancer.slow_start.is_none() || scenario.balancer.policy.warms_up() {
        return Ok(());
    }
    let message = "`slow_start` reduces the weight of a server that comes up, but this policy does not use weights";
    let help = "leave it out, or set `policy` to `weighted-round-robin`, `least-requests` or `power-of-two`";
    wrong_but("balancer.slow_start", message, help)
}

fn outlier(scenario: &Scenario) -> Checked {
    let Some(outlier) = &scenario.balancer.outlier else { return Ok(()) };
    let (first, longest) = (outlier.ejection.get(), outlier.longest.get());
    if longest < first {
        let message = format!("the first ejection ({first}) would be longer than the longest one ({longest})");
        return wrong_but("balancer.outlier.longest", message, "Envoy's defaults are 30s and 5m");
    }
    Ok(())
}

fn bounded_load(scenario: &Scenario) -> Checked {
    let balancer = &scenario.balancer;
    let Some(times) = balancer.bounded_load else { return Ok(()) };
    if !balancer.policy.hashes() {
        let message = "`bounded_load` limits what a hash policy gives one server, but this policy does not hash";
        let help = "leave it out, or set `policy` to `ip-hash`, `ring-hash`, `rendezvous` or `maglev`";
        return wrong_but("balancer.bounded_load", message, help);
    }
    if times.get() < 1.0 {
        let message =
            format!("{} times the fair share is less than the fair share: some requests could go nowhere", times.get());
        return wrong_but("balancer.bounded_load", message, "1 is perfectly even, 1.25 usual");
    }
    Ok(())
}
