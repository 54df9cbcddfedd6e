//! What breaks, what comes back, and when the balancer notices.

use super::events::Due;
use super::network::NetworkMessage;
use super::requests::RequestState;
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId, ServerState};
use crate::faults::{self, Comeback, Fault, FaultKind};
use crate::history::{Event, EventKind, PoolEvent, Recorder};

impl World {
    /// A fault joins the log of this run and will strike at its time, or now.
    pub(super) fn inject(&mut self, fault: Fault) {
        let index = u32::try_from(self.faults.len()).expect("fewer than 2^32 faults");
        if matches!(fault.kind, FaultKind::Store { .. }) || self.takes_the_store(fault.kind) {
            self.tell_store_calls_apart();
        }
        self.events.schedule(fault.at.max(self.now), Due::Fault(index));
        self.faults.push(fault);
    }

    pub(super) fn strike<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, index: u32) {
        let Fault { server, kind, .. } = self.faults[index as usize];
        // Instances of a platform have no names that a fault could mean.
        let named = |server: &ServerId| self.platform.is_none() && server.index() < self.pool.members.len();
        let server = server.filter(named);
        match (kind, server) {
            (FaultKind::Slow { lasting, .. } | FaultKind::Failing { lasting, .. }, Some(server)) => {
                self.pool.afflict(server, kind);
                self.struck_for(context, server, index, lasting);
            }
            (FaultKind::Crash(comeback) | FaultKind::Vanish(comeback), Some(server)) => {
                self.end_life(context, server, index, comeback);
            }
            (
                FaultKind::Slow { .. }
                | FaultKind::Failing { .. }
                | FaultKind::Crash(_)
                | FaultKind::Vanish(_)
                | FaultKind::Isolate { .. },
                None,
            ) => {}
            (FaultKind::Store { lasting, forgets, .. }, _) => self.break_store(context, index, lasting, forgets),
            (FaultKind::RegionOutage { region, lasting }, _) => self.darken(context, region, index, lasting),
            (FaultKind::Migrate { .. }, _) => self.struck(context, None, index),
            (FaultKind::Isolate { lasting }, Some(server)) => self.isolate(context, server, index, lasting),
            (FaultKind::Deploy(_) | FaultKind::Scale(_), _) => {
                self.operator.plan(index, kind);
                self.operate(context);
            }
            (FaultKind::Join(join), _) => self.join(context, index, &join),
            (FaultKind::Autoscale, _) => self.automate(index),
        }
    }

    pub(super) fn struck<P, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: Option<ServerId>,
        index: u32,
    ) {
        let memory_lost = self.faults[index as usize].kind.loses_memory();
        self.record_pool(context, PoolEvent::Struck { fault: index, server, memory_lost });
    }

    /// A server is not itself, for a while or until the end.
    fn struck_for<P, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        index: u32,
        lasting: Option<Span>,
    ) {
        if let Some(lasting) = lasting {
            self.events.schedule(self.now + lasting, Due::Recovered { server, fault: index });
        }
        self.struck(context, Some(server), index);
    }

    /// A process dies, or its host falls silent; unless it is dead already.
    fn end_life<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        index: u32,
        comeback: Option<Comeback>,
    ) {
        if !self.pool.kill(server, index, self.faults[index as usize].kind) {
            return;
        }
        self.struck(context, Some(server), index);
        if let Some(comeback) = comeback {
            self.events.schedule(self.now + comeback.after, Due::Ready { server, fault: index });
        }
        self.cut_off(context, server);
        self.watch(server, self.now);
        self.operate(context);
    }

    /// A region goes dark, and all servers there with it.
    fn darken<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        region: RegionId,
        index: u32,
        lasting: Option<Span>,
    ) {
        let Some(network) = self.network.as_ref().filter(|_| self.platform.is_none()) else { return };
        let here = (0u32..).map(ServerId).zip(&network.map.servers).filter(|(_, of)| **of == region);
        let mut killed: Vec<ServerId> = here.map(|(server, _)| server).collect();
        let kind = self.faults[index as usize].kind;
        killed.retain(|server| self.pool.kill(*server, index, kind));
        self.struck(context, None, index);
        self.region_out_until(region, lasting);
        if self.takes_the_store(kind) {
            self.cut_off_store(lasting);
        }
        for server in killed {
            if let Some(lasting) = lasting {
                self.events.schedule(self.now + lasting, Due::Ready { server, fault: index });
            }
            self.cut_off(context, server);
            self.watch(server, self.now);
        }
    }

    /// The requests that a dead server held: reset, or swallowed when it is silent.
    pub(super) fn cut_off<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        let silent = self.pool.members[server.index()].state == ServerState::Silent;
        self.withheld.retain(|answer| answer.server != server);
        for id in self.evacuate(server) {
            if self.requests[id].departed {
                self.requests.remove(id);
            } else if silent {
                self.requests[id].place = RequestState::Swallowed;
            } else if self.network.is_some() {
                self.send_back(id, NetworkMessage::Reset);
            } else {
                self.reset(context, id);
            }
        }
    }

    /// A killed server is back, empty, unless something else happened to it meanwhile.
    pub(super) fn comeback<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        fault: u32,
    ) {
        let comeback = match self.faults[fault as usize].kind {
            FaultKind::Crash(Some(comeback)) | FaultKind::Vanish(Some(comeback)) => comeback,
            FaultKind::RegionOutage { lasting: Some(after), .. } => Comeback { after, new_host: false },
            _ => return,
        };
        if self.pool.is_left_dead(server, fault) {
            self.pool.revive(server, comeback);
            self.record_pool(context, PoolEvent::Ready { server });
            self.watch(server, self.now);
            self.operate(context);
        }
    }

    /// A server that was slow or failing is itself again, unless a later fault of that kind struck it anew.
    pub(super) fn recovered<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        fault: u32,
    ) {
        let anew = faults::struck_anew(&self.faults, fault, self.now);
        if !anew && self.pool.recover(server, self.faults[fault as usize].kind) {
            self.record_pool(context, PoolEvent::Ready { server });
        }
    }

    pub(super) fn watch(&mut self, server: ServerId, after: Instant) {
        if let Some(at) = self.pool.watch(server, after) {
            self.events.schedule(at, Due::Check(server));
        }
    }

    pub(super) fn check<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        let (passed, ends) = self.pool.check(server, self.now);
        if ends == self.now {
            self.check_ended(context, server, passed);
        } else {
            self.events.schedule(ends, Due::CheckTimeout(server));
        }
    }

    pub(super) fn check_ended<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        passed: bool,
    ) {
        if let Some(up) = self.pool.checked(server, passed) {
            context.policy.on_pool_change(&self.pool.view);
            self.record_pool(context, PoolEvent::Believed { server, up });
            self.operate(context);
        }
        // A check that has used up its whole interval is followed by the next one at once.
        let after = if passed { self.now } else { Instant::from_nanos(self.now.as_nanos().saturating_sub(1)) };
        let after = if self.pool.members[server.index()].state == ServerState::Silent { after } else { self.now };
        self.watch(server, after);
    }

    pub(super) fn record_pool<P, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, event: PoolEvent) {
        context.recorder.record(&Event { at: self.now, what: EventKind::Pool(event) });
    }
}
