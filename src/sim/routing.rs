//! The balancer: where a request goes, and where it goes next when that fails.

use super::events::TimerKind;
use super::requests::{RequestId, RequestState};
use super::{Context, World};
use crate::balancing::affinity::Bound;
use crate::balancing::policy::{Policy, RequestView};
use crate::base::seed::Purpose;
use crate::base::{Outcome, Refusal, ServerId, ServerState};
use crate::history::{Event, EventKind, Inside, Recorder};

impl World {
    /// Sends a request to a server, or refuses it.
    #[inline(always)]
    pub(super) fn route<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        if self.platform.is_some() {
            return self.send_to_platform(context, id);
        }
        self.excluded.clear();
        self.route_further(context, id);
    }

    /// The same, not to the excluded servers.
    pub(super) fn route_further<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        loop {
            let server = match self.choose(context, id) {
                Ok(server) => server,
                Err(refusal) => return self.refuse(context, id, refusal),
            };
            let request = &mut self.requests[id];
            request.server = server;
            self.pool.sent(server, request.retries > 0);
            if self.network.is_some() {
                return self.set_out(id);
            }
            match self.pool.members[server.index()].state {
                ServerState::Up | ServerState::Draining => return self.deliver(context, id),
                ServerState::Silent => {
                    let request = &mut self.requests[id];
                    request.place = RequestState::Connecting;
                    let at = self.now + self.connect_timeout;
                    return self.events.start_timer(TimerKind::Connect, at, id, request);
                }
                ServerState::Down | ServerState::Booting | ServerState::Retired => {
                    if !self.retry(context, id) {
                        return self.refuse(context, id, Refusal::Unreachable);
                    }
                }
            }
        }
    }

    /// A request has reached a server that runs.
    #[inline(always)]
    pub(super) fn deliver<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        if let Some(timeout) = self.answer_timeout {
            self.events.start_timer(TimerKind::Try, self.now + timeout, id, &self.requests[id]);
        }
        if self.pool.members[self.requests[id].server.index()].failing > 0 && self.is_failed(id) {
            return self.begin_to_fail(context, id);
        }
        self.arrive(context, id);
    }

    /// The server for a request: the pinned one, or the policy's choice.
    #[inline(always)]
    fn choose<P: Policy, R>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) -> Result<ServerId, Refusal> {
        self.pool.look_at_the_clock(self.now);
        let request = &self.requests[id];
        let client = &self.clients[request.client.index()].client;
        let view = &self.pool.view;
        let bound = if self.needs_jars {
            self.jars[client.jar as usize].pin.bound(self.affinity, self.pinned_down, self.now, view)
        } else {
            Bound::Free
        };
        match bound {
            Bound::To(server) if !self.excluded.contains(&server) => return Ok(server),
            Bound::Fail => return Err(Refusal::NoServer),
            Bound::To(_) | Bound::Free => {}
        }
        let draw = self.workload.seed.draw(Purpose::Pick, request.key_of_try());
        let asked = RequestView { hash_key: self.workload.hash_key(client.user), excluded: &self.excluded };
        if let Some(network) = &self.network {
            context.policy.asked_from(network.asked_from(request));
        }
        let none_left = if self.excluded.is_empty() { Refusal::NoServer } else { Refusal::Unreachable };
        context.policy.pick(self.now, &asked, view, draw).ok_or(none_left)
    }

    /// An attempt failed. Whether the request may be sent to another server; if so, this one is excluded.
    pub(super) fn retry<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) -> bool {
        self.fail_attempt(context, id);
        let request = &mut self.requests[id];
        if request.retries >= self.retries || !self.pool.may_retry() {
            return false;
        }
        request.retries += 1;
        request.place = RequestState::Balancer;
        request.started = self.now;
        let from = request.server;
        self.excluded.push(from);
        let what = EventKind::Inside(request.visit(), Inside::Retried { from });
        context.recorder.record(&Event { at: self.now, what });
        true
    }

    /// Ends the balancer's connection to a server, if there is one.
    #[inline]
    pub(super) fn hang_up<P: Policy, R>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        if self.is_for_nobody_yet(id) {
            return;
        }
        self.ended(context, id, Outcome::Failed);
    }

    /// The balancer waits for this server no more.
    #[inline(always)]
    pub(super) fn ended<P: Policy, R>(&mut self, context: &mut Context<'_, P, R>, id: RequestId, outcome: Outcome) {
        let request = &self.requests[id];
        let again = request.retries > 0;
        // Of a later attempt it is only known when it was sent, or from when on it was worked on.
        let since = if again { request.started } else { request.sent };
        self.pool.ended(request.server, again);
        context.policy.on_complete(self.now, request.server, self.now - since, outcome);
    }

    /// Ends an attempt that the server is to blame for.
    pub(super) fn fail_attempt<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        self.hang_up(context, id);
        self.judge(context, self.requests[id].server, true);
    }

    /// The balancer takes note of how a server answered.
    #[inline(always)]
    pub(super) fn judge<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        server: ServerId,
        failed: bool,
    ) {
        if let Some(until) = self.pool.answered(server, failed, self.now) {
            self.eject(context, server, until);
        }
    }

    pub(super) fn refuse<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        refusal: Refusal,
    ) {
        self.drop_request(context, id, None);
        self.tell(context, id, Outcome::Refused(refusal));
        self.requests.remove(id);
    }

    /// Records that a request ended without effect.
    pub(super) fn drop_request<P, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        server: Option<ServerId>,
    ) {
        let what = EventKind::Inside(self.requests[id].visit(), Inside::Dropped { server });
        context.recorder.record(&Event { at: self.now, what });
    }

    /// No connection within the balancer's patience: it never reached the server, so any method may go elsewhere.
    pub(super) fn connect_timed_out<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        if self.retry(context, id) {
            self.route_further(context, id);
        } else {
            self.refuse(context, id, Refusal::Unreachable);
        }
    }

    /// The connection to a server was reset under a request. Only an idempotent method may be sent again.
    pub(super) fn reset<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        let server = self.requests[id].server;
        if !self.requests[id].command.is_idempotent() {
            self.fail_attempt(context, id);
        } else if self.retry(context, id) {
            return self.route_further(context, id);
        }
        self.drop_request(context, id, Some(server));
        self.tell(context, id, Outcome::Failed);
        self.requests.remove(id);
    }
}
