//! What an operator does to the pool while users are there: servers are added, drained, stopped, started and retired.

use crate::base::{ProcessId, ServerId};
use crate::history::{PoolEvent, Recorder};
use crate::sim::Sim;
use crate::sim::events::Due;

impl Sim {
    /// Adds a slot. Its server boots, and the balancer uses it after it has passed its checks; when it is held back,
    /// after it was admitted too.
    pub(in crate::sim) fn launch<R: Recorder>(&mut self, recorder: &mut R, weight: u32, held_back: bool) {
        let server = self.balancer.pool.add(weight);
        if held_back {
            self.balancer.pool.hold_back(server);
        }
        self.servers.grow();
        self.balancer.pool_changed();
        self.turned(recorder, server);
        let process = self.balancer.pool.members[server.index()].process;
        self.events.schedule(self.now + self.operations.boot, Due::Booted { server, process });
    }

    /// Starts a new process under the name of a server that was stopped.
    pub(in crate::sim) fn boot<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, new_host: bool) {
        let process = self.balancer.pool.boot(server, new_host);
        self.turned(recorder, server);
        self.events.schedule(self.now + self.operations.boot, Due::Booted { server, process });
        self.watch(server, self.now);
    }

    /// A process has booted, unless something else has happened to it meanwhile.
    pub(in crate::sim) fn booted<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        if self.balancer.pool.booted(server, process) {
            self.turned(recorder, server);
            self.record_pool(recorder, PoolEvent::Ready { server });
            self.watch(server, self.now);
            self.operate(recorder);
        }
    }

    /// No new users for this server.
    pub(in crate::sim) fn drain<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        if self.balancer.pool.drain(server) {
            self.balancer.pool_changed();
            self.turned(recorder, server);
        }
    }

    /// The balancer begins to use a server that was held back.
    pub(in crate::sim) fn admit<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.admit(server);
        self.balancer.pool_changed();
        self.turned(recorder, server);
    }

    /// Ends a process with everything it remembers and all that it works on. `bound`: users whom a cookie still sends
    /// there.
    pub(in crate::sim) fn stop<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32, bound: u32) {
        let trusted = self.balancer.pool.passes_checks(server);
        self.balancer.pool.stop(server, fault);
        let cut_requests = self.servers.awaited_at(server, &self.requests);
        self.record_pool(recorder, PoolEvent::Stopped { server, fault, cut_off_users: bound, cut_requests });
        if trusted && !self.balancer.pool.passes_checks(server) {
            self.balancer.pool_changed();
            self.record_pool(recorder, PoolEvent::Believed { server, up: false });
        }
        self.cut_off(recorder, server);
        self.watch(server, self.now);
    }

    /// A server that was stopped will never come back.
    pub(in crate::sim) fn decommission<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.decommission(server);
        self.turned(recorder, server);
    }

    /// A slot whose server was stopped is gone for good.
    pub(in crate::sim) fn retire<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.retire(server);
        self.balancer.pool_changed();
        self.turned(recorder, server);
    }

    /// Tells what a server does now.
    pub(in crate::sim) fn turned<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let state = self.balancer.pool.as_planned(server);
        self.record_pool(recorder, PoolEvent::Turned { server, state });
    }
}
