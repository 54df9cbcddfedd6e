//! What breaks, what comes back, and when the balancer notices.

use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId, ServerState};
use crate::history::{Event, EventKind, PoolEvent, Recorder};
use crate::operations::faults::{self, Comeback, Fault, FaultKind};
use crate::scenario::Forgets;
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::network::NetworkMessage;
use crate::sim::requests::RequestState;

impl Sim {
    /// Breaks something: the fault joins those of this run, and strikes at its time, or now when that has passed.
    pub fn inject(&mut self, fault: Fault) {
        let index = u32::try_from(self.operations.faults.len()).expect("fewer than 2^32 faults");
        if matches!(fault.kind, FaultKind::Store { .. }) || self.takes_the_store(fault.kind) {
            self.tell_store_calls_apart();
        }
        self.events.schedule(fault.at.max(self.now), Due::Fault(index));
        self.operations.faults.push(fault);
    }

    /// Lets a fault that has not struck yet never do so, by its index. False when it is too late, or there is none.
    pub fn spare(&mut self, fault: u32) -> bool {
        let now = self.now;
        let ahead =
            self.operations.faults.get_mut(fault as usize).filter(|fault| fault.at > now && fault.at < Instant::NEVER);
        ahead.map(|fault| fault.at = Instant::NEVER).is_some()
    }

