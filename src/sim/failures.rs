//! Servers that answer, and badly: they fail requests at once, and the balancer may leave them alone for a while.

use super::events::{Due, TimerKind};
use super::requests::{RequestId, RequestState};
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::seed::Purpose;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ServerId, ServerState};
use crate::history::{PoolEvent, Recorder};

/// How soon a failing server fails a request: before it has done anything for it.
pub(super) const FAILS_WITHIN: Span = Span::from_millis(1);

impl World {
    /// Whether a server that fails some of its requests fails this one.
    pub(super) fn is_failed(&self, id: RequestId) -> bool {
        let request = &self.requests[id];
        let mut draw = self.workload.seed.draw(Purpose::Failing, request.key);
        draw.below(1_000) < self.pool.members[request.server.index()].failing
    }

    /// A request will be answered with 500 in a moment, and takes no worker.
    pub(super) fn begin_to_fail<P, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        let request = &mut self.requests[id];
        if request.departed {
            let server = request.server;
            self.drop_request(context, id, Some(server));
            return self.requests.remove(id);
        }
        request.place = RequestState::Failing;
        self.events.start_timer(TimerKind::Fail, self.now + FAILS_WITHIN, id, request);
    }

    /// That moment is over. The server may have died in it.
    pub(super) fn fail<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        let request = &mut self.requests[id];
        let server = request.server;
        match self.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => {
                self.drop_request(context, id, Some(server));
                self.hear(context, id, Outcome::Failed);
            }
            ServerState::Silent => request.place = RequestState::Swallowed,
            ServerState::Down | ServerState::Booting | ServerState::Retired => self.reset(context, id),
        }
    }

    /// The balancer leaves a server alone until then.
    #[cold]
    pub(super) fn eject<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        until: Instant,
    ) {
        context.policy.on_pool_change(&self.pool.view);
        self.record_pool(context, PoolEvent::Ejected { server });
        self.events.schedule(until, Due::Readmit(server));
    }

    /// The time of an ejection is over.
    pub(super) fn readmit<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, server: ServerId) {
        if self.pool.readmit(server, self.now) {
            context.policy.on_pool_change(&self.pool.view);
            self.record_pool(context, PoolEvent::Readmitted { server });
        }
    }
}
