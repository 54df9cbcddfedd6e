//! Builds [`Evidence`] for the post-mortem: where the items of a visit are, other than where a server looked, or what
//! removed them. Both engines pass in what they know of copies in live and dead processes.

use super::shop::Basket;
use crate::base::{Command, File, Items, ProcessId};
use crate::history::Evidence;
use crate::scenario::CartPath;

/// How items left a cart other than with the memory of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The store had kept the cart for its time to live, or the cart came in a token that was over.
    Expired,
    /// The store was full.
    Evicted,
    /// A writer replaced the cart with what it had made of an older copy.
    Overwritten,
    /// The store forgot it by this fault.
    RolledBack(u32),
}

/// Adds what a cart has lost.
pub fn lost(evidence: &mut Evidence, how: Loss, items: Items) {
    if items.is_empty() {
        return;
    }
    let lost = match how {
        Loss::Expired => &mut evidence.expired,
        Loss::Evicted => &mut evidence.evicted,
        Loss::Overwritten => &mut evidence.overwritten,
        Loss::RolledBack(fault) => {
            blame(evidence, fault);
            &mut evidence.rolled_back
        }
    };
    *lost = lost.union(items);
}

/// What the store has lost of a cart, and what it lost otherwise.
#[must_use]
pub fn both(by_store: Evidence, otherwise: Evidence) -> Evidence {
    let mut all = by_store;
    lost(&mut all, Loss::Expired, otherwise.expired);
    lost(&mut all, Loss::Overwritten, otherwise.overwritten);
    all
}

/// Whether evidence about a cart is taken for a request: for every checkout whose server looked for the cart. `knew`: as
/// in [`Served`](crate::history::Served).
#[inline]
#[must_use]
pub fn is_about_a_cart(command: Command, knew: Option<bool>) -> bool {
    command == Command::Checkout && knew.is_some()
}

/// What a write took from a cart though its command did not say so: the copy that the command was applied to was older
/// than what was `there`. `written`: the new contents; `held`: what a checkout charged.
#[must_use]
pub fn overwritten(there: Items, command: Command, held: Items, written: Items) -> Items {
    let meant = match command {
        Command::Remove(item) => Items::of(item),
        Command::Checkout => held,
        _ => Items::NONE,
    };
    there.minus(written).minus(meant)
}

/// What a user's token loses when it is replaced by one that was made of an older token.
#[must_use]
pub fn replaced(token: Items, command: Command, new: Items) -> Items {
    let mut meant = Basket { items: token };
    meant.apply(command);
    meant.items.minus(new)
}

/// Records that a fault took items. The earliest fault gets the blame.
fn blame(evidence: &mut Evidence, fault: u32) {
    evidence.killed_by = Some(evidence.killed_by.map_or(fault, |first| first.min(fault)));
}

/// Evidence about a cart of which each process has its own copy. `lost` is what happened to items in the store or in
/// tokens. `memories` are what processes other than `here` hold or held; a process may appear more than once.
/// `killed_by` gives the fault that ended a process.
#[inline]
pub fn of_cart(
    lost: Evidence,
    here: ProcessId,
    memories: impl Iterator<Item = (ProcessId, Items)>,
    killed_by: impl Fn(ProcessId) -> Option<u32>,
) -> Evidence {
    let mut evidence = lost;
    for (process, items) in memories.filter(|(process, items)| *process != here && !items.is_empty()) {
        add_copy(&mut evidence, items, killed_by(process));
    }
    settle(evidence)
}

/// Evidence about a cart that moves to the store. `here` is the process that was asked, with its path to the cart. If
/// only the store is read, copies in memory are as good as gone, and the blame goes to `migration`, a fault.
pub fn of_moving_cart(
    memories: impl Iterator<Item = (ProcessId, Items)>,
    (here, path): (ProcessId, CartPath),
    migration: u32,
    killed_by: impl Fn(ProcessId) -> Option<u32>,
) -> Evidence {
    let mut evidence = Evidence::default();
    let own_counts = path.asks_memory();
    for (process, items) in memories.filter(|(of, items)| !(items.is_empty() || own_counts && *of == here)) {
        let taken_by = killed_by(process).or((path == CartPath::Store).then_some(migration));
        add_copy(&mut evidence, items, taken_by);
    }
    settle(evidence)
}

