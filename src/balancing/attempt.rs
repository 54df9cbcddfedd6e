//! The failure of an attempt at a server: whether the request may be retried elsewhere, and its outcome if not.

use crate::base::{Outcome, Refusal, ServerId};

/// How an attempt at a server failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFailure {
    /// The server refused the connection: the request never reached it.
    Refused,
    /// The connection timed out: the request never reached the server.
    Unreachable,
    /// The connection broke after the request was sent. The server may have received it.
    BrokenOff,
    /// The request was sent, but not answered in time. The server may be working on it.
    Overdue,
}

impl AttemptFailure {
    /// Whether the server may have acted on it.
    #[must_use]
    pub const fn was_sent(self) -> bool {
        matches!(self, AttemptFailure::BrokenOff | AttemptFailure::Overdue)
    }

    /// Excludes the server that failed from the next choice. A refusal comes at once; after any other failure time has
    /// passed and the pool may have changed, so the servers that failed earlier may be chosen again.
    pub fn exclude(self, server: ServerId, excluded: &mut Vec<ServerId>) {
        if self != AttemptFailure::Refused {
            excluded.clear();
        }
        excluded.push(server);
    }

    /// Whether the request may be sent to another server: if it never reached the first one, or if its method is
    /// `idempotent` (RFC 9110, section 9.2.2), and only within the limit of `retries` and the retry budget. `tries` is
    /// the number of earlier retries of this request.
    #[inline]
    #[must_use]
    pub fn may_be_retried(self, idempotent: bool, tries: u8, retries: u8, in_budget: impl FnOnce() -> bool) -> bool {
        (idempotent || !self.was_sent()) && tries < retries && in_budget()
    }

    /// The outcome for the user if the request is not retried.
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
    fn after_a_wait_only_the_server_that_failed_last_is_excluded() {
        for failure in [Refused, Unreachable, BrokenOff, Overdue] {
            let mut excluded = vec![ServerId(0)];
            failure.exclude(ServerId(1), &mut excluded);
            let at_once = failure == Refused;
            assert_eq!(excluded.len(), if at_once { 2 } else { 1 }, "{failure:?}");
            assert!(excluded.contains(&ServerId(1)));
        }
    }

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
