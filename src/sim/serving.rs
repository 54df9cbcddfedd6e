//! Serving: a server works through a request's plan, and commits the effect just before it answers.

use super::Sim;
use super::network::NetworkMessage;
use super::requests::{InFlight, Phase, RequestId, RequestState};
use super::shop::carts::Call;
use super::store::stored_carts;
use super::users::ok;
use crate::base::seed::Purpose;
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items, Outcome, ProcessId, Refusal, Reply, ServerId};
use crate::history::{Event, EventKind, Evidence, Inside, Recorder, Seen, Served};
use crate::scenario::{CartHome, StoreUpdate};
use crate::state::admission::Admitted;
use crate::state::plan::{Plan, Stage};
use crate::state::store::StoreCall;
use crate::state::tokens;

/// What a request did, for the record and for the answer.
pub(in crate::sim) struct Effect {
    outcome: Outcome,
    knew_cart: Option<bool>,
    cart: Items,
    billed: Option<Items>,
    /// The new cart token that the answer sets.
    token: Option<Items>,
    /// How many other servers were sent a copy of the cart.
    copies: u32,
}

impl Effect {
    pub(in crate::sim) fn none(outcome: Outcome) -> Effect {
        Effect { outcome, knew_cart: None, cart: Items::NONE, billed: None, token: None, copies: 0 }
    }
}

