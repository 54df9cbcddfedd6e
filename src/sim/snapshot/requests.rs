//! Where requests are, and since when.

use super::{FREE, Phase, RequestSnapshot, Snapshot, Spot};
use crate::base::time::{Instant, Span};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::network::NetworkMessage;
use crate::sim::requests::{InFlight, Phase as Running, RequestSlot, RequestState};
use crate::sim::routing::failures::FAILS_WITHIN;

/// A phase: its kind, where it starts and leads to, and when it begins and ends.
type Leg = (Phase, Spot, Spot, Instant, Instant);

/// Fills in all requests, including those of users who have left.
pub(super) fn show_requests(sim: &Sim, into: &mut Snapshot) {
    note_arrivals(sim, into);
    let Snapshot { requests, scratch, .. } = into;
    let slots = sim.requests.slots();
    scratch.indices.clear();
    scratch.indices.resize(slots.len(), 0);
    for free in sim.requests.free_slots() {
        scratch.indices[free.0 as usize] = FREE;
    }
    requests.clear();
    for (slot, request) in (0u32..).zip(slots) {
        let index = &mut scratch.indices[slot as usize];
        if *index != FREE {
            *index = u32::try_from(requests.len()).expect("as many as slots");
            let arrives = scratch.arrives.get(slot as usize).copied();
            requests.push(show_request(sim, RequestSlot(slot), request, arrives.unwrap_or(Instant::NEVER)));
        }
    }
}

/// Fills in when messages between regions will arrive.
fn note_arrivals(sim: &Sim, into: &mut Snapshot) {
    let arrives = &mut into.scratch.arrives;
    arrives.clear();
    if sim.network.is_none() {
        return;
    }
    arrives.resize(sim.requests.slots().len(), Instant::NEVER);
    for (at, due) in sim.events.agenda() {
        if let Due::Delivered(id) = due {
            let arrives = &mut arrives[id.0 as usize];
            *arrives = at.min(*arrives);
        }
    }
}

fn show_request(sim: &Sim, id: RequestSlot, request: &InFlight, arrives: Instant) -> RequestSnapshot {
    let (phase, from, to, since, until) = leg(sim, id, request, arrives);
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

fn leg(sim: &Sim, id: RequestSlot, request: &InFlight, arrives: Instant) -> Leg {
    let here = Spot::Server(request.server);
    match request.place {
        RequestState::Balancer => (Phase::Routing, Spot::User, Spot::Balancer, request.since, sim.events.now),
        RequestState::Connecting => {
            let since = reached(sim, request);
            (Phase::Connecting, Spot::Balancer, here, since, since + sim.balancer.connect_timeout)
        }
        RequestState::Queued => (Phase::Queued, here, here, reached(sim, request), Instant::NEVER),
        RequestState::Running(running) => with_worker(sim, id, request, running),
        RequestState::Swallowed => (Phase::Swallowed, here, here, request.since, Instant::NEVER),
        RequestState::Failing => {
            let since = reached(sim, request);
            (Phase::Failing, here, here, since, since + FAILS_WITHIN)
        }
        RequestState::Travelling => on_its_way(sim, id, request, arrives),
    }
}

/// When a request that no worker has taken yet reached its server.
fn reached(sim: &Sim, request: &InFlight) -> Instant {
    let network = sim.network.as_ref();
    request.since + network.map_or(Span::ZERO, |network| network.half_trip(request, NetworkMessage::Request))
}

fn on_its_way(sim: &Sim, id: RequestSlot, request: &InFlight, arrives: Instant) -> Leg {
    let here = Spot::Server(request.server);
    let gate = if sim.platform.is_some() { Spot::Balancer } else { here };
    let network = sim.network.as_ref().and_then(|network| Some((network, network.message(id)?)));
    let (message, way) = network.map_or((NetworkMessage::Request, Span::ZERO), |(network, message)| {
        (message, network.half_trip(request, message))
    });
    let left = arrives - way;
    match message {
        NetworkMessage::Request => (Phase::Travelling, Spot::User, gate, left, arrives),
        NetworkMessage::Throttled => (Phase::Returning, gate, Spot::User, left, arrives),
        NetworkMessage::Answer(..) => (Phase::Returning, here, Spot::User, left, arrives),
        // These go to the balancer, which may retry on another server.
        NetworkMessage::Refused | NetworkMessage::Reset => (Phase::Returning, here, Spot::Balancer, left, arrives),
    }
}

/// The phase of a request that a worker holds.
fn with_worker(sim: &Sim, id: RequestSlot, request: &InFlight, running: Running) -> Leg {
    let here = Spot::Server(request.server);
    if !sim.store.has_line() {
        let (phase, began, ends) = sim.phase_within(id);
        let is_work = phase == Running::Work;
        let (phase, to) = if is_work { (Phase::Working, here) } else { (Phase::CallingStore, Spot::Store) };
        return (phase, here, to, began, ends);
    }
    let end = sim.servers.busy.time(request.worker as usize);
    let calls = |from| (Phase::CallingStore, here, Spot::Store, from, end);
    match running {
        Running::StoreLine(_) => (Phase::WaitingForStore, here, Spot::Store, request.since, Instant::NEVER),
        Running::Store(call) => calls(end - sim.store_time(id, call)),
        Running::Work => {
            let calls_first = request.plan.calls_before() > 0;
            let work = if calls_first { end - sim.service_time(id) } else { request.since };
            let began = work.clamp(request.since, sim.events.now);
            (Phase::Working, here, here, began, end)
        }
        Running::Refused(_) | Running::BrokenOff => (Phase::Working, here, here, request.since, end),
    }
}
