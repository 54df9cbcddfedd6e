//! The effects of hidden state: rejected forms, exceeded limits, pages that go back in time.

use std::collections::BTreeMap;

use super::findings::Finding;
use crate::base::{Command, Outcome, Refusal, Reply, UserId, Visit};
use crate::history::{Request, Seen};

/// Counts of the effects of hidden state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::HiddenFigures")]
pub struct HiddenCounts {
    pub forbidden: u64,
    pub too_many: u64,
    pub over_limit: u64,
    pub pages: u64,
    pub stale_pages: u64,
}

/// What a single rate limiter in front of all servers would allow each user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests allowed in one window.
    pub limit: u64,
    /// The length of a window.
    pub window_nanos: u64,
    /// No response arrives later than this after its request.
    pub longest_nanos: u64,
}

/// What users can observe of hidden state.
#[derive(Clone, Debug, Default)]
pub(super) struct Inconsistencies {
    allowance: Option<Allowance>,
    /// Accepted requests by window and user.
    accepted: BTreeMap<(u64, UserId), u64>,
    /// By user: the newest version of the catalogue that the user has seen.
    newest: BTreeMap<UserId, u32>,
    /// By client: the same, at the time when the outstanding request was sent.
    before: BTreeMap<u32, u32>,
    pub(super) counts: HiddenCounts,
}

impl Inconsistencies {
    pub(super) fn new(allowance: Option<Allowance>) -> Inconsistencies {
        Inconsistencies { allowance, ..Inconsistencies::default() }
    }

    pub(super) fn observe(&mut self, visit: Visit, seen: &Seen) -> Option<Finding> {
        match *seen {
            Seen::Sent(Request { command: Command::Browse, .. }) => {
                let newest = self.newest.get(&visit.user).copied().unwrap_or(0);
                self.before.insert(visit.client.0, newest);
                None
            }
            Seen::Told { sent, outcome, .. } => {
                if let Outcome::Ok(_) = outcome {
                    self.accepted(visit.user, sent.as_nanos());
                }
                self.told(visit, outcome)
            }
            _ => None,
        }
    }

    fn told(&mut self, visit: Visit, outcome: Outcome) -> Option<Finding> {
        match outcome {
            Outcome::Refused(Refusal::Forbidden) => {
                self.counts.forbidden += 1;
                Some(Finding::Forbidden)
            }
            Outcome::Refused(Refusal::TooMany) => {
                self.counts.too_many += 1;
                None
            }
            Outcome::Ok(Reply::Page(version)) => self.page(visit, version),
            _ => None,
        }
    }

    /// A page is stale if its user had seen a newer one before requesting it.
    fn page(&mut self, visit: Visit, version: u32) -> Option<Finding> {
        self.counts.pages += 1;
        let newest = self.newest.entry(visit.user).or_default();
        *newest = version.max(*newest);
        let stale = self.before.get(&visit.client.0).is_some_and(|before| version < *before);
        self.counts.stale_pages += u64::from(stale);
        stale.then_some(Finding::StalePage)
    }

    /// A request was accepted; it counts in the window in which it was sent.
    fn accepted(&mut self, user: UserId, sent_nanos: u64) {
        let Some(Allowance { limit, window_nanos, longest_nanos }) = self.allowance else { return };
        let window = sent_nanos / window_nanos;
        let in_window = self.accepted.entry((window, user)).or_default();
        *in_window += 1;
        self.counts.over_limit += u64::from(*in_window > limit);
        // No request from windows that ended before this is still outstanding.
        let oldest = sent_nanos.saturating_sub(longest_nanos) / window_nanos;
        while let Some(first) = self.accepted.first_entry().filter(|first| first.key().0 < oldest) {
            first.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_forgotten_when_nothing_of_it_can_be_out() {
        let user = UserId(1);
        let mut hidden = Inconsistencies::new(Some(Allowance { limit: 1, window_nanos: 10, longest_nanos: 25 }));
        for sent in [100, 101, 125, 109] {
            hidden.accepted(user, sent);
        }
        assert_eq!(hidden.counts.over_limit, 2, "the last of the three was answered late");
        hidden.accepted(user, 136);
        let windows: Vec<u64> = hidden.accepted.keys().map(|(window, _)| *window).collect();
        assert_eq!(windows, [12, 13]);
    }
}
