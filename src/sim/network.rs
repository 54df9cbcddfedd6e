//! Latency between regions, for requests, answers, and the news that a connection failed.

use super::Sim;
use super::events::{Due, Events};
use super::requests::{InFlight, RequestSlot, RequestState};
use super::shop::carts::{Call, CartResult, Carts};
use super::store::replicas::StoreReplicas;
use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{Items, Outcome, ProcessId, Refusal, RegionId, ServerId, ServerState};
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
    /// Whether requests go to a platform, which then assigns them an instance.
    serverless: bool,
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
        Some(Box::new(Network { map, replicas, messages: Vec::new(), serverless: scenario.serverless.is_some() }))
    }

    /// Sends a message about a request. It arrives half a round trip from now.
    pub fn send(&mut self, events: &mut Events, id: RequestSlot, request: &mut InFlight, message: NetworkMessage) {
        request.place = RequestState::Travelling;
        let index = id.0 as usize;
        if index >= self.messages.len() {
            self.messages.resize(index + 1, message);
        }
        self.messages[index] = message;
        events.schedule(events.now + self.half_trip(request, message), Due::Delivered(id));
    }

    /// The message in transit for a request, or the last one that was.
    pub fn message(&self, id: RequestSlot) -> Option<NetworkMessage> {
        self.messages.get(id.0 as usize).copied()
    }

    /// The one-way latency of a message.
    pub fn half_trip(&self, request: &InFlight, message: NetworkMessage) -> Span {
        let region = match message {
            NetworkMessage::Request | NetworkMessage::Throttled if self.serverless => self.asked_from(request),
            _ => self.map.of(request.server),
        };
        let round_trip = self.map.to_region(self.place(request), region).as_nanos();
        // The way back takes the larger half of an odd number of nanoseconds.
        let half = if matches!(message, NetworkMessage::Request) { round_trip / 2 } else { round_trip.div_ceil(2) };
        Span::from_nanos(half)
    }

    /// Whether a request is on its way to a platform that has not yet assigned it an instance.
    pub fn has_no_server_yet(&self, id: RequestSlot, request: &InFlight) -> bool {
        self.serverless
            && request.place == RequestState::Travelling
            && matches!(self.message(id), Some(NetworkMessage::Request | NetworkMessage::Throttled))
    }

    /// The process whose answer has just reached the user.
    pub fn answered_by(&self, id: RequestSlot) -> Option<ProcessId> {
        match self.message(id)? {
            NetworkMessage::Answer(_, process) => Some(process),
            _ => None,
        }
    }

    /// The region of the user who sent a request.
    fn place(&self, request: &InFlight) -> RegionId {
        self.map.place(request.visit().user, request.key.visit, request.key.step)
    }

    /// The preferred region for a request.
    pub fn asked_from(&self, request: &InFlight) -> RegionId {
        self.map.asked_from(request.visit().user, request.key.visit, request.key.step)
    }

    /// Applies a command to the cart in the replica of the server's region. Only if the store has replicas.
    pub fn apply_in_region(&mut self, server: ServerId, call: Call, carts: &mut Carts, now: Instant) -> CartResult {
        let region = self.map.of(server);
        let replicas = self.replicas.as_mut().expect("the caller has looked");
        let before = replicas.read(call.client, region, now);
        let (result, _) = carts.apply_to_copy(before, call);
        replicas.write(call.client, region, now, call.command, before);
        result
    }

    /// What was added to a request's cart elsewhere and has not reached the replica of its server's region yet. `None`
    /// without replicas.
    pub fn on_their_way(&self, request: &InFlight, now: Instant) -> Option<Items> {
        let replicas = self.replicas.as_ref()?;
        Some(replicas.on_their_way(request.client, self.map.of(request.server), now))
    }

    /// Whether a fault takes down the region of the only store.
    pub fn loses_store(&self, kind: FaultKind) -> bool {
        matches!((kind, self.map.store), (FaultKind::RegionOutage { region, .. }, StorePlace::In(here)) if region == here)
    }

    /// Cuts a region's replica off from the others, starting now.
    pub fn cut_off(&mut self, region: RegionId, now: Instant, lasting: Option<Span>) {
        let until = lasting.map_or(Instant::NEVER, |lasting| now + lasting);
        if let Some(replicas) = &mut self.replicas {
            replicas.cut_off(region, now, until);
        }
    }
}

impl Sim {
    /// Sends a message about a request between its user and its server.
    pub(super) fn send_message(&mut self, id: RequestSlot, message: NetworkMessage) {
        if let Some(network) = &mut self.network {
            network.send(&mut self.events, id, &mut self.requests[id], message);
        }
    }

    /// A message has arrived.
    pub(super) fn delivered<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let Some(message) = self.network.as_ref().and_then(|network| network.message(id)) else { return };
        let departed = self.requests[id].departed;
        match message {
            NetworkMessage::Request if self.platform.is_some() => self.dispatch(recorder, id),
            NetworkMessage::Request => self.reach(recorder, id),
            _ if departed => self.requests.remove(id),
            NetworkMessage::Answer(outcome, _) => self.answered(recorder, id, outcome),
            NetworkMessage::Refused => self.attempt_failed(recorder, id, AttemptFailure::Unreachable),
            NetworkMessage::Reset => self.attempt_failed(recorder, id, AttemptFailure::BrokenOff),
            NetworkMessage::Throttled => self.drop_request(recorder, id, None, Outcome::Refused(Refusal::Throttled)),
        }
    }

    /// A request arrives at its server, whatever state that is in by now.
    fn reach<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let InFlight { server, departed, .. } = self.requests[id];
        match self.balancer.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => self.deliver(recorder, id),
            _ if departed => self.requests.remove(id),
            ServerState::Silent => self.wait_for_connection(id),
            ServerState::Terminating | ServerState::Down | ServerState::Booting | ServerState::Retired => {
                self.send_message(id, NetworkMessage::Refused);
            }
        }
    }
}
