//! A cart that several servers hold copies of in their memory.
//!
//! Every change of a cart creates a version. The server that makes the change sends the whole cart to other servers,
//! and each keeps the latest version it has seen: the last writer wins, as in Tomcat's session replication. Both
//! engines use this module to find out how items are lost: the server has no copy, the server has an outdated copy, a
//! newer copy was overwritten by a version that did not contain the item, or all copies died.

use crate::base::{Items, ProcessId, ServerId};
use crate::history::Evidence;

/// All copies of one cart, live and dead, and what has become of its items.
#[derive(Clone, Debug, Default)]
pub struct Copies {
    list: Vec<Copy>,
    elsewhere: Items,
    stale: Items,
    overwritten: Items,
}

#[derive(Clone, Copy, Debug)]
struct Copy {
    process: ProcessId,
    items: Items,
    version: u64,
}

/// A version that is sent to other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The whole contents of the cart.
    pub items: Items,
    /// The items that the change removed.
    pub taken: Items,
    /// Later changes have higher numbers.
    pub version: u64,
}

impl Change {
    /// What a command made of a copy.
    #[must_use]
    pub fn new(before: Items, items: Items, version: u64) -> Change {
        Change { items, taken: before.minus(items), version }
    }

    /// Whether a server that has this version ignores the change.
    #[must_use]
    pub fn yields_to(self, version: u64) -> bool {
        version > self.version
    }
}

/// The servers that a change is sent to: the next ones in the order of the pool. `present`: all servers, in that order.
pub fn receivers(present: &[ServerId], sender: ServerId, copies: usize) -> impl Iterator<Item = ServerId> {
    let after = present.partition_point(|other| *other <= sender);
    let others = present[after..].iter().chain(&present[..after]).filter(move |other| **other != sender);
    others.copied().take(copies)
}

/// Where a change arrives: at those of the servers it was sent `to` that can be reached by then, if its sender lives and
/// can be reached too. `reached` gives the process that runs on a server, and what the caller knows it by; `None` if
/// none does, or if the server is cut off.
pub fn delivered<P>(
    sender: (ServerId, ProcessId),
    to: impl IntoIterator<Item = ServerId>,
    reached: impl Fn(ServerId) -> Option<(ProcessId, P)>,
) -> impl Iterator<Item = (ProcessId, P)> {
    let (server, process) = sender;
    let leaves = reached(server).is_some_and(|(runs, _)| runs == process);
    to.into_iter().filter(move |_| leaves).filter_map(reached)
}

impl Copies {
    /// The items in the copy of a process; `None` if it does not know the cart.
    #[must_use]
    pub fn of(&self, process: ProcessId) -> Option<Items> {
        self.copy(process).map(|copy| copy.items)
    }

