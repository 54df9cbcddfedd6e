//! What an operator does to the pool while users are there: servers are added, drained, stopped, started and retired.

use super::events::Due;
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::{ProcessId, ServerId};
use crate::history::{PoolEvent, Recorder};

impl World {
    /// Adds a slot. Its server boots, and the balancer uses it after it has passed its checks; when it is held back,
    /// after it was admitted too.
    pub(super) fn launch<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        weight: u32,
        held_back: bool,
    ) {
        let server = self.pool.add(weight);
        if held_back {
            self.pool.hold_back(server);
        }
        self.worker_pools.grow();
        self.events.busy.grow(self.worker_pools.workers());
        context.policy.on_pool_change(&self.pool.view);
        self.turned(context, server);
        let process = self.pool.members[server.index()].process;
        self.events.schedule(self.now + self.boot, Due::Booted { server, process });
    }

    /// Starts a new process under the name of a server that was stopped.
    pub(super) fn boot<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        new_host: bool,
    ) {
        let process = self.pool.boot(server, new_host);
        self.turned(context, server);
        self.events.schedule(self.now + self.boot, Due::Booted { server, process });
        self.watch(server, self.now);
    }

    /// A process has booted, unless something else has happened to it meanwhile.
    pub(super) fn booted<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        process: ProcessId,
    ) {
        if self.pool.booted(server, process) {
            self.turned(context, server);
            self.record_pool(context, PoolEvent::Ready { server });
            self.watch(server, self.now);
            self.operate(context);
        }
    }

    /// No new users for this server.
    pub(super) fn drain<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        if self.pool.drain(server) {
            context.policy.on_pool_change(&self.pool.view);
            self.turned(context, server);
        }
    }

    /// The balancer begins to use a server that was held back.
    pub(super) fn admit<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        self.pool.admit(server);
        context.policy.on_pool_change(&self.pool.view);
        self.turned(context, server);
    }

    /// Ends a process with everything it remembers and all that it works on. `bound`: users whom a cookie still sends
    /// there.
    pub(super) fn stop<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        fault: u32,
        bound: u32,
    ) {
        let trusted = self.pool.passes_checks(server);
        self.pool.stop(server, fault);
        let cut_requests = self.awaited_at(server);
        self.record_pool(context, PoolEvent::Stopped { server, fault, cut_off_users: bound, cut_requests });
        if trusted && !self.pool.passes_checks(server) {
            context.policy.on_pool_change(&self.pool.view);
            self.record_pool(context, PoolEvent::Believed { server, up: false });
        }
        self.cut_off(context, server);
        self.watch(server, self.now);
    }

    /// A server that was stopped will never come back.
    pub(super) fn decommission<P, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        self.pool.decommission(server);
        self.turned(context, server);
    }

    /// A slot whose server was stopped is gone for good.
    pub(super) fn retire<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        self.pool.retire(server);
        context.policy.on_pool_change(&self.pool.view);
        self.turned(context, server);
    }

    /// Tells what a server does now.
    pub(super) fn turned<P, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        let state = self.pool.as_planned(server);
        self.record_pool(context, PoolEvent::Turned { server, state });
    }
}
