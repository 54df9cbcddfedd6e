//! The total busy time of a process's workers.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::time::{Instant, Span};

/// Adds up the busy time of all workers, including the work in progress.
#[derive(Debug, Default)]
pub struct BusyClock(Mutex<Busy>);

#[derive(Debug, Default)]
struct Busy {
    /// Spent on work that has ended.
    ended: Span,
    running: u64,
    /// The sum of the start times of the work in progress, in nanoseconds since the start of the run.
    begun: u128,
}

impl BusyClock {
    fn busy(&self) -> MutexGuard<'_, Busy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker begins some work.
    pub fn begin(&self, now: Instant) {
        let mut busy = self.busy();
        busy.running += 1;
        busy.begun += u128::from(now.as_nanos());
    }

    /// A worker ends the work that it began at `begun`.
    pub fn end(&self, begun: Instant, now: Instant) {
        let mut busy = self.busy();
        busy.running -= 1;
        busy.begun -= u128::from(begun.as_nanos());
        busy.ended += now - begun;
    }

    /// The busy time of all workers until `now`.
    #[must_use]
    pub fn worked(&self, now: Instant) -> Span {
        let busy = self.busy();
        // Work that has begun since `now` was read must not reduce the sum.
        let running = (u128::from(busy.running) * u128::from(now.as_nanos())).saturating_sub(busy.begun);
        busy.ended + Span::from_nanos(u64::try_from(running).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_counts_while_it_is_done() {
        let at = |seconds| Instant::ZERO + Span::from_secs(seconds);
        let clock = BusyClock::default();
        assert_eq!(clock.worked(at(5)), Span::ZERO);
        clock.begin(at(10));
        clock.begin(at(20));
        assert_eq!(clock.worked(at(30)), Span::from_secs(20 + 10));
        clock.end(at(10), at(40));
        assert_eq!(clock.worked(at(40)), Span::from_secs(30 + 20));
        clock.end(at(20), at(60));
        assert_eq!(clock.worked(at(100)), Span::from_secs(30 + 40));
        clock.begin(at(101));
        assert_eq!(clock.worked(at(100)), Span::from_secs(70), "it began a moment later");
    }
}
