//! Where requests are, and since when.

use super::{FREE, Phase, RequestSnapshot, Snapshot, Spot};
use crate::base::time::{Instant, Span};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::network::NetworkMessage;
use crate::sim::requests::{InFlight, Phase as Running, RequestId, RequestState};
use crate::sim::routing::failures::FAILS_WITHIN;
use crate::state::store::StoreCall;

/// A phase: its kind, where it starts and leads to, and when it begins and ends.
type Leg = (Phase, Spot, Spot, Instant, Instant);

impl Sim {
    /// Fills in all requests, including those of users who have left.
    pub(super) fn show_requests(&self, into: &mut Snapshot) {
        self.note_arrivals(into);
        let Snapshot { requests, scratch, .. } = into;
        let slots = self.requests.slots();
        scratch.credential.clear();
        scratch.credential.resize(slots.len(), 0);
        for free in self.requests.free_slots() {
            scratch.credential[free.0 as usize] = FREE;
        }
        requests.clear();
        for (slot, request) in (0u32..).zip(slots) {
            let credential = &mut scratch.credential[slot as usize];
            if *credential != FREE {
                *credential = u32::try_from(requests.len()).expect("as many as slots");
                let arrives = scratch.arrives.get(slot as usize).copied();
                requests.push(self.show_request(RequestId(slot), request, arrives.unwrap_or(Instant::NEVER)));
            }
        }
    }

    /// Fills in when messages between regions will arrive.
    fn note_arrivals(&self, into: &mut Snapshot) {
        let arrives = &mut into.scratch.arrives;
        arrives.clear();
        if self.network.is_none() {
            return;
        }
        arrives.resize(self.requests.slots().len(), Instant::NEVER);
        for (at, due) in self.events.agenda() {
            if let Due::Delivered(id) = due {
                let arrives = &mut arrives[id.0 as usize];
                *arrives = at.min(*arrives);
            }
        }
    }

    fn show_request(&self, id: RequestId, request: &InFlight, arrives: Instant) -> RequestSnapshot {
        let (phase, from, to, since, until) = self.leg(id, request, arrives);
        RequestSnapshot {
            visit: request.visit(),
            step: request.key.step,
            attempt: request.key.attempt,
            command: request.command,
            sent: request.sent,
            retries: request.retries,
            awaited: !request.departed,
            from,
            to,
            phase,
            since,
            until: (until < Instant::NEVER).then_some(until),
        }
    }

    fn leg(&self, id: RequestId, request: &InFlight, arrives: Instant) -> Leg {
        let here = Spot::Server(request.server);
        match request.place {
            RequestState::Balancer => (Phase::Routing, Spot::User, Spot::Balancer, request.started, self.now),
            RequestState::Connecting => {
                let since = self.reached(id, request);
                (Phase::Connecting, Spot::Balancer, here, since, since + self.balancer.connect_timeout)
            }
            RequestState::Queued => (Phase::Queued, here, here, self.reached(id, request), Instant::NEVER),
            RequestState::Running(running) => self.with_worker(id, request, running),
            RequestState::Swallowed => (Phase::Swallowed, here, here, request.started, Instant::NEVER),
            RequestState::Failing => {
                let since = self.reached(id, request);
                (Phase::Failing, here, here, since, since + FAILS_WITHIN)
            }
            RequestState::Travelling => self.on_its_way(id, here, arrives),
        }
    }

    /// When a request that no worker has taken yet reached its server.
    fn reached(&self, id: RequestId, request: &InFlight) -> Instant {
        request.started + self.half_trip(id, NetworkMessage::Request)
    }

    fn on_its_way(&self, id: RequestId, here: Spot, arrives: Instant) -> Leg {
        let message = self.network.as_ref().and_then(|network| network.message(id)).unwrap_or(NetworkMessage::Request);
        let gate = if self.platform.is_some() { Spot::Balancer } else { here };
        let left = before(arrives, self.half_trip(id, message));
        match message {
            NetworkMessage::Request => (Phase::Travelling, Spot::User, gate, left, arrives),
            NetworkMessage::Throttled => (Phase::Returning, gate, Spot::User, left, arrives),
            NetworkMessage::Answer(..) => (Phase::Returning, here, Spot::User, left, arrives),
            // These go to the balancer, which may retry on another server.
            NetworkMessage::Refused | NetworkMessage::Reset => (Phase::Returning, here, Spot::Balancer, left, arrives),
        }
    }

    /// The phase of a request that a worker holds.
    fn with_worker(&self, id: RequestId, request: &InFlight, running: Running) -> Leg {
        let here = Spot::Server(request.server);
        let end = self.servers.busy.time(request.worker as usize);
        if !self.store.has_line() {
            return self.all_in_one(id, request, end);
        }
        let calls = |from| (Phase::CallingStore, here, Spot::Store, from, end);
        match running {
            Running::StoreLine(_) => (Phase::WaitingForStore, here, Spot::Store, request.started, Instant::NEVER),
            Running::Store(call) => calls(before(end, self.store_time(id, call))),
            Running::Work => {
                let calls_first = request.plan.calls_before() > 0;
                let work = if calls_first { before(end, self.service_time(id)) } else { request.started };
                let began = work.clamp(request.started, self.now);
                (Phase::Working, here, here, began, end)
            }
            Running::Refused(_) | Running::BrokenOff => (Phase::Working, here, here, request.started, end),
        }
    }

    /// When store calls and work are one event, finds the current phase within it.
    fn all_in_one(&self, id: RequestId, request: &InFlight, end: Instant) -> Leg {
        let here = Spot::Server(request.server);
        let plan = request.plan;
        if plan.calls() == 0 {
            return (Phase::Working, here, here, request.started, end);
        }
        let time = |side| self.store_time(id, side);
        let read = request.started + time(StoreCall::Before);
        let worked = before(end, time(StoreCall::After));
        if plan.calls_before() > 0 && self.now < read {
            (Phase::CallingStore, here, Spot::Store, request.started, read)
        } else if plan.calls_after() == 0 || self.now < worked {
            (Phase::Working, here, here, read, worked)
        } else {
            (Phase::CallingStore, here, Spot::Store, worked, end)
        }
    }
}

/// The time `span` before `at`.
fn before(at: Instant, span: Span) -> Instant {
    Instant::from_nanos(at.as_nanos().saturating_sub(span.as_nanos()))
}
