//! How many servers there should be, as the autoscaler of Kubernetes reckons.

use crate::balancing::pool::Pool;
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{self, Scale, Whole};

/// Utilisation this close to the target, in percent of it, changes nothing.
const TOLERANCE: u128 = 10;
/// Targets are counted in billionths.
const BILLION: u128 = 1_000_000_000;

/// Looks at the load now and then, and says how many servers there should be.
#[derive(Clone, Debug)]
pub struct Autoscaler {
    rules: scenario::Autoscaler,
    /// The utilisation it aims at, in billionths.
    target: u128,
    workers: u32,
    looked: Instant,
    /// By server, at the last look: the life that took requests, and how long its workers had been busy.
    seen: Vec<Option<(ProcessId, Span)>>,
    acted: Instant,
}

impl Autoscaler {
    /// One that has not looked yet, for servers with so many workers.
    #[must_use]
    pub fn new(rules: scenario::Autoscaler, workers: u32, now: Instant, pool: &Pool) -> Autoscaler {
        let target = u128::from(rules.target.billionths());
        let mut autoscaler = Autoscaler { rules, target, workers, looked: now, seen: Vec::new(), acted: now };
        autoscaler.remember(now, pool, &mut |_| Span::ZERO);
        autoscaler
    }

    /// How often it looks.
    #[must_use]
    pub fn interval(&self) -> Span {
        self.rules.interval.get()
    }

    /// It was heeded.
    pub fn acted(&mut self, now: Instant) {
        self.acted = now;
    }

    /// What should be changed. Only servers count that took requests all the time since the last look; `staying` are
    /// those that are not about to leave.
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

    /// `ceil(servers x utilisation / target)`; `None` when that is near enough, or nothing is known.
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

/// The life that takes new users' requests in a slot.
fn serves(pool: &Pool, server: ServerId) -> Option<ProcessId> {
    let up = pool.as_planned(server) == ServerState::Up;
    up.then(|| pool.members[server.index()].process)
}
