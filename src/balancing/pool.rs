//! The pool of servers: their real state, and what the balancer believes about them.
//!
//! Truth and belief are kept apart: [`Member`] is the real state of a server, [`Health`] is what the health checks
//! have shown so far, and [`PoolView`] is what the balancer acts on.

mod outliers;
mod retries;
mod slots;
mod warm_up;

use std::collections::BTreeMap;

use crate::balancing::policy::PoolView;
use crate::base::seed::{Key, Purpose, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{self, Affliction, Comeback, DrainFor, FaultKind, Scenario};

use outliers::Outliers;
use retries::Retries;
use warm_up::WarmUp;

/// The real state of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Booting, up, draining, terminating, down, silent, or retired.
    pub state: ServerState,
    /// The process that runs, or ran last.
    pub process: ProcessId,
    /// The sequence number of its host within this slot, counted from 1. A new host has a new disk.
    pub host: u32,
    /// The factor by which it is slower than usual.
    pub slow: u32,
    /// How many requests of a thousand it answers with an instant 500.
    pub failing: u32,
}

/// One process of a server, alive or dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessRecord {
    /// The slot it belongs to.
    server: ServerId,
    /// The fault that ended it, an index into the faults of the run.
    killed_by: Option<u32>,
}

/// The pool: the present state of the servers, all their processes, and the balancer's view.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The present state, by slot.
    pub members: Vec<Member>,
    /// Every process there has been, by [`ProcessId`].
    processes: Vec<ProcessRecord>,
    /// The balancer's view.
    pub view: PoolView,
    health: Vec<Health>,
    /// By server: the operator's instruction to the balancer.
    roles: Vec<Role>,
    /// Servers that run but cannot be reached, with the fault that cut them off.
    isolated: BTreeMap<ServerId, u32>,
    rules: HealthRules,
    outliers: Option<Outliers>,
    warm_up: Option<WarmUp>,
    retries: Retries,
    seed: Seed,
}

/// What the operator has told the balancer to do with a server that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Use it.
    Serve,
    /// Send no new users there.
    Drain,
    /// Send nothing there, not even the users it has.
    Terminate,
    /// Check it, but do not use it yet.
    Standby,
    /// Do not expect it to come back.
    Decommissioned,
}

