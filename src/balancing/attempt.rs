//! When an attempt at a server fails: whether the request may be tried elsewhere, and what its user is told if not.

use crate::base::{Outcome, Refusal};

/// How an attempt at a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFailure {
    /// It never reached the server, which said so at once.
    Refused,
    /// It never reached the server, from which nothing was heard in time.
    Unreachable,
    /// It was sent, and perhaps taken, before the connection broke.
    BrokenOff,
    /// It was sent, and there is no answer in time. The server may be at work on it.
    Overdue,
}

impl AttemptFailure {
    /// Whether the server may have acted on it.
    #[must_use]
    pub const fn was_sent(self) -> bool {
        matches!(self, AttemptFailure::BrokenOff | AttemptFailure::Overdue)
    }

    /// Whether time has passed since the server was chosen. Then much may have changed, and only the server that failed
    /// last is left out of the next choice.
    #[must_use]
    pub const fn took_time(self) -> bool {
        !matches!(self, AttemptFailure::Refused)
    }

    /// Whether the request may be sent to another server: when it never reached the first, or when doing it twice does no
    /// harm (RFC 9110, section 9.2.2); as often as retries allow, and as long as there is a budget for it. `tries`: how often
    /// that was done for this request. `idempotent`: its method.
    #[inline]
    #[must_use]
    pub fn may_be_retried(self, idempotent: bool, tries: u8, retries: u8, in_budget: impl FnOnce() -> bool) -> bool {
        (idempotent || !self.was_sent()) && tries < retries && in_budget()
    }

    /// What the user is told when nobody else is tried.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        if self.was_sent() { Outcome::Failed } else { Outcome::Refused(Refusal::Unreachable) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttemptFailure::{BrokenOff, Overdue, Refused, Unreachable};

    #[test]
    fn what_was_sent_is_sent_again_only_if_that_does_no_harm() {
        for failure in [Refused, Unreachable, BrokenOff, Overdue] {
            let never_sent = matches!(failure, Refused | Unreachable);
            assert!(failure.may_be_retried(true, 0, 1, || true), "{failure:?}");
            assert_eq!(failure.may_be_retried(false, 0, 1, || true), never_sent, "{failure:?}");
            assert!(!failure.may_be_retried(true, 1, 1, || true), "no retries are left");
            assert!(!failure.may_be_retried(true, 0, 1, || false), "there is no budget");
            assert_eq!(failure.outcome().is_unknown(), !never_sent);
        }
    }
}
