//! Figures of deploys and of changes of the pool's size.

use super::{DeployFigures, Keyed, Scaling};
use crate::base::time::Instant;
use crate::judging::meter::ServerLifetime;
use crate::judging::observer::{Observer, OperationCost};
use crate::operations::faults::{Fault, FaultKind};

/// What each deploy that began cost, in a shop that was open until a moment.
pub(super) fn deploys(observer: &Observer, until: Instant, faults: &[Fault]) -> Keyed<DeployFigures> {
    let deploy = |(index, fault): (u32, &'_ Fault)| {
        let cost = observer.operations.cost_until(index, until)?;
        let ended = cost.finished.unwrap_or(until.max(cost.began));
        let figures = DeployFigures {
            at_s: cost.began.since_start().as_secs_f64(),
            took_s: (ended - cost.began).as_secs_f64(),
            finished: cost.finished.is_some(),
            cut_off_users: cost.cut_off_users,
            cut_requests: cost.cut_requests,
            capacity_lost: cost.capacity_lost.as_secs_f64(),
        };
        Some((fault.name.clone(), figures))
    };
    let all = (0u32..).zip(faults).filter(|(_, fault)| matches!(fault.kind, FaultKind::Deploy(_)));
    all.filter_map(deploy).collect()
}

/// What each change of the pool's size cost.
pub(super) fn scaling(observer: &Observer, faults: &[Fault]) -> Keyed<Scaling> {
    let scaling = |(index, fault): (u32, &Fault)| {
        let OperationCost { stopped, cut_off_users, cut_requests, .. } =
            observer.operations.cost(index).unwrap_or_default();
        (fault.name.clone(), Scaling { taken_out: stopped, cut_off_users, cut_requests })
    };
    (0u32..).zip(faults).filter(|(_, fault)| fault.kind.changes_size()).map(scaling).collect()
}

/// The maximum number of servers paid for at once; `None` if nothing could change the pool's size.
pub(super) fn most_servers(observer: &Observer, faults: &[Fault]) -> Option<u64> {
    faults.iter().any(|fault| fault.kind.changes_size()).then(|| most_at_once(&observer.meter.lifetimes))
}

/// The maximum number of servers that were present at the same time.
fn most_at_once(lifetimes: &[ServerLifetime]) -> u64 {
    let mut changes: Vec<(Instant, i64)> = Vec::new();
    for lifetime in lifetimes {
        changes.extend(lifetime.begins().map(|at| (at, 1)));
        changes.extend(lifetime.ends().map(|at| (at, -1)));
    }
    // At the same moment, departures come before arrivals.
    changes.sort_unstable();
    let mut now = 0;
    let most = changes.iter().map(|(_, change)| {
        now += change;
        now
    });
    u64::try_from(most.max().unwrap_or(0)).unwrap_or(0)
}
