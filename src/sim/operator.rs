//! The operator's orders are carried out, and users who join are let in.

use super::events::Due;
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::ServerId;
use crate::base::time::{Instant, Span};
use crate::history::{PoolEvent, Recorder};
use crate::operations::operator::{Action, Autoscaler, Then};
use crate::scenario::Join;

impl World {
    /// The pool may have changed: the operator does what is to be done next, if anything is.
    #[inline]
    pub(super) fn operate<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        if self.operator.is_busy() {
            self.carry_out(context);
        }
    }

    /// A look at the pool that was due.
    pub(super) fn look<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        if self.now == self.next_look {
            self.next_look = Instant::NEVER;
        }
        self.operate(context);
    }

    fn carry_out<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        while let Some(action) = self.next_action() {
            match action {
                Action::Begin { fault, memory_lost } => {
                    self.record_pool(context, PoolEvent::Struck { fault, server: None, memory_lost });
                }
                Action::Launch { weight, held_back } => self.launch(context, weight, held_back),
                Action::Admit(server) => self.admit(context, server),
                Action::Drain(server) => self.drain(context, server),
                Action::Stop { server, fault, bound, then } => {
                    self.stop(context, server, fault, bound);
                    match then {
                        Then::Boot { new_host } => self.boot(context, server, new_host),
                        Then::Retire => self.decommission(context, server),
                    }
                }
                Action::Retire(server) => self.retire(context, server),
                Action::Finished(fault) => self.record_pool(context, PoolEvent::Finished { fault }),
            }
        }
        if let Some(at) = self.operator.looks_again(self.now)
            && at < self.next_look
        {
            self.next_look = at;
            self.events.schedule(at, Due::Operate);
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        let (jars, affinity, now) = (&self.jars, self.affinity, self.now);
        let mut bound = |server: ServerId| {
            let bound = jars.iter().filter(|jar| jar.pin.binds(affinity, server, now)).count();
            u32::try_from(bound).expect("at most as many as users")
        };
        self.operator.next(now, &self.pool, &mut bound)
    }

    /// An autoscaler looks after the pool from now on.
    pub(super) fn automate(&mut self, index: u32) {
        if let Some(rules) = self.autoscaler {
            let autoscaler = Autoscaler::new(rules, self.worker_pools.workers_each(), self.now, &self.pool);
            self.operator.automate(index, autoscaler);
            self.events.schedule(self.now + rules.interval.get(), Due::Autoscale);
        }
    }

    /// The autoscaler looks at the load.
    pub(super) fn autoscale<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        let worked: Vec<Span> = self.pool.servers().map(|server| self.worked(server)).collect();
        self.operator.autoscale(self.now, &self.pool, &mut |server| worked[server.index()]);
        self.operate(context);
        if let Some(interval) = self.operator.pulse() {
            self.events.schedule(self.now + interval, Due::Autoscale);
        }
    }

    /// More users come.
    pub(super) fn join<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, index: u32, join: &Join) {
        self.struck(context, None, index);
        if let Some(wave) = self.workload.join(self.now, join) {
            wave.users().for_each(|user| self.expect_user(user, wave.from, wave.over));
        }
    }
}
