//! How an operator changes the pool: servers are added, drained, stopped, booted and retired.

use crate::base::{ProcessId, ServerId};
use crate::history::{PoolEvent, Recorder};
use crate::sim::Sim;
use crate::sim::events::Due;

impl Sim {
    /// Adds a server, which boots. The balancer uses it once it has passed its health checks and, if it is held back,
    /// has been admitted.
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

    /// Starts a new process under the name of a stopped server.
    pub(in crate::sim) fn boot<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, new_host: bool) {
        let process = self.balancer.pool.boot(server, new_host);
        self.turned(recorder, server);
        self.events.schedule(self.now + self.operations.boot, Due::Booted { server, process });
        self.watch(server, self.now);
    }

    /// A process has booted, unless something else happened to it in the meantime.
    pub(in crate::sim) fn booted<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        if self.balancer.pool.booted(server, process) {
            self.turned(recorder, server);
            self.record_pool(recorder, PoolEvent::Ready { server });
            self.watch(server, self.now);
            self.operate(recorder);
        }
    }

    /// Stops routing new users to a server.
    pub(in crate::sim) fn drain<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        if self.balancer.pool.drain(server) {
            self.balancer.pool_changed();
            self.turned(recorder, server);
        }
    }

    /// Lets the balancer use a server that was held back.
    pub(in crate::sim) fn admit<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.admit(server);
        self.balancer.pool_changed();
        self.turned(recorder, server);
    }

    /// Stops a process: its memory and its requests are lost. `bound` is the number of users whom a cookie still binds
    /// to it.
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

    /// Marks a stopped server as never to be started again.
    pub(in crate::sim) fn decommission<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.decommission(server);
        self.turned(recorder, server);
    }

    /// Removes a stopped server from the pool for good.
    pub(in crate::sim) fn retire<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.retire(server);
        self.balancer.pool_changed();
        self.turned(recorder, server);
    }

    /// Records a server's planned state.
    pub(in crate::sim) fn turned<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let state = self.balancer.pool.as_planned(server);
        self.record_pool(recorder, PoolEvent::Turned { server, state });
    }
}
