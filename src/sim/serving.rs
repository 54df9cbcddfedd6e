//! Servers: queues, workers, the line for the store, and the moment an effect is committed.

use std::collections::VecDeque;

use super::carts::Call;
use super::network::NetworkMessage;
use super::requests::{InFlight, Phase, RequestId, RequestState, StoreCall};
use super::users::ok;
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::seed::{Purpose, Sampler};
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items, Outcome, Refusal, Reply, ServerId};
use crate::history::{Event, EventKind, Evidence, Inside, Recorder, Seen, Served};
use crate::scenario::{CartHome, Scenario, StoreUpdate};
use crate::state::home::{self, CredentialStatus, StoreCalls};
use crate::traffic::workload::Session;

/// Nobody's request.
pub(super) const IDLE: RequestId = RequestId(u32::MAX);

/// Queues and workers of all servers, and the store they share.
#[derive(Clone, Debug)]
pub struct WorkerPools {
    workers_each: u32,
    queue_limit: usize,
    lookups_per_add: u32,
    service: Sampler,
    /// By server.
    pub(super) queues: Vec<VecDeque<RequestId>>,
    /// By server: workers that are idle.
    idle: Vec<Vec<u32>>,
    /// By worker: the request it holds.
    pub(super) held: Vec<RequestId>,
    pub(super) store: StoreLine,
    /// By server: how long its workers were busy with requests that have ended. Kept for an autoscaler only.
    worked: Option<Vec<Span>>,
}

/// The shared store: a latency, and perhaps a line for its connections.
#[derive(Clone, Debug)]
pub(super) struct StoreLine {
    latency: Sampler,
    /// Connections that are free. `None`: there is no limit, and all calls of a request are one event.
    pub(super) free: Option<u32>,
    pub(super) waiting: VecDeque<u32>,
}

/// What a request did to a cart and a login.
pub(super) struct Effect {
    outcome: Outcome,
    knew_cart: Option<bool>,
    cart: Items,
    billed: Option<Items>,
    /// The cart token that the answer sets anew.
    token: Option<Items>,
    /// Copies of the cart that were sent to other servers.
    copies: u32,
}

impl Effect {
    pub(super) fn none(outcome: Outcome) -> Effect {
        Effect { outcome, knew_cart: None, cart: Items::NONE, billed: None, token: None, copies: 0 }
    }
}

impl WorkerPools {
    /// All idle.
    #[must_use]
    pub fn new(scenario: &Scenario) -> WorkerPools {
        let servers = scenario.servers_at_first();
        let workers_each = scenario.workers_each();
        WorkerPools {
            workers_each,
            queue_limit: scenario.servers.queue.index(),
            lookups_per_add: scenario.store.lookups_per_add.get32(),
            service: scenario.servers.service.sampler(),
            queues: vec![VecDeque::new(); servers as usize],
            idle: (0..servers).map(|server| idle_workers(server, workers_each)).collect(),
            held: vec![IDLE; (servers * workers_each) as usize],
            store: StoreLine {
                latency: scenario.store.latency.sampler(),
                free: scenario.store.connections.map(crate::scenario::Whole::get32),
                waiting: VecDeque::new(),
            },
            worked: scenario.autoscaler.map(|_| vec![Span::ZERO; servers as usize]),
        }
    }

    /// Makes room for one more server.
    pub fn grow(&mut self) {
        let server = u32::try_from(self.idle.len()).expect("fewer than 2^32 servers");
        self.queues.push(VecDeque::new());
        self.idle.push(idle_workers(server, self.workers_each));
        self.held.resize(self.held.len() + self.workers_each as usize, IDLE);
        if let Some(worked) = &mut self.worked {
            worked.push(Span::ZERO);
        }
    }

    /// Workers of one server.
    #[must_use]
    pub fn workers_each(&self) -> u32 {
        self.workers_each
    }

    /// A request waits for a server that does not work yet.
    pub fn wait(&mut self, server: ServerId, id: RequestId) {
        self.queues[server.index()].push_back(id);
    }

    /// Workers of all servers together.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.held.len()
    }

    /// Requests in a server's queue, and workers that are busy.
    #[must_use]
    pub fn occupancy(&self, server: ServerId) -> (u32, u32) {
        let idle = u32::try_from(self.idle[server.index()].len()).unwrap_or(u32::MAX);
        let queued = u32::try_from(self.queues[server.index()].len()).unwrap_or(u32::MAX);
        (queued, self.workers_each - idle)
    }
}

