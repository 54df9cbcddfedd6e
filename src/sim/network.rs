//! Between regions everything takes time: requests, answers, and the news that a connection failed.

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

/// The regions, and what is on its way between them.
#[derive(Clone, Debug)]
pub struct Network {
    /// Who is where.
    pub map: RegionMap,
    /// Carts in replicas of the store, when every region has one.
    pub replicas: Option<StoreReplicas>,
    /// By request: what is on its way.
    messages: Vec<NetworkMessage>,
}

/// What is on its way for a request.
#[derive(Clone, Copy, Debug)]
pub enum NetworkMessage {
    /// The request itself, to its server.
    Request,
    /// The answer of an incarnation, to the user.
    Answer(Outcome, ProcessId),
    /// The news that the server takes no connections.
    Refused,
    /// The news that the connection broke.
    Reset,
    /// The platform's refusal to start one more instance.
    Throttled,
}

impl Network {
    /// The ways of a scenario that has regions.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<Box<Network>> {
        let map = RegionMap::new(scenario)?;
        let replicas = match map.store {
            StorePlace::Everywhere { lag } => Some(StoreReplicas::new(lag)),
            StorePlace::In(_) => None,
        };
        Some(Box::new(Network { map, replicas, messages: Vec::new() }))
    }

    /// What is on its way for a request, or was last.
    pub fn message(&self, id: RequestId) -> Option<NetworkMessage> {
        self.messages.get(id.0 as usize).copied()
    }

    /// Where the user is who sent a request.
    fn place(&self, request: &InFlight) -> RegionId {
        self.map.place(request.visit().user, request.key.visit, request.key.step)
    }

    /// The region to ask first for a request.
    pub fn asked_from(&self, request: &InFlight) -> RegionId {
        self.map.asked_from(request.visit().user, request.key.visit, request.key.step)
    }
}

impl Sim {
    /// A request leaves for the server that was chosen.
    pub(super) fn set_out(&mut self, id: RequestId) {
        self.send_message(id, NetworkMessage::Request);
    }

    /// A server has something to tell to the user of a request.
    pub(super) fn send_back(&mut self, id: RequestId, news: NetworkMessage) {
        self.send_message(id, news);
    }

    /// Half a round trip, one way or the other.
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

    /// How long a parcel of a request is on its way; no time where all are in one place.
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
        // Of an odd number of nanoseconds the way back takes the larger half.
        let half = if matches!(message, NetworkMessage::Request) { round_trip / 2 } else { round_trip.div_ceil(2) };
        Span::from_nanos(half)
    }

    /// What was on its way for a request is there.
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

    /// A request is where it was sent to, and finds its server as it is now.
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
                self.send_back(id, NetworkMessage::Refused)
            }
        }
    }

    /// Whether a request is on its way to a platform that has not given it an instance yet.
    pub(super) fn is_for_nobody_yet(&self, id: RequestId) -> bool {
        let travels = self.requests[id].place == RequestState::Travelling;
        let message = self.network.as_ref().and_then(|network| network.messages.get(id.0 as usize));
        travels
            && self.platform.is_some()
            && matches!(message, Some(NetworkMessage::Request | NetworkMessage::Throttled))
    }

    /// The incarnation whose answer a user has just received.
    pub(super) fn answered_by(&self, id: RequestId) -> ProcessId {
        match self.network.as_ref().map(|network| network.messages[id.0 as usize]) {
            Some(NetworkMessage::Answer(_, process)) => process,
            _ => self.balancer.pool.members[self.requests[id].server.index()].process,
        }
    }

    /// What the way to the store adds to each call of a server.
    #[inline]
    pub(super) fn way_to_store(&self, server: ServerId) -> Span {
        self.network.as_ref().map_or(Span::ZERO, |network| network.map.to_store(server))
    }

    /// A server applies a command to the cart in its region's replica.
    pub(super) fn apply_to_replica(&mut self, server: ServerId, call: Call) -> CartResult {
        let network = self.network.as_mut().expect("replicas are in regions");
        let region = network.map.of(server);
        let replicas = network.replicas.as_mut().expect("the caller has looked");
        let before = replicas.read(call.client, region, self.now);
        let (result, _) = self.shop.carts.apply_to_token(before, call);
        replicas.write(call.client, region, self.now, call.command, before);
        result
    }

    /// Whether a fault darkens the region where the only store is.
    pub(super) fn takes_the_store(&self, kind: FaultKind) -> bool {
        let store = self.network.as_ref().map(|network| network.map.store);
        matches!((kind, store), (FaultKind::RegionOutage { region, .. }, Some(StorePlace::In(here))) if region == here)
    }

    /// A region is dark from now on.
    pub(super) fn region_out_until(&mut self, region: RegionId, lasting: Option<Span>) {
        let until = lasting.map_or(Instant::NEVER, |lasting| self.now + lasting);
        if let Some(replicas) = self.network.as_mut().and_then(|network| network.replicas.as_mut()) {
            replicas.cut_off(region, self.now, until);
        }
    }
}
