//! The cost of deploys and of changes of the pool's size: users cut off, and missing capacity.

use std::collections::BTreeMap;

use crate::base::time::{Instant, Span};
use crate::base::{ServerId, ServerState};
use crate::history::PoolEvent;

/// The cost of one deploy or change of the pool's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationCost {
    /// When it began.
    pub began: Instant,
    /// When it was complete.
    pub finished: Option<Instant>,
    /// Servers that it stopped.
    pub stopped: u64,
    /// Users whom a cookie bound to a server when the server was stopped.
    pub cut_off_users: u64,
    /// Requests in flight at a server when the server was stopped.
    pub cut_requests: u64,
    /// Server-time during which fewer servers took new users than at the beginning.
    pub capacity_lost: Span,
    /// The number of servers that took new users at the beginning.
    servers: u64,
    /// The time up to which lost capacity has been counted.
    counted: Instant,
}

/// What is known about one server.
#[derive(Clone, Copy, Debug)]
struct Server {
    runs: bool,
    believed: bool,
}

/// The costs of all deploys and changes of size of a run.
#[derive(Clone, Debug)]
pub struct OperationCosts {
    servers: Vec<Server>,
    /// By fault.
    costs: BTreeMap<u32, OperationCost>,
}

impl OperationCosts {
    /// A pool of this many servers, all up.
    #[must_use]
    pub fn new(servers: usize) -> OperationCosts {
        OperationCosts { servers: vec![Server { runs: true, believed: true }; servers], costs: BTreeMap::new() }
    }

    /// The cost of an operation; `None` if it never began.
    #[must_use]
    pub fn cost(&self, fault: u32) -> Option<OperationCost> {
        self.costs.get(&fault).copied()
    }

    /// The cost of an operation, with an unfinished operation counted up to this time.
    #[must_use]
    pub fn cost_until(&self, fault: u32, now: Instant) -> Option<OperationCost> {
        let mut cost = self.cost(fault)?;
        cost.count(now, self.taking());
        Some(cost)
    }

    /// The number of servers that take new users.
    fn taking(&self) -> u64 {
        self.servers.iter().filter(|server| server.runs && server.believed).count() as u64
    }

    /// Records an event of the pool.
    pub fn hear(&mut self, at: Instant, event: PoolEvent) {
        let taking = self.taking();
        self.costs.values_mut().for_each(|cost| cost.count(at, taking));
        match event {
            PoolEvent::Struck { server: Some(server), memory_lost: true, .. } => self.server(server).runs = false,
            PoolEvent::Struck { server: None, fault, .. } => {
                let begun = OperationCost { began: at, counted: at, servers: taking, ..OperationCost::default() };
                self.costs.entry(fault).or_insert(begun);
            }
            PoolEvent::Struck { .. }
            | PoolEvent::Audited { .. }
            | PoolEvent::Ejected { .. }
            | PoolEvent::Readmitted { .. } => {}
            PoolEvent::Ready { server } => self.server(server).runs = true,
            PoolEvent::Turned { server, state } => self.server(server).runs = state == ServerState::Up,
            PoolEvent::Believed { server, up } => self.server(server).believed = up,
            PoolEvent::Stopped { server, fault, cut_off_users, cut_requests } => {
                self.server(server).runs = false;
                let cost = self.costs.entry(fault).or_insert(OperationCost {
                    began: at,
                    counted: at,
                    ..OperationCost::default()
                });
                cost.stopped += 1;
                cost.cut_off_users += u64::from(cut_off_users);
                cost.cut_requests += u64::from(cut_requests);
            }
            PoolEvent::Finished { fault } => {
                if let Some(cost) = self.costs.get_mut(&fault) {
                    cost.finished = Some(at);
                }
            }
        }
    }

    fn server(&mut self, server: ServerId) -> &mut Server {
        if server.index() >= self.servers.len() {
            self.servers.resize(server.index() + 1, Server { runs: false, believed: false });
        }
        &mut self.servers[server.index()]
    }
}

impl OperationCost {
    /// This many servers took new users until now.
    fn count(&mut self, now: Instant, taking: u64) {
        if self.finished.is_none() && now > self.counted {
            self.capacity_lost += (now - self.counted) * self.servers.saturating_sub(taking);
            self.counted = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_lost_from_the_drain_until_the_balancer_believes() {
        let at = |s| Instant::ZERO + Span::from_secs(s);
        let server = ServerId(1);
        let mut operations = OperationCosts::new(3);
        let turned = |state| PoolEvent::Turned { server, state };
        for (s, event) in [
            (10, PoolEvent::Struck { fault: 0, server: None, memory_lost: true }),
            (10, turned(ServerState::Draining)),
            (40, PoolEvent::Stopped { server, fault: 0, cut_off_users: 7, cut_requests: 2 }),
            (40, PoolEvent::Believed { server, up: false }),
            (40, turned(ServerState::Booting)),
            (50, turned(ServerState::Up)),
            (50, PoolEvent::Ready { server }),
            (53, PoolEvent::Believed { server, up: true }),
            (60, PoolEvent::Finished { fault: 0 }),
            (70, PoolEvent::Believed { server, up: false }),
        ] {
            operations.hear(at(s), event);
        }
        let cost = operations.cost_until(0, at(100)).expect("it began");
        assert_eq!((cost.stopped, cost.cut_off_users, cost.cut_requests), (1, 7, 2));
        assert_eq!((cost.finished, cost.capacity_lost), (Some(at(60)), Span::from_secs(43)));
        assert_eq!(operations.cost(1), None);
    }
}
