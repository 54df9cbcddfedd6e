//! Users who do several things at the same moment.

use super::events::Due;
use super::requests::InFlight;
use super::{Hands, World};
use crate::history::{Event, Recorder, Seen, What};
use crate::model::{ClientId, Outcome, Visit};
use crate::policy::Policy;
use crate::workload::{AtOnce, Next};

impl World {
    /// Sends all requests of a moment that has several. False when the client has come to one that has not.
    pub(super) fn do_at_once<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: ClientId) -> bool {
        let Some(at_once) = AtOnce::begin(&self.clients[id.index()].client, &self.workload) else { return false };
        let steps = at_once.steps();
        self.at_once.insert(id, at_once);
        for step in steps {
            self.send_one(hands, id, step);
        }
        true
    }

    fn send_one<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: ClientId, step: u16) {
        let at_once = self.at_once.get_mut(&id);
        if let Some((request, key)) = at_once.and_then(|it| it.request(step, &self.workload, self.now)) {
            self.post(hands, id, request, key);
        }
    }

    /// The pause after a failure of one of several is over, if it still matters.
    pub(super) fn try_again<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, visit: Visit, step: u16) {
        if self.clients[visit.client.index()].client.visit(visit.client) == visit {
            self.send_one(hands, visit.client, step);
        }
    }

    /// A user learns how one of several requests ended. False when it was the only one.
    #[cold]
    pub(super) fn tell_at_once<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        request: &InFlight,
        outcome: Outcome,
    ) -> bool {
        let Some(at_once) = self.at_once.get_mut(&request.client) else { return false };
        let step = request.key.step;
        let meant = at_once.meant(step);
        let next = at_once.told(step, &self.workload, request.command, outcome);
        let settled = next.is_none();
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        hands.recorder.record(&Event { at: self.now, what: What::Seen(request.visit(), told) });
        match next {
            Some(Next::Again) => self.send_one(hands, request.client, step),
            Some(_) => {
                let again = Due::Again { visit: request.visit(), step };
                self.events.schedule(self.now + self.workload.pause, again);
            }
            None => self.end_of_moment(hands, request.client),
        }
        true
    }

    /// The client goes on when all its requests have come to their end.
    fn end_of_moment<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: ClientId) {
        let client = &mut self.clients[id.index()].client;
        if let Some(next) = self.at_once.get(&id).and_then(|at_once| at_once.end(client, &self.workload)) {
            self.at_once.remove(&id);
            self.go_on(hands, id, next);
        }
    }
}
