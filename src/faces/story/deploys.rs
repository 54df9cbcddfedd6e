//! The effects of deploys and changes of the pool's size on servers in a user's story.

use super::Line;
use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::words::plural;
use crate::base::{ServerId, ServerState};
use crate::faces::text::clean;
use crate::faces::timeline::deed;
use crate::history::{EventKind, Inside, PoolEvent};
use crate::operations::faults::{FaultKind, in_words, kinds, of_run, timeline};
use crate::results::{Tape, VariantReport};

/// A line for the start of a plan, which may last, and cost carts later.
pub(super) fn begins(fault: u32, at: Instant, variant: &VariantReport, tape: &Tape) -> Line {
    let Some(known) = known(fault, variant, tape) else {
        return Line::Broke(at, "the pool changes".into());
    };
    let strike = variant.runs.first().and_then(|run| run.strike(fault));
    let deed = deed(&known);
    Line::Broke(
        at,
        match strike.map_or(0, |strike| strike.lost_of_open) {
            0 => deed,
            #[expect(clippy::cast_precision_loss, reason = "a number of carts")]
            gone => format!("{deed}: {} open now will be gone", plural(gone as f64, "cart", "carts")),
        },
    )
}

/// What a fault does, with the scenario's names: a written one, an injected one or a random one.
pub(super) fn known(fault: u32, variant: &VariantReport, tape: &Tape) -> Option<FaultKind<String, String>> {
    let written = kinds(&variant.scenario).into_iter().nth(fault as usize);
    let injected = || tape.injected(fault).map(|injected| injected.kind);
    let seed = variant.runs.first().map(|run| Seed(run.seed));
    let random = || Some(of_run(&variant.scenario, seed?).get(fault as usize)?.kind);
    written.or_else(|| injected().or_else(random).map(|kind| in_words(kind, &variant.scenario)))
}

/// A line for what a plan does to a server that this user has met.
pub(super) fn concerns(
    event: PoolEvent,
    at: Instant,
    met: impl Fn(ServerId) -> bool,
    variant: &VariantReport,
    tape: &Tape,
) -> Option<Line> {
    match event {
        PoolEvent::Turned { server, state: ServerState::Draining } if met(server) => {
            Some(Line::Broke(at, format!("{server} is drained: no new users")))
        }
        PoolEvent::Turned { server, state: ServerState::Terminating } if met(server) => {
            Some(Line::Broke(at, format!("{server} leaves: no new requests")))
        }
        PoolEvent::Believed { server, up: true } if server.0 >= variant.scenario.servers_at_first() => {
            Some(Line::Broke(at, format!("{server} is new and takes requests now")))
        }
        PoolEvent::Stopped { server, fault, .. } if met(server) => {
            let who = who(fault, variant, tape);
            let this_too = if killed(fault, tape) { ": its carts are gone, this one too" } else { "" };
            Some(Line::Broke(at, format!("{who} stops {server}{this_too}")))
        }
        _ => None,
    }
}

/// The name of the plan.
fn who(fault: u32, variant: &VariantReport, tape: &Tape) -> String {
    let index = fault as usize;
    let name = match (variant.scenario.faults.get(index), tape.injected(fault)) {
        (Some(known), _) => known.name.clone(),
        (None, Some(injected)) => Some(injected.name.clone()),
        (None, None) => timeline(&variant.scenario).into_iter().nth(index).map(|planned| planned.name),
    };
    name.map_or("the operator".into(), |name| clean(&name))
}

/// Whether this visit's cart was lost because of the fault.
fn killed(fault: u32, tape: &Tape) -> bool {
    tape.events.iter().any(|event| match event.what {
        EventKind::Inside(_, Inside::Served(served)) => served.evidence.killed_by == Some(fault),
        _ => false,
    })
}
