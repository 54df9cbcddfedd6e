//! Servers that fail requests at once.

use crate::balancing::attempt::AttemptFailure;
use crate::base::time::Span;
use crate::base::{Outcome, ServerState};
use crate::history::Recorder;
use crate::sim::Sim;
use crate::sim::events::TimerKind;
use crate::sim::requests::{RequestSlot, RequestState};

/// How soon a failing server answers, before it has done any work.
pub(in crate::sim) const FAILS_WITHIN: Span = Span::from_millis(1);

impl Sim {
    /// Schedules a 500 for a request. It takes no worker.
    pub(in crate::sim) fn begin_to_fail<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let request = &mut self.requests[id];
        if request.departed {
            recorder.record(&request.dropped_by_server(self.events.now));
            return self.requests.remove(id);
        }
        request.place = RequestState::Failing;
        self.events.start_timer(TimerKind::Fail, self.events.now + FAILS_WITHIN, id, request);
    }

    /// Delivers that failure. The server may have died in the meantime.
    pub(in crate::sim) fn fail<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let request = &mut self.requests[id];
        let server = request.server;
        match self.balancer.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining | ServerState::Terminating => {
                recorder.record(&request.dropped_by_server(self.events.now));
                self.reply(recorder, id, Outcome::Failed);
            }
            ServerState::Silent => request.place = RequestState::Swallowed,
            ServerState::Down | ServerState::Booting | ServerState::Retired => {
                self.attempt_failed(recorder, id, AttemptFailure::BrokenOff);
            }
        }
    }
}
