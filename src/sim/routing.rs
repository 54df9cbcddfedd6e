//! Routing: which server a request goes to, and what follows when that attempt fails.

mod attempt_timeout;
pub mod failures;

use super::Sim;
use super::events::TimerKind;
use super::network::NetworkMessage;
use super::requests::{RequestSlot, RequestState};
use crate::balancing::attempt::AttemptFailure;
use crate::base::{Outcome, ServerId, ServerState};
use crate::history::{Event, Inside, Recorder};
use crate::operations::faults;

impl Sim {
    /// Sends a request to a server or to the platform, or refuses it.
    #[inline(always)]
    pub(super) fn route<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        match (&self.platform, &self.network) {
            (None, _) => {
                self.balancer.excluded.clear();
                self.route_further(recorder, id);
            }
            (Some(_), None) => self.dispatch(recorder, id),
            (Some(_), Some(_)) => self.send_message(id, NetworkMessage::Request),
        }
    }

    /// Routes a request, avoiding the excluded servers.
    fn route_further<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        loop {
            let region = self.network.as_ref().map(|network| network.asked_from(&self.requests[id]));
            let attempt = self.users.attempt(&self.requests[id], region);
            let server = match self.balancer.choose(self.events.now, &attempt) {
                Ok(server) => server,
                Err(refusal) => return self.drop_request(recorder, id, None, Outcome::Refused(refusal)),
            };
            let request = &mut self.requests[id];
            request.server = server;
            self.balancer.pool.sent(server, request.retries > 0);
            if self.network.is_some() {
                return self.send_message(id, NetworkMessage::Request);
            }
            match self.balancer.pool.members[server.index()].state {
                ServerState::Up | ServerState::Draining => return self.deliver(recorder, id),
                ServerState::Silent => return self.wait_for_connection(id),
                ServerState::Terminating | ServerState::Down | ServerState::Booting | ServerState::Retired => {
                    if !self.retry(recorder, id, AttemptFailure::Refused) {
                        return self.drop_request(recorder, id, None, AttemptFailure::Refused.outcome());
                    }
                }
            }
        }
    }

    /// Waits for a connection to a silent server, until the connect timeout.
    pub(super) fn wait_for_connection(&mut self, id: RequestSlot) {
        let request = &mut self.requests[id];
        request.place = RequestState::Connecting;
        let at = self.events.now + self.balancer.connect_timeout;
        self.events.start_timer(TimerKind::Connect, at, id, request);
    }

    /// A request reaches a running server.
    #[inline(always)]
    pub(super) fn deliver<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let request = &self.requests[id];
        if let Some(timeout) = self.balancer.answer_timeout {
            self.events.start_timer(TimerKind::Try, self.events.now + timeout, id, request);
        }
        let failing = self.balancer.pool.members[request.server.index()].failing;
        if failing > 0 && faults::fails(failing, self.users.workload.seed, request.key) {
            return self.begin_to_fail(recorder, id);
        }
        self.arrive(recorder, id);
    }

    /// Ends a failed attempt. Returns whether the request may be retried; if so, this server is excluded.
    fn retry<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, failure: AttemptFailure) -> bool {
        self.fail_attempt(recorder, id);
        let request = &mut self.requests[id];
        let (idempotent, balancer) = (request.command.is_idempotent(), &mut self.balancer);
        let in_budget = || balancer.pool.may_retry();
        if !failure.may_be_retried(idempotent, request.retries, balancer.retries, in_budget) {
            return false;
        }
        request.retries += 1;
        request.place = RequestState::Balancer;
        request.since = self.events.now;
        let from = request.server;
        failure.exclude(from, &mut balancer.excluded);
        recorder.record(&Event::inside(self.events.now, request.visit(), Inside::Retried { from }));
        true
    }

    /// Handles an attempt that a server did not accept or has dropped: retries it elsewhere, or tells the user.
    pub(super) fn attempt_failed<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, failure: AttemptFailure) {
        if self.retry(recorder, id, failure) {
            self.route_further(recorder, id);
        } else {
            let had_it = failure.was_sent().then_some(self.requests[id].server);
            self.drop_request(recorder, id, had_it, failure.outcome());
        }
    }

    /// Ends a request without effect, and tells its user. `had_it`: the server that had it.
    pub(super) fn drop_request<R: Recorder>(
        &mut self,
        recorder: &mut R,
        id: RequestSlot,
        had_it: Option<ServerId>,
        outcome: Outcome,
    ) {
        let dropped = Inside::Dropped { server: had_it };
        recorder.record(&Event::inside(self.events.now, self.requests[id].visit(), dropped));
        self.tell(recorder, id, outcome);
        self.requests.remove(id);
    }

    /// An answer, which is now at the balancer, reaches the user.
    #[inline(always)]
    pub(super) fn answered<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, outcome: Outcome) {
        let (request, events) = (&self.requests[id], &mut self.events);
        self.balancer.end_attempt(request, outcome, events.now);
        self.balancer.count_outcome(recorder, events, request.server, outcome.is_server_error());
        self.answer(recorder, id, outcome);
    }

    /// Closes the balancer's connection to a server, if there is one.
    #[inline]
    pub(super) fn hang_up(&mut self, id: RequestSlot) {
        let (request, network) = (&self.requests[id], self.network.as_ref());
        if !network.is_some_and(|network| network.has_no_server_yet(id, request)) {
            self.balancer.end_attempt(request, Outcome::Failed, self.events.now);
        }
    }

    /// Ends an attempt and counts it against the server.
    pub(super) fn fail_attempt<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        self.hang_up(id);
        self.balancer.count_outcome(recorder, &mut self.events, self.requests[id].server, true);
    }
}
