//! Routing: which server a request goes to, and what follows when that attempt fails.

mod attempt_timeout;
pub mod failures;

use super::Sim;
use super::events::TimerKind;
use super::requests::{RequestId, RequestState};
use crate::balancing::attempt::AttemptFailure;
use crate::balancing::balancer::Attempt;
use crate::base::seed::Purpose;
use crate::base::{Outcome, Refusal, ServerId, ServerState};
use crate::history::{Event, EventKind, Inside, Recorder};

impl Sim {
    /// Sends a request to a server, or refuses it.
    #[inline(always)]
    pub(super) fn route<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        if self.platform.is_some() {
            return self.send_to_platform(recorder, id);
        }
        self.balancer.excluded.clear();
        self.route_further(recorder, id);
    }

    /// Routes a request, avoiding the excluded servers.
    fn route_further<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        loop {
            let server = match self.choose(id) {
                Ok(server) => server,
                Err(refusal) => return self.refuse(recorder, id, refusal),
            };
            let request = &mut self.requests[id];
            request.server = server;
            self.balancer.pool.sent(server, request.retries > 0);
            if self.network.is_some() {
                return self.set_out(id);
            }
            match self.balancer.pool.members[server.index()].state {
                ServerState::Up | ServerState::Draining => return self.deliver(recorder, id),
                ServerState::Silent => {
                    let request = &mut self.requests[id];
                    request.place = RequestState::Connecting;
                    let at = self.now + self.balancer.connect_timeout;
                    return self.events.start_timer(TimerKind::Connect, at, id, request);
                }
                ServerState::Down | ServerState::Booting | ServerState::Retired => {
                    if !self.retry(recorder, id, AttemptFailure::Refused) {
                        return self.end_attempts(recorder, id, AttemptFailure::Refused);
                    }
                }
            }
        }
    }

    /// A request reaches a running server.
    #[inline(always)]
    pub(super) fn deliver<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        if let Some(timeout) = self.balancer.answer_timeout {
            self.events.start_timer(TimerKind::Try, self.now + timeout, id, &self.requests[id]);
        }
        if self.balancer.pool.members[self.requests[id].server.index()].failing > 0 && self.is_failed(id) {
            return self.begin_to_fail(recorder, id);
        }
        self.arrive(recorder, id);
    }

    #[inline(always)]
    fn choose(&mut self, id: RequestId) -> Result<ServerId, Refusal> {
        let request = &self.requests[id];
        let client = self.users.client(request.client);
        let attempt = Attempt {
            pin: self.users.needs_jars.then(|| &self.users.jars[client.jar as usize].pin),
            hash_key: self.workload.hash_key(client.user),
            region: self.network.as_ref().map(|network| network.asked_from(request)),
            draw: self.workload.seed.draw(Purpose::Pick, request.key_of_try()),
        };
        self.balancer.choose(self.now, &attempt)
    }

    /// Ends a failed attempt. Returns whether the request may be retried; if so, this server is excluded.
    fn retry<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, failure: AttemptFailure) -> bool {
        self.fail_attempt(recorder, id);
        let request = &mut self.requests[id];
        let (idempotent, balancer) = (request.command.is_idempotent(), &mut self.balancer);
        let in_budget = || balancer.pool.may_retry();
        if !failure.may_be_retried(idempotent, request.retries, balancer.retries, in_budget) {
            return false;
        }
        request.retries += 1;
        request.place = RequestState::Balancer;
        request.started = self.now;
        let from = request.server;
        failure.exclude(from, &mut balancer.excluded);
        let what = EventKind::Inside(request.visit(), Inside::Retried { from });
        recorder.record(&Event { at: self.now, what });
        true
    }

    /// Handles an attempt that a server did not accept or has dropped: retries it elsewhere, or tells the user.
    pub(super) fn attempt_failed<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, failure: AttemptFailure) {
        if self.retry(recorder, id, failure) {
            self.route_further(recorder, id);
        } else {
            self.end_attempts(recorder, id, failure);
        }
    }

    /// Ends a request that will not be retried.
    fn end_attempts<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, failure: AttemptFailure) {
        let had_it = failure.was_sent().then_some(self.requests[id].server);
        self.drop_request(recorder, id, had_it);
        self.tell(recorder, id, failure.outcome());
        self.requests.remove(id);
    }

    /// Refuses a request on the balancer's behalf.
    pub(super) fn refuse<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, refusal: Refusal) {
        self.drop_request(recorder, id, None);
        self.tell(recorder, id, Outcome::Refused(refusal));
        self.requests.remove(id);
    }

    /// Closes the balancer's connection to a server, if there is one.
    #[inline]
    pub(super) fn hang_up(&mut self, id: RequestId) {
        if !self.is_for_nobody_yet(id) {
            self.ended(id, Outcome::Failed);
        }
    }

    /// Tells the balancer that an attempt has ended.
    #[inline(always)]
    pub(super) fn ended(&mut self, id: RequestId, outcome: Outcome) {
        let request = &self.requests[id];
        let again = request.retries > 0;
        // For a retry, only the time it was sent, or taken by a worker, is known.
        let since = if again { request.started } else { request.sent };
        self.balancer.ended(self.now, request.server, again, since, outcome);
    }

    /// Ends an attempt and counts it against the server.
    pub(super) fn fail_attempt<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        self.hang_up(id);
        self.judge(recorder, self.requests[id].server, true);
    }

    /// Feeds a server's success or failure to outlier detection.
    #[inline(always)]
    pub(super) fn judge<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, failed: bool) {
        if let Some(until) = self.balancer.judge(self.now, server, failed) {
            self.eject(recorder, server, until);
        }
    }

    /// Records that a request ended without effect.
    pub(super) fn drop_request<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, server: Option<ServerId>) {
        let what = EventKind::Inside(self.requests[id].visit(), Inside::Dropped { server });
        recorder.record(&Event { at: self.now, what });
    }
}
