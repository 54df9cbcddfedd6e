//! The figures of a platform's instances: how many there were, how often they were started, and what is billed.

use super::ServerlessFigures;
use crate::base::ServerState;
use crate::base::time::{Instant, Span};
use crate::judging::meter::Meter;
use crate::scenario::Scenario;

/// The figures of a serverless scenario that was open until a moment; `None` for others.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share")]
pub fn figures(meter: &Meter, scenario: &Scenario, until: Instant) -> Option<ServerlessFigures> {
    let rules = scenario.serverless.as_ref()?;
    let turns = || meter.lifetimes.iter().flat_map(crate::judging::meter::ServerLifetime::turns);
    let cold_starts = turns().filter(|(_, state)| *state == ServerState::Booting).count() as u64;
    let while_open = turns().filter(|(at, state)| *state == ServerState::Booting && *at < until).count() as u64;
    let served: u64 = meter.work.iter().map(|work| work.requests).sum();
    let sum = |spans: &mut dyn Iterator<Item = Span>| spans.fold(Span::ZERO, |sum, span| sum + span).as_secs_f64();
    let busy = sum(&mut meter.work.iter().map(|work| work.busy_while_open));
    let there = sum(&mut meter.lifetimes.iter().map(|lifetime| lifetime.paid(Instant::ZERO, until)));
    let billed = busy + (rules.cold_start.get() * while_open).as_secs_f64();
    let open = until.since_start().as_secs_f64().max(1e-9);
    Some(ServerlessFigures {
        cold_starts,
        cold_share: (served > 0).then(|| cold_starts as f64 / served as f64),
        most_at_once: most_at_once(turns().collect()),
        mean_instances: there / open,
        mean_billed: billed / open,
    })
}

/// The maximum number of simultaneous instances, whether starting, busy or idle.
fn most_at_once(mut turns: Vec<(Instant, ServerState)>) -> u64 {
    // At the same moment, departures come before arrivals.
    turns.sort_by_key(|(at, state)| (*at, *state != ServerState::Retired));
    let (mut running, mut most) = (0u64, 0);
    for (_, state) in turns {
        match state {
            ServerState::Booting => running += 1,
            ServerState::Retired => running = running.saturating_sub(1),
            _ => {}
        }
        most = most.max(running);
    }
    most
}
