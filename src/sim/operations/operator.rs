//! Carries out the operator's actions, and lets joining users in.

use crate::base::ServerId;
use crate::base::time::Instant;
use crate::history::Recorder;
use crate::operations::carry_out::{CarriedOut, carry_out};
use crate::operations::operator::{Action, Autoscaler};
use crate::scenario::Join;
use crate::sim::Sim;
use crate::sim::events::Due;

impl Sim {
    /// Gives the operator a chance to act after the pool may have changed.
    #[inline]
    pub(in crate::sim) fn operate<R: Recorder>(&mut self, recorder: &mut R) {
        if self.operations.operator.is_busy() {
            self.carry_out_all(recorder);
        }
    }

    /// Handles a scheduled look at the pool.
    pub(in crate::sim) fn look<R: Recorder>(&mut self, recorder: &mut R) {
        if self.now == self.operations.next_look {
            self.operations.next_look = Instant::NEVER;
        }
        self.operate(recorder);
    }

    fn carry_out_all<R: Recorder>(&mut self, recorder: &mut R) {
        while let Some(action) = self.next_action() {
            let CarriedOut { event, task } = self.balancer.change_pool(|pool| carry_out(pool, action));
            if let Some(event) = event {
                self.record_pool(recorder, event);
            }
            if let Some(task) = task {
                self.perform(recorder, task);
            }
        }
        if let Some(at) = self.operations.operator.looks_again(self.now)
            && at < self.operations.next_look
        {
            self.operations.next_look = at;
            self.events.schedule(at, Due::Operate);
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        let (users, affinity, now) = (&self.users, self.balancer.affinity, self.now);
        let mut bound = |server: ServerId| users.bound_to(server, affinity, now);
        self.operations.operator.next(now, &self.balancer.pool, &mut bound)
    }

    /// Puts an autoscaler in charge of the pool.
    pub(in crate::sim) fn automate(&mut self, index: u32) {
        if let Some(rules) = self.operations.autoscaler {
            let autoscaler = Autoscaler::new(rules, self.servers.workers_each(), self.now, &self.balancer.pool);
            self.operations.operator.automate(index, autoscaler);
            self.events.schedule(self.now + rules.interval.get(), Due::Autoscale);
        }
    }

    /// Lets the autoscaler act on the current load.
    pub(in crate::sim) fn autoscale<R: Recorder>(&mut self, recorder: &mut R) {
        let (servers, requests, now) = (&self.servers, &self.requests, self.now);
        let mut worked = |server| servers.worked(server, now, requests);
        self.operations.operator.autoscale(now, &self.balancer.pool, &mut worked);
        self.operate(recorder);
        if let Some(interval) = self.operations.operator.pulse() {
            self.events.schedule(self.now + interval, Due::Autoscale);
        }
    }

    /// Adds a wave of users.
    pub(in crate::sim) fn join<R: Recorder>(&mut self, recorder: &mut R, index: u32, join: &Join) {
        self.struck(recorder, None, index);
        if let Some(wave) = self.workload.join(self.now, join) {
            wave.users().for_each(|user| self.expect_user(user, wave.from, wave.over));
        }
    }
}
