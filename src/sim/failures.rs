//! Servers that answer, and badly: they fail requests at once, and the balancer may leave them alone for a while.

use super::events::{Due, TimerKind};
use super::requests::{Place, RequestId};
use super::{Hands, World};
use crate::history::{PoolEvent, Recorder};
use crate::model::{Outcome, ServerId, ServerState};
use crate::policy::Policy;
use crate::seed::Purpose;
use crate::time::{Instant, Span};

/// How soon a failing server fails a request: before it has done anything for it.
const FAILS_WITHIN: Span = Span::from_millis(1);

impl World {
    /// Whether a server that fails some of its requests fails this one.
    pub(super) fn is_failed(&self, id: RequestId) -> bool {
        let request = &self.requests[id];
        let mut draw = self.workload.seed.draw(Purpose::Failing, request.key);
        draw.below(1_000) < self.pool.members[request.server.index()].failing
    }

    /// A request will be answered with 500 in a moment, and takes no worker.
    pub(super) fn begin_to_fail<P, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        let request = &mut self.requests[id];
        if request.departed {
            let server = request.server;
            self.drop_request(hands, id, Some(server));
            return self.requests.remove(id);
        }
        request.place = Place::Failing;
        self.events.start_timer(TimerKind::Fail, self.now + FAILS_WITHIN, id, request);
    }

    /// That moment is over. The server may have died in it.
    pub(super) fn fail<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        let request = &mut self.requests[id];
        let server = request.server;
        match self.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => {
                self.drop_request(hands, id, Some(server));
                self.hear(hands, id, Outcome::Failed);
            }
            ServerState::Silent => request.place = Place::Swallowed,
            ServerState::Down | ServerState::Booting | ServerState::Retired => self.reset(hands, id),
        }
    }

    /// The balancer leaves a server alone until then.
    #[cold]
    pub(super) fn eject<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        server: ServerId,
        until: Instant,
    ) {
        hands.policy.on_pool_change(&self.pool.view);
        self.record_pool(hands, PoolEvent::Ejected { server });
        self.events.schedule(until, Due::Readmit(server));
    }

    /// The time of an ejection is over.
    pub(super) fn readmit<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, server: ServerId) {
        if self.pool.readmit(server, self.now) {
            hands.policy.on_pool_change(&self.pool.view);
            self.record_pool(hands, PoolEvent::Readmitted { server });
        }
    }
}