impl Pool {
    /// A pool in which all servers are up, and believed to be up.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Pool {
        let n = scenario.servers_at_first();
        let mut weights: Vec<u32> = scenario.servers.weights.iter().map(|w| w.get32()).collect();
        weights.resize(n as usize, 1);
        let balancer = &scenario.balancer;
        let rules = HealthRules::new(&balancer.health);
        Pool {
            members: (0..n)
                .map(|i| Member { state: ServerState::Up, process: ProcessId(i), host: 1, slow: 1, failing: 0 })
                .collect(),
            processes: (0..n).map(|i| ProcessRecord { server: ServerId(i), killed_by: None }).collect(),
            view: PoolView::new(weights).with_panic(balancer.panic_threshold),
            health: (0..n).map(|i| Health::new(rules.phase(ServerId(i), seed))).collect(),
            roles: vec![Role::Serve; n as usize],
            isolated: BTreeMap::new(),
            rules,
            outliers: balancer.outlier.as_ref().map(Outliers::new),
            warm_up: balancer.slow_start.map(|window| WarmUp::new(window.get())),
            retries: Retries::new(balancer.retry_budget),
            seed,
        }
    }

    /// The process that runs on a server, or was the last to run there.
    #[inline]
    #[must_use]
    pub fn process_on(&self, server: ServerId) -> ProcessId {
        self.members[server.index()].process
    }

    /// The server on which a process runs, or ran.
    #[inline]
    #[must_use]
    pub fn server_of(&self, process: ProcessId) -> ServerId {
        self.processes[process.0 as usize].server
    }

    /// The fault that took the memory of a process, if one did.
    #[inline]
    #[must_use]
    pub fn killed_by(&self, process: ProcessId) -> Option<u32> {
        self.processes[process.0 as usize].killed_by
    }

    /// Whether this process still has its memory.
    #[inline]
    #[must_use]
    pub fn lives_on(&self, process: ProcessId) -> bool {
        self.killed_by(process).is_none()
    }

    /// Kills a running server. False if there was nothing to kill.
    pub fn kill(&mut self, server: ServerId, fault: u32, kind: FaultKind) -> bool {
        let isolated = self.isolated.remove(&server).is_some();
        let member = &mut self.members[server.index()];
        if !lives(member.state) && !isolated {
            return false;
        }
        member.state = if kind.silences() { ServerState::Silent } else { ServerState::Down };
        self.processes[member.process.0 as usize].killed_by = Some(fault);
        true
    }

    /// Cuts off a running server: it falls silent, but its process lives on. False if it was not running or already
    /// cut off.
    pub fn isolate(&mut self, server: ServerId, fault: u32) -> bool {
        let member = &mut self.members[server.index()];
        if !runs(member.state) {
            return false;
        }
        member.state = ServerState::Silent;
        self.isolated.insert(server, fault);
        true
    }

    /// A server that a fault cut off can be reached again. False if something else has happened to it in the meantime.
    pub fn reconnect(&mut self, server: ServerId, fault: u32) -> bool {
        if self.isolated.get(&server) != Some(&fault) {
            return false;
        }
        self.isolated.remove(&server);
        self.members[server.index()].state = self.usual_state(server);
        true
    }

    /// Whether any running server is cut off.
    #[inline]
    #[must_use]
    pub fn has_isolated(&self) -> bool {
        !self.isolated.is_empty()
    }

    /// Whether a server runs but is cut off.
    #[must_use]
    pub fn is_isolated(&self, server: ServerId) -> bool {
        self.isolated.contains_key(&server)
    }

    /// Whether a server runs and can be reached.
    #[must_use]
    pub fn is_within_reach(&self, server: ServerId) -> bool {
        runs(self.members[server.index()].state)
    }

    /// Tells the balancer to send no new users to a server, or no requests at all. A process that comes back in this
    /// slot is drained too, until [`Pool::end_drain`]. False if the server was already being drained like that.
    pub fn drain(&mut self, server: ServerId, waits_for: DrainFor) -> bool {
        self.assign(
            server,
            match waits_for {
                DrainFor::BoundUsers => Role::Drain,
                DrainFor::Requests => Role::Terminate,
            },
        )
    }

    /// The server may get new users again, once it is up. False if it was not being drained.
    pub fn end_drain(&mut self, server: ServerId) -> bool {
        self.assign(server, Role::Serve)
    }

    fn assign(&mut self, server: ServerId, role: Role) -> bool {
        if std::mem::replace(&mut self.roles[server.index()], role) == role {
            return false;
        }
        let usual = self.usual_state(server);
        let state = &mut self.members[server.index()].state;
        if runs(*state) {
            *state = usual;
        }
        self.update_belief(server);
        true
    }

    /// The state of a server while it runs.
    fn usual_state(&self, server: ServerId) -> ServerState {
        match self.roles[server.index()] {
            Role::Serve | Role::Standby | Role::Decommissioned => ServerState::Up,
            Role::Drain | Role::Terminate => ServerState::Draining,
        }
    }

    /// Updates the balancer's belief from health checks, responses and instructions.
    fn update_belief(&mut self, server: ServerId) {
        let ejected = self.outliers.as_ref().is_some_and(|outliers| outliers.has_ejected(server));
        let before = self.view.states[server.index()];
        let belief = match (before, self.roles[server.index()]) {
            // Retired, or never up so far.
            (ServerState::Retired, _) => return,
            (ServerState::Booting, _) if !self.health[server.index()].up => return,
            (_, Role::Terminate) => ServerState::Terminating,
            _ if !self.health[server.index()].up || ejected => ServerState::Down,
            (_, Role::Standby) => ServerState::Booting,
            (_, Role::Serve | Role::Drain | Role::Decommissioned) => self.usual_state(server),
        };
        if belief != before {
            self.view.believe(server, belief);
        }
    }

    /// Brings a dead server back: a new process with empty memory.
    pub fn revive(&mut self, server: ServerId, comeback: Comeback) {
        let process = self.new_process(server);
        let state = self.usual_state(server);
        let member = &mut self.members[server.index()];
        *member = Member {
            state,
            process,
            host: member.host + u32::from(comeback.new_host),
            slow: if comeback.new_host { 1 } else { member.slow },
            failing: 0,
        };
    }

    /// A fault makes a server slow or failing.
    pub fn afflict(&mut self, server: ServerId, with: Affliction) {
        let member = &mut self.members[server.index()];
        match with {
            Affliction::Slow(factor) => member.slow = factor,
            Affliction::Failing(billionths) => member.failing = billionths,
        }
    }

    /// A fault that made a server slow or failing ends. False if the server had already recovered.
    pub fn recover(&mut self, server: ServerId, from: Affliction) -> bool {
        let member = &mut self.members[server.index()];
        match from {
            Affliction::Slow(_) => std::mem::replace(&mut member.slow, 1) != 1,
            Affliction::Failing(_) => std::mem::replace(&mut member.failing, 0) != 0,
        }
    }

    /// When the next health check of this server begins, if it has to be simulated. Checks of a server whose belief
    /// agrees with the truth change nothing and are skipped.
    pub fn watch(&mut self, server: ServerId, now: Instant) -> Option<Instant> {
        self.watch_again(server, now, false)
    }

    /// The same after a check has ended, perhaps because it timed out.
    pub fn watch_again(&mut self, server: ServerId, ended: Instant, timed_out: bool) -> Option<Instant> {
        let health = &mut self.health[server.index()];
        let state = self.members[server.index()].state;
        if state == ServerState::Retired || health.watched || health.agrees_with(runs(state)) {
            return None;
        }
        health.watched = true;
        Some(self.rules.check_after(health.phase, ended, timed_out))
    }

    /// A health check begins: whether it will pass, and when it ends.
    #[must_use]
    pub fn check(&self, server: ServerId, now: Instant) -> (bool, Instant) {
        match self.members[server.index()].state {
            ServerState::Up | ServerState::Draining => (true, now),
            ServerState::Terminating | ServerState::Down | ServerState::Booting | ServerState::Retired => (false, now),
            ServerState::Silent => (false, now + self.rules.timeout),
        }
    }

    /// A health check ended. Returns the new belief, if it changed.
    pub fn checked(&mut self, server: ServerId, passed: bool) -> Option<bool> {
        if self.members[server.index()].state == ServerState::Retired {
            return None;
        }
        let health = &mut self.health[server.index()];
        health.watched = false;
        let changed = health.check(passed, &self.rules);
        if changed.is_some() {
            self.update_belief(server);
        }
        changed
    }

    /// Called before the balancer picks: updates what depends on time alone.
    #[inline]
    pub fn look_at_the_clock(&mut self, now: Instant) {
        if let Some(warm_up) = &mut self.warm_up {
            warm_up.look(&mut self.view, now);
        }
    }

    /// The balancer sends a request to a server; `again` marks a retry.
    #[inline]
    pub fn sent(&mut self, server: ServerId, again: bool) {
        self.view.in_flight[server.index()] += 1;
        if again {
            self.retries.begin();
        }
    }

    /// A request was answered, or given up by the balancer.
    #[inline]
    pub fn ended(&mut self, server: ServerId, again: bool) {
        self.view.in_flight[server.index()] -= 1;
        if again {
            self.retries.end();
        }
    }

    /// Whether the balancer may retry a request; the request is no longer in flight.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.retries.may_begin(|| 1 + self.view.in_flight.iter().sum::<u32>())
    }

    /// A server answered, or failed to. Returns the end of the ejection if this failure ejects the server.
    #[inline]
    pub fn answered(&mut self, server: ServerId, failed: bool, now: Instant) -> Option<Instant> {
        let outliers = self.outliers.as_mut()?;
        if !failed {
            outliers.succeeded(server);
            return None;
        }
        let pool = self.view.states.iter().filter(|state| **state != ServerState::Retired).count();
        let until = outliers.failed(server, pool, now)?;
        self.update_belief(server);
        Some(until)
    }

    /// The time of an ejection is over. False if a later ejection is still running.
    pub fn readmit(&mut self, server: ServerId, now: Instant) -> bool {
        let readmitted = self.outliers.as_mut().is_some_and(|outliers| outliers.readmit(server, now));
        if readmitted {
            self.update_belief(server);
        }
        readmitted
    }
}

