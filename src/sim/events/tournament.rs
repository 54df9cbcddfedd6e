//! The small event set: one leaf for each worker.

use crate::base::time::Instant;

/// A tournament tree of times: every inner node holds the earlier of its two children, and the root the earliest of
/// all. Ties go to the lower leaf.
#[derive(Clone, Debug)]
pub struct Tournament {
    leaves: usize,
    nodes: Vec<Instant>,
}

impl Tournament {
    /// Creates a tree with at least this many leaves, all without a time.
    #[must_use]
    pub fn new(leaves: usize) -> Tournament {
        let leaves = leaves.next_power_of_two().max(2);
        Tournament { leaves, nodes: vec![Instant::NEVER; 2 * leaves] }
    }

    /// Grows to at least this many leaves; existing leaves keep their times.
    pub fn grow(&mut self, leaves: usize) {
        if leaves <= self.leaves {
            return;
        }
        let mut grown = Tournament::new(leaves);
        let times = &self.nodes[self.leaves..];
        grown.nodes[grown.leaves..grown.leaves + times.len()].copy_from_slice(times);
        for node in (1..grown.leaves).rev() {
            grown.nodes[node] = grown.nodes[2 * node].min(grown.nodes[2 * node + 1]);
        }
        *self = grown;
    }

    /// The earliest time, or [`Instant::NEVER`] if no leaf has one.
    #[inline]
    #[must_use]
    pub fn earliest(&self) -> Instant {
        self.nodes[1]
    }

    /// The leaf with the earliest time.
    #[inline]
    #[must_use]
    pub fn winner(&self) -> usize {
        let time = self.nodes[1];
        let mut node = 1;
        while node < self.leaves {
            node = 2 * node + usize::from(self.nodes[2 * node] != time);
        }
        node - self.leaves
    }

    /// The time of a leaf.
    #[must_use]
    pub fn time(&self, leaf: usize) -> Instant {
        self.nodes[leaf + self.leaves]
    }

    /// Sets the time of a leaf; [`Instant::NEVER`] clears it. A node that stays as it is ends the climb, which for a
    /// new time is soon: it is rarely the earliest of many.
    #[inline(always)]
    pub fn set(&mut self, leaf: usize, time: Instant) {
        let nodes = &mut self.nodes[..2 * self.leaves];
        let mut node = leaf + self.leaves;
        let mut time = time;
        while nodes[node] != time {
            nodes[node] = time;
            if node == 1 {
                break;
            }
            time = time.min(nodes[node ^ 1]);
            node /= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_earliest_wins(n in 1usize..50, sets in prop::collection::vec((0usize..50, 0u64..20), 1..200)) {
            let mut tree = Tournament::new(n);
            let mut times = vec![Instant::NEVER; n];
            for (leaf, time) in sets {
                // Late times stand for "taken out".
                let time = if time < 15 { Instant::from_nanos(time) } else { Instant::NEVER };
                let leaf = leaf % times.len();
                tree.set(leaf, time);
                times[leaf] = time;
                let earliest = *times.iter().min().expect("not empty");
                prop_assert_eq!(tree.earliest(), earliest);
                if earliest < Instant::NEVER {
                    prop_assert_eq!(Some(tree.winner()), times.iter().position(|t| *t == earliest));
                }
                if time == Instant::ZERO {
                    times.push(Instant::NEVER);
                    tree.grow(times.len());
                }
            }
        }
    }
}
