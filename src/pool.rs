//! A server's life, and what the balancer believes of it.
//!
//! The truth and the belief are apart: [`Member`] is what a server really does, [`Health`] what the checks have shown
//! so far, and [`PoolView`] what the balancer acts upon.

use crate::fault::{Comeback, FaultKind};
use crate::model::{Life, ServerId, ServerState};
use crate::policy::PoolView;
use crate::scenario::{self, Scenario};
use crate::seed::{Key, Purpose, Seed};
use crate::time::{Instant, Span};

/// What a server really does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Up, down or silent.
    pub state: ServerState,
    /// The incarnation that runs, or ran last.
    pub life: Life,
    /// The how-manieth host under this name, counted from 1. A new host has a new disk.
    pub host: u32,
    /// How many times slower than usual it works.
    pub slow: u32,
}

/// One incarnation, living or dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation {
    /// Whose.
    pub server: ServerId,
    /// The fault that ended it, an index into the faults of the run.
    pub killed_by: Option<u32>,
}

/// The pool: servers as they are, as they were, and as the balancer sees them.
#[derive(Clone, Debug)]
pub struct Pool {
    /// As they are, by slot.
    pub members: Vec<Member>,
    /// Every incarnation there has been, by [`Life`].
    pub lives: Vec<Incarnation>,
    /// As the balancer sees them.
    pub view: PoolView,
    health: Vec<Health>,
    rules: HealthRules,
}

impl Pool {
    /// All servers up, and believed so.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Pool {
        let n = scenario.servers.count.get32();
        let mut weights: Vec<u32> = scenario.servers.weights.iter().map(|w| w.get32()).collect();
        weights.resize(n as usize, 1);
        let rules = HealthRules::new(&scenario.balancer.health);
        Pool {
            members: (0..n).map(|i| Member { state: ServerState::Up, life: Life(i), host: 1, slow: 1 }).collect(),
            lives: (0..n).map(|i| Incarnation { server: ServerId(i), killed_by: None }).collect(),
            view: PoolView::new(weights),
            health: (0..n).map(|i| Health::new(rules.phase(ServerId(i), seed))).collect(),
            rules,
        }
    }

    /// Whether this incarnation still has its memory.
    #[inline]
    #[must_use]
    pub fn lives_on(&self, life: Life) -> bool {
        self.lives[life.0 as usize].killed_by.is_none()
    }

    /// Kills a running server. False when there was nothing to kill.
    pub fn kill(&mut self, server: ServerId, fault: u32, kind: FaultKind) -> bool {
        let member = &mut self.members[server.index()];
        if member.state != ServerState::Up {
            return false;
        }
        member.state = if matches!(kind, FaultKind::Vanish(_)) { ServerState::Silent } else { ServerState::Down };
        self.lives[member.life.0 as usize].killed_by = Some(fault);
        true
    }

    /// Brings a dead server back: a new, empty incarnation.
    pub fn revive(&mut self, server: ServerId, comeback: Comeback) {
        let life = Life(u32::try_from(self.lives.len()).expect("fewer than 2^32 incarnations"));
        self.lives.push(Incarnation { server, killed_by: None });
        let member = &mut self.members[server.index()];
        *member = Member {
            state: ServerState::Up,
            life,
            host: member.host + u32::from(comeback.new_host),
            slow: if comeback.new_host { 1 } else { member.slow },
        };
    }

    /// When the next health check of this server begins, if its health has to be looked at: checks of a server whose
    /// belief agrees with the truth change nothing, and need not be played.
    pub fn watch(&mut self, server: ServerId, now: Instant) -> Option<Instant> {
        let health = &mut self.health[server.index()];
        let truth = self.members[server.index()].state == ServerState::Up;
        if health.watched || health.agrees_with(truth) {
            return None;
        }
        health.watched = true;
        Some(self.rules.next_check(health.phase, now))
    }

    /// A health check begins: how it will end, and when.
    #[must_use]
    pub fn check(&self, server: ServerId, now: Instant) -> (bool, Instant) {
        match self.members[server.index()].state {
            ServerState::Up | ServerState::Draining => (true, now),
            ServerState::Down | ServerState::Booting => (false, now),
            ServerState::Silent => (false, now + self.rules.timeout),
        }
    }

    /// A health check ended. Returns the new belief, if it changed.
    pub fn checked(&mut self, server: ServerId, passed: bool) -> Option<bool> {
        let health = &mut self.health[server.index()];
        health.watched = false;
        let changed = health.check(passed, &self.rules);
        if let Some(up) = changed {
            self.view.believe(server, if up { ServerState::Up } else { ServerState::Down });
        }
        changed
    }
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
    /// As the scenario says.
    #[must_use]
    pub fn new(health: &scenario::Health) -> HealthRules {
        HealthRules {
            interval: health.interval.get(),
            timeout: health.timeout.get(),
            fall: health.fall.get32(),
            rise: health.rise.get32(),
        }
    }

    /// How long a check waits for its answer.
    #[must_use]
    pub fn timeout(&self) -> Span {
        self.timeout
    }

    /// Where in the interval a server's checks fall.
    #[must_use]
    pub fn phase(&self, server: ServerId, seed: Seed) -> Span {
        let mut draw = seed.draw(Purpose::HealthPhase, Key { entity: u64::from(server.0), ..Key::default() });
        Span::from_nanos(draw.bits() % self.interval.as_nanos())
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

/// What the checks of one server have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    up: bool,
    /// Checks in a row that spoke against the belief.
    against: u32,
    phase: Span,
    watched: bool,
}

impl Health {
    /// Believed up, as HAProxy begins.
    #[must_use]
    pub fn new(phase: Span) -> Health {
        Health { up: true, against: 0, phase, watched: false }
    }

    /// Takes in the result of one check. Returns the new belief, if it changed.
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
mod tests {
    use super::*;

    fn rules() -> HealthRules {
        HealthRules::new(&scenario::Health::default())
    }

    #[test]
    fn three_failures_down_two_successes_up() {
        let mut health = Health::new(Span::ZERO);
        let told: Vec<_> = [false, false, true, false, false, false, true, false, true, true]
            .map(|passed| health.check(passed, &rules()))
            .into();
        let want = [None, None, None, None, None, Some(false), None, None, None, Some(true)];
        assert_eq!(told, want);
    }

    #[test]
    fn checks_keep_their_phase() {
        let phase = Span::from_millis(500);
        let at = |ms| Instant::ZERO + Span::from_millis(ms);
        for (now, next) in [(0, 500), (499, 500), (500, 2_500), (2_499, 2_500), (30_000, 30_500)] {
            assert_eq!(rules().next_check(phase, at(now)), at(next), "after {now} ms");
        }
    }
}
