//! Serving: a server works through a request's plan, stage by stage, and answers.

mod commit;

use super::Sim;
use super::network::NetworkMessage;
use super::requests::{InFlight, Phase, RequestSlot, RequestState};
use super::store::stored_carts;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ProcessId, Refusal};
use crate::history::Recorder;
use crate::state::admission::Admitted;
use crate::state::plan::Stage;
use crate::state::session::{self, CredentialCheck, CredentialStatus};
use crate::state::store::StoreCall;
use commit::Effect;

/// How a request comes to a worker.
impl Sim {
    /// A request arrives at a running server.
    #[inline(always)]
    pub(super) fn arrive<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        match self.servers.admit(self.requests[id].server, id) {
            Admitted::Worker(worker) => self.start(worker, id),
            Admitted::Queued => self.requests[id].place = RequestState::Queued,
            Admitted::Full => self.turn_away(recorder, id),
        }
    }

    /// Answers 503, because the queue is full.
    #[cold]
    fn turn_away<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let InFlight { server, departed, .. } = self.requests[id];
        let outcome = Outcome::Refused(Refusal::QueueFull);
        if self.network.is_none() {
            self.fail_attempt(recorder, id);
        }
        recorder.record(&self.requests[id].dropped_by_server(self.events.now));
        if self.network.is_none() {
            self.answer(recorder, id, outcome);
        } else if departed {
            self.requests.remove(id);
        } else {
            self.send_message(id, NetworkMessage::Answer(outcome, self.balancer.pool.process_on(server)));
        }
    }

    /// A worker takes a request, decides whether to accept it, and begins the first stage of its plan.
    #[inline(always)]
    pub(super) fn start(&mut self, worker: u32, id: RequestSlot) {
        let now = self.events.now;
        let request = &mut self.requests[id];
        self.servers.assign(worker, id, request, now);
        request.credential = request.credential_status();
        let (client, process) = (request.client, self.balancer.pool.process_on(request.server));
        let refused = if self.accepts(id, process) {
            self.shop.refusal(&self.requests[id], process)
        } else {
            Some(Refusal::Unauthorized)
        };
        let request = &mut self.requests[id];
        request.refused = refused;
        self.shop.plan(request, self.users.carts(client), process, now);
        let plan = request.plan;
        if !self.store.has_line() {
            let mut until = now + self.service_time(id);
            if plan.calls_store() {
                self.read_cart(id);
                until = until + self.store_time(id, StoreCall::Before) + self.store_time(id, StoreCall::After);
            }
            self.servers.begin(&mut self.requests[id], Phase::Work, until);
        } else if plan.calls_before() > 0 {
            self.queue_for_store(id, StoreCall::Before);
        } else {
            self.work(id);
        }
    }

    /// Whether its server accepts a request's login.
    #[inline(always)]
    fn accepts(&self, id: RequestSlot, process: ProcessId) -> bool {
        let (request, rules) = (&self.requests[id], &self.shop.rules);
        let found = match request.session {
            None if request.credential == CredentialStatus::Nothing => return true,
            None => CredentialCheck::default(),
            Some(session) => {
                let logouts = self.users.logouts(request.client);
                self.store.logins.check(session, logouts, process, rules.tokens.deny_list, self.events.now)
            }
        };
        session::accepts(rules.homes.session, &rules.tokens, request.credential, found)
    }
}

/// How long the stages take.
impl Sim {
    /// The worker's own work, without store calls.
    #[inline(always)]
    pub(super) fn service_time(&self, id: RequestSlot) -> Span {
        let request = &self.requests[id];
        let workload = &self.users.workload;
        let slow = self.balancer.pool.members[request.server.index()].slow;
        workload.service_time(self.servers.service, request.key, Some(request.visit().user), slow)
            + self.shop.object_time(request, workload.seed)
    }

    /// The store calls on one side of the work. They are made one after the other on one connection.
    #[inline(always)]
    pub(super) fn store_time(&self, id: RequestSlot, side: StoreCall) -> Span {
        let request = &self.requests[id];
        let way = self.network.as_ref().map_or(Span::ZERO, |network| network.map.to_store(request.server));
        self.store.time(request, side, way, self.users.workload.seed)
    }

    /// When store calls and work are one event: the phase that a worker is in, when it began, and when it ends.
    pub(super) fn phase_within(&self, id: RequestSlot) -> (Phase, Instant, Instant) {
        let InFlight { since, plan, worker, .. } = self.requests[id];
        let end = self.servers.busy.time(worker as usize);
        let read = since + self.store_time(id, StoreCall::Before);
        let worked = end - self.store_time(id, StoreCall::After);
        if plan.calls_before() > 0 && self.events.now < read {
            (Phase::Store(StoreCall::Before), since, read)
        } else if plan.calls_after() == 0 || self.events.now < worked {
            (Phase::Work, read, worked)
        } else {
            (Phase::Store(StoreCall::After), worked, end)
        }
    }
}

