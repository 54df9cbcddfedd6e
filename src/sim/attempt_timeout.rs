//! Answers that take too long: nobody waits for them any more, and the server works on.

use super::requests::{InFlight, RequestId, RequestState};
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::Outcome;
use crate::history::Recorder;

impl World {
    /// A server has had a request for longer than the balancer waits. It works on; only an idempotent method may be sent
    /// to another one meanwhile.
    pub(super) fn answer_overdue<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        let left = self.requests[id];
        if !left.command.is_idempotent() {
            self.fail_attempt(context, id);
        } else if self.retry(context, id) {
            self.leave_behind(id, left);
            return self.route_further(context, id);
        }
        self.give_up(context, id, Outcome::Failed);
    }

    /// The user is told that there is no answer. A server that has the request works on.
    pub(super) fn give_up<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        outcome: Outcome,
    ) {
        self.tell(context, id, outcome);
        if matches!(self.requests[id].place, RequestState::Connecting | RequestState::Swallowed | RequestState::Failing)
        {
            self.requests.remove(id);
        }
    }

    /// The balancer has given up on an attempt, of which the server knows nothing: what it holds gets a place of its own,
    /// and nobody waits for it.
    fn leave_behind(&mut self, id: RequestId, left: InFlight) {
        match left.place {
            RequestState::Running(_) => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                self.worker_pools.held[left.worker as usize] = copy;
            }
            RequestState::Queued => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                let queue = &mut self.worker_pools.queues[left.server.index()];
                let queued = queue.iter_mut().find(|queued| **queued == id);
                *queued.expect("it is in the queue of its server") = copy;
            }
            RequestState::Swallowed => self.forget_withheld(id),
            RequestState::Balancer | RequestState::Connecting | RequestState::Failing | RequestState::Travelling => {}
        }
    }
}
