//! Latency between regions, for requests, answers, and the news that a connection failed.

use super::Sim;
use super::events::{Due, TimerKind};
use super::requests::{InFlight, RequestId, RequestState};
use super::shop::carts::{Call, CartResult};
use super::store::replicas::StoreReplicas;
use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ProcessId, Refusal, RegionId, ServerId, ServerState};
use crate::history::Recorder;
use crate::operations::faults::FaultKind;
use crate::regions::{RegionMap, StorePlace};
use crate::scenario::Scenario;

/// The regions and the messages in transit between them.
#[derive(Clone, Debug)]
pub struct Network {
    /// Where users, servers and the store are.
    pub map: RegionMap,
    /// The store's replicas, when every region has one.
    pub replicas: Option<StoreReplicas>,
    /// The message in transit, by request.
    messages: Vec<NetworkMessage>,
}

/// What is in transit for a request.
#[derive(Clone, Copy, Debug)]
pub enum NetworkMessage {
    /// The request itself, to its server.
    Request,
    /// The answer of a process, to the user.
    Answer(Outcome, ProcessId),
    /// The news that the server refused the connection.
    Refused,
    /// The news that the connection was reset.
    Reset,
    /// The platform's refusal to start another instance.
    Throttled,
}

impl Network {
    /// The network of a scenario; `None` without regions.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<Box<Network>> {
        let map = RegionMap::new(scenario)?;
        let replicas = match map.store {
            StorePlace::Everywhere { lag } => Some(StoreReplicas::new(lag)),
            StorePlace::In(_) => None,
        };
        Some(Box::new(Network { map, replicas, messages: Vec::new() }))
    }

    /// The message in transit for a request, or the last one that was.
    pub fn message(&self, id: RequestId) -> Option<NetworkMessage> {
        self.messages.get(id.0 as usize).copied()
    }

    /// The region of the user who sent a request.
    fn place(&self, request: &InFlight) -> RegionId {
        self.map.place(request.visit().user, request.key.visit, request.key.step)
    }

    /// The preferred region for a request.
    pub fn asked_from(&self, request: &InFlight) -> RegionId {
        self.map.asked_from(request.visit().user, request.key.visit, request.key.step)
    }
}

impl Sim {
    /// Sends a request towards the chosen server.
    pub(super) fn set_out(&mut self, id: RequestId) {
        self.send_message(id, NetworkMessage::Request);
    }

    /// Sends an answer, or the news of a failure, back from a server.
    pub(super) fn send_back(&mut self, id: RequestId, news: NetworkMessage) {
        self.send_message(id, news);
    }

    /// Schedules the arrival of a message, half a round trip from now.
    fn send_message(&mut self, id: RequestId, message: NetworkMessage) {
        let Some(network) = &mut self.network else { return };
        let request = &mut self.requests[id];
        request.place = RequestState::Travelling;
        let index = id.0 as usize;
        if index >= network.messages.len() {
            network.messages.resize(index + 1, message);
        }
        network.messages[index] = message;
        let arrives = self.now + self.half_trip(id, message);
        self.events.schedule(arrives, Due::Delivered(id));
    }

    /// The one-way latency of a message; zero without regions.
    pub(super) fn half_trip(&self, id: RequestId, message: NetworkMessage) -> Span {
        let Some(network) = &self.network else { return Span::ZERO };
        let request = &self.requests[id];
        let region = match message {
            NetworkMessage::Request | NetworkMessage::Throttled if self.platform.is_some() => {
                network.asked_from(request)
            }
            _ => network.map.of(request.server),
        };
        let round_trip = network.map.to_region(network.place(request), region).as_nanos();
        // The way back takes the larger half of an odd number of nanoseconds.
        let half = if matches!(message, NetworkMessage::Request) { round_trip / 2 } else { round_trip.div_ceil(2) };
        Span::from_nanos(half)
    }

