//! Checkpoints: copies of earlier states of a run, so that a rewind need not replay from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::time::{Instant, Span};

/// The maximum number of checkpoints.
pub const MOST_MARKS: usize = 16;

/// The maximum number of clients in all checkpoints together: some 30 MB.
pub const MOST_CLIENTS: u64 = 50_000;

/// Checkpoints at multiples of an interval. When there are too many, the interval doubles and every other one is
/// dropped. Forks share the checkpoints of their common past.
#[derive(Clone, Debug)]
pub(super) struct Marks<Run> {
    most: usize,
    interval: Span,
    kept: BTreeMap<Instant, Arc<Run>>,
}

impl<Run: Clone> Marks<Run> {
    /// A set with a checkpoint of the start only. Of a run with many clients fewer are taken: one with more than
    /// [`MOST_CLIENTS`] is played again from its start.
    pub fn beginning_with(run: &Run, clients: u64) -> Marks<Run> {
        let kept = BTreeMap::from([(Instant::ZERO, Arc::new(run.clone()))]);
        let most = usize::try_from(MOST_CLIENTS / clients.max(1)).unwrap_or(MOST_MARKS).min(MOST_MARKS);
        Marks { most, interval: Span::from_secs(1), kept }
    }

    /// The checkpoint of the start.
    pub fn first(&self) -> &Run {
        self.kept.first_key_value().expect("the beginning is always kept").1
    }

    /// The latest checkpoint at or before this moment.
    pub fn latest_until(&self, moment: Instant) -> &Run {
        self.kept.range(..=moment).next_back().map_or(self.first(), |(_, run)| run)
    }

    /// The next moment at which a checkpoint is due.
    pub fn next_after(&self, now: Instant) -> Instant {
        if self.most <= 1 {
            return Instant::NEVER;
        }
        Instant::ZERO + self.interval * (now.as_nanos() / self.interval.as_nanos() + 1)
    }

    /// Takes a checkpoint of a run if one is due.
    pub fn pass(&mut self, now: Instant, run: &Run) {
        if !self.is_due(now) || self.kept.contains_key(&now) {
            return;
        }
        self.kept.insert(now, Arc::new(run.clone()));
        while self.kept.len() > self.most {
            self.interval = self.interval * 2;
            let Marks { interval, kept, .. } = self;
            kept.retain(|at, _| at.as_nanos().is_multiple_of(interval.as_nanos()));
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.most > 1 && now.as_nanos().is_multiple_of(self.interval.as_nanos())
    }

    /// Drops the checkpoints after this moment.
    pub fn forget_after(&mut self, now: Instant) {
        self.kept.retain(|at, _| *at <= now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::UserId;
    use crate::base::seed::Seed;
    use crate::live::diary::Diary;
    use crate::live::run::Run;
    use crate::scenario::Scenario;

    #[test]
    fn marks_become_rarer_and_never_too_many() {
        let mut run = Run::begin(&Scenario::house(), Seed(1), UserId(1), &mut Diary::default());
        let mut marks = Marks::beginning_with(&run, 300);
        for second in 1..=180 {
            assert_eq!(marks.next_after(run.sim.now()).as_nanos() % marks.interval.as_nanos(), 0);
            run.sim.advance(Instant::ZERO + Span::from_secs(second), &mut ());
            marks.pass(run.sim.now(), &run);
            assert!(marks.kept.len() <= MOST_MARKS, "{} after {second} s", marks.kept.len());
            let at = marks.latest_until(run.sim.now()).sim.now();
            assert!(run.sim.now() - at < marks.interval, "the last one is near");
        }
        assert_eq!((marks.interval, marks.kept.len()), (Span::from_secs(16), 12));
        marks.forget_after(Instant::ZERO + Span::from_secs(33));
        assert_eq!(marks.kept.len(), 3);
        assert_eq!(marks.first().sim.now(), Instant::ZERO);
    }

    #[test]
    fn of_many_clients_fewer_are_kept() {
        let mut run = Run::begin(&Scenario::house(), Seed(1), UserId(1), &mut Diary::default());
        for (clients, most) in [(3_000, 16), (10_000, 5), (50_000, 1), (100_000, 1)] {
            let mut marks = Marks::beginning_with(&run, clients);
            for second in 1..=60 {
                let now = Instant::ZERO + Span::from_secs(second);
                run.sim.advance(now, &mut ());
                marks.pass(now, &run);
                assert!(marks.kept.len() <= most, "{clients}: {}", marks.kept.len());
            }
            assert_eq!(marks.next_after(Instant::ZERO) == Instant::NEVER, most == 1);
        }
    }
}
