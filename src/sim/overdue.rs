//! Answers that take too long: nobody waits for them any more, and the server works on.

use super::requests::{InFlight, Place, RequestId};
use super::{Hands, World};
use crate::history::Recorder;
use crate::model::Outcome;
use crate::policy::Policy;

impl World {
    /// A server has had a request for longer than the balancer waits. It works on; only an idempotent method may be sent
    /// to another one meanwhile.
    pub(super) fn answer_overdue<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        let left = self.requests[id];
        if !left.command.is_idempotent() {
            self.fail_attempt(hands, id);
        } else if self.retry(hands, id) {
            self.leave_behind(id, left);
            return self.route_further(hands, id);
        }
        self.give_up(hands, id, Outcome::Failed);
    }

    /// The user is told that there is no answer. A server that has the request works on.
    pub(super) fn give_up<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        id: RequestId,
        outcome: Outcome,
    ) {
        self.tell(hands, id, outcome);
        if matches!(self.requests[id].place, Place::Connecting | Place::Swallowed | Place::Failing) {
            self.requests.remove(id);
        }
    }

    /// The balancer has given up on an attempt, of which the server knows nothing: what it holds gets a place of its own,
    /// and nobody waits for it.
    fn leave_behind(&mut self, id: RequestId, left: InFlight) {
        match left.place {
            Place::Running(_) => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                self.stations.held[left.worker as usize] = copy;
            }
            Place::Queued => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                let queue = &mut self.stations.queues[left.server.index()];
                let queued = queue.iter_mut().find(|queued| **queued == id);
                *queued.expect("it is in the queue of its server") = copy;
            }
            Place::Swallowed => self.forget_unheard(id),
            Place::Balancer | Place::Connecting | Place::Failing | Place::Travelling => {}
        }
    }
}
