//! How an operator changes the pool: servers are added, drained, stopped, booted and retired.

use crate::base::{ProcessId, ServerId};
use crate::history::Recorder;
use crate::operations::carry_out::{self, Ending, Task};
use crate::sim::Sim;
use crate::sim::events::Due;

impl Sim {
    /// Does what an action leaves to be done with servers.
    pub(in crate::sim) fn perform<R: Recorder>(&mut self, recorder: &mut R, task: Task) {
        match task {
            Task::OpenSlot { server, process } => {
                self.servers.grow();
                self.will_boot(server, process);
            }
            Task::StartProcess { server, process, .. } => {
                self.will_boot(server, process);
                self.watch(server, self.now);
            }
            Task::EndProcess(ending) => self.end_process(recorder, ending),
            // The simulation keeps the place: only its name is gone.
            Task::CloseSlot(_) => {}
        }
    }

    fn will_boot(&mut self, server: ServerId, process: ProcessId) {
        self.events.schedule(self.now + self.operations.boot, Due::Booted { server, process });
    }

    /// A process has booted, unless something else happened to it in the meantime.
    pub(in crate::sim) fn booted<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        let Some(events) = carry_out::booted(&mut self.balancer.pool, server, process) else { return };
        for event in events {
            self.record_pool(recorder, event);
        }
        self.watch(server, self.now);
        self.operate(recorder);
    }

    /// A process ends, with everything it remembers and all that it works on.
    fn end_process<R: Recorder>(&mut self, recorder: &mut R, ending: Ending) {
        let server = ending.server;
        for event in ending.events(self.servers.awaited_at(server, &self.requests)) {
            self.record_pool(recorder, event);
        }
        self.cut_off(recorder, server);
        self.watch(server, self.now);
    }

    /// Records what a server does now.
    pub(in crate::sim) fn turned<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.record_pool(recorder, carry_out::turned(&self.balancer.pool, server));
    }
}
