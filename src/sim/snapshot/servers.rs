//! Servers, their workers and queues, and the store's line.

use super::{MemoryCounts, Phase, ServerSnapshot, Snapshot};
use crate::base::time::Instant;
use crate::base::{ProcessId, ServerId, ServerState};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::servers::IDLE;

impl ServerSnapshot {
    fn unknown(id: ServerId) -> ServerSnapshot {
        ServerSnapshot {
            id,
            region: None,
            state: ServerState::Down,
            believed: ServerState::Down,
            eligible: false,
            cut_off: false,
            process: ProcessId(0),
            host: 0,
            slow: 1,
            failing: 0,
            in_flight: 0,
            workers: Vec::new(),
            queue: Vec::new(),
            memory: MemoryCounts::default(),
            bound_users: 0,
            leaves_by: None,
            ready_at: None,
        }
    }
}

/// Fills in all servers. The requests must have been filled in.
pub(super) fn show_servers(sim: &Sim, into: &mut Snapshot) {
    let Snapshot { servers, scratch, .. } = into;
    servers.truncate(sim.balancer.pool.members.len());
    for id in sim.balancer.pool.servers() {
        if id.index() == servers.len() {
            servers.push(ServerSnapshot::unknown(id));
        }
        show_server(sim, id, &mut servers[id.index()], &scratch.indices);
    }
    for (server, by) in sim.operations.operator.leaving() {
        servers[server.index()].leaves_by = Some(by);
    }
    for (at, due) in sim.events.agenda() {
        if let Some(server) = comes_up(sim, due) {
            let ready = &mut servers[server.index()].ready_at;
            *ready = Some(ready.map_or(at, |first| first.min(at)));
        }
    }
}

fn show_server(sim: &Sim, id: ServerId, server: &mut ServerSnapshot, indices: &[u32]) {
    let (member, view) = (&sim.balancer.pool.members[id.index()], &sim.balancer.pool.view);
    server.region = sim.network.as_ref().map(|network| network.map.of(id));
    server.state = member.state;
    server.believed = view.states[id.index()];
    server.eligible = view.eligible[id.index()];
    server.cut_off = sim.balancer.pool.is_isolated(id);
    server.process = member.process;
    server.host = member.host;
    server.slow = member.slow;
    server.failing = member.failing;
    server.in_flight = view.in_flight[id.index()];
    (server.leaves_by, server.ready_at) = (None, None);
    let held = sim.servers.workers_of(id).map(|worker| sim.servers.held[worker as usize]);
    server.workers.clear();
    server.workers.extend(held.map(|id| (id != IDLE).then(|| indices[id.0 as usize])));
    server.queue.clear();
    server.queue.extend(sim.servers.queues[id.index()].iter().map(|id| indices[id.0 as usize]));
}

/// The server whose process begins to accept requests at this event, unless something happens to it before.
fn comes_up(sim: &Sim, due: Due) -> Option<ServerId> {
    match due {
        Due::Ready { server, fault } => sim.balancer.pool.is_left_dead(server, fault).then_some(server),
        Due::Booted { server, process } | Due::Warm { server, process } => {
            let member = &sim.balancer.pool.members[server.index()];
            (member.state == ServerState::Booting && member.process == process).then_some(server)
        }
        _ => None,
    }
}

/// Fills in the store and its line. The requests must have been filled in.
pub(super) fn show_store(sim: &Sim, into: &mut Snapshot) {
    let Snapshot { store, requests, scratch, .. } = into;
    store.down = sim.store.is_down();
    let calls = requests.iter().filter(|request| request.phase == Phase::CallingStore).count();
    store.calls = u32::try_from(calls).expect("as many as requests");
    store.free_connections = sim.store.free_connections();
    store.line.clear();
    let waiting = sim.store.line().map(|worker| sim.servers.held[worker as usize]);
    store.line.extend(waiting.map(|id| scratch.indices[id.0 as usize]));
}

/// The time, or `None` for [`Instant::NEVER`].
pub(super) fn known(at: Instant) -> Option<Instant> {
    (at < Instant::NEVER).then_some(at)
}
