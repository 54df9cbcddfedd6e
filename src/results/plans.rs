//! Figures of deploys and of changes of the pool's size.

use super::{DeployFigures, Scaling};
use crate::base::time::Instant;
use crate::faults::{Fault, FaultKind};
use crate::judging::meter::ServerLifetime;
use crate::judging::observer::{Cost, Observer};
use crate::scenario::Scenario;

/// What each deploy that began took and cost.
pub(super) fn deploys(observer: &Observer, scenario: &Scenario, faults: &[Fault]) -> Vec<DeployFigures> {
    let closes = Instant::ZERO + scenario.duration.get();
    (0u32..)
        .zip(faults)
        .filter(|(_, fault)| matches!(fault.kind, FaultKind::Deploy(_)))
        .filter_map(|(index, fault)| {
            let cost = observer.plans.cost_until(index, closes)?;
            let ended = cost.finished.unwrap_or(closes.max(cost.began));
            Some(DeployFigures {
                name: fault.name.clone(),
                at_s: cost.began.since_start().as_secs_f64(),
                took_s: (ended - cost.began).as_secs_f64(),
                finished: cost.finished.is_some(),
                cut_off_users: cost.cut_off_users,
                cut_requests: cost.cut_requests,
                capacity_lost: cost.capacity_lost.as_secs_f64(),
            })
        })
        .collect()
}

/// What changes of the pool's size cost; `None` when nothing could change it.
pub(super) fn scaling(observer: &Observer, faults: &[Fault]) -> Option<Scaling> {
    let scales = |kind| matches!(kind, FaultKind::Scale(_) | FaultKind::Autoscale);
    let indices: Vec<u32> = (0u32..).zip(faults).filter(|(_, fault)| scales(fault.kind)).map(|(i, _)| i).collect();
    if indices.is_empty() {
        return None;
    }
    let costs = || indices.iter().filter_map(|index| observer.plans.cost(*index));
    let sum = |of: fn(&Cost) -> u64| costs().map(|cost| of(&cost)).sum();
    Some(Scaling {
        most_servers: most_at_once(&observer.meter.lifetimes),
        taken_out: sum(|cost| cost.stopped),
        cut_off_users: sum(|cost| cost.cut_off_users),
        cut_requests: sum(|cost| cost.cut_requests),
    })
}

/// The most servers that were there at the same time.
fn most_at_once(lifetimes: &[ServerLifetime]) -> u64 {
    let mut changes: Vec<(Instant, i64)> = Vec::new();
    for lifetime in lifetimes {
        changes.extend(lifetime.begins().map(|at| (at, 1)));
        changes.extend(lifetime.ends().map(|at| (at, -1)));
    }
    // At the same moment those who go make room first.
    changes.sort_unstable();
    let mut now = 0;
    let most = changes.iter().map(|(_, change)| {
        now += change;
        now
    });
    u64::try_from(most.max().unwrap_or(0)).unwrap_or(0)
}
