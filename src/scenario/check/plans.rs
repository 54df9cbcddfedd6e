//! Deploys, changes of the pool's size, an autoscaler and users who join: each must be able to begin, and to end in
//! time.

use super::{Checked, MOST_WORKERS, wrong, wrong_but};
use crate::base::time::Span;
use crate::scenario::{Deploy, FaultKind, Join, Pause, Scale, Scenario, Strategy, thousands};

const MOST_PEOPLE: u64 = 10_000_000;

/// Checks one fault that is a deploy or a change of the pool's size.
pub(super) fn plan<S, R>(path: &str, at: Pause, kind: &FaultKind<S, R>, scenario: &Scenario) -> Checked {
    if let FaultKind::Deploy(deploy) = kind {
        self::deploy(path, deploy)?;
        drain(&format!("{path}.drain"), deploy.drain, at.get(), scenario)?;
    }
    if let FaultKind::Scale(scale) = kind {
        self::scale(path, scale, scenario)?;
        drain(&format!("{path}.drain"), scale.drain, at.get(), scenario)?;
    }
    Ok(())
}

fn deploy(path: &str, deploy: &Deploy) -> Checked {
    for (key, given) in [("surge", deploy.surge.is_some()), ("unavailable", deploy.unavailable.is_some())] {
        if given && deploy.strategy != Strategy::Rolling {
            let help = "all-at-once and blue-green have no steps: leave it out, or use the strategy \"rolling\"";
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
    Ok(())
}

fn scale(path: &str, scale: &Scale, scenario: &Scenario) -> Checked {
    if scale.to.get() == 0 {
        let help = "keep at least one server; `serverless` platforms scale to zero";
        return wrong_but(path, "with 0 servers nobody would ever answer", help);
    }
    workers(path, scale.to.get(), scenario)
}

fn workers(path: &str, servers: u64, scenario: &Scenario) -> Checked {
    if servers * scenario.servers.workers.get() <= MOST_WORKERS {
        return Ok(());
    }
    let each = thousands(scenario.servers.workers.get());
    wrong(
        path,
        format!(
            "{} servers with {each} workers each are too many: at most a million workers in all",
            thousands(servers)
        ),
    )
}

fn drain(path: &str, drain: Pause, from: Span, scenario: &Scenario) -> Checked {
    let closes = scenario.duration.get();
    if drain.get() == Span::ZERO || from + drain.get() < closes {
        return Ok(());
    }
    let message = format!("this drain could take longer than the run: the shop closes at {closes}");
    wrong_but(path, message, "shorten the drain, start earlier, or make `duration` longer")
}

/// Checks all faults that add users, in the order of their times.
pub(super) fn joins(scenario: &Scenario) -> Checked {
    let mut joins: Vec<(usize, Span, &Join)> = Vec::new();
    for (i, fault) in scenario.faults.iter().enumerate() {
        if let Ok(FaultKind::Join(join)) = &fault.kind {
            joins.push((i, fault.at.get(), join));
        }
    }
    joins.sort_by_key(|(i, at, _)| (*at, *i));
    let mut people = scenario.users.people();
    for (i, _, join) in joins {
        let path = format!("faults[{i}].join");
        match (&mut people, join.to, join.rate_to) {
            (Some(_), None, _) => {
                return wrong_but(path, "the new number of users is missing", "write `to = 600`");
            }
            (None, _, None) => {
                let help = "these users arrive at a `rate`: write `rate_to = 20`";
                return wrong_but(path, "the new rate is missing", help);
            }
            (Some(people), Some(to), _) if to.get() <= *people => {
                let message =
                    format!("there are {} users by then: {} are not more", thousands(*people), thousands(to.get()));
                let help = "`to` is the total, including users who are already there, and it can only grow";
                return wrong_but(format!("{path}.to"), message, help);
            }
            (Some(_), Some(to), _) if to.get() > MOST_PEOPLE => {
                return wrong(format!("{path}.to"), "there can be at most 10 million users");
            }
            (Some(people), Some(to), _) => *people = to.get(),
            (None, _, Some(_)) => {}
        }
    }
    Ok(())
}

/// Checks the autoscaler.
pub(super) fn autoscaler(scenario: &Scenario) -> Checked {
    let Some(autoscaler) = &scenario.autoscaler else { return Ok(()) };
    if autoscaler.target.get() > 1.0 {
        return wrong_but("autoscaler.target", "workers cannot be busy more than all the time", "0.6 aims at 60 %");
    }
    let (min, max, count) = (autoscaler.min.get(), autoscaler.max.get(), scenario.servers.count.get());
    if min > max {
        let message = format!("`min` ({}) is larger than `max` ({})", thousands(min), thousands(max));
        return wrong_but("autoscaler.min", message, "`min` is the fewest servers, `max` the most");
    }
    if !(min..=max).contains(&count) {
        let message = format!("the run begins with {} servers", thousands(count));
        let help = "`servers.count` must lie between `autoscaler.min` and `autoscaler.max`";
        return wrong_but(if count < min { "autoscaler.min" } else { "autoscaler.max" }, message, help);
    }
    workers("autoscaler.max", max, scenario)
}
