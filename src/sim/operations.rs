//! Faults and planned operations on the pool while users are active.

mod faults;
mod isolation;
mod operator;

use super::events::{Due, Events};
use super::servers::Servers;
use crate::balancing::balancer::Balancer;
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId};
use crate::history::{Event, PoolEvent, Recorder};
use crate::operations::faults::{Fault, FaultKind};
use crate::operations::operator::{Autoscaler, Operator};
use crate::operations::strike::{self, Strike};
use crate::scenario::{self, Scenario};
use isolation::WithheldReplies;

/// The faults and the operator of a run.
#[derive(Clone, Debug)]
pub struct Operations {
    /// All faults of the run, injected ones last.
    pub faults: Vec<Fault>,
    /// The operator, who carries out deploys and changes of the pool's size.
    pub operator: Operator,
    autoscaler: Option<scenario::Autoscaler>,
    /// How long a process takes to boot.
    boot: Span,
    /// When the operator's next look at the pool is due. At most one is pending.
    next_look: Instant,
    /// Answers withheld because their server is isolated.
    pub withheld: WithheldReplies,
    /// Whether servers are a platform's instances, which have no names that a fault could use.
    serverless: bool,
}

impl Operations {
    /// The operations of a scenario at time 0.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Operations {
        Operations {
            faults: Vec::new(),
            operator: Operator::new(scenario),
            autoscaler: scenario.autoscaler,
            boot: scenario.servers.boot.get(),
            next_look: Instant::NEVER,
            withheld: WithheldReplies::default(),
            serverless: scenario.serverless.is_some(),
        }
    }

    /// Cancels a fault, given by its index. Returns `false` if it has already struck or does not exist.
    pub fn cancel(&mut self, fault: u32, now: Instant) -> bool {
        let ahead = self.faults.get_mut(fault as usize).filter(|fault| fault.at > now && fault.at < Instant::NEVER);
        ahead.map(|fault| fault.at = Instant::NEVER).is_some()
    }

    /// A fault of this run, as something that strikes or ends.
    fn strike_of(&self, index: u32) -> Strike {
        Strike::of(&self.faults, index)
    }

    /// A fault strikes one server, and its end is scheduled. Returns whether anything has changed: the pool may not have
    /// this server yet, or it may be dead already.
    fn strike_server<R: Recorder>(
        &self,
        recorder: &mut R,
        events: &mut Events,
        balancer: &mut Balancer,
        server: ServerId,
        index: u32,
    ) -> bool {
        if self.serverless || server.index() >= balancer.pool.members.len() {
            return false;
        }
        let (strike, pool) = (self.strike_of(index), &mut balancer.pool);
        let (struck, end) = match strike.kind {
            FaultKind::Slow { lasting, .. } | FaultKind::Failing { lasting, .. } => {
                (strike.afflict(pool, server), lasting.map(|after| (after, Due::Recovered { server, fault: index })))
            }
            FaultKind::Isolate { lasting, .. } => {
                (strike.isolate(pool, server), lasting.map(|after| (after, Due::Reconnected { server, fault: index })))
            }
            kind => {
                let comeback = kind.comeback().map(|comeback| comeback.after);
                (strike.kill(pool, server), comeback.map(|after| (after, Due::Ready { server, fault: index })))
            }
        };
        let Some(struck) = struck else { return false };
        recorder.record(&Event::pool(events.now, struck));
        if let Some((after, due)) = end {
            events.schedule(events.now + after, due);
        }
        balancer.watch(events, server);
        true
    }

    /// A server that was struck is ready again, if `ready` says so.
    fn come_back<R: Recorder>(
        recorder: &mut R,
        events: &mut Events,
        balancer: &mut Balancer,
        server: ServerId,
        ready: Option<PoolEvent>,
    ) -> bool {
        let Some(ready) = ready else { return false };
        recorder.record(&Event::pool(events.now, ready));
        balancer.watch(events, server);
        true
    }

    /// Brings a killed server back with empty memory, unless something else happened to it in the meantime.
    pub fn revive<R: Recorder>(
        &self,
        recorder: &mut R,
        events: &mut Events,
        balancer: &mut Balancer,
        server: ServerId,
        fault: u32,
    ) -> bool {
        let ready = self.strike_of(fault).revive(&mut balancer.pool, server);
        Operations::come_back(recorder, events, balancer, server, ready)
    }

    /// Starts a dead server again.
    fn start<R: Recorder>(
        &self,
        recorder: &mut R,
        events: &mut Events,
        balancer: &mut Balancer,
        server: ServerId,
        fault: u32,
    ) -> bool {
        if self.serverless || server.index() >= balancer.pool.members.len() {
            return false;
        }
        let Some([struck, ready]) = self.strike_of(fault).start(&mut balancer.pool, server) else { return false };
        recorder.record(&Event::pool(events.now, struck));
        Operations::come_back(recorder, events, balancer, server, Some(ready))
    }

    /// Reconnects an isolated server, its memory intact, unless something else happened to it in the meantime.
    pub fn reconnect<R: Recorder>(
        &self,
        recorder: &mut R,
        events: &mut Events,
        balancer: &mut Balancer,
        server: ServerId,
        fault: u32,
    ) -> bool {
        let ready = self.strike_of(fault).reconnect(&mut balancer.pool, server);
        Operations::come_back(recorder, events, balancer, server, ready)
    }

    /// Ends an affliction of a server, unless a later fault of the same kind prolongs it.
    pub fn recover<R: Recorder>(
        &self,
        recorder: &mut R,
        balancer: &mut Balancer,
        server: ServerId,
        fault: u32,
        now: Instant,
    ) {
        if let Some(ready) = strike::recover(&mut balancer.pool, &self.faults, fault, server, now) {
            recorder.record(&Event::pool(now, ready));
        }
    }

    /// A process of the operator's begins to boot.
    fn will_boot(&self, events: &mut Events, server: ServerId, process: ProcessId) {
        events.schedule(events.now + self.boot, Due::Booted { server, process });
    }

    /// The operator's scheduled look at the pool takes place now.
    pub fn look(&mut self, now: Instant) {
        if now == self.next_look {
            self.next_look = Instant::NEVER;
        }
    }

    /// Schedules the operator's next look at the pool, unless an earlier one is pending.
    fn look_again(&mut self, events: &mut Events) {
        if let Some(at) = self.operator.looks_again(events.now)
            && at < self.next_look
        {
            self.next_look = at;
            events.schedule(at, Due::Operate);
        }
    }

    /// Puts an autoscaler in charge of the pool.
    fn automate(&mut self, events: &mut Events, servers: &Servers, balancer: &Balancer, index: u32) {
        if let Some(rules) = self.autoscaler {
            let autoscaler = Autoscaler::new(rules, servers.workers_each(), events.now, &balancer.pool);
            self.operator.automate(index, autoscaler);
            events.schedule(events.now + rules.interval.get(), Due::Autoscale);
        }
    }
}
