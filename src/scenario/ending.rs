//! A run must leave something to measure, and it must end.

use super::violation::{Checked, wrong_but};
use super::{Fault, FaultKind, Scenario, Whole};
use crate::base::time::Span;

const MOST_REQUESTS: f64 = 1e11;

/// Whether the warm-up leaves anything to measure.
pub(super) fn check_warm_up(scenario: &Scenario) -> Checked {
    let (duration, Some(warm_up)) = (scenario.duration.get(), scenario.warm_up) else { return Ok(()) };
    if warm_up.get() < duration {
        return Ok(());
    }
    let message = format!("after a warm-up of {} nothing of {duration} is left to measure", warm_up.get());
    wrong_but("warm_up", message, "a tenth of `duration` is usual")
}

/// Whether the run ends: no user may retry forever without time passing.
#[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
pub(super) fn check(scenario: &Scenario) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    let Some(people) = scenario.users.people() else { return Ok(()) };
    let joining = |fault: &Fault| if let Ok(FaultKind::Join(join)) = fault.kind { join.to } else { None };
    let joining = scenario.faults.iter().filter_map(joining).map(Whole::get).max();
    let people = people.max(joining.unwrap_or(0));
    let think = scenario.users.think.mean_seconds();
    if think == 0.0 && scenario.users.pause.get() == Span::ZERO {
        let message =
            "users who neither think nor pause would retry forever at the same moment when a server refuses them";
        return wrong_but("users.pause", message, "a pause of 1ms is enough");
    }
    let activity = scenario.users.heavy.as_ref().map_or(1, |heavy| heavy.activity.get() * heavy.parallel.get());
    let step = think / activity as f64 + scenario.servers.service.mean_seconds();
    let requests = people as f64 * seconds / step;
    if requests <= MOST_REQUESTS {
        return Ok(());
    }
    let message = "a step of a visit takes so little time that this run would never end";
    wrong_but("users.think", message, "give users time to think, or servers time to work")
}
