//! Servers that fail requests at once, and outlier ejection.

use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ServerId, ServerState};
use crate::history::{PoolEvent, Recorder};
use crate::operations::faults;
use crate::sim::Sim;
use crate::sim::events::{Due, TimerKind};
use crate::sim::requests::{RequestId, RequestState};

/// How soon a failing server answers, before it has done any work.
pub(in crate::sim) const FAILS_WITHIN: Span = Span::from_millis(1);

impl Sim {
    /// Whether a server that fails a share of its requests fails this one.
    pub(in crate::sim) fn is_failed(&self, id: RequestId) -> bool {
        let request = &self.requests[id];
        faults::fails(self.balancer.pool.members[request.server.index()].failing, self.workload.seed, request.key)
    }

    /// Schedules a 500 for a request. It takes no worker.
    pub(in crate::sim) fn begin_to_fail<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let request = &mut self.requests[id];
        if request.departed {
            let server = request.server;
            self.drop_request(recorder, id, Some(server));
            return self.requests.remove(id);
        }
        request.place = RequestState::Failing;
        self.events.start_timer(TimerKind::Fail, self.now + FAILS_WITHIN, id, request);
    }

    /// Delivers that failure. The server may have died in the meantime.
    pub(in crate::sim) fn fail<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let request = &mut self.requests[id];
        let server = request.server;
        match self.balancer.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => {
                self.drop_request(recorder, id, Some(server));
                self.hear(recorder, id, Outcome::Failed);
            }
            ServerState::Silent => request.place = RequestState::Swallowed,
            ServerState::Down | ServerState::Booting | ServerState::Retired => {
                self.attempt_failed(recorder, id, AttemptFailure::BrokenOff);
            }
        }
    }

    /// Records an ejection, and schedules its end.
    #[cold]
    pub(in crate::sim) fn eject<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, until: Instant) {
        self.record_pool(recorder, PoolEvent::Ejected { server });
        self.events.schedule(until, Due::Readmit(server));
    }

    /// Ends an ejection.
    pub(in crate::sim) fn readmit<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        if self.balancer.readmit(server, self.now) {
            self.record_pool(recorder, PoolEvent::Readmitted { server });
        }
    }
}
