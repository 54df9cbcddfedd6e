//! Why carts were lost: causes, from what only an omniscient observer knows.
//!
//! The post-mortem judges nothing. When the checker says that items were missing, it looks up the evidence that was
//! taken at that checkout, and names the first cause that applies.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ClientId, Items, Visit};
use crate::history::Evidence;

/// Why an item was missing; a cart takes the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The store failed over or restarted, and forgot.
    RolledBack,
    /// The store was full.
    Evicted,
    /// It had been kept for its time.
    Expired,
    /// A concurrent writer replaced it.
    Overwritten,
    /// Its last copy went with a server.
    Wiped,
    /// An older copy answered: monotonic reads broken.
    Stale,
    /// It lives on a server that this request did not reach: read-your-writes broken.
    Split,
    /// None of these: a defect of the simulator.
    Unexplained,
}

impl Cause {
    /// All of them, in order.
    pub const ALL: [Cause; 8] = [
        Cause::RolledBack,
        Cause::Evicted,
        Cause::Expired,
        Cause::Overwritten,
        Cause::Wiped,
        Cause::Stale,
        Cause::Split,
        Cause::Unexplained,
    ];
}

/// What one fault met and took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultImpact {
    /// Carts that were open when it struck.
    pub open_carts: u64,
    /// Of those, the ones that lost something to it.
    pub lost_of_open: u64,
}

/// The streaming post-mortem.
#[derive(Clone, Debug, Default)]
pub struct PostMortem {
    /// Evidence of the last checkout at which something was elsewhere: most are judged at once.
    latest: Option<(ClientId, Evidence)>,
    /// The same of earlier ones whose visits have not ended.
    earlier: BTreeMap<ClientId, Evidence>,
    lost_by: [u64; Cause::ALL.len()],
    /// By fault.
    impacts: BTreeMap<u32, FaultImpact>,
    /// Files that were looked for in vain, and whose users have not been told: whether they are elsewhere.
    sought: BTreeMap<ClientId, bool>,
    files_elsewhere: u64,
    /// By fault that lasts: those whose carts were open when it began, and still are.
    met: BTreeMap<u32, BTreeSet<ClientId>>,
}

impl PostMortem {
    /// One that has seen nothing.
    #[must_use]
    pub fn new() -> PostMortem {
        PostMortem::default()
    }

    /// Lost carts by cause, in the order of [`Cause::ALL`].
    #[must_use]
    pub fn lost_by(&self) -> [u64; Cause::ALL.len()] {
        self.lost_by
    }

    /// What a fault met and took; `None` for one that did not strike.
    #[must_use]
    pub fn impact(&self, fault: u32) -> Option<FaultImpact> {
        self.impacts.get(&fault).copied()
    }

    /// Missing files that were on a server that the request did not reach.
    #[must_use]
    pub fn files_elsewhere(&self) -> u64 {
        self.files_elsewhere
    }

    /// A server looked for a file in vain.
    pub fn sought_in_vain(&mut self, visit: Visit, evidence: &Evidence) {
        self.sought.insert(visit.client, !evidence.elsewhere.is_empty());
    }

    /// A user was told that a file is not there.
    pub fn missed(&mut self, visit: Visit) {
        self.files_elsewhere += u64::from(self.sought.remove(&visit.client) == Some(true));
    }

    /// A fault struck while so many carts were open.
    pub fn struck(&mut self, fault: u32, open_carts: u64) {
        self.impacts.insert(fault, FaultImpact { open_carts, lost_of_open: 0 });
    }

    /// The same of a fault that lasts: it may take carts too that are opened later.
    pub fn struck_for_a_while(&mut self, fault: u32, open: BTreeSet<ClientId>) {
        self.struck(fault, open.len() as u64);
        self.met.insert(fault, open);
    }

    /// A checkout was served. The first one of a visit counts: a later one repeats its charge.
    #[inline]
    pub fn checked_out(&mut self, visit: Visit, evidence: &Evidence) {
        if *evidence == Evidence::default() || self.evidence(visit).is_some() {
            return;
        }
        if let Some((client, earlier)) = self.latest.replace((visit.client, *evidence)) {
            self.earlier.insert(client, earlier);
        }
    }

    fn evidence(&self, visit: Visit) -> Option<Evidence> {
        match self.latest {
            Some((client, evidence)) if client == visit.client => Some(evidence),
            _ => self.earlier.get(&visit.client).copied(),
        }
    }

    /// The fault that took the first of what was missing at a visit's checkout, if one did.
    #[must_use]
    pub fn killer(&self, visit: Visit) -> Option<u32> {
        self.evidence(visit)?.killed_by
    }

    /// The checker found a cart lost. Returns the cause, and counts it.
    pub fn lost(&mut self, visit: Visit, missing: Items) -> Cause {
        let evidence = self.evidence(visit).unwrap_or_default();
        let cause = missing.iter().map(|item| cause_of(Items::of(item), &evidence)).min().unwrap_or(Cause::Unexplained);
        self.lost_by[cause as usize] += 1;
        if matches!(cause, Cause::Wiped | Cause::RolledBack)
            && let Some(fault) = evidence.killed_by
            && self.met.get(&fault).is_none_or(|met| met.contains(&visit.client))
            && let Some(impact) = self.impacts.get_mut(&fault)
        {
            impact.lost_of_open += 1;
        }
        cause
    }

    /// A visit is over: its evidence is no longer needed.
    #[inline]
    pub fn left(&mut self, visit: Visit) {
        if self.latest.is_some_and(|(client, _)| client == visit.client) {
            self.latest = None;
        }
        if !self.earlier.is_empty() {
            self.earlier.remove(&visit.client);
        }
        for met in self.met.values_mut() {
            met.remove(&visit.client);
        }
    }
}

/// Why one item was missing, by the evidence that was taken at its checkout.
#[must_use]
pub fn cause_of(item: Items, evidence: &Evidence) -> Cause {
    let found = |items: Items| !items.intersection(item).is_empty();
    if found(evidence.rolled_back) {
        Cause::RolledBack
    } else if found(evidence.evicted) {
        Cause::Evicted
    } else if found(evidence.expired) {
        Cause::Expired
    } else if found(evidence.overwritten) {
        Cause::Overwritten
    } else if found(evidence.stale) {
        Cause::Stale
    } else if found(evidence.elsewhere) {
        Cause::Split
    } else if found(evidence.died) {
        Cause::Wiped
    } else {
        Cause::Unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Item, UserId};

    fn visit(client: u32) -> Visit {
        Visit { user: UserId(client + 1), client: ClientId(client), number: 1 }
    }

    #[test]
    fn the_first_checkout_of_a_visit_that_tells_something_counts() {
        let mug = Items::of(Item::new(1).expect("in range"));
        let died = Evidence { died: mug, killed_by: Some(3), ..Evidence::default() };
        let elsewhere = Evidence { elsewhere: mug, ..Evidence::default() };
        let mut post_mortem = PostMortem::new();
        let served = [(0, Evidence::default()), (0, died), (0, elsewhere), (1, elsewhere), (0, elsewhere), (1, died)];
        for (client, evidence) in &served {
            post_mortem.checked_out(visit(*client), evidence);
        }
        assert_eq!([0, 1, 2].map(|client| post_mortem.killer(visit(client))), [Some(3), None, None]);
        let causes = [Cause::Wiped, Cause::Split, Cause::Unexplained];
        assert_eq!([0, 1, 2].map(|client| post_mortem.lost(visit(client), mug)), causes);
        post_mortem.left(visit(0));
        assert_eq!(post_mortem.killer(visit(0)), None);
    }
}
