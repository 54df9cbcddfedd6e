//! Hidden state: what a process of a supposedly stateless pool keeps to itself.

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{Refusal, ServerId};
use crate::scenario::{Cache, RateLimit};

/// A process's rate limiter for one user: the last window with a request of that user, and their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateWindow {
    window: u64,
    requests: u64,
}

impl RateWindow {
    /// Counts a request that was sent at this time.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooMany`] if the user has sent more requests in this window than are allowed. A refused request
    /// counts, too.
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
    /// The copy of a process that runs when the shop opens. Such processes did not start together, so the copies differ
    /// in age.
    #[must_use]
    pub fn at_opening(rules: &Cache, server: ServerId, seed: Seed) -> CatalogueCopy {
        let lasts = rules.first_copy_lasts(server, seed);
        CatalogueCopy(Some((rules.version(Instant::ZERO), Instant::ZERO + lasts)))
    }

    /// The version that the process shows now. If its copy is too old, it reads the catalogue again.
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

/// Whether an answer is a page with a form: all are that the shop itself gives, refusals among them, but a server error is
/// not.
#[inline]
#[must_use]
pub const fn shows_form(server_error: bool) -> bool {
    !server_error
}

/// Whether a process accepts a form. It only knows the forms it rendered itself.
///
/// # Errors
///
/// [`Refusal::Forbidden`] for a form of another process, or none.
pub fn accept_form<F: PartialEq + ?Sized>(shown: Option<&F>, known: Option<&F>) -> Result<(), Refusal> {
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
        assert_eq!(accept_form(Some(&1), Some(&1)), Ok(()));
        for (shown, known) in [(Some(&1), Some(&2)), (None, Some(&1)), (Some(&1), None), (None, None)] {
            assert_eq!(accept_form(shown, known), Err(Refusal::Forbidden));
        }
    }
}
