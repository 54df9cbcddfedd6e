//! Answers that take too long: nobody waits for them any more, and the server works on.

use crate::balancing::attempt::AttemptFailure;
use crate::base::Outcome;
use crate::history::Recorder;
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestId, RequestState};

impl Sim {
    /// A server has had a request for longer than the balancer waits. It works on; only an idempotent method may be sent
    /// to another one meanwhile.
    pub(in crate::sim) fn answer_overdue<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let left = self.requests[id];
        if self.retry(recorder, id, AttemptFailure::Overdue) {
            self.leave_behind(id, left);
            return self.route_further(recorder, id);
        }
        self.give_up(recorder, id, AttemptFailure::Overdue.outcome());
    }

    /// The user is told that there is no answer. A server that has the request works on.
    pub(in crate::sim) fn give_up<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, outcome: Outcome) {
        self.tell(recorder, id, outcome);
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
                self.servers.held[left.worker as usize] = copy;
            }
            RequestState::Queued => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                self.servers.replace_queued(left.server, id, copy);
            }
            RequestState::Swallowed => self.forget_withheld(id),
            RequestState::Balancer | RequestState::Connecting | RequestState::Failing | RequestState::Travelling => {}
        }
    }
}
