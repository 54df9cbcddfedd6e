//! How a new version goes to all servers.

use super::{Action, Leaving, Then};
use crate::balancing::pool::Pool;
use crate::base::time::Span;
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{Deploy, Strategy};

/// What a plan wants next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// This is to be done.
    Do(Action),
    /// This server is to leave.
    Send { server: ServerId, fault: u32, drain: Span, then: Then },
    /// Something must happen first.
    Wait,
    /// Everything is done.
    Done,
}

/// One deploy under way.
#[derive(Clone, Debug)]
pub(super) struct Rollout {
    /// The plan: an index into the faults of the run.
    pub fault: u32,
    how: Deploy,
    /// The servers there were when it began.
    servers: u32,
    /// Old ones that nobody has sent away yet, in order.
    old: Vec<ServerId>,
    /// In a slot that is used again: those that were sent away, with the life that is to end.
    renewed: Vec<(ServerId, ProcessId)>,
    /// In new slots: all that were launched.
    new: Vec<ServerId>,
    /// Of those, the ones that were never ready yet.
    unproven: Vec<ServerId>,
    /// Of those, the ones that are held back.
    held_back: Vec<ServerId>,
}

impl Rollout {
    /// One that has not done anything yet.
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

    /// What it wants next.
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

    /// Servers boot again in their slots, so many at a time. Those that are dead are no loss: they go first.
    fn renew(&mut self, pool: &Pool, at_a_time: u32) -> Step {
        let back = |(server, process): &(ServerId, ProcessId)| {
            pool.members[server.index()].process != *process && pool.is_ready(*server)
        };
        self.renewed.retain(|sent| !back(sent));
        let room = self.renewed.len() < at_a_time as usize;
        if let Some(server) = self.next_old(pool, room) {
            self.renewed.push((server, pool.members[server.index()].process));
            return self.send(server, Then::Boot { new_host: !self.how.in_place });
        }
        if self.old.is_empty() && self.renewed.is_empty() { Step::Done } else { Step::Wait }
    }

    /// New servers start beside the old ones, which are sent away as the new ones become ready.
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

    /// A second pool boots and is checked; then it is used, and the old one leaves.
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

    /// The old server that is to leave next: one that is dead, or, if there is room, the first.
    fn next_old(&mut self, pool: &Pool, room: bool) -> Option<ServerId> {
        let dead =
            |server: &ServerId| matches!(pool.members[server.index()].state, ServerState::Down | ServerState::Silent);
        let at = self.old.iter().position(dead).or((room && !self.old.is_empty()).then_some(0))?;
        Some(self.old.remove(at))
    }

    fn send(&self, server: ServerId, then: Then) -> Step {
        Step::Send { server, fault: self.fault, drain: self.how.drain.get(), then }
    }

    /// A new slot, as heavy as the one in whose place it comes.
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
