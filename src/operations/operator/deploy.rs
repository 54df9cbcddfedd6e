//! How a deploy proceeds.

use super::Action;
use super::leaving::{Leaving, Then};
use crate::balancing::pool::Pool;
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{Deploy, Drain, Strategy};

/// The next step of a plan.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Carry out this action.
    Do(Action),
    /// Remove this server.
    Send { server: ServerId, fault: u32, drain: Drain, then: Then },
    /// Wait for something to happen.
    Wait,
    /// The plan is complete.
    Done,
}

/// A deploy in progress.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    /// The plan: its index among the faults of the run.
    pub fault: u32,
    how: Deploy,
    /// The number of servers when it began.
    servers: u32,
    /// Old servers that are still to be removed, in order.
    old: Vec<ServerId>,
    /// If slots are reused: the servers that were sent away, with the process that will end.
    renewed: Vec<(ServerId, ProcessId)>,
    /// If slots are new: all servers that were launched.
    new: Vec<ServerId>,
    /// Those among them that have not been ready yet.
    unproven: Vec<ServerId>,
    /// Those among them that are held back.
    held_back: Vec<ServerId>,
}

impl Rollout {
    /// A deploy that has not started yet.
    pub fn new(fault: u32, how: Deploy, old: Vec<ServerId>) -> Rollout {
        let servers = u32::try_from(old.len()).expect("fewer than 2^32 servers");
        Rollout {
            fault,
            how,
            servers,
            old,
            renewed: Vec::new(),
            new: Vec::new(),
            unproven: Vec::new(),
            held_back: Vec::new(),
        }
    }

    /// The next step.
    pub fn step(&mut self, pool: &Pool, leaving: &[Leaving]) -> Step {
        let left = leaving.iter().filter(|leaving| leaving.fault == self.fault).count();
        self.unproven.retain(|server| !pool.is_ready(*server));
        match (self.how.strategy, self.how.surge()) {
            (Strategy::BlueGreen, _) => self.switch(pool, left),
            (Strategy::AllAtOnce, _) => self.renew(pool, self.servers),
            (Strategy::Rolling, 0) => self.renew(pool, self.how.unavailable()),
            (Strategy::Rolling, surge) => self.replace(pool, left, surge),
        }
    }

    /// Servers restart in their slots, this many at a time. Dead servers go first, because that costs no capacity.
    fn renew(&mut self, pool: &Pool, at_a_time: u32) -> Step {
        let back =
            |(server, process): &(ServerId, ProcessId)| pool.process_on(*server) != *process && pool.is_ready(*server);
        self.renewed.retain(|sent| !back(sent));
        let room = self.renewed.len() < at_a_time as usize;
        if let Some(server) = self.next_old(pool, room) {
            self.renewed.push((server, pool.process_on(server)));
            return self.send(server, Then::Boot { new_host: !self.how.in_place });
        }
        if self.old.is_empty() && self.renewed.is_empty() { Step::Done } else { Step::Wait }
    }

    /// New servers start beside the old ones, which are removed as the new ones become ready.
    fn replace(&mut self, pool: &Pool, left: usize, surge: u32) -> Step {
        let there = self.old.len() + left + self.new.len();
        if self.new.len() < self.servers as usize && there < (self.servers + surge) as usize {
            return self.launch(pool, false);
        }
        let ready = self.old.iter().chain(&self.new).filter(|server| pool.is_ready(**server)).count();
        let spare = ready > self.servers.saturating_sub(self.how.unavailable()) as usize;
        if let Some(server) = self.next_old(pool, spare) {
            return self.send(server, Then::Retire);
        }
        if self.old.is_empty() && left == 0 && self.unproven.is_empty() { Step::Done } else { Step::Wait }
    }

    /// A second pool boots and is checked; then it takes over, and the old one is removed.
    fn switch(&mut self, pool: &Pool, left: usize) -> Step {
        if self.new.len() < self.servers as usize {
            return self.launch(pool, true);
        }
        if !self.unproven.is_empty() {
            return Step::Wait;
        }
        if !self.held_back.is_empty() {
            return Step::Do(Action::Admit(self.held_back.remove(0)));
        }
        match self.next_old(pool, true) {
            Some(server) => self.send(server, Then::Retire),
            None if left == 0 => Step::Done,
            None => Step::Wait,
        }
    }

    /// The next old server to remove: a dead one or, if there is room, the first.
    fn next_old(&mut self, pool: &Pool, room: bool) -> Option<ServerId> {
        let dead =
            |server: &ServerId| matches!(pool.members[server.index()].state, ServerState::Down | ServerState::Silent);
        let at = self.old.iter().position(dead).or((room && !self.old.is_empty()).then_some(0))?;
        Some(self.old.remove(at))
    }

    fn send(&self, server: ServerId, then: Then) -> Step {
        Step::Send { server, fault: self.fault, drain: self.how.drain, then }
    }

    /// Launches a server in a new slot, with the weight of the one that it replaces.
    fn launch(&mut self, pool: &Pool, held_back: bool) -> Step {
        let server = ServerId(u32::try_from(pool.members.len()).expect("fewer than 2^32 slots"));
        self.new.push(server);
        self.unproven.push(server);
        if held_back {
            self.held_back.push(server);
        }
        let weight = self.old.first().map_or(1, |old| pool.view.weights[old.index()]);
        Step::Do(Action::Launch { weight, held_back })
    }
}
