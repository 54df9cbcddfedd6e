//! Slow start: a server that comes up gets only part of its weight at first.

use crate::balancing::policy::PoolView;
use crate::base::ServerState;
use crate::base::time::{Instant, Span};

/// The minimum is one part in this many of the weight: Envoy's 10 %.
const LEAST: u64 = 10;

/// The servers that have come up recently and are still warming up.
///
/// A server that is now believed to be up, but was not before, gets `max(10 %, t / window)` of its weight, as in
/// Envoy. That applies after a crash, to a new server, and after an ejection. Servers that are up at the start are
/// warm.
#[derive(Clone, Debug)]
pub struct WarmUp {
    window: Span,
    /// By server: whether it was up at the last look.
    was_up: Vec<bool>,
    /// By server: when it came up, if it is warming up.
    since: Vec<Option<Instant>>,
    generation: Option<u64>,
    /// Whether any server is warming up.
    anybody: bool,
}

impl WarmUp {
    /// All servers that are up now are warm.
    #[must_use]
    pub fn new(window: Span) -> WarmUp {
        WarmUp { window, was_up: Vec::new(), since: Vec::new(), generation: None, anybody: false }
    }

    /// Updates the current weights.
    #[inline]
    pub fn look(&mut self, view: &mut PoolView, now: Instant) {
        if self.generation != Some(view.generation) {
            self.notice(view, now);
        }
        if self.anybody {
            self.weigh(view, now);
        }
    }

    /// Notes which servers have come up or gone down.
    fn notice(&mut self, view: &PoolView, now: Instant) {
        let first = self.generation.replace(view.generation).is_none();
        self.since.resize(view.len(), None);
        self.was_up.resize(view.len(), false);
        for (i, state) in view.states.iter().enumerate() {
            let up = *state == ServerState::Up;
            if up && !self.was_up[i] && !first {
                self.since[i] = Some(now);
                self.anybody = true;
            }
            self.was_up[i] = up;
        }
    }

    fn weigh(&mut self, view: &mut PoolView, now: Instant) {
        self.anybody = false;
        for (i, since) in self.since.iter_mut().enumerate() {
            let Some(begun) = *since else { continue };
            let up_for = (now - begun).as_nanos();
            if up_for >= self.window.as_nanos() {
                *since = None;
                view.current_weights[i] = PoolView::full(view.weights[i]);
                continue;
            }
            self.anybody = true;
            let full = u128::from(PoolView::full(view.weights[i]));
            let share = u128::from(up_for.max(self.window.as_nanos() / LEAST));
            let weight = full * share / u128::from(self.window.as_nanos());
            view.current_weights[i] = u32::try_from(weight).expect("less than the full weight").max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ServerId;

    fn at_secs(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    #[test]
    fn weight_grows_from_a_tenth() {
        let mut view = PoolView::new(vec![1, 2]);
        let mut warm_up = WarmUp::new(Span::from_secs(30));
        let mut weights = |view: &mut PoolView, seconds| {
            warm_up.look(view, at_secs(seconds));
            view.current_weights.clone()
        };
        assert_eq!(weights(&mut view, 0), [1_000, 2_000], "who is up at the start is warm");
        view.believe(ServerId(1), ServerState::Down);
        assert_eq!(weights(&mut view, 5), [1_000, 2_000]);
        view.believe(ServerId(1), ServerState::Up);
        for (seconds, weight) in [(10, 200), (12, 200), (13, 200), (16, 400), (25, 1_000), (39, 1_933), (40, 2_000)] {
            assert_eq!(weights(&mut view, seconds), [1_000, weight], "at {seconds} s");
        }
        view.believe(ServerId(0), ServerState::Down);
        view.add(1);
        view.believe(ServerId(2), ServerState::Up);
        assert_eq!(weights(&mut view, 50), [1_000, 2_000, 100], "one that joins");
    }
}
