//! Faults strike and end, and the balancer's checks notice.

use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId, ServerState};
use crate::history::{Event, EventKind, PoolEvent, Recorder};
use crate::operations::faults::{Fault, FaultKind};
use crate::operations::strike::{self, Strike};
use crate::scenario::Forgets;
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::network::NetworkMessage;
use crate::sim::requests::RequestState;

impl Sim {
    /// Adds a fault to this run. It strikes at its time, or at once if that time has passed.
    pub fn inject(&mut self, fault: Fault) {
        let index = u32::try_from(self.operations.faults.len()).expect("fewer than 2^32 faults");
        if matches!(fault.kind, FaultKind::Store { .. }) || self.takes_the_store(fault.kind) {
            self.tell_store_calls_apart();
        }
        self.events.schedule(fault.at.max(self.now), Due::Fault(index));
        self.operations.faults.push(fault);
    }

    /// Cancels a fault, given by its index. Returns `false` if it has already struck or does not exist.
    pub fn spare(&mut self, fault: u32) -> bool {
        let now = self.now;
        let ahead =
            self.operations.faults.get_mut(fault as usize).filter(|fault| fault.at > now && fault.at < Instant::NEVER);
        ahead.map(|fault| fault.at = Instant::NEVER).is_some()
    }

    pub(in crate::sim) fn strike<R: Recorder>(&mut self, recorder: &mut R, index: u32) {
        let Fault { at, kind, .. } = self.operations.faults[index as usize];
        if at == Instant::NEVER {
            // The fault was cancelled.
            return;
        }
        match kind {
            FaultKind::Slow { server, lasting, .. } | FaultKind::Failing { server, lasting, .. } => {
                if self.is_there(server) {
                    self.afflict(recorder, server, index, lasting);
                }
            }
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. } => {
                if self.is_there(server) {
                    self.end_life(recorder, server, index);
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

    /// Whether the pool has this server by now. Always false on a platform, whose instances have no names a fault could
    /// use.
    fn is_there(&self, server: ServerId) -> bool {
        self.platform.is_none() && server.index() < self.balancer.pool.members.len()
    }

    pub(in crate::sim) fn struck<R: Recorder>(&mut self, recorder: &mut R, server: Option<ServerId>, index: u32) {
        self.record_pool(recorder, self.strike_of(index).struck(server));
    }

    pub(in crate::sim) fn strike_of(&self, index: u32) -> Strike {
        Strike::of(&self.operations.faults, index)
    }

    /// A server is slow or failing, for a while or until the end.
    fn afflict<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, index: u32, lasting: Option<Span>) {
        let Some(struck) = self.strike_of(index).afflict(&mut self.balancer.pool, server) else { return };
        if let Some(lasting) = lasting {
            self.events.schedule(self.now + lasting, Due::Recovered { server, fault: index });
        }
        self.record_pool(recorder, struck);
    }

    /// Kills a process, or silences its host, unless it is already dead.
    fn end_life<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, index: u32) {
        let strike = self.strike_of(index);
        let Some(struck) = strike.kill(&mut self.balancer.pool, server) else { return };
        self.record_pool(recorder, struck);
        if let Some(comeback) = strike.kind.comeback() {
            self.events.schedule(self.now + comeback.after, Due::Ready { server, fault: index });
        }
        self.cut_off(recorder, server);
        self.watch(server, self.now);
        self.operate(recorder);
    }

    /// Takes down a region and all of its servers.
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

    /// Ends the requests that a dead server held: their connections are reset, or hang if the server is silent.
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

    /// Brings a killed server back with empty memory, unless something else happened to it in the meantime.
    pub(in crate::sim) fn comeback<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let Some(ready) = self.strike_of(fault).revive(&mut self.balancer.pool, server) else { return };
        self.record_pool(recorder, ready);
        self.watch(server, self.now);
        self.operate(recorder);
    }

    /// Ends an affliction of a server, unless a later fault of the same kind prolongs it.
    pub(in crate::sim) fn recovered<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let faults = &self.operations.faults;
        if let Some(ready) = strike::recover(&mut self.balancer.pool, faults, fault, server, self.now) {
            self.record_pool(recorder, ready);
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
            self.check_ended(recorder, server, passed, false);
        } else {
            self.events.schedule(ends, Due::CheckTimeout(server));
        }
    }

    pub(in crate::sim) fn check_ended<R: Recorder>(
        &mut self,
        recorder: &mut R,
        server: ServerId,
        passed: bool,
        timed_out: bool,
    ) {
        if let Some(up) = self.balancer.checked(server, passed) {
            self.record_pool(recorder, PoolEvent::Believed { server, up });
            self.operate(recorder);
        }
        if let Some(at) = self.balancer.pool.watch_again(server, self.now, timed_out) {
            self.events.schedule(at, Due::Check(server));
        }
    }

    pub(in crate::sim) fn record_pool<R: Recorder>(&mut self, recorder: &mut R, event: PoolEvent) {
        recorder.record(&Event { at: self.now, what: EventKind::Pool(event) });
    }
}