/// What a request shows of a login to the server that works on it.
#[inline]
fn credential(request: &InFlight) -> CredentialStatus {
    match request.session {
        Some(Session::Until(end) | Session::Renewable { until: end, .. }) if request.started >= end => {
            CredentialStatus::Expired
        }
        Some(_) => CredentialStatus::Current,
        None if request.command.is_a_thief_s() => CredentialStatus::Forged,
        None => CredentialStatus::Nothing,
    }
}

/// The workers of a server, the first one on top.
fn idle_workers(server: u32, each: u32) -> Vec<u32> {
    (server * each..(server + 1) * each).rev().collect()
}

impl World {
    /// A request reaches a server that runs.
    #[inline(always)]
    pub(super) fn arrive<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        let server = self.requests[id].server.index();
        if let Some(worker) = self.worker_pools.idle[server].pop() {
            self.start(worker, id);
        } else if self.worker_pools.queues[server].len() < self.worker_pools.queue_limit {
            self.requests[id].place = RequestState::Queued;
            self.worker_pools.queues[server].push_back(id);
        } else {
            self.turn_away(context, id);
        }
    }

    /// 503: there is no room in the queue.
    #[cold]
    fn turn_away<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: RequestId) {
        let InFlight { server, departed, .. } = self.requests[id];
        let outcome = Outcome::Refused(Refusal::QueueFull);
        if self.network.is_none() {
            self.fail_attempt(context, id);
        }
        self.drop_request(context, id, Some(server));
        if self.network.is_none() {
            self.answer(context, id, outcome);
        } else if departed {
            self.requests.remove(id);
        } else {
            self.send_back(id, NetworkMessage::Answer(outcome, self.pool.members[server.index()].process));
        }
    }

    /// A worker takes a request.
    #[inline(always)]
    fn start(&mut self, worker: u32, id: RequestId) {
        self.worker_pools.held[worker as usize] = id;
        let refused = self.refusal(id);
        let request = &mut self.requests[id];
        request.refused = refused;
        request.worker = worker;
        request.started = self.now;
        request.place = RequestState::Running(Phase::Work);
        request.credential = credential(request);
        let accepted = refused.is_none();
        request.calls =
            home::store_calls(self.homes, self.update, &self.tokens, request.command, request.credential, accepted);
        if matches!(request.command, Command::Add(_)) && accepted {
            request.calls.before += self.worker_pools.lookups_per_add;
        }
        if let Some(migration) = self.migration {
            self.choose_path(id, migration);
        }
        let calls = self.requests[id].calls;
        if self.worker_pools.store.free.is_none() {
            let store = if calls == StoreCalls::default() { Span::ZERO } else { self.store_times(id, calls) };
            let until = self.now + self.service_time(id) + store;
            self.events.busy.set(worker as usize, until);
        } else if calls.before > 0 {
            self.queue_for_store(worker, id, StoreCall::Before);
        } else {
            let until = self.now + self.service_time(id);
            self.events.busy.set(worker as usize, until);
        }
    }

    /// With read-modify-write: a server takes a copy of the cart, before the work.
    fn read_cart(&mut self, id: RequestId) {
        if self.update == StoreUpdate::ReadModifyWrite && self.homes.cart == CartHome::SharedStore {
            let client = self.requests[id].client;
            self.expire_cart(client);
            self.requests[id].copy = self.clients[client.index()].carts_here.copy();
        }
    }

    #[inline(always)]
    pub(super) fn service_time(&self, id: RequestId) -> Span {
        let request = &self.requests[id];
        let mut draw = self.workload.seed.draw(Purpose::Service, request.key);
        let slow = self.pool.members[request.server.index()].slow;
        let times = self.workload.cost(request.visit().user) * u64::from(slow);
        self.worker_pools.service.sample(&mut draw) * times + self.object_time(id)
    }

    /// Without a line: all calls of a request at once.
    fn store_times(&mut self, id: RequestId, calls: StoreCalls) -> Span {
        if calls.before > 0 {
            self.read_cart(id);
        }
        if let Sampler::Constant(span) = self.worker_pools.store.latency {
            let way = self.way_to_store(self.requests[id].server);
            return (span + way) * u64::from(calls.total());
        }
        self.store_time(id, calls, StoreCall::Before) + self.store_time(id, calls, StoreCall::After)
    }

    /// How long the calls before the work take, or those after it: one by one, on one connection.
    pub(super) fn store_time(&self, id: RequestId, calls: StoreCalls, side: StoreCall) -> Span {
        let count = match side {
            StoreCall::Before => calls.before,
            StoreCall::After => calls.after,
        };
        let latency = &self.worker_pools.store.latency;
        let network = self.way_to_store(self.requests[id].server) * u64::from(count);
        if let Sampler::Constant(span) = latency {
            return *span * u64::from(count) + network;
        }
        let mut draw = self.workload.seed.draw(Purpose::Store, self.requests[id].key);
        let [first, last, second, third, last_but_one] = [(); 5].map(|()| latency.sample(&mut draw));
        let (before, after) = ([first, second, third], [last, last_but_one]);
        let times = if side == StoreCall::Before { &before[..] } else { &after[..] };
        let known = times.iter().take(count as usize).fold(network, |sum, time| sum + *time);
        let more = count.saturating_sub(u32::try_from(times.len()).expect("few"));
        (0..more).fold(known, |sum, _| sum + latency.sample(&mut draw))
    }

    /// Something ended for the worker whose time has come.
    #[inline(always)]
    pub(super) fn service_event<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        #[expect(clippy::cast_possible_truncation, reason = "at most a million workers")]
        let worker = self.events.busy.winner() as u32;
        let id = self.worker_pools.held[worker as usize];
        if self.worker_pools.store.free.is_none() {
            return self.finish(context, worker, id);
        }
        match self.requests[id].place {
            RequestState::Running(Phase::Store(call)) => {
                self.release_connection();
                match call {
                    StoreCall::Before => {
                        self.requests[id].place = RequestState::Running(Phase::Work);
                        let until = self.now + self.service_time(id);
                        self.events.busy.set(worker as usize, until);
                    }
                    StoreCall::After => self.finish(context, worker, id),
                }
            }
            RequestState::Running(Phase::Refused(call)) => self.finish_refused(context, worker, id, call),
            RequestState::Running(Phase::BrokenOff) => self.finish_broken_off(context, worker, id),
            _ if self.requests[id].calls.after > 0 => self.queue_for_store(worker, id, StoreCall::After),
            _ => self.finish(context, worker, id),
        }
    }

    /// A worker wants to call the store, and waits in line if all connections are taken.
    fn queue_for_store(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        if self.store_limits.is_down() {
            return self.refuse_store_call(worker, id, call);
        }
        let store = &mut self.worker_pools.store;
        match store.free {
            Some(0) => {
                store.waiting.push_back(worker);
                self.requests[id].place = RequestState::Running(Phase::StoreLine(call));
                self.events.busy.set(worker as usize, Instant::NEVER);
            }
            ref mut free => {
                *free = free.map(|n| n - 1);
                self.call_store(worker, id, call);
            }
        }
    }

    fn call_store(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        self.requests[id].place = RequestState::Running(Phase::Store(call));
        if call == StoreCall::Before {
            self.read_cart(id);
        }
        let until = self.now + self.store_time(id, self.requests[id].calls, call);
        self.events.busy.set(worker as usize, until);
    }

    /// A connection to the store is free: the next in line takes it.
    pub(super) fn release_connection(&mut self) {
        let Some(worker) = self.worker_pools.store.waiting.pop_front() else {
            self.worker_pools.store.free = self.worker_pools.store.free.map(|n| n + 1);
            return;
        };
        let id = self.worker_pools.held[worker as usize];
        if let RequestState::Running(Phase::StoreLine(call)) = self.requests[id].place {
            self.call_store(worker, id, call);
        }
    }

    /// The end of service: the effect is committed, the worker takes the next request, the user gets the answer.
    #[inline(always)]
    fn finish<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, worker: u32, id: RequestId) {
        let effect = self.commit(id);
        let calls = self.requests[id].calls.total();
        self.finish_with(context, worker, id, &effect, calls);
    }

    /// The same, whatever came of it.
    #[inline(always)]
    pub(super) fn finish_with<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        worker: u32,
        id: RequestId,
        effect: &Effect,
        calls: u32,
    ) {
        if let Some(worked) = &mut self.worker_pools.worked {
            let request = &self.requests[id];
            let sum = &mut worked[request.server.index()];
            *sum += self.now - request.started;
        }
        self.report_served(context, id, effect, calls);
        self.next_in_queue(worker, id);
        if self.platform.is_some() {
            self.rest(context, self.requests[id].server);
        }
        let request = &mut self.requests[id];
        request.copy = effect.token;
        if request.departed {
            self.requests.remove(id);
            return;
        }
        if self.pool.has_isolated() && self.keeps_back(id, effect.outcome) {
            return;
        }
        self.hear(context, id, effect.outcome);
    }

    /// An answer comes back from a server.
    #[inline(always)]
    pub(super) fn hear<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        outcome: Outcome,
    ) {
        let server = self.requests[id].server;
        if self.network.is_some() {
            let process = self.pool.members[server.index()].process;
            return self.send_back(id, NetworkMessage::Answer(outcome, process));
        }
        self.ended(context, id, outcome);
        self.judge(context, server, outcome.is_server_error());
        self.answer(context, id, outcome);
    }

    /// A server that has just begun to work takes the first request that waits for it.
    pub(super) fn take_from_queue(&mut self, server: ServerId) {
        if let Some(worker) = self.worker_pools.idle[server.index()].pop() {
            self.next_in_line(worker, server);
        }
    }

    #[inline(always)]
    fn next_in_queue(&mut self, worker: u32, id: RequestId) {
        self.next_in_line(worker, self.requests[id].server);
    }

    #[inline(always)]
    fn next_in_line(&mut self, worker: u32, server: ServerId) {
        let server = server.index();
        if let Some(next) = self.worker_pools.queues[server].pop_front() {
            self.start(worker, next);
        } else {
            self.worker_pools.held[worker as usize] = IDLE;
            self.worker_pools.idle[server].push(worker);
            self.events.busy.set(worker as usize, Instant::NEVER);
        }
    }

    /// What the request does, now and completely. What belongs to a visit that has ended does nothing.
    #[inline(always)]
    fn commit(&mut self, id: RequestId) -> Effect {
        let request = self.requests[id];
        if let Some(refusal) = request.refused {
            return Effect::none(Outcome::Refused(refusal));
        }
        if !request.command.touches_cart() || (request.departed && !self.is_current(&request)) {
            return self.effect_beside_carts(&request);
        }
        let InFlight { client, command, departed, server, copy, copy_ends, key, .. } = request;
        let by = self.pool.members[server.index()].process;
        // An answer that is still on its way may come too late for its user.
        let late = self.pool.has_isolated() || self.network.is_some();
        let repeated = departed || key.attempt > 0 || late;
        let call = Call { client, command, by, repeated };
        if self.store_limits.has_limits()
            && let Err(refusal) = self.before_effect(&request)
        {
            return Effect::none(Outcome::Refused(refusal));
        }
        let mut copies = 0;
        let carts_here = &mut self.clients[client.index()].carts_here;
        let (result, token) = match (self.homes.cart, self.update) {
            _ if self.migration.is_some() => (self.apply_moving(id, call), None),
            (CartHome::ReplicatedMemory, _) => {
                let (result, sent) = self.apply_to_copy(id, call);
                copies = sent;
                (result, None)
            }
            (CartHome::SignedToken, _) => {
                let good = copy.filter(|_| self.now < copy_ends);
                if let (Some(token), None) = (copy, good) {
                    self.carts.expired(client, token);
                }
                let (result, token) = self.carts.apply_to_token(good, call);
                (result, Some(token))
            }
            (CartHome::SharedStore, _) if self.network.as_ref().is_some_and(|network| network.replicas.is_some()) => {
                (self.apply_to_replica(server, call), None)
            }
            (CartHome::SharedStore, StoreUpdate::ReadModifyWrite) => {
                (self.carts.write_back(carts_here, copy, call), None)
            }
            (CartHome::ServerMemory, _) | (CartHome::SharedStore, StoreUpdate::Atomic) => {
                (self.carts.apply(carts_here, call), None)
            }
        };
        if self.store_limits.has_limits() {
            self.after_effect(&request);
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

    /// What a request does that is not about a cart, or about one whose visit is over.
    #[inline]
    fn effect_beside_carts(&mut self, request: &InFlight) -> Effect {
        match self.file_effect(request) {
            None => Effect::none(ok(self.page(request).unwrap_or(Reply::Done))),
            Some((outcome, knew)) => Effect { knew_cart: Some(knew), ..Effect::none(outcome) },
        }
    }

    #[inline(always)]
    fn report_served<P, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        effect: &Effect,
        store_calls: u32,
    ) {
        let request = &self.requests[id];
        let visit = request.visit();
        let sent = request.copy.filter(|_| self.homes.cart == CartHome::SignedToken);
        let logged_in = request.command == Command::Login && matches!(effect.outcome, Outcome::Ok(_));
        let set_anew = logged_in || self.renews(request, effect.outcome);
        let served = Served {
            request: request.request(),
            server: request.server,
            process: self.pool.members[request.server.index()].process,
            waited: request.started - request.sent,
            busy: self.now - request.started,
            knew_cart: effect.knew_cart,
            cart: effect.cart,
            store_calls,
            carried_bytes: home::carried_bytes(self.homes, visit, request.credential, set_anew, sent, effect.token),
            copies: effect.copies,
            evidence: self.evidence(request, effect),
        };
        let mut record = |what| context.recorder.record(&Event { at: self.now, what });
        record(EventKind::Inside(visit, Inside::Served(served)));
        if let Some(items) = effect.billed {
            record(EventKind::Seen(visit, Seen::Billed(items)));
        }
    }

    /// Where else items of the visit are or what took them, when a checkout has looked for them.
    #[inline(always)]
    fn evidence(&self, request: &InFlight, effect: &Effect) -> Evidence {
        if request.command != Command::Checkout || effect.knew_cart.is_none() {
            return self.file_evidence(request, effect.knew_cart);
        }
        if let Some(network) = &self.network
            && let (CartHome::SharedStore, Some(replicas)) = (self.homes.cart, &network.replicas)
        {
            let stale = replicas.on_their_way(request.client, network.map.of(request.server), self.now);
            return Evidence { stale, ..Evidence::default() };
        }
        if self.migration.is_some() {
            return self.evidence_moving(request);
        }
        let process = self.pool.members[request.server.index()].process;
        let carts_here = &self.clients[request.client.index()].carts_here;
        self.carts.evidence(carts_here, request.client, process, &self.pool)
    }

    /// How long the workers of a server have been busy, with what they do now. Known when there is an autoscaler.
    pub(super) fn worked(&self, server: ServerId) -> Span {
        let ended = self.worker_pools.worked.as_ref().map_or(Span::ZERO, |worked| worked[server.index()]);
        let running = self.held_by(server).iter().filter(|id| **id != IDLE);
        running.fold(ended, |sum, id| sum + (self.now - self.requests[*id].started))
    }

    pub(super) fn held_by(&self, server: ServerId) -> &[RequestId] {
        let first = (server.0 * self.worker_pools.workers_each) as usize;
        &self.worker_pools.held[first..first + self.worker_pools.workers_each as usize]
    }

    /// Requests that a server holds and that users wait for.
    pub(super) fn awaited_at(&self, server: ServerId) -> u32 {
        let queued = &self.worker_pools.queues[server.index()];
        let awaited = self
            .held_by(server)
            .iter()
            .chain(queued)
            .filter(|id| **id != IDLE && !self.requests[**id].departed)
            .count();
        u32::try_from(awaited).expect("fewer than 2^32 requests at once")
    }

    /// Takes everything out of a server whose process has died: what ran, by worker, then what was queued.
    pub(super) fn evacuate(&mut self, server: ServerId) -> Vec<RequestId> {
        let each = self.worker_pools.workers_each;
        let mut out = Vec::new();
        for worker in server.0 * each..(server.0 + 1) * each {
            let id = std::mem::replace(&mut self.worker_pools.held[worker as usize], IDLE);
            self.events.busy.set(worker as usize, Instant::NEVER);
            if id == IDLE {
                continue;
            }
            out.push(id);
            match self.requests[id].place {
                RequestState::Running(Phase::Store(_)) if self.worker_pools.store.free.is_some() => {
                    self.release_connection()
                }
                RequestState::Running(Phase::StoreLine(_)) => self.worker_pools.store.waiting.retain(|w| *w != worker),
                _ => {}
            }
        }
        out.extend(self.worker_pools.queues[server.index()].drain(..));
        self.worker_pools.idle[server.index()] = idle_workers(server.0, each);
        out
    }
}