/// Whether a server in this state takes requests.
fn runs(state: ServerState) -> bool {
    matches!(state, ServerState::Up | ServerState::Draining)
}

/// Whether a server in this state works on requests.
fn lives(state: ServerState) -> bool {
    runs(state) || state == ServerState::Terminating
}

/// The rules of active health checks.
#[derive(Clone, Copy, Debug)]
pub struct HealthRules {
    interval: Span,
    timeout: Span,
    fall: u32,
    rise: u32,
}

impl HealthRules {
    /// The rules that a scenario sets.
    #[must_use]
    pub fn new(health: &scenario::Health) -> HealthRules {
        HealthRules {
            interval: health.interval.get(),
            timeout: health.timeout.get(),
            fall: health.fall.get32(),
            rise: health.rise.get32(),
        }
    }

    /// How long a check waits for its response.
    #[must_use]
    pub fn timeout(&self) -> Span {
        self.timeout
    }

    /// The phase of a server's checks within the interval.
    #[must_use]
    pub fn phase(&self, server: ServerId, seed: Seed) -> Span {
        let mut draw = seed.draw(Purpose::HealthPhase, Key { entity: u64::from(server.0), ..Key::default() });
        Span::from_nanos(draw.bits() % self.interval.as_nanos())
    }

    /// The next check after one that ended then: the first in phase later than that. After one that timed out, it may
    /// begin at that very moment: so checks whose timeout is their interval follow each other without a gap.
    #[must_use]
    pub fn check_after(&self, phase: Span, ended: Instant, timed_out: bool) -> Instant {
        let after = if timed_out { ended.as_nanos().saturating_sub(1) } else { ended.as_nanos() };
        self.next_check(phase, Instant::from_nanos(after))
    }