    /// The items in the copy of each process, live or dead.
    pub fn all(&self) -> impl Iterator<Item = (ProcessId, Items)> + '_ {
        self.list.iter().map(|copy| (copy.process, copy.items))
    }

    fn copy(&self, process: ProcessId) -> Option<&Copy> {
        self.list.iter().find(|copy| copy.process == process)
    }

    /// Notes, when a server is asked for the cart, which items live servers have and this one does not.
    pub fn asked(&mut self, process: ProcessId, processes: impl Fn(ProcessId) -> bool) {
        let (known, version) = self.copy(process).map_or((Items::NONE, None), |copy| (copy.items, Some(copy.version)));
        let (mut newer, mut older) = (Items::NONE, Items::NONE);
        for copy in self.list.iter().filter(|copy| copy.process != process && processes(copy.process)) {
            let side = if Some(copy.version) > version { &mut newer } else { &mut older };
            *side = side.union(copy.items.minus(known));
        }
        let side = if version.is_some() { &mut self.stale } else { &mut self.elsewhere };
        *side = side.union(newer);
        // Whatever an older copy has and this one has not was removed, or overwritten by a version that did not
        // contain it.
        self.overwritten = self.overwritten.union(older.minus(self.stale).minus(self.elsewhere));
        // Items in this copy are not lost, whatever happened to them before.
        for lost in [&mut self.stale, &mut self.elsewhere, &mut self.overwritten] {
            *lost = lost.minus(known);
        }
    }

    /// A server changes its copy.
    pub fn changed(&mut self, process: ProcessId, change: Change) {
        let Change { items, version, .. } = change;
        match self.list.iter_mut().find(|copy| copy.process == process) {
            Some(copy) => (copy.items, copy.version) = (items, version),
            None => self.list.push(Copy { process, items, version }),
        }
    }

    /// A change arrives at another server, which ignores it if it has a later version.
    pub fn arrived(&mut self, process: ProcessId, change: Change) {
        let Some(before) = self.copy(process).copied() else { return self.changed(process, change) };
        if change.yields_to(before.version) {
            return;
        }
        let lost = before.items.minus(change.items).minus(change.taken);
        self.overwritten = self.overwritten.union(lost.minus(self.stale).minus(self.elsewhere));
        self.changed(process, change);
    }

    /// Where the missing items are, or what took them. `killed_by` gives the fault that ended a process.
    pub fn evidence(&self, killed_by: impl Fn(ProcessId) -> Option<u32>) -> Evidence {
        let Copies { elsewhere, stale, overwritten, .. } = *self;
        let living = self.list.iter().filter(|copy| killed_by(copy.process).is_none());
        let safe = living.fold(elsewhere.union(stale), |all, copy| all.union(copy.items));
        let (mut died, mut first) = (Items::NONE, None::<u32>);
        for copy in &self.list {
            let (Some(fault), lost) = (killed_by(copy.process), copy.items.minus(safe)) else { continue };
            if !lost.is_empty() {
                died = died.union(lost);
                first = Some(first.map_or(fault, |first| first.min(fault)));
            }
        }
        Evidence { elsewhere, stale, overwritten, died, killed_by: first, ..Evidence::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUG: Items = Items(1);
    const LAMP: Items = Items(2);
    const BOTH: Items = Items(3);

    fn change(items: Items, version: u64) -> Change {
        Change { items, taken: Items::NONE, version }
    }

    /// Two servers have the mug; then the first one also has the lamp.
    fn two() -> Copies {
        let mut copies = Copies::default();
        copies.changed(ProcessId(0), change(MUG, 1));
        copies.arrived(ProcessId(1), change(MUG, 1));
        copies.changed(ProcessId(0), change(BOTH, 2));
        copies
    }

    #[test]
    fn changes_go_to_the_next_servers() {
        // The second server is gone for good.
        let present = [0, 2, 3].map(ServerId);
        let to = |sender, copies| receivers(&present, ServerId(sender), copies).map(|to| to.0).collect::<Vec<_>>();
        assert_eq!([to(0, 1), to(2, 1), to(3, 2)], [vec![2], vec![3], vec![0, 2]]);
        assert_eq!(to(2, 10), [3, 0], "never to itself");
        assert_eq!(to(1, 1), [2]);
    }

    #[test]
    fn a_change_arrives_where_both_ends_can_be_reached() {
        let arrives = |running: [Option<u32>; 3]| {
            let reached = |server: ServerId| running[server.index()].map(|process| (ProcessId(process), server));
            let to = delivered((ServerId(0), ProcessId(0)), [1, 2].map(ServerId), reached);
            to.map(|(process, server)| (process.0, server.0)).collect::<Vec<_>>()
        };
        assert_eq!(arrives([Some(0), Some(1), Some(2)]), [(1, 1), (2, 2)]);
        assert_eq!(arrives([Some(0), None, Some(7)]), [(7, 2)], "a new process in the old place takes it too");
        assert_eq!(arrives([None, Some(1), Some(2)]), [], "the sender is dead, or cut off");
        assert_eq!(arrives([Some(3), Some(1), Some(2)]), [], "its successor does not have the change");
    }

    #[test]
    fn an_older_copy_is_stale_and_none_is_split() {
        let mut copies = two();
        copies.asked(ProcessId(1), |_| true);
        assert_eq!(copies.evidence(|_| None), Evidence { stale: LAMP, ..Evidence::default() });
        copies.arrived(ProcessId(1), change(BOTH, 2));
        copies.asked(ProcessId(1), |_| true);
        assert_eq!(copies.evidence(|_| None), Evidence::default(), "it has come after all");
        copies.asked(ProcessId(2), |_| true);
        assert_eq!(copies.evidence(|_| None), Evidence { elsewhere: BOTH, ..Evidence::default() });
    }

    #[test]
    fn what_was_not_copied_in_time_dies() {
        let mut copies = two();
        let killed = |process| (process == ProcessId(0)).then_some(7);
        copies.asked(ProcessId(1), |process| killed(process).is_none());
        let lost = Evidence { died: LAMP, killed_by: Some(7), ..Evidence::default() };
        assert_eq!(copies.evidence(killed), lost);
        copies.arrived(ProcessId(1), change(BOTH, 2));
        assert_eq!(copies.evidence(killed), Evidence::default());
    }

    #[test]
    fn of_two_writers_at_once_one_is_written_over() {
        let mut copies = Copies::default();
        copies.changed(ProcessId(0), change(MUG, 1));
        copies.asked(ProcessId(1), |_| true);
        copies.changed(ProcessId(1), change(LAMP, 2));
        copies.asked(ProcessId(0), |_| true);
        assert_eq!(copies.evidence(|_| None).stale, LAMP, "the mug is here, and an older copy answers");
        copies.asked(ProcessId(1), |_| true);
        let lost = Evidence { overwritten: MUG, ..Evidence::default() };
        assert_eq!(copies.evidence(|_| None), lost, "the mug is in an older copy only");
    }

    #[test]
    fn the_last_writer_wins() {
        let mut copies = two();
        copies.changed(ProcessId(1), Change { items: Items::NONE, taken: MUG, version: 3 });
        copies.arrived(ProcessId(1), change(BOTH, 2));
        assert_eq!(copies.of(ProcessId(1)), Some(Items::NONE), "an older version does not replace a newer one");
        copies.arrived(ProcessId(0), Change { items: Items::NONE, taken: MUG, version: 3 });
        assert_eq!(copies.of(ProcessId(0)), Some(Items::NONE));
        let lost = Evidence { overwritten: LAMP, ..Evidence::default() };
        assert_eq!(copies.evidence(|_| None), lost);
    }
}