/// The stages.
impl Sim {
    /// The earliest stage of any worker ends.
    #[inline(always)]
    pub(super) fn next_stage<R: Recorder>(&mut self, recorder: &mut R) {
        let id = self.servers.held[self.servers.busy.winner()];
        if self.store.has_line() {
            return self.stage_ended(recorder, id);
        }
        let effect = self.commit(id);
        self.finish(recorder, id, &effect);
    }

    /// A stage ends, and the next one begins. Store calls are stages of their own.
    fn stage_ended<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let InFlight { place, plan, .. } = self.requests[id];
        let effect = match place {
            RequestState::Running(Phase::Store(call)) => {
                self.release_connection();
                match call {
                    StoreCall::Before => return self.work(id),
                    StoreCall::After => self.commit(id),
                }
            }
            // The store could not be reached, and nothing has been changed.
            RequestState::Running(Phase::Refused(call)) => {
                let made = if call == StoreCall::Before { 0 } else { plan.calls_before() };
                Effect::none(Outcome::Refused(Refusal::StoreDown), made)
            }
            // The server cannot tell whether the call took effect. (It did not: a call takes effect at its end.)
            RequestState::Running(Phase::BrokenOff) => Effect::none(Outcome::Failed, plan.calls()),
            _ if plan.calls_after() > 0 => return self.queue_for_store(id, StoreCall::After),
            _ => self.commit(id),
        };
        self.finish(recorder, id, &effect);
    }

    /// Starts a worker's own work, without store calls.
    fn work(&mut self, id: RequestSlot) {
        let until = self.events.now + self.service_time(id);
        self.servers.begin(&mut self.requests[id], Phase::Work, until);
    }

    /// Starts a worker's store call, or queues it if no connection is free.
    fn queue_for_store(&mut self, id: RequestSlot, call: StoreCall) {
        let request = &mut self.requests[id];
        if self.store.is_down() {
            self.servers.begin(request, Phase::Refused(call), self.events.now);
        } else if self.store.connect(request.worker) {
            self.call_store(id, call);
        } else {
            self.servers.begin(request, Phase::StoreLine(call), Instant::NEVER);
        }
    }

    fn call_store(&mut self, id: RequestSlot, call: StoreCall) {
        if call == StoreCall::Before {
            self.read_cart(id);
        }
        let until = self.events.now + self.store_time(id, call);
        self.servers.begin(&mut self.requests[id], Phase::Store(call), until);
    }

    /// Frees a store connection; the next worker in line takes it.
    pub(super) fn release_connection(&mut self) {
        let Some(worker) = self.store.disconnect() else { return };
        let id = self.servers.held[worker as usize];
        if let RequestState::Running(Phase::StoreLine(call)) = self.requests[id].place {
            self.call_store(id, call);
        }
    }

    /// For read-modify-write: reads the cart before the work.
    fn read_cart(&mut self, id: RequestSlot) {
        let InFlight { client, plan, .. } = self.requests[id];
        if plan.has(Stage::ReadCart) {
            self.store.expire(&mut stored_carts!(self), client);
            self.requests[id].cart = self.users.carts(client).copy();
        }
    }

    /// Ends service: gives the worker its next request, and answers the user.
    #[inline(always)]
    fn finish<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, effect: &Effect) {
        let InFlight { server, worker, since, .. } = self.requests[id];
        self.servers.count_work(server, self.events.now - since);
        self.report_served(recorder, id, effect);
        if let Some(next) = self.servers.next_in_line(worker, server) {
            self.start(worker, next);
        }
        if let Some(platform) = &mut self.platform
            && !platform.rest(&mut self.events, server, self.balancer.pool.process_on(server))
        {
            self.end_instance(recorder, server);
        }
        let request = &mut self.requests[id];
        request.cart = effect.token;
        if request.departed {
            self.requests.remove(id);
        } else if self.balancer.pool.has_isolated() && self.balancer.pool.is_isolated(server) {
            self.operations.withheld.withhold(id, request, effect.outcome);
        } else {
            self.reply(recorder, id, effect.outcome);
        }
    }

    /// An answer leaves a server.
    #[inline(always)]
    pub(super) fn reply<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, outcome: Outcome) {
        if self.network.is_none() {
            return self.answered(recorder, id, outcome);
        }
        let process = self.balancer.pool.process_on(self.requests[id].server);
        self.send_message(id, NetworkMessage::Answer(outcome, process));
    }
}
