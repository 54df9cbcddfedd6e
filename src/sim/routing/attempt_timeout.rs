//! Attempts that exceed the answer timeout: nobody waits for them any more, but the server works on.

use crate::balancing::attempt::AttemptFailure;
use crate::base::Outcome;
use crate::history::Recorder;
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestSlot, RequestState};

impl Sim {
    /// The balancer's answer timeout has expired. The server works on; meanwhile only an idempotent request may be sent
    /// to another one.
    pub(in crate::sim) fn answer_overdue<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let left = self.requests[id];
        if self.retry(recorder, id, AttemptFailure::Overdue) {
            self.leave_behind(id, left);
            return self.route_further(recorder, id);
        }
        self.give_up(recorder, id, AttemptFailure::Overdue.outcome());
    }

    /// Tells the user that there is no answer. A server that has the request works on.
    pub(in crate::sim) fn give_up<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, outcome: Outcome) {
        self.tell(recorder, id, outcome);
        if matches!(self.requests[id].place, RequestState::Connecting | RequestState::Swallowed | RequestState::Failing)
        {
            self.requests.remove(id);
        }
    }

    /// Moves an abandoned attempt into a slot of its own, marked departed. Its server does not know that the balancer
    /// has given up on it.
    fn leave_behind(&mut self, id: RequestSlot, left: InFlight) {
        match left.place {
            RequestState::Running(_) => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                self.servers.held[left.worker as usize] = copy;
            }
            RequestState::Queued => {
                let copy = self.requests.insert(InFlight { departed: true, ..left });
                self.servers.replace_queued(left.server, id, copy);
            }
            RequestState::Swallowed => self.operations.withheld.forget(id),
            RequestState::Balancer | RequestState::Connecting | RequestState::Failing | RequestState::Travelling => {}
        }
    }
}