impl Sim {
    /// A request arrives at a running server.
    #[inline(always)]
    pub(super) fn arrive<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        match self.servers.admit(self.requests[id].server, id) {
            Admitted::Worker(worker) => self.start(worker, id),
            Admitted::Queued => self.requests[id].place = RequestState::Queued,
            Admitted::Full => self.turn_away(recorder, id),
        }
    }

    /// Answers 503, because the queue is full.
    #[cold]
    fn turn_away<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let InFlight { server, departed, .. } = self.requests[id];
        let outcome = Outcome::Refused(Refusal::QueueFull);
        if self.network.is_none() {
            self.fail_attempt(recorder, id);
        }
        self.drop_request(recorder, id, Some(server));
        if self.network.is_none() {
            self.answer(recorder, id, outcome);
        } else if departed {
            self.requests.remove(id);
        } else {
            self.send_back(id, NetworkMessage::Answer(outcome, self.process_of(server)));
        }
    }

    /// The process that runs on a server, or was the last to run there.
    #[inline]
    pub(super) fn process_of(&self, server: ServerId) -> ProcessId {
        self.balancer.pool.members[server.index()].process
    }

    /// A worker takes a request, and begins the first stage of its plan.
    #[inline(always)]
    fn start(&mut self, worker: u32, id: RequestId) {
        self.servers.held[worker as usize] = id;
        let request = &mut self.requests[id];
        request.worker = worker;
        request.started = self.now;
        request.place = RequestState::Running(Phase::Work);
        self.requests[id].credential = Sim::credential(&self.requests[id]);
        self.plan(id);
        let plan = self.requests[id].plan;
        if !self.store.has_line() {
            let store = if plan.calls() == 0 { Span::ZERO } else { self.store_times(id, plan) };
            let until = self.now + self.service_time(id) + store;
            self.servers.busy.set(worker as usize, until);
        } else if plan.calls_before() > 0 {
            self.queue_for_store(worker, id, StoreCall::Before);
        } else {
            self.work(worker, id);
        }
    }

    /// Decides whether a request is accepted, and plans the stages of serving it.
    #[inline(always)]
    fn plan(&mut self, id: RequestId) {
        let refused = self.refusal(id);
        let request = &mut self.requests[id];
        request.refused = refused;
        request.plan = self.shop.rules.plan(request.command, request.credential, refused.is_none());
        if let Some(migration) = self.shop.migration {
            self.choose_path(id, migration);
        }
    }

    /// Starts a worker's own work, without store calls.
    fn work(&mut self, worker: u32, id: RequestId) {
        self.requests[id].place = RequestState::Running(Phase::Work);
        let until = self.now + self.service_time(id);
        self.servers.busy.set(worker as usize, until);
    }

    /// For read-modify-write: reads the cart before the work.
    fn read_cart(&mut self, id: RequestId) {
        if self.requests[id].plan.has(Stage::ReadCart) {
            let client = self.requests[id].client;
            self.store.expire(&mut stored_carts!(self), client);
            self.requests[id].copy = self.users.carts_of(client).copy();
        }
    }

    #[inline(always)]
    pub(super) fn service_time(&self, id: RequestId) -> Span {
        let request = &self.requests[id];
        let slow = self.balancer.pool.members[request.server.index()].slow;
        let user = Some(request.visit().user);
        self.workload.service_time(self.servers.service, request.key, user, slow) + self.object_time(id)
    }

    /// The total time of a request's store calls, when they are not events of their own.
    fn store_times(&mut self, id: RequestId, plan: Plan) -> Span {
        if plan.calls_before() > 0 {
            self.read_cart(id);
        }
        if let Some(span) = self.store.constant_latency() {
            let way = self.way_to_store(self.requests[id].server);
            return (span + way) * u64::from(plan.calls());
        }
        self.store_time(id, StoreCall::Before) + self.store_time(id, StoreCall::After)
    }

    /// How long the store calls on one side of the work take. They are made one after the other on one connection.
    pub(super) fn store_time(&self, id: RequestId, side: StoreCall) -> Span {
        let request = &self.requests[id];
        let calls = match side {
            StoreCall::Before => request.plan.calls_before(),
            StoreCall::After => request.plan.calls_after(),
        };
        let time = self.store.time(calls, side, || self.workload.seed.draw(Purpose::Store, request.key));
        time + self.way_to_store(request.server) * u64::from(calls)
    }

    /// The earliest stage of any worker ends.
    #[inline(always)]
    pub(super) fn service_event<R: Recorder>(&mut self, recorder: &mut R) {
        #[expect(clippy::cast_possible_truncation, reason = "at most a million workers")]
        let worker = self.servers.busy.winner() as u32;
        let id = self.servers.held[worker as usize];
        if !self.store.has_line() {
            return self.finish(recorder, worker, id);
        }
        match self.requests[id].place {
            RequestState::Running(Phase::Store(call)) => {
                self.release_connection();
                match call {
                    StoreCall::Before => self.work(worker, id),
                    StoreCall::After => self.finish(recorder, worker, id),
                }
            }
            RequestState::Running(Phase::Refused(call)) => self.finish_refused(recorder, worker, id, call),
            RequestState::Running(Phase::BrokenOff) => self.finish_broken_off(recorder, worker, id),
            _ if self.requests[id].plan.calls_after() > 0 => self.queue_for_store(worker, id, StoreCall::After),
            _ => self.finish(recorder, worker, id),
        }
    }

    /// Starts a worker's store call, or queues it if no connection is free.
    fn queue_for_store(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        if self.store.is_down() {
            self.refuse_store_call(worker, id, call);
        } else if self.store.connect(worker) {
            self.call_store(worker, id, call);
        } else {
            self.requests[id].place = RequestState::Running(Phase::StoreLine(call));
            self.servers.busy.set(worker as usize, Instant::NEVER);
        }
    }

    fn call_store(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        self.requests[id].place = RequestState::Running(Phase::Store(call));
        if call == StoreCall::Before {
            self.read_cart(id);
        }
        let until = self.now + self.store_time(id, call);
        self.servers.busy.set(worker as usize, until);
    }

    /// Frees a store connection; the next worker in line takes it.
    pub(super) fn release_connection(&mut self) {
        let Some(worker) = self.store.disconnect() else { return };
        let id = self.servers.held[worker as usize];
        if let RequestState::Running(Phase::StoreLine(call)) = self.requests[id].place {
            self.call_store(worker, id, call);
        }
    }

    /// Ends service: commits the effect, gives the worker its next request, and answers the user.
    #[inline(always)]
    fn finish<R: Recorder>(&mut self, recorder: &mut R, worker: u32, id: RequestId) {
        let effect = self.commit(id);
        let calls = self.requests[id].plan.calls();
        self.finish_with(recorder, worker, id, &effect, calls);
    }

    /// Ends service with a given effect.
    #[inline(always)]
    pub(super) fn finish_with<R: Recorder>(
        &mut self,
        recorder: &mut R,
        worker: u32,
        id: RequestId,
        effect: &Effect,
        calls: u32,
    ) {
        let InFlight { server, started, .. } = self.requests[id];
        self.servers.count_work(server, self.now - started);
        self.report_served(recorder, id, effect, calls);
        self.next_in_queue(worker, server);
        if self.platform.is_some() {
            self.rest(recorder, self.requests[id].server);
        }
        let request = &mut self.requests[id];
        request.copy = effect.token;
        if request.departed {
            self.requests.remove(id);
            return;
        }
        if self.balancer.pool.has_isolated() && self.keeps_back(id, effect.outcome) {
            return;
        }
        self.hear(recorder, id, effect.outcome);
    }

    /// The end of service of a request for which nothing was done.
    #[cold]
    pub(super) fn finish_in_vain<R: Recorder>(
        &mut self,
        recorder: &mut R,
        worker: u32,
        id: RequestId,
        outcome: Outcome,
        calls: u32,
    ) {
        self.finish_with(recorder, worker, id, &Effect::none(outcome), calls);
    }

    /// An answer leaves a server.
    #[inline(always)]
    pub(super) fn hear<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, outcome: Outcome) {
        let server = self.requests[id].server;
        if self.network.is_some() {
            return self.send_back(id, NetworkMessage::Answer(outcome, self.process_of(server)));
        }
        self.ended(id, outcome);
        self.judge(recorder, server, outcome.is_server_error());
        self.answer(recorder, id, outcome);
    }

    /// A server that has just started takes its first queued request.
    pub(super) fn take_from_queue(&mut self, server: ServerId) {
        if let Some((worker, id)) = self.servers.first_in_line(server) {
            self.start(worker, id);
        }
    }

    #[inline(always)]
    fn next_in_queue(&mut self, worker: u32, server: ServerId) {
        if let Some(next) = self.servers.next_in_line(worker, server) {
            self.start(worker, next);
        }
    }

    /// Applies the whole effect of a request at this moment. A request of a visit that has ended has no effect on
    /// carts.
    #[inline(always)]
    fn commit(&mut self, id: RequestId) -> Effect {
        let request = self.requests[id];
        if let Some(refusal) = request.refused {
            return Effect::none(Outcome::Refused(refusal));
        }
        if !request.command.touches_cart() || (request.departed && !self.users.is_open(request.visit())) {
            return self.effect_beside_carts(&request);
        }
        let InFlight { client, command, departed, server, copy, copy_ends, key, .. } = request;
        let by = self.process_of(server);
        // An answer in transit may arrive after its user has given up.
        let late = self.balancer.pool.has_isolated() || self.network.is_some();
        let repeated = departed || key.attempt > 0 || late;
        let call = Call { client, command, by, repeated };
        if self.store.touches_carts()
            && let Err(refusal) = self.store.before_effect(&mut stored_carts!(self), &request)
        {
            return Effect::none(Outcome::Refused(refusal));
        }
        let mut copies = 0;
        let carts_here = self.users.carts_of(client);
        let (result, token) = match (self.shop.rules.homes.cart, self.shop.rules.update) {
            _ if self.shop.migration.is_some() => (self.apply_moving(id, call), None),
            (CartHome::ReplicatedMemory, _) => {
                let (result, sent) = self.apply_to_copy(id, call);
                copies = sent;
                (result, None)
            }
            (CartHome::SignedToken, _) => {
                let good = copy.filter(|_| tokens::is_current(copy_ends, self.now));
                if let (Some(token), None) = (copy, good) {
                    self.shop.carts.expired(client, token);
                }
                let (result, token) = self.shop.carts.apply_to_token(good, call);
                (result, Some(token))
            }
            (CartHome::SharedStore, _) if self.network.as_ref().is_some_and(|network| network.replicas.is_some()) => {
                (self.apply_to_replica(server, call), None)
            }
            (CartHome::SharedStore, StoreUpdate::ReadModifyWrite) => {
                (self.shop.carts.write_back(carts_here, copy, call), None)
            }
            (CartHome::ServerMemory, _) | (CartHome::SharedStore, StoreUpdate::Atomic) => {
                (self.shop.carts.apply(carts_here, call), None)
            }
        };
        if self.store.touches_carts() {
            self.store.after_effect(&mut stored_carts!(self), &request);
        }
        Effect {
            outcome: ok(result.reply),
            knew_cart: Some(result.knew),
            cart: result.held,
            billed: result.billed,
            token,
            copies,
        }
    }

    /// The effect of a request that touches no cart, or whose visit is over.
    #[inline]
    fn effect_beside_carts(&mut self, request: &InFlight) -> Effect {
        match self.file_effect(request) {
            None => Effect::none(ok(self.page(request).unwrap_or(Reply::Done))),
            Some((outcome, knew)) => Effect { knew_cart: Some(knew), ..Effect::none(outcome) },
        }
    }

    #[inline(always)]
    fn report_served<R: Recorder>(&mut self, recorder: &mut R, id: RequestId, effect: &Effect, store_calls: u32) {
        let request = &self.requests[id];
        let visit = request.visit();
        let sent = request.copy.filter(|_| self.shop.rules.homes.cart == CartHome::SignedToken);
        let logged_in = request.command == Command::Login && matches!(effect.outcome, Outcome::Ok(_));
        let set_anew = logged_in || self.renews(request, effect.outcome);
        let served = Served {
            request: request.request(),
            server: request.server,
            process: self.process_of(request.server),
            waited: request.started - request.sent,
            busy: self.now - request.started,
            knew_cart: effect.knew_cart,
            cart: effect.cart,
            store_calls,
            carried_bytes: tokens::carried_bytes(
                self.shop.rules.homes,
                visit,
                request.credential,
                set_anew,
                sent,
                effect.token,
            ),
            copies: effect.copies,
            evidence: self.evidence(request, effect),
        };
        let mut record = |what| recorder.record(&Event { at: self.now, what });
        record(EventKind::Inside(visit, Inside::Served(served)));
        if let Some(items) = effect.billed {
            record(EventKind::Seen(visit, Seen::Billed(items)));
        }
    }

    /// What a checkout could find out about missing items: where else they are, or what removed them. For other
    /// requests, the same about files.
    #[inline(always)]
    fn evidence(&self, request: &InFlight, effect: &Effect) -> Evidence {
        if request.command != Command::Checkout || effect.knew_cart.is_none() {
            return self.file_evidence(request, effect.knew_cart);
        }
        if let Some(network) = &self.network
            && let (CartHome::SharedStore, Some(replicas)) = (self.shop.rules.homes.cart, &network.replicas)
        {
            let stale = replicas.on_their_way(request.client, network.map.of(request.server), self.now);
            return Evidence { stale, ..Evidence::default() };
        }
        if self.shop.migration.is_some() {
            return self.evidence_moving(request);
        }
        let process = self.process_of(request.server);
        let carts_here = &self.users.clients[request.client.index()].carts_here;
        self.shop.carts.evidence(carts_here, request.client, process, &self.balancer.pool)
    }

    /// Takes all requests from a server whose process has died: first the running ones by worker, then the queue.
    pub(super) fn evacuate(&mut self, server: ServerId) -> Vec<RequestId> {
        let mut out = Vec::new();
        for worker in self.servers.workers_of(server) {
            let Some(id) = self.servers.stop_worker(worker) else { continue };
            out.push(id);
            match self.requests[id].place {
                RequestState::Running(Phase::Store(_)) if self.store.has_line() => self.release_connection(),
                RequestState::Running(Phase::StoreLine(_)) => self.store.leave_line(worker),
                _ => {}
            }
        }
        out.extend(self.servers.empty_queue(server));
        out
    }
}
