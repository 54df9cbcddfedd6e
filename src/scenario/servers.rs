//! The pool of servers.

use serde::Deserialize;

use super::violation::{Checked, wrong, wrong_but};
use super::{Dist, HiddenState, Pause, Scenario, Time, Whole};
use crate::base::time::Span;
use crate::base::words::{noun, thousands};

const MOST_WORKERS: u64 = 1_000_000;

/// The pool of servers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Servers {
    /// The number of servers at the start.
    pub count: Whole<1, 10_000>,
    /// How many requests each server works on at once.
    pub workers: Whole<1, 1_024>,
    /// How many more requests may wait; beyond that they are refused with 503.
    pub queue: Whole<0, 1_000_000>,
    /// The service time of a request, without the store.
    pub service: Dist,
    /// Weights for the policies that use them, server by server; servers that are not listed have weight 1.
    pub weights: Vec<Whole<1, 256>>,
    /// The time from the start of a process until it can answer.
    pub boot: Pause,
    /// The one thing that each server keeps in its own memory although the pool is supposed to be stateless.
    pub hidden: HiddenState,
}

impl Default for Servers {
    fn default() -> Self {
        Servers {
            count: Whole::of(3),
            workers: Whole::of(4),
            queue: Whole::of(1_000),
            service: Dist::Exponential(Time::of(Span::from_millis(20))),
            weights: Vec::new(),
            boot: Time::of(Span::from_secs(5)),
            hidden: HiddenState::None,
        }
    }
}

/// The pool must be manageable.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let servers = &scenario.servers;
    let (count, workers) = (servers.count.get(), servers.workers.get());
    if count * workers > MOST_WORKERS {
        let message = format!(
            "{} servers with {} workers each are too many: at most a million workers in all",
            thousands(count),
            thousands(workers)
        );
        return wrong("servers.workers", message);
    }
    if servers.weights.len() as u64 > count {
        let message = format!("{} weights for {count} {}", servers.weights.len(), noun(count, "server"));
        return wrong_but(format!("servers.weights[{count}]"), message, "servers that are not listed have weight 1");
    }
    Ok(())
}

/// So many servers must not have too many workers.
pub(super) fn check_workers(path: &str, servers: u64, scenario: &Scenario) -> Checked {
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
