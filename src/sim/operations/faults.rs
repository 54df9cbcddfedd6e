//! Faults strike, and what servers were doing breaks off.

use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId, ServerState};
use crate::history::{Event, Recorder};
use crate::operations::faults::{Fault, FaultKind};
use crate::scenario::Forgets;
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::network::NetworkMessage;
use crate::sim::requests::RequestState;
use crate::sim::store::stored_carts;

impl Sim {
    /// Adds a fault to this run. It strikes at its time, or at once if that time has passed.
    pub fn inject(&mut self, fault: Fault) {
        let index = u32::try_from(self.operations.faults.len()).expect("fewer than 2^32 faults");
        let loses_store = self.network.as_ref().is_some_and(|network| network.loses_store(fault.kind));
        if matches!(fault.kind, FaultKind::Store { .. }) || loses_store {
            self.tell_store_calls_apart();
        }
        self.events.schedule(fault.at.max(self.events.now), Due::Fault(index));
        self.operations.faults.push(fault);
    }

    /// Cancels a fault, given by its index. Returns `false` if it has already struck or does not exist.
    pub fn spare(&mut self, fault: u32) -> bool {
        self.operations.cancel(fault, self.events.now)
    }

    pub(in crate::sim) fn strike<R: Recorder>(&mut self, recorder: &mut R, index: u32) {
        let Fault { at, kind, .. } = self.operations.faults[index as usize];
        let Sim { events, balancer, operations, .. } = self;
        if at == Instant::NEVER {
            // The fault was cancelled.
            return;
        }
        let struck = Event::pool(events.now, operations.strike_of(index).struck(None));
        match kind {
            FaultKind::Slow { server, .. } | FaultKind::Failing { server, .. } | FaultKind::Isolate { server, .. } => {
                operations.strike_server(recorder, events, balancer, server, index);
            }
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. } => {
                if operations.strike_server(recorder, events, balancer, server, index) {
                    self.cut_off(recorder, server);
                    self.operate(recorder);
                }
            }
            FaultKind::Revive { server } => {
                if operations.start(recorder, events, balancer, server, index) {
                    self.operate(recorder);
                }
            }
            FaultKind::Store { lasting, forgets, .. } => {
                recorder.record(&struck);
                let forgets = forgets.unwrap_or(Forgets::NOTHING);
                self.store.forget(&mut stored_carts!(self), forgets, index);
                self.cut_off_store(lasting);
            }
            FaultKind::RegionOutage { region, lasting } => self.fail_region(recorder, region, index, lasting),
            FaultKind::Migrate { .. } => recorder.record(&struck),
            FaultKind::Deploy(_) | FaultKind::Scale(_) => {
                operations.operator.plan(index, kind);
                self.operate(recorder);
            }
            FaultKind::Join(join) => {
                recorder.record(&struck);
                if let Some(wave) = self.users.workload.join(events.now, &join) {
                    wave.users().for_each(|user| self.users.expect(events, user, wave.from, wave.over));
                }
            }
            FaultKind::Autoscale => operations.automate(events, &self.servers, balancer, index),
        }
    }

    /// Takes down a region and all of its servers.
    fn fail_region<R: Recorder>(&mut self, recorder: &mut R, region: RegionId, index: u32, lasting: Option<Span>) {
        let Some(network) = self.network.as_mut().filter(|_| self.platform.is_none()) else { return };
        let strike = self.operations.strike_of(index);
        let here = (0u32..).map(ServerId).zip(&network.map.servers).filter(|(_, of)| **of == region);
        let mut killed: Vec<ServerId> = here.map(|(server, _)| server).collect();
        killed.retain(|server| self.balancer.pool.kill(*server, index, strike.kind));
        recorder.record(&Event::pool(self.events.now, strike.struck(None)));
        network.cut_off(region, self.events.now, lasting);
        if network.loses_store(strike.kind) {
            self.cut_off_store(lasting);
        }
        for server in killed {
            if let Some(lasting) = lasting {
                self.events.schedule(self.events.now + lasting, Due::Ready { server, fault: index });
            }
            self.cut_off(recorder, server);
            self.balancer.watch(&mut self.events, server);
        }
    }

    /// Ends the requests that a dead server held: their connections are reset, or hang if the server is silent.
    pub(in crate::sim) fn cut_off<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let silent = self.balancer.pool.members[server.index()].state == ServerState::Silent;
        self.operations.withheld.forget_server(server);
        let held = self.servers.evacuate(server);
        for _ in 0..self.store.abandon(&self.requests, &held) {
            self.release_connection();
        }
        for id in held {
            if self.requests[id].departed {
                self.requests.remove(id);
            } else if silent {
                self.requests[id].place = RequestState::Swallowed;
            } else if self.network.is_some() {
                self.send_message(id, NetworkMessage::Reset);
            } else {
                self.attempt_failed(recorder, id, AttemptFailure::BrokenOff);
            }
        }
    }
}
