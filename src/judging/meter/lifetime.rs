//! When a server was in the pool, and when it was paid for.

use crate::base::ServerState;
use crate::base::time::{Instant, Span};

/// The states that the operator gave a server, each with its start. Accidents are not included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerLifetime(Vec<(Instant, ServerState)>);

impl ServerLifetime {
    /// Up from the start.
    #[must_use]
    pub fn from_the_start() -> ServerLifetime {
        ServerLifetime(vec![(Instant::ZERO, ServerState::Up)])
    }

    /// The operator changed its state.
    pub fn turned(&mut self, now: Instant, state: ServerState) {
        self.0.push((now, state));
    }

    /// Its states with their start times, in order.
    pub fn turns(&self) -> impl Iterator<Item = (Instant, ServerState)> {
        self.0.iter().copied()
    }

    /// Whether the operator ever changed its state.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.0 != [(Instant::ZERO, ServerState::Up)]
    }

    /// Whether it is up as far as the operator is concerned.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.last().is_some_and(|(_, state)| *state == ServerState::Up)
    }

    /// How long within a period it took new users, as far as the operator is concerned.
    #[must_use]
    pub fn there(&self, from: Instant, to: Instant) -> Span {
        self.time(from, to, |state| state == ServerState::Up)
    }

    /// How long within a period it was paid for: from the start of its boot until it was stopped for good.
    #[must_use]
    pub fn paid(&self, from: Instant, to: Instant) -> Span {
        self.time(from, to, |state| !is_over(state))
    }

    /// The times at which it began to be paid for.
    pub fn begins(&self) -> impl Iterator<Item = Instant> + '_ {
        self.0.first().map(|(at, _)| *at).into_iter()
    }

    /// The times at which it was stopped for good.
    pub fn ends(&self) -> impl Iterator<Item = Instant> + '_ {
        self.0.iter().find(|(_, state)| is_over(*state)).map(|(at, _)| *at).into_iter()
    }

    fn time(&self, from: Instant, to: Instant, counts: impl Fn(ServerState) -> bool) -> Span {
        let ends = self.0.iter().skip(1).map(|(at, _)| *at).chain([Instant::NEVER]);
        let spells = self.0.iter().zip(ends).filter(|((_, state), _)| counts(*state));
        spells.fold(Span::ZERO, |sum, ((begin, _), end)| {
            let (begin, end) = ((*begin).max(from), end.min(to));
            if begin < end { sum + (end - begin) } else { sum }
        })
    }
}

/// Whether a server in this state costs nothing.
fn is_over(state: ServerState) -> bool {
    matches!(state, ServerState::Down | ServerState::Retired)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ServerState::{Booting, Down, Draining, Retired, Up};

    #[test]
    fn a_server_is_paid_for_while_it_boots_and_drains() {
        let at = |s| Instant::ZERO + Span::from_secs(s);
        let mut lifetime = ServerLifetime::default();
        assert!(lifetime.changed() && !ServerLifetime::from_the_start().changed());
        for (s, state) in [(10, Booting), (15, Up), (40, Draining), (50, Down), (55, Retired)] {
            lifetime.turned(at(s), state);
        }
        assert_eq!(lifetime.there(at(0), at(100)), Span::from_secs(25));
        assert_eq!(lifetime.paid(at(0), at(100)), Span::from_secs(40));
        assert_eq!(lifetime.paid(at(20), at(30)), Span::from_secs(10));
        assert_eq!(ServerLifetime::from_the_start().there(at(3), at(9)), Span::from_secs(6));
    }
}
