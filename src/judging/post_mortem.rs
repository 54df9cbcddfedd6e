//! The causes of lost carts, from what only an omniscient observer knows.
//!
//! The post-mortem does not decide whether anything was lost. When the checker says that items are missing, it looks
//! up the evidence taken at that checkout and names the first cause that applies.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{ClientId, Items, Visit};
use crate::history::Evidence;

/// Why an item was missing. Of several causes the first in this order is named: for an item, and for a cart whose items
/// have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The store failed over or restarted, and lost the last writes.
    RolledBack,
    /// The store was full.
    Evicted,
    /// Its time to live in the store was over.
    Expired,
    /// A concurrent writer replaced it with an older copy.
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
    /// All causes, in order.
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

    /// Its name in figures: `lost_by.rolled_back`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Cause::RolledBack => "rolled_back",
            Cause::Evicted => "evicted",
            Cause::Expired => "expired",
            Cause::Overwritten => "overwritten",
            Cause::Wiped => "wiped",
            Cause::Stale => "stale",
            Cause::Split => "split",
            Cause::Unexplained => "unexplained",
        }
    }

    /// The items to which this applies.
    const fn applies_to(self, evidence: &Evidence) -> Items {
        match self {
            Cause::RolledBack => evidence.rolled_back,
            Cause::Evicted => evidence.evicted,
            Cause::Expired => evidence.expired,
            Cause::Overwritten => evidence.overwritten,
            Cause::Wiped => evidence.died,
            Cause::Stale => evidence.stale,
            Cause::Split => evidence.elsewhere,
            Cause::Unexplained => Items::NONE,
        }
    }
}

/// The impact of one fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultImpact {
    /// Carts that were open when it struck.
    pub open_carts: u64,
    /// Those among them that lost an item to it.
    pub lost_of_open: u64,
}

/// The streaming post-mortem.
#[derive(Clone, Debug, Default)]
pub struct PostMortem {
    /// The evidence of the last checkout with items elsewhere; most checkouts are judged immediately.
    latest: Option<(ClientId, Evidence)>,
    /// The evidence of earlier checkouts whose visits have not ended.
    earlier: BTreeMap<ClientId, Evidence>,
    lost_by: [u64; Cause::ALL.len()],
    /// By fault.
    impacts: BTreeMap<u32, FaultImpact>,
    /// Downloads that found nothing and whose users have not been told yet: whether the file is elsewhere.
    sought: BTreeMap<ClientId, bool>,
    files_elsewhere: u64,
    /// For each fault that lasts: clients whose carts were open when it began, and still are.
    met: BTreeMap<u32, BTreeSet<ClientId>>,
}

impl PostMortem {
    /// A post-mortem that has seen no events.
    #[must_use]
    pub fn new() -> PostMortem {
        PostMortem::default()
    }

    /// Lost carts by cause, in the order of [`Cause::ALL`].
    #[must_use]
    pub fn lost_by(&self) -> [u64; Cause::ALL.len()] {
        self.lost_by
    }

    /// The impact of a fault; `None` if it did not strike.
    #[must_use]
    pub fn impact(&self, fault: u32) -> Option<FaultImpact> {
        self.impacts.get(&fault).copied()
    }

    /// Missing files that were on another server.
    #[must_use]
    pub fn files_elsewhere(&self) -> u64 {
        self.files_elsewhere
    }

    /// A server did not find a file.
    pub fn sought_in_vain(&mut self, visit: Visit, evidence: &Evidence) {
        self.sought.insert(visit.client, !evidence.elsewhere.is_empty());
    }

    /// A user was told that a file was not found.
    pub fn missed(&mut self, visit: Visit) {
        self.files_elsewhere += u64::from(self.sought.remove(&visit.client) == Some(true));
    }

    /// A fault struck while this many carts were open.
    pub fn struck(&mut self, fault: u32, open_carts: u64) {
        self.impacts.insert(fault, FaultImpact { open_carts, lost_of_open: 0 });
    }

    /// The same for a fault that lasts: it may also hit carts that are opened later.
    pub fn struck_for_a_while(&mut self, fault: u32, open: BTreeSet<ClientId>) {
        self.struck(fault, open.len() as u64);
        self.met.insert(fault, open);
    }

    /// A checkout was served. Only the first one of a visit counts; a later one repeats its charge.
    #[inline]
    pub fn checked_out(&mut self, visit: Visit, evidence: &Evidence) {
        if *evidence == Evidence::default() || self.evidence(visit).is_some() {
            return;
        }
        if let Some((client, earlier)) = self.latest.replace((visit.client, *evidence)) {
            self.earlier.insert(client, earlier);
        }
    }

    /// The evidence of a visit's checkout; `None` if there is nothing to tell of it, or once the visit is over.
    #[must_use]
    pub fn evidence(&self, visit: Visit) -> Option<Evidence> {
        match self.latest {
            Some((client, evidence)) if client == visit.client => Some(evidence),
            _ => self.earlier.get(&visit.client).copied(),
        }
    }

    /// The fault that took the first missing item of a visit's checkout, if a fault did.
    #[must_use]
    pub fn killer(&self, visit: Visit) -> Option<u32> {
        self.evidence(visit)?.killed_by
    }

    /// The checker found a lost cart. Counts its cause and returns it.
    pub fn lost(&mut self, visit: Visit, missing: Items) -> Cause {
        let evidence = self.evidence(visit).unwrap_or_default();
        let cause = first_cause(missing, &evidence);
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

/// The cause of several missing items: the first that applies to any of them.
#[must_use]
pub fn first_cause(missing: Items, evidence: &Evidence) -> Cause {
    missing.iter().map(|item| cause_of(Items::of(item), evidence)).min().unwrap_or(Cause::Unexplained)
}

/// The cause of a missing item, from the evidence taken at its checkout.
#[must_use]
pub fn cause_of(item: Items, evidence: &Evidence) -> Cause {
    let applies = |cause: &Cause| !cause.applies_to(evidence).intersection(item).is_empty();
    Cause::ALL.into_iter().find(applies).unwrap_or(Cause::Unexplained)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Item, UserId};

    fn visit(client: u32) -> Visit {
        Visit { user: UserId(client + 1), client: ClientId(client), number: 1 }
    }

    #[test]
    fn an_item_and_a_cart_get_the_first_cause_in_one_order() {
        assert!(Cause::ALL.is_sorted());
        let [mug, lamp] = [1, 2].map(|n| Items::of(Item::new(n).expect("in range")));
        let all = Evidence { died: mug, stale: mug.union(lamp), elsewhere: mug.union(lamp), ..Evidence::default() };
        assert_eq!([mug, lamp].map(|item| cause_of(item, &all)), [Cause::Wiped, Cause::Stale]);
        let mut post_mortem = PostMortem::new();
        post_mortem.checked_out(visit(0), &all);
        assert_eq!(post_mortem.lost(visit(0), lamp.union(mug)), Cause::Wiped);
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