/// Evidence about a file that a download did not find; `there` are the user's files that exist somewhere.
#[must_use]
pub fn of_file(file: File, there: Items) -> Evidence {
    let wanted = Items::of(file.place());
    let elsewhere = there.intersection(wanted);
    Evidence { elsewhere, died: wanted.minus(elsewhere), ..Evidence::default() }
}

fn add_copy(evidence: &mut Evidence, items: Items, taken_by: Option<u32>) {
    match taken_by {
        None => evidence.elsewhere = evidence.elsewhere.union(items),
        Some(fault) => {
            evidence.died = evidence.died.union(items);
            blame(evidence, fault);
        }
    }
}

/// Items that live elsewhere have not died; and if nothing is gone, no fault is to blame.
fn settle(mut evidence: Evidence) -> Evidence {
    evidence.died = evidence.died.minus(evidence.elsewhere);
    if evidence.died.is_empty() && evidence.rolled_back.is_empty() {
        evidence.killed_by = None;
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Item;

    const MUG: Items = Items(1);
    const LAMP: Items = Items(2);

    fn killed_by(process: ProcessId) -> Option<u32> {
        [None, Some(7), Some(3)].get(process.0 as usize).copied().flatten()
    }

    #[test]
    fn what_lives_elsewhere_has_not_died() {
        let memories = [(0, MUG), (1, MUG), (9, LAMP)].map(|(process, items)| (ProcessId(process), items));
        let evidence = of_cart(Evidence::default(), ProcessId(9), memories.into_iter(), killed_by);
        assert_eq!(evidence, Evidence { elsewhere: MUG, ..Evidence::default() });
    }

    #[test]
    fn the_first_of_several_faults_is_to_blame() {
        let memories = [(1, MUG), (2, LAMP)].map(|(process, items)| (ProcessId(process), items));
        let evidence = of_cart(Evidence::default(), ProcessId(9), memories.into_iter(), killed_by);
        assert_eq!(evidence, Evidence { died: MUG.union(LAMP), killed_by: Some(3), ..Evidence::default() });
    }

    #[test]
    fn what_was_put_in_meanwhile_is_overwritten() {
        let mug = Item::new(1).expect("in range");
        let both = MUG.union(LAMP);
        assert_eq!(overwritten(both, Command::Remove(mug), Items::NONE, Items::NONE), LAMP);
        assert_eq!(overwritten(both, Command::Checkout, MUG, Items::NONE), LAMP, "it is not charged, and gone");
        assert_eq!(overwritten(LAMP, Command::Add(mug), MUG, MUG), LAMP);
        assert_eq!(replaced(LAMP, Command::Add(mug), MUG), LAMP);
        assert_eq!(replaced(both, Command::Remove(mug), LAMP), Items::NONE);
    }

    #[test]
    fn what_a_cart_has_lost_is_told_apart() {
        let mut evidence = Evidence::default();
        lost(&mut evidence, Loss::Expired, MUG);
        lost(&mut evidence, Loss::RolledBack(4), Items::NONE);
        assert_eq!(evidence, Evidence { expired: MUG, ..Evidence::default() }, "nobody is to blame for nothing");
        lost(&mut evidence, Loss::RolledBack(4), LAMP);
        let by_store = Evidence { expired: MUG, rolled_back: LAMP, killed_by: Some(4), ..Evidence::default() };
        assert_eq!(evidence, by_store);
        let mut otherwise = Evidence::default();
        lost(&mut otherwise, Loss::Overwritten, MUG);
        lost(&mut otherwise, Loss::Expired, LAMP);
        assert_eq!(both(by_store, otherwise), Evidence { overwritten: MUG, expired: MUG.union(LAMP), ..by_store });
    }

    #[test]
    fn evidence_is_taken_when_a_checkout_has_looked_for_its_cart() {
        let taken = |command, knew| is_about_a_cart(command, knew);
        assert!(taken(Command::Checkout, Some(true)) && taken(Command::Checkout, Some(false)));
        assert!(!taken(Command::Checkout, None) && !taken(Command::View, Some(false)));
    }

    #[test]
    fn where_only_the_store_is_read_memories_are_as_good_as_gone() {
        let memories = || [(ProcessId(0), MUG)].into_iter();
        let read = |path| of_moving_cart(memories(), (ProcessId(0), path), 5, killed_by);
        assert_eq!(read(CartPath::Store), Evidence { died: MUG, killed_by: Some(5), ..Evidence::default() });
        assert_eq!(read(CartPath::StoreThenMemory).elsewhere, MUG);
        assert_eq!(read(CartPath::Both), Evidence::default(), "its own copy counts");
    }
}
