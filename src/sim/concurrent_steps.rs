//! Users who do several things at the same moment.

use super::events::Due;
use super::requests::InFlight;
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::{ClientId, Outcome, Visit};
use crate::history::{Event, EventKind, Recorder, Seen};
use crate::traffic::workload::{ConcurrentSteps, Next};

impl World {
    /// Sends all requests of a moment that has several. False when the client has come to one that has not.
    pub(super) fn begin_concurrent_steps<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: ClientId,
    ) -> bool {
        let Some(concurrent_steps) = ConcurrentSteps::begin(&self.clients[id.index()].client, &self.workload) else {
            return false;
        };
        let steps = concurrent_steps.steps();
        self.concurrent_steps.insert(id, concurrent_steps);
        for step in steps {
            self.send_one(context, id, step);
        }
        true
    }

    fn send_one<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: ClientId, step: u16) {
        let concurrent_steps = self.concurrent_steps.get_mut(&id);
        if let Some((request, key)) = concurrent_steps.and_then(|it| it.request(step, &self.workload, self.now)) {
            self.post(context, id, request, key);
        }
    }

    /// The pause after a failure of one of several is over, if it still matters.
    pub(super) fn try_again<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        visit: Visit,
        step: u16,
    ) {
        if self.clients[visit.client.index()].client.visit(visit.client) == visit {
            self.send_one(context, visit.client, step);
        }
    }

    /// A user learns how one of several requests ended. False when it was the only one.
    #[cold]
    pub(super) fn tell_concurrent_steps<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        request: &InFlight,
        outcome: Outcome,
    ) -> bool {
        let Some(concurrent_steps) = self.concurrent_steps.get_mut(&request.client) else { return false };
        let step = request.key.step;
        let meant = concurrent_steps.meant(step);
        let next = concurrent_steps.told(step, &self.workload, request.command, outcome);
        let settled = next.is_none();
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        context.recorder.record(&Event { at: self.now, what: EventKind::Seen(request.visit(), told) });
        match next {
            Some(Next::Again) => self.send_one(context, request.client, step),
            Some(_) => {
                let again = Due::Again { visit: request.visit(), step };
                self.events.schedule(self.now + self.workload.pause, again);
            }
            None => self.end_of_moment(context, request.client),
        }
        true
    }

    /// The client goes on when all its requests have come to their end.
    fn end_of_moment<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: ClientId) {
        let client = &mut self.clients[id.index()].client;
        if let Some(next) =
            self.concurrent_steps.get(&id).and_then(|concurrent_steps| concurrent_steps.end(client, &self.workload))
        {
            self.concurrent_steps.remove(&id);
            self.go_on(context, id, next);
        }
    }
}