    /// The first check after `now`.
    #[must_use]
    pub fn next_check(&self, phase: Span, now: Instant) -> Instant {
        let first = Instant::ZERO + phase;
        if now < first {
            return first;
        }
        let rounds = (now - first).as_nanos() / self.interval.as_nanos() + 1;
        first + self.interval * rounds
    }
}

/// The health of a server according to its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    up: bool,
    /// Consecutive checks that contradict the belief.
    against: u32,
    phase: Span,
    watched: bool,
}

impl Health {
    /// Believed to be up, like HAProxy at the start.
    #[must_use]
    pub fn new(phase: Span) -> Health {
        Health { up: true, against: 0, phase, watched: false }
    }

    /// Believed to be down until enough checks have passed.
    fn unproven(phase: Span) -> Health {
        Health { up: false, ..Health::new(phase) }
    }

    /// The balancer is told that the server is down.
    fn mistrust(&mut self) {
        self.up = false;
        self.against = 0;
    }

    /// Records the result of one check. Returns the new belief if it changed.
    pub fn check(&mut self, passed: bool, rules: &HealthRules) -> Option<bool> {
        if passed == self.up {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let enough = if self.up { rules.fall } else { rules.rise };
        if self.against < enough {
            return None;
        }
        self.up = passed;
        self.against = 0;
        Some(passed)
    }

    fn agrees_with(self, truth: bool) -> bool {
        self.up == truth && self.against == 0
    }
}

#[cfg(test)]
mod tests;