    /// A message has arrived.
    pub(super) fn delivered<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let Some(network) = &self.network else { return };
        let message = network.messages[id.0 as usize];
        let InFlight { server, departed, .. } = self.requests[id];
        match message {
            NetworkMessage::Request if self.platform.is_some() => self.dispatch(recorder, id),
            NetworkMessage::Request => self.reach(recorder, id),
            _ if departed => self.requests.remove(id),
            NetworkMessage::Answer(outcome, _) => {
                self.ended(id, outcome);
                self.judge(recorder, server, outcome.is_server_error());
                self.answer(recorder, id, outcome);
            }
            NetworkMessage::Refused => self.attempt_failed(recorder, id, AttemptFailure::Unreachable),
            NetworkMessage::Reset => self.attempt_failed(recorder, id, AttemptFailure::BrokenOff),
            NetworkMessage::Throttled => self.refuse(recorder, id, Refusal::Throttled),
        }
    }

    /// A request arrives at its server, whatever state that is in by now.
    fn reach<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let InFlight { server, departed, .. } = self.requests[id];
        match self.balancer.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => self.deliver(recorder, id),
            _ if departed => self.requests.remove(id),
            ServerState::Silent => {
                self.requests[id].place = RequestState::Connecting;
                let at = self.now + self.balancer.connect_timeout;
                self.events.start_timer(TimerKind::Connect, at, id, &self.requests[id]);
            }
            ServerState::Down | ServerState::Booting | ServerState::Retired => {
                self.send_back(id, NetworkMessage::Refused);
            }
        }
    }

    /// Whether a request is on its way to a platform that has not yet assigned it an instance.
    pub(super) fn is_for_nobody_yet(&self, id: RequestId) -> bool {
        let travels = self.requests[id].place == RequestState::Travelling;
        let message = self.network.as_ref().and_then(|network| network.messages.get(id.0 as usize));
        travels
            && self.platform.is_some()
            && matches!(message, Some(NetworkMessage::Request | NetworkMessage::Throttled))
    }

    /// The process whose answer has just reached the user.
    pub(super) fn answered_by(&self, id: RequestId) -> ProcessId {
        match self.network.as_ref().map(|network| network.messages[id.0 as usize]) {
            Some(NetworkMessage::Answer(_, process)) => process,
            _ => self.balancer.pool.members[self.requests[id].server.index()].process,
        }
    }

    /// The round trip that each of a server's store calls adds.
    #[inline]
    pub(super) fn way_to_store(&self, server: ServerId) -> Span {
        self.network.as_ref().map_or(Span::ZERO, |network| network.map.to_store(server))
    }

    /// Applies a command to the cart in the replica of the server's region.
    pub(super) fn apply_to_replica(&mut self, server: ServerId, call: Call) -> CartResult {
        let network = self.network.as_mut().expect("replicas are in regions");
        let region = network.map.of(server);
        let replicas = network.replicas.as_mut().expect("the caller has looked");
        let before = replicas.read(call.client, region, self.now);
        let (result, _) = self.shop.carts.apply_to_token(before, call);
        replicas.write(call.client, region, self.now, call.command, before);
        result
    }

    /// Whether a fault takes down the region of the only store.
    pub(super) fn takes_the_store(&self, kind: FaultKind) -> bool {
        let store = self.network.as_ref().map(|network| network.map.store);
        matches!((kind, store), (FaultKind::RegionOutage { region, .. }, Some(StorePlace::In(here))) if region == here)
    }

    /// Cuts a region's replica off from the others, starting now.
    pub(super) fn region_out_until(&mut self, region: RegionId, lasting: Option<Span>) {
        let until = lasting.map_or(Instant::NEVER, |lasting| self.now + lasting);
        if let Some(replicas) = self.network.as_mut().and_then(|network| network.replicas.as_mut()) {
            replicas.cut_off(region, self.now, until);
        }
    }
}
