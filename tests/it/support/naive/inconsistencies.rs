//! Hidden state, by the definitions: judged from all answers, in order.

use std::collections::{BTreeMap, BTreeSet};

use whatcart::base::{Outcome, Refusal, Reply, UserId, Visit};
use whatcart::history::{Event, EventKind, Request, Seen};
use whatcart::judging::checker::{Allowance, HiddenCounts};

/// Everything that users sent and were told.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    pub allowance: Option<Allowance>,
    seen: Vec<(Visit, Seen)>,
}

impl Hidden {
    pub fn record(&mut self, event: &Event) {
        if let EventKind::Seen(visit, seen) = event.what {
            self.seen.push((visit, seen));
        }
    }

    fn told(&self) -> impl Iterator<Item = (Visit, Request, u64, Outcome)> {
        self.seen.iter().filter_map(|(visit, seen)| match *seen {
            Seen::Told { request, sent, outcome, .. } => Some((*visit, request, sent.as_nanos(), outcome)),
            _ => None,
        })
    }

    /// Pages that are older than one shown to their user before the request.
    pub fn stale(&self) -> BTreeSet<(Visit, u16, u16)> {
        let mut stale = BTreeSet::new();
        let mut newest: BTreeMap<UserId, u32> = BTreeMap::new();
        let mut when_sent: BTreeMap<(Visit, u16, u16), u32> = BTreeMap::new();
        for (visit, seen) in &self.seen {
            match *seen {
                Seen::Sent(request) => {
                    let known = newest.get(&visit.user).copied().unwrap_or(0);
                    when_sent.insert((*visit, request.step, request.attempt), known);
                }
                Seen::Told { request, outcome: Outcome::Ok(Reply::Page(version)), .. } => {
                    let key = (*visit, request.step, request.attempt);
                    if version < when_sent[&key] {
                        stale.insert(key);
                    }
                    let newest = newest.entry(visit.user).or_default();
                    *newest = version.max(*newest);
                }
                _ => {}
            }
        }
        stale
    }

    fn over_limit(&self) -> u64 {
        let Some(Allowance { limit, window_nanos, .. }) = self.allowance else { return 0 };
        let mut accepted: BTreeMap<(UserId, u64), u64> = BTreeMap::new();
        for (visit, _, sent, _) in self.told().filter(|(.., outcome)| matches!(outcome, Outcome::Ok(_))) {
            *accepted.entry((visit.user, sent / window_nanos)).or_default() += 1;
        }
        accepted.values().map(|n| n.saturating_sub(limit)).sum()
    }

    pub fn counts(&self) -> HiddenCounts {
        let told = |wanted: fn(&Outcome) -> bool| self.told().filter(|(.., outcome)| wanted(outcome)).count() as u64;
        HiddenCounts {
            forbidden: told(|outcome| *outcome == Outcome::Refused(Refusal::Forbidden)),
            too_many: told(|outcome| *outcome == Outcome::Refused(Refusal::TooMany)),
            over_limit: self.over_limit(),
            pages: told(|outcome| matches!(outcome, Outcome::Ok(Reply::Page(_)))),
            stale_pages: self.stale().len() as u64,
        }
    }
}
