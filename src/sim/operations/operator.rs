//! Carries out the operator's actions: servers are added, drained, stopped, booted and retired.

use crate::base::{ProcessId, ServerId};
use crate::history::{Event, Recorder};
use crate::operations::carry_out::{self, CarriedOut, Task, carry_out};
use crate::sim::Sim;
use crate::sim::events::Due;

impl Sim {
    /// Gives the operator a chance to act after the pool may have changed.
    pub(in crate::sim) fn operate<R: Recorder>(&mut self, recorder: &mut R) {
        if !self.operations.operator.is_busy() {
            return;
        }
        loop {
            let (users, affinity, now) = (&self.users, self.balancer.affinity, self.events.now);
            let mut bound = |server: ServerId| users.bound_to(server, affinity, now);
            let Some(action) = self.operations.operator.next(now, &self.balancer.pool, &mut bound) else { break };
            let CarriedOut { event, task } = self.balancer.change_pool(|pool| carry_out(pool, action));
            if let Some(event) = event {
                recorder.record(&Event::pool(now, event));
            }
            if let Some(task) = task {
                self.perform(recorder, task);
            }
        }
        self.operations.look_again(&mut self.events);
    }

    /// Does what an action leaves to be done with servers.
    fn perform<R: Recorder>(&mut self, recorder: &mut R, task: Task) {
        match task {
            Task::OpenSlot { server, process } => {
                self.servers.grow();
                self.operations.will_boot(&mut self.events, server, process);
            }
            Task::StartProcess { server, process, .. } => {
                self.operations.will_boot(&mut self.events, server, process);
                self.balancer.watch(&mut self.events, server);
            }
            Task::EndProcess(end) => {
                for event in end.events(self.servers.awaited_at(end.server, &self.requests)) {
                    recorder.record(&Event::pool(self.events.now, event));
                }
                self.cut_off(recorder, end.server);
                self.balancer.watch(&mut self.events, end.server);
            }
            // The pool knows; the balancer's checks have to find out.
            Task::StopAccepting(server) => self.balancer.watch(&mut self.events, server),
            // The simulation keeps the place: only its name is gone.
            Task::CloseSlot(_) => {}
        }
    }

    /// A process has booted, unless something else happened to it in the meantime.
    pub(in crate::sim) fn booted<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        let Some(events) = carry_out::booted(&mut self.balancer.pool, server, process) else { return };
        for event in events {
            recorder.record(&Event::pool(self.events.now, event));
        }
        self.balancer.watch(&mut self.events, server);
        self.operate(recorder);
    }

    /// A health check has ended, and the balancer may believe something else.
    pub(in crate::sim) fn check_ended<R: Recorder>(
        &mut self,
        recorder: &mut R,
        server: ServerId,
        passed: bool,
        timed_out: bool,
    ) {
        if self.balancer.end_check(recorder, server, passed, self.events.now) {
            self.operate(recorder);
        }
        self.balancer.watch_again(&mut self.events, server, timed_out);
    }

    /// Lets the autoscaler act on the current load.
    pub(in crate::sim) fn autoscale<R: Recorder>(&mut self, recorder: &mut R) {
        let (servers, requests, now) = (&self.servers, &self.requests, self.events.now);
        let mut worked = |server| servers.worked(server, now, requests);
        self.operations.operator.autoscale(now, &self.balancer.pool, &mut worked);
        self.operate(recorder);
        if let Some(interval) = self.operations.operator.pulse() {
            self.events.schedule(self.events.now + interval, Due::Autoscale);
        }
    }
}
