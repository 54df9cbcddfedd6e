//! Between regions everything takes time: requests, answers, and the news that a connection failed.

use super::carts::{Call, CartResult};
use super::events::{Due, TimerKind};
use super::replicas::Replicas;
use super::requests::{InFlight, Place, RequestId};
use super::{Hands, World};
use crate::fault::FaultKind;
use crate::history::Recorder;
use crate::model::{Life, Outcome, Refusal, RegionId, ServerId, ServerState};
use crate::policy::Policy;
use crate::region::{Map, StorePlace};
use crate::scenario::Scenario;
use crate::time::{Instant, Span};

/// The regions, and what is on its way between them.
#[derive(Clone, Debug)]
pub struct Ways {
    /// Who is where.
    pub map: Map,
    /// Carts in replicas of the store, when every region has one.
    pub replicas: Option<Replicas>,
    /// By request: what is on its way.
    parcels: Vec<Parcel>,
}

/// What is on its way for a request.
#[derive(Clone, Copy, Debug)]
pub enum Parcel {
    /// The request itself, to its server.
    Request,
    /// The answer of an incarnation, to the user.
    Answer(Outcome, Life),
    /// The news that the server takes no connections.
    Refused,
    /// The news that the connection broke.
    Reset,
    /// The platform's refusal to start one more instance.
    Throttled,
}

impl Ways {
    /// The ways of a scenario that has regions.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<Box<Ways>> {
        let map = Map::new(scenario)?;
        let replicas = match map.store {
            StorePlace::Everywhere { lag } => Some(Replicas::new(lag)),
            StorePlace::In(_) => None,
        };
        Some(Box::new(Ways { map, replicas, parcels: Vec::new() }))
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

impl World {
    /// A request leaves for the server that was chosen.
    pub(super) fn set_out(&mut self, id: RequestId) {
        self.travel(id, Parcel::Request);
    }

    /// A server has something to tell to the user of a request.
    pub(super) fn send_back(&mut self, id: RequestId, news: Parcel) {
        self.travel(id, news);
    }

    /// Half a round trip, one way or the other.
    fn travel(&mut self, id: RequestId, parcel: Parcel) {
        let Some(ways) = &mut self.ways else { return };
        let request = &mut self.requests[id];
        request.place = Place::Travelling;
        let index = id.0 as usize;
        if index >= ways.parcels.len() {
            ways.parcels.resize(index + 1, parcel);
        }
        ways.parcels[index] = parcel;
        let region = match parcel {
            Parcel::Request | Parcel::Throttled if self.platform.is_some() => ways.asked_from(request),
            _ => ways.map.of(request.server),
        };
        let round_trip = ways.map.to_region(ways.place(request), region).as_nanos();
        // Of an odd number of nanoseconds the way back takes the larger half.
        let half = if matches!(parcel, Parcel::Request) { round_trip / 2 } else { round_trip.div_ceil(2) };
        self.events.schedule(self.now + Span::from_nanos(half), Due::Travelled(id));
    }

    /// What was on its way for a request is there.
    pub(super) fn travelled<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        let Some(ways) = &self.ways else { return };
        let parcel = ways.parcels[id.0 as usize];
        let InFlight { server, departed, .. } = self.requests[id];
        match parcel {
            Parcel::Request if self.platform.is_some() => self.dispatch(hands, id),
            Parcel::Request => self.reach(hands, id),
            _ if departed => self.requests.remove(id),
            Parcel::Answer(outcome, _) => {
                self.ended(hands, id, outcome);
                self.judge(hands, server, outcome.is_server_error());
                self.answer(hands, id, outcome);
            }
            Parcel::Refused => self.connect_timed_out(hands, id),
            Parcel::Reset => self.reset(hands, id),
            Parcel::Throttled => self.refuse(hands, id, Refusal::Throttled),
        }
    }

    /// A request is where it was sent to, and finds its server as it is now.
    fn reach<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        let InFlight { server, departed, .. } = self.requests[id];
        match self.pool.members[server.index()].state {
            ServerState::Up | ServerState::Draining => self.deliver(hands, id),
            _ if departed => self.requests.remove(id),
            ServerState::Silent => {
                self.requests[id].place = Place::Connecting;
                let at = self.now + self.connect_timeout;
                self.events.start_timer(TimerKind::Connect, at, id, &self.requests[id]);
            }
            ServerState::Down | ServerState::Booting | ServerState::Retired => self.send_back(id, Parcel::Refused),
        }
    }

    /// Whether a request is on its way to a platform that has not given it an instance yet.
    pub(super) fn is_for_nobody_yet(&self, id: RequestId) -> bool {
        let travels = self.requests[id].place == Place::Travelling;
        let parcel = self.ways.as_ref().and_then(|ways| ways.parcels.get(id.0 as usize));
        travels && self.platform.is_some() && matches!(parcel, Some(Parcel::Request | Parcel::Throttled))
    }

    /// The incarnation whose answer a user has just received.
    pub(super) fn answered_by(&self, id: RequestId) -> Life {
        match self.ways.as_ref().map(|ways| ways.parcels[id.0 as usize]) {
            Some(Parcel::Answer(_, life)) => life,
            _ => self.pool.members[self.requests[id].server.index()].life,
        }
    }

    /// What the way to the store adds to each call of a server.
    #[inline]
    pub(super) fn way_to_store(&self, server: ServerId) -> Span {
        self.ways.as_ref().map_or(Span::ZERO, |ways| ways.map.to_store(server))
    }

    /// A server applies a command to the cart in its region's replica.
    pub(super) fn apply_to_replica(&mut self, server: ServerId, call: Call) -> CartResult {
        let ways = self.ways.as_mut().expect("replicas are in regions");
        let region = ways.map.of(server);
        let replicas = ways.replicas.as_mut().expect("the caller has looked");
        let before = replicas.read(call.client, region, self.now);
        let (result, _) = self.carts.apply_to_token(before, call);
        replicas.write(call.client, region, self.now, call.command, before);
        result
    }

    /// Whether a fault darkens the region where the only store is.
    pub(super) fn takes_the_store(&self, kind: FaultKind) -> bool {
        let store = self.ways.as_ref().map(|ways| ways.map.store);
        matches!((kind, store), (FaultKind::RegionOutage { region, .. }, Some(StorePlace::In(here))) if region == here)
    }

    /// A region is dark from now on.
    pub(super) fn region_out_until(&mut self, region: RegionId, lasting: Option<Span>) {
        let until = lasting.map_or(Instant::NEVER, |lasting| self.now + lasting);
        if let Some(replicas) = self.ways.as_mut().and_then(|ways| ways.replicas.as_mut()) {
            replicas.cut_off(region, self.now, until);
        }
    }
}