    pub(in crate::sim) fn strike<R: Recorder>(&mut self, recorder: &mut R, index: u32) {
        let Fault { at, kind, .. } = self.operations.faults[index as usize];
        if at == Instant::NEVER {
            // It was spared.
            return;
        }
        match kind {
            FaultKind::Slow { server, lasting, .. } | FaultKind::Failing { server, lasting, .. } => {
                if let (true, Some(affliction)) = (self.is_there(server), kind.affliction()) {
                    self.balancer.pool.afflict(server, affliction);
                    self.struck_for(recorder, server, index, lasting);
                }
            }
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. } => {
                if self.is_there(server) {
                    self.end_life(recorder, server, index, kind.comeback());
                }
            }
            FaultKind::Isolate { server, lasting } => {
                if self.is_there(server) {
                    self.isolate(recorder, server, index, lasting);
                }
            }
            FaultKind::Store { lasting, forgets, .. } => {
                self.break_store(recorder, index, lasting, forgets.unwrap_or(Forgets::NOTHING));
            }
            FaultKind::RegionOutage { region, lasting } => self.darken(recorder, region, index, lasting),
            FaultKind::Migrate { .. } => self.struck(recorder, None, index),
            FaultKind::Deploy(_) | FaultKind::Scale(_) => {
                self.operations.operator.plan(index, kind);
                self.operate(recorder);
            }
            FaultKind::Join(join) => self.join(recorder, index, &join),
            FaultKind::Autoscale => self.automate(index),
        }
    }

    /// Whether there is a server of this name by now. Instances of a platform have no names that a fault could mean.
    fn is_there(&self, server: ServerId) -> bool {
        self.platform.is_none() && server.index() < self.balancer.pool.members.len()
    }

    pub(in crate::sim) fn struck<R: Recorder>(&mut self, recorder: &mut R, server: Option<ServerId>, index: u32) {
        let memory_lost = self.operations.faults[index as usize].kind.loses_memory();
        self.record_pool(recorder, PoolEvent::Struck { fault: index, server, memory_lost });
    }

    /// A server is not itself, for a while or until the end.
    fn struck_for<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, index: u32, lasting: Option<Span>) {
        if let Some(lasting) = lasting {
            self.events.schedule(self.now + lasting, Due::Recovered { server, fault: index });
        }
        self.struck(recorder, Some(server), index);
    }

    /// A process dies, or its host falls silent; unless it is dead already.
    fn end_life<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, index: u32, comeback: Option<Comeback>) {
        if !self.balancer.pool.kill(server, index, self.operations.faults[index as usize].kind) {
            return;
        }
        self.struck(recorder, Some(server), index);
        if let Some(comeback) = comeback {
            self.events.schedule(self.now + comeback.after, Due::Ready { server, fault: index });
        }
        self.cut_off(recorder, server);
        self.watch(server, self.now);
        self.operate(recorder);
    }

    /// A region goes dark, and all servers there with it.
    fn darken<R: Recorder>(&mut self, recorder: &mut R, region: RegionId, index: u32, lasting: Option<Span>) {
        let Some(network) = self.network.as_ref().filter(|_| self.platform.is_none()) else { return };
        let here = (0u32..).map(ServerId).zip(&network.map.servers).filter(|(_, of)| **of == region);
        let mut killed: Vec<ServerId> = here.map(|(server, _)| server).collect();
        let kind = self.operations.faults[index as usize].kind;
        killed.retain(|server| self.balancer.pool.kill(*server, index, kind));
        self.struck(recorder, None, index);
        self.region_out_until(region, lasting);
        if self.takes_the_store(kind) {
            self.cut_off_store(lasting);
        }
        for server in killed {
            if let Some(lasting) = lasting {
                self.events.schedule(self.now + lasting, Due::Ready { server, fault: index });
            }
            self.cut_off(recorder, server);
            self.watch(server, self.now);
        }
    }

    /// The requests that a dead server held: reset, or swallowed when it is silent.
    pub(in crate::sim) fn cut_off<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let silent = self.balancer.pool.members[server.index()].state == ServerState::Silent;
        self.operations.withheld.retain(|answer| answer.server != server);
        for id in self.evacuate(server) {
            if self.requests[id].departed {
                self.requests.remove(id);
            } else if silent {
                self.requests[id].place = RequestState::Swallowed;
            } else if self.network.is_some() {
                self.send_back(id, NetworkMessage::Reset);
            } else {
                self.attempt_failed(recorder, id, AttemptFailure::BrokenOff);
            }
        }
    }

    /// A killed server is back, empty, unless something else happened to it meanwhile.
    pub(in crate::sim) fn comeback<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let Some(comeback) = self.operations.faults[fault as usize].kind.comeback() else {
            return;
        };
        if self.balancer.pool.is_left_dead(server, fault) {
            self.balancer.pool.revive(server, comeback);
            self.record_pool(recorder, PoolEvent::Ready { server });
            self.watch(server, self.now);
            self.operate(recorder);
        }
    }

    /// A server that was slow or failing is itself again, unless a later fault of that kind struck it anew.
    pub(in crate::sim) fn recovered<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let anew = faults::struck_anew(&self.operations.faults, fault, self.now);
        let affliction = self.operations.faults[fault as usize].kind.affliction();
        if !anew && affliction.is_some_and(|affliction| self.balancer.pool.recover(server, affliction)) {
            self.record_pool(recorder, PoolEvent::Ready { server });
        }
    }

    pub(in crate::sim) fn watch(&mut self, server: ServerId, after: Instant) {
        if let Some(at) = self.balancer.pool.watch(server, after) {
            self.events.schedule(at, Due::Check(server));
        }
    }

    pub(in crate::sim) fn health_check<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let (passed, ends) = self.balancer.pool.check(server, self.now);
        if ends == self.now {
            self.check_ended(recorder, server, passed);
        } else {
            self.events.schedule(ends, Due::CheckTimeout(server));
        }
    }

    pub(in crate::sim) fn check_ended<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, passed: bool) {
        if let Some(up) = self.balancer.pool.checked(server, passed) {
            self.balancer.pool_changed();
            self.record_pool(recorder, PoolEvent::Believed { server, up });
            self.operate(recorder);
        }
        // A check that has used up its whole interval is followed by the next one at once.
        let after = if passed { self.now } else { Instant::from_nanos(self.now.as_nanos().saturating_sub(1)) };
        let after =
            if self.balancer.pool.members[server.index()].state == ServerState::Silent { after } else { self.now };
        self.watch(server, after);
    }

    pub(in crate::sim) fn record_pool<R: Recorder>(&mut self, recorder: &mut R, event: PoolEvent) {
        recorder.record(&Event { at: self.now, what: EventKind::Pool(event) });
    }
}
