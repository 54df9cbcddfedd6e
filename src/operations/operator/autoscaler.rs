//! Computes how many servers there should be, like the Kubernetes autoscaler.

use crate::balancing::pool::Pool;
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{self, Scale, Whole};

/// A deviation from the target of up to this many percent changes nothing.
const TOLERANCE: u128 = 10;
/// Targets are counted in billionths.
const BILLION: u128 = 1_000_000_000;

/// Looks at the load at intervals, and decides how many servers there should be.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    rules: scenario::Autoscaler,
    /// The target utilisation, in billionths.
    target: u128,
    workers: u32,
    looked: Instant,
    /// By server, at the last look: the process that took requests, and how long its workers had been busy.
    seen: Vec<Option<(ProcessId, Span)>>,
    acted: Instant,
}

impl Autoscaler {
    /// An autoscaler that has not looked yet, for servers with this many workers.
    #[must_use]
    pub fn new(rules: scenario::Autoscaler, workers: u32, now: Instant, pool: &Pool) -> Autoscaler {
        let target = u128::from(rules.target.billionths());
        let mut autoscaler = Autoscaler { rules, target, workers, looked: now, seen: Vec::new(), acted: now };
        autoscaler.remember(now, pool, &mut |_| Span::ZERO);
        autoscaler
    }

    /// The time between two looks.
    #[must_use]
    pub fn interval(&self) -> Span {
        self.rules.interval.get()
    }

    /// Its decision was carried out.
    pub fn acted(&mut self, now: Instant) {
        self.acted = now;
    }

    /// Decides on a change. Only servers that took requests during the whole time since the last look count; `staying`
    /// lists those that are not about to be removed.
    pub fn look(
        &mut self,
        now: Instant,
        pool: &Pool,
        staying: &[ServerId],
        worked: &mut dyn FnMut(ServerId) -> Span,
    ) -> Option<Scale> {
        let mut busy = Span::ZERO;
        let mut steady = 0u64;
        for server in staying {
            let before = self.seen.get(server.index()).copied().flatten();
            if let Some((process, before)) = before
                && serves(pool, *server) == Some(process)
            {
                steady += 1;
                busy += Span::from_nanos(worked(*server).as_nanos().saturating_sub(before.as_nanos()));
            }
        }
        let window = now - self.looked;
        self.remember(now, pool, worked);
        let desired = self.desired(busy, steady, window)?;
        let all_steady = steady == staying.len() as u64;
        let cool = now >= self.acted + self.rules.cool_down.get();
        let have = staying.len() as u64;
        let to = desired.clamp(self.rules.min.get(), self.rules.max.get());
        let wanted = to > have || (to < have && all_steady && cool);
        let to = Whole::new(to).filter(|_| wanted)?;
        Some(Scale { to, drain: self.rules.drain, first: self.rules.first })
    }

    /// `ceil(servers x utilisation / target)`; `None` if that is within the tolerance, or if nothing is known.
    fn desired(&self, busy: Span, steady: u64, window: Span) -> Option<u64> {
        let busy = u128::from(busy.as_nanos()) * BILLION;
        let one = u128::from(window.as_nanos()) * u128::from(self.workers) * self.target;
        let aim = one * u128::from(steady);
        if aim == 0 || busy.abs_diff(aim) * 100 <= aim * TOLERANCE {
            return None;
        }
        u64::try_from(busy.div_ceil(one)).ok()
    }

    fn remember(&mut self, now: Instant, pool: &Pool, worked: &mut dyn FnMut(ServerId) -> Span) {
        self.looked = now;
        self.seen.clear();
        self.seen.extend(pool.servers().map(|server| serves(pool, server).map(|process| (process, worked(server)))));
    }
}

/// The process in a slot that takes the requests of new users.
fn serves(pool: &Pool, server: ServerId) -> Option<ProcessId> {
    let up = pool.as_planned(server) == ServerState::Up;
    up.then(|| pool.process_on(server))
}
