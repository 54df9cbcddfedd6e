//! The carts of all users, memory by memory, as the history of a whole run has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::time::Instant;
use crate::base::{Command, ServerId};
use crate::history::{Event, EventKind, Inside, PoolEvent, Recorder, Seen};
use crate::scenario::{CartHome, Scenario};

/// A memory that can hold carts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Memory {
    /// A server's.
    Server(ServerId),
    /// The shared store.
    Store,
}

/// Which clients have something of their carts in which memory.
pub type Held = BTreeMap<Memory, BTreeSet<u32>>;

/// Listens to a run, and keeps what every memory holds at some moments.
#[derive(Clone, Debug)]
pub struct Crowd {
    home: CartHome,
    held: Held,
    /// Moments that are still to come, the next one last.
    moments: Vec<Instant>,
    kept: Vec<Held>,
    /// How many clients have come.
    clients: u32,
}

impl Crowd {
    /// Will keep these moments, which are in order.
    #[must_use]
    pub fn at(scenario: &Scenario, moments: &[Instant]) -> Crowd {
        let moments = moments.iter().rev().copied().collect();
        Crowd { home: scenario.homes.cart, held: Held::new(), moments, kept: Vec::new(), clients: 0 }
    }

    /// What every memory held at each of the moments.
    #[must_use]
    pub fn kept(mut self) -> Vec<Held> {
        while self.moments.pop().is_some() {
            self.kept.push(self.held.clone());
        }
        self.kept
    }

    /// How many clients there are, as far as they have come.
    #[must_use]
    pub fn clients(&self) -> u32 {
        self.clients
    }

    fn memory(&self, server: ServerId) -> Option<Memory> {
        match self.home {
            CartHome::ServerMemory | CartHome::ReplicatedMemory => Some(Memory::Server(server)),
            CartHome::SharedStore => Some(Memory::Store),
            CartHome::SignedToken => None,
        }
    }
}

impl Recorder for Crowd {
    fn record(&mut self, event: &Event) {
        while self.moments.last().is_some_and(|moment| *moment < event.at) {
            self.moments.pop();
            self.kept.push(self.held.clone());
        }
        if let EventKind::Seen(visit, Seen::Began) = event.what {
            self.clients = self.clients.max(visit.client.0 + 1);
        }
        match event.what {
            EventKind::Inside(visit, Inside::Served(served)) if served.request.command.touches_cart() => {
                let Some(memory) = self.memory(served.server) else { return };
                let carts = self.held.entry(memory).or_default();
                if served.cart.is_empty() || served.request.command == Command::Checkout {
                    carts.remove(&visit.client.0);
                } else {
                    carts.insert(visit.client.0);
                }
            }
            EventKind::Seen(visit, Seen::Left(_)) => {
                self.held.values_mut().for_each(|carts| {
                    carts.remove(&visit.client.0);
                });
            }
            EventKind::Pool(
                PoolEvent::Struck { server: Some(server), memory_lost: true, .. } | PoolEvent::Stopped { server, .. },
            ) => {
                self.held.remove(&Memory::Server(server));
            }
            EventKind::Seen(..) | EventKind::Inside(..) | EventKind::Pool(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::results::sample;

    #[test]
    fn a_crash_empties_a_memory() {
        let at = |millis| Instant::ZERO + Span::from_millis(millis);
        let scenario = sample::scenario("title = 'x'\nduration = '2m'");
        let mut crowd = Crowd::at(&scenario, &[at(29_000), at(30_000), at(33_000), at(50_000)]);
        sample::crashed().events.iter().for_each(|event| crowd.record(event));
        let held = |server: u32| (Memory::Server(ServerId(server)), BTreeSet::from([41]));
        let emptied = (Memory::Server(ServerId(0)), BTreeSet::new());
        let wanted: Vec<Held> = vec![Held::from([held(1)]), Held::new(), Held::from([held(0)]), Held::from([emptied])];
        assert_eq!(crowd.kept(), wanted);
    }
}
