//! Users who do several steps at the same time.

use super::{Reaction, Users};
use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::base::{ClientId, Outcome};
use crate::history::{Event, Recorder, Request, Seen};
use crate::sim::events::{Due, Events};
use crate::sim::requests::InFlight;
use crate::traffic::{ConcurrentSteps, StepProgress};

impl Users {
    /// Begins a group of concurrent steps, if the client has reached one: these steps are sent at once.
    #[inline(always)]
    pub fn begin_concurrent_steps(&mut self, id: ClientId) -> Option<impl Iterator<Item = u16> + use<>> {
        if !self.workload.is_simultaneous() {
            return None;
        }
        let concurrent_steps = ConcurrentSteps::begin(self.client(id), &self.workload)?;
        let steps = concurrent_steps.steps();
        self.concurrent_steps.insert(id, concurrent_steps);
        Some(steps)
    }

    /// The request of a concurrent step. `None` if the user has given up in the meantime.
    pub fn request_of_step(&mut self, id: ClientId, step: u16, now: Instant) -> Option<(Request, Key)> {
        self.concurrent_steps.get_mut(&id)?.request(step, &self.workload, now)
    }

    /// A user learns how one of several requests ended. `None` if the client has no concurrent steps.
    #[cold]
    pub(super) fn told_step<R: Recorder>(
        &mut self,
        recorder: &mut R,
        events: &mut Events,
        request: &InFlight,
        outcome: Outcome,
    ) -> Option<Reaction> {
        let concurrent_steps = self.concurrent_steps.get_mut(&request.client)?;
        let step = request.key.step;
        let meant = concurrent_steps.meant(step);
        let progress = concurrent_steps.told(step, &self.workload, request.command, outcome);
        let settled = progress.settles_the_step();
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        recorder.record(&Event::seen(events.now, request.visit(), told));
        Some(match progress {
            StepProgress::Again => Reaction::SendStep(step),
            StepProgress::Pause => {
                events.schedule(events.now + self.workload.pause, Due::Again { visit: request.visit(), step });
                Reaction::Wait
            }
            StepProgress::Over => self.end_concurrent_steps(events, request.client),
        })
    }

    /// The client goes on once all its concurrent requests have ended.
    fn end_concurrent_steps(&mut self, events: &mut Events, id: ClientId) -> Reaction {
        let client = &mut self.clients[id.index()].client;
        let concurrent_steps = self.concurrent_steps.get(&id);
        let Some(next) = concurrent_steps.and_then(|steps| steps.end(client, &self.workload)) else {
            return Reaction::Wait;
        };
        self.concurrent_steps.remove(&id);
        self.go_on(events, id, next)
    }
}
