//! Hidden state: what one process of a pool that is taken to be stateless keeps to itself.

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{Refusal, ServerId};
use crate::scenario::{Cache, RateLimit};

/// A process's rate limiter, for one user: the window in which it last heard of the user, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateWindow {
    window: u64,
    requests: u64,
}

impl RateWindow {
    /// A request that was sent then reaches the process.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooMany`] when the user has sent more in this window than is allowed. It counts all the same.
    pub fn admit(&mut self, rules: &RateLimit, sent: Instant) -> Result<(), Refusal> {
        let window = rules.window_of(sent);
        if self.window < window {
            *self = RateWindow { window, requests: 0 };
        }
        self.requests += 1;
        if self.requests > rules.limit.get() { Err(Refusal::TooMany) } else { Ok(()) }
    }
}

/// A process's copy of the catalogue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatalogueCopy(Option<(u32, Instant)>);

impl CatalogueCopy {
    /// That of a process which runs when the shop opens. Such processes did not start together: each copy has another age.
    #[must_use]
    pub fn at_opening(rules: &Cache, server: ServerId, seed: Seed) -> CatalogueCopy {
        let lasts = rules.first_copy_lasts(server, seed);
        CatalogueCopy(Some((rules.version(Instant::ZERO), Instant::ZERO + lasts)))
    }

    /// The version that the process shows now; it reads the catalogue anew when its copy is too old.
    pub fn read(&mut self, rules: &Cache, now: Instant) -> u32 {
        match self.0 {
            Some((version, until)) if now < until => version,
            _ => {
                let version = rules.version(now);
                self.0 = Some((version, now + rules.ttl.get()));
                version
            }
        }
    }
}

/// Whether a process accepts a form. It knows only those that it made itself.
///
/// # Errors
///
/// [`Refusal::Forbidden`] for a form of another process, or none.
pub fn accept_form<F: PartialEq>(shown: Option<F>, known: Option<F>) -> Result<(), Refusal> {
    if known.is_some() && shown == known { Ok(()) } else { Err(Refusal::Forbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    #[test]
    fn a_window_allows_so_many_and_the_next_one_again() {
        let rules = RateLimit::default();
        let mut heard = RateWindow::default();
        let sent = |millis| Instant::ZERO + Span::from_millis(millis);
        let refused = (0..8).filter(|i| heard.admit(&rules, sent(i * 10)).is_err()).count();
        assert_eq!(refused, 3, "five a second");
        assert_eq!(heard.admit(&rules, sent(1_000)), Ok(()));
    }

    #[test]
    fn a_copy_is_shown_until_it_is_too_old() {
        let rules = Cache::default();
        let mut copy = CatalogueCopy::default();
        let at = |seconds| Instant::ZERO + Span::from_secs(seconds);
        assert_eq!([5, 25, 34, 35].map(|second| copy.read(&rules, at(second))), [1, 1, 1, 4]);
    }

    #[test]
    fn a_form_of_another_process_is_none() {
        assert_eq!(accept_form(Some(1), Some(1)), Ok(()));
        for (shown, known) in [(Some(1), Some(2)), (None, Some(1)), (Some(1), None), (None, None)] {
            assert_eq!(accept_form(shown, known), Err(Refusal::Forbidden));
        }
    }
}
