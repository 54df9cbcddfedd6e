//! Users who do several steps at the same time.

use crate::base::{ClientId, Outcome, Visit};
use crate::history::{Event, EventKind, Recorder, Seen};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::requests::InFlight;
use crate::traffic::{ConcurrentSteps, Next};

impl Sim {
    /// Sends all requests of a group of concurrent steps. Returns false if the client's next step is not in such a
    /// group.
    pub(in crate::sim) fn begin_concurrent_steps<R: Recorder>(&mut self, recorder: &mut R, id: ClientId) -> bool {
        let Some(concurrent_steps) = ConcurrentSteps::begin(&self.users.clients[id.index()].client, &self.workload)
        else {
            return false;
        };
        let steps = concurrent_steps.steps();
        self.users.concurrent_steps.insert(id, concurrent_steps);
        for step in steps {
            self.send_one(recorder, id, step);
        }
        true
    }

    fn send_one<R: Recorder>(&mut self, recorder: &mut R, id: ClientId, step: u16) {
        let concurrent_steps = self.users.concurrent_steps.get_mut(&id);
        if let Some((request, key)) = concurrent_steps.and_then(|it| it.request(step, &self.workload, self.now)) {
            self.post(recorder, id, request, key);
        }
    }

    /// A pause before the retry of a concurrent step ends; the retry is sent if the client is still in that visit.
    pub(in crate::sim) fn try_again<R: Recorder>(&mut self, recorder: &mut R, visit: Visit, step: u16) {
        if self.users.clients[visit.client.index()].client.visit(visit.client) == visit {
            self.send_one(recorder, visit.client, step);
        }
    }

    /// A user learns how one of several requests ended. Returns false if the client has no concurrent steps.
    #[cold]
    pub(in crate::sim) fn tell_concurrent_steps<R: Recorder>(
        &mut self,
        recorder: &mut R,
        request: &InFlight,
        outcome: Outcome,
    ) -> bool {
        let Some(concurrent_steps) = self.users.concurrent_steps.get_mut(&request.client) else { return false };
        let step = request.key.step;
        let meant = concurrent_steps.meant(step);
        let next = concurrent_steps.told(step, &self.workload, request.command, outcome);
        let settled = next.is_none();
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        recorder.record(&Event { at: self.now, what: EventKind::Seen(request.visit(), told) });
        match next {
            Some(Next::Again) => self.send_one(recorder, request.client, step),
            Some(_) => {
                let again = Due::Again { visit: request.visit(), step };
                self.events.schedule(self.now + self.workload.pause, again);
            }
            None => self.end_of_moment(recorder, request.client),
        }
        true
    }

    /// The client goes on once all its concurrent requests have ended.
    fn end_of_moment<R: Recorder>(&mut self, recorder: &mut R, id: ClientId) {
        let client = &mut self.users.clients[id.index()].client;
        if let Some(next) = self
            .users
            .concurrent_steps
            .get(&id)
            .and_then(|concurrent_steps| concurrent_steps.end(client, &self.workload))
        {
            self.users.concurrent_steps.remove(&id);
            self.go_on(recorder, id, next);
        }
    }
}
