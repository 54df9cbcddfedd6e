//! Serverless: an instance starts when a request finds none idle, and ends when it is idle too long or evicted.

use std::collections::BTreeSet;

use super::Sim;
use super::events::Due;
use super::network::NetworkMessage;
use super::requests::{RequestId, RequestState};
use crate::base::seed::{Key, Purpose, Sampler, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, Refusal, RegionId, ServerId};
use crate::history::{PoolEvent, RECYCLED, Recorder};
use crate::scenario::Scenario;

/// The platform: its limits, and the instances of each region.
#[derive(Clone, Debug)]
pub struct Platform {
    cold_start: Span,
    idle: Span,
    most: u32,
    evicted_after: Option<Sampler>,
    seed: Seed,
    /// By region.
    places: Vec<RegionInstances>,
    /// By slot.
    instances: Vec<Instance>,
}

/// One region's instances.
#[derive(Clone, Debug, Default)]
struct RegionInstances {
    /// Idle instances; the most recently started comes last.
    idle: BTreeSet<(ProcessId, ServerId)>,
    /// Server ids of ended instances, for reuse.
    free: Vec<ServerId>,
    /// How many instances are starting, busy or idle.
    running: u32,
}

#[derive(Clone, Copy, Debug)]
struct Instance {
    region: RegionId,
    /// When it last became idle.
    idle_since: Instant,
    /// When the platform evicts it, even if it is not idle for long.
    evicted_at: Instant,
}

impl Platform {
    /// The platform of a scenario, with no instance running; `None` unless the scenario is serverless.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Option<Box<Platform>> {
        let rules = scenario.serverless.as_ref()?;
        let regions = scenario.regions.as_ref().map_or(1, |regions| regions.names.len());
        Some(Box::new(Platform {
            cold_start: rules.cold_start.get(),
            idle: rules.idle.get(),
            most: rules.most.get32(),
            evicted_after: rules.evicted_after.map(|dist| dist.sampler()),
            seed,
            places: vec![RegionInstances::default(); regions],
            instances: Vec::new(),
        }))
    }

    /// When an instance that starts now will be evicted.
    fn eviction(&self, process: ProcessId, now: Instant) -> Instant {
        let Some(after) = self.evicted_after else { return Instant::NEVER };
        let key = Key { entity: u64::from(process.0), ..Key::default() };
        now + after.sample(&mut self.seed.draw(Purpose::Eviction, key))
    }

    fn region_instances(&mut self, server: ServerId) -> &mut RegionInstances {
        &mut self.places[self.instances[server.index()].region.index()]
    }
}

impl Sim {
    /// Sends a request to the platform.
    pub(super) fn send_to_platform<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        if self.network.is_some() { self.set_out(id) } else { self.dispatch(recorder, id) }
    }

    /// Assigns an instance to a request, in the request's region if there are several.
    pub(super) fn dispatch<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        let region = self.network.as_ref().map_or(RegionId(0), |network| network.asked_from(&self.requests[id]));
        let Some(platform) = &mut self.platform else { return };
        let most = platform.most;
        let region_instances = &mut platform.places[region.index()];
        if let Some((_, server)) = region_instances.idle.pop_last() {
            self.give(id, server);
            return self.arrive(recorder, id);
        }
        if region_instances.running >= most {
            return self.throttle(recorder, id);
        }
        region_instances.running += 1;
        let server = self.start_instance(recorder, region);
        self.give(id, server);
        self.requests[id].place = RequestState::Queued;
        self.servers.wait(server, id);
    }

    /// Assigns a request to an instance. A request whose user has left does not count as in flight.
    fn give(&mut self, id: RequestId, server: ServerId) {
        let request = &mut self.requests[id];
        request.server = server;
        self.balancer.pool.view.in_flight[server.index()] += u32::from(!request.departed);
    }

    /// Starts an instance under a free server id.
    fn start_instance<R: Recorder>(&mut self, recorder: &mut R, region: RegionId) -> ServerId {
        let platform = self.platform.as_mut().expect("the caller has it");
        let free = platform.places[region.index()].free.pop();
        let server = if let Some(server) = free {
            self.balancer.pool.boot(server, true);
            server
        } else {
            self.servers.grow();
            if let Some(network) = &mut self.network {
                network.map.servers.push(region);
            }
            self.balancer.pool.add(1)
        };
        let process = self.balancer.pool.members[server.index()].process;
        let evicted_at = platform.eviction(process, self.now);
        let instance = Instance { region, idle_since: self.now, evicted_at };
        match platform.instances.get_mut(server.index()) {
            Some(old) => *old = instance,
            None => platform.instances.push(instance),
        }
        let warm = self.now + platform.cold_start;
        self.events.schedule(warm, Due::Warm { server, process });
        self.turned(recorder, server);
        server
    }

    /// An instance has started, and takes the request it was started for.
    pub(super) fn warm<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        if self.balancer.pool.booted(server, process) {
            self.turned(recorder, server);
            self.take_from_queue(server);
        }
    }

    /// An instance becomes idle and waits for the next request, or ends if its eviction is due.
    pub(super) fn rest<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let now = self.now;
        let process = self.balancer.pool.members[server.index()].process;
        let Some(platform) = &mut self.platform else { return };
        let instance = &mut platform.instances[server.index()];
        instance.idle_since = now;
        if instance.evicted_at <= now {
            return self.recycle(recorder, server);
        }
        let until = (now + platform.idle).min(instance.evicted_at);
        platform.region_instances(server).idle.insert((process, server));
        self.events.schedule(until, Due::Idle { server, process });
    }

    /// Ends an idle instance if its idle limit or its eviction time has been reached.
    pub(super) fn idle_for_long<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        let now = self.now;
        let Some(platform) = &mut self.platform else { return };
        let Instance { idle_since, evicted_at, .. } = platform.instances[server.index()];
        let over = now >= evicted_at || now >= idle_since + platform.idle;
        if over && platform.region_instances(server).idle.remove(&(process, server)) {
            self.recycle(recorder, server);
        }
    }

    /// Ends an instance, and with it its memory.
    fn recycle<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        self.balancer.pool.stop(server, RECYCLED);
        self.balancer.pool.retire(server);
        self.record_pool(recorder, PoolEvent::Stopped { server, fault: RECYCLED, cut_off_users: 0, cut_requests: 0 });
        self.turned(recorder, server);
        let Some(platform) = &mut self.platform else { return };
        let region_instances = platform.region_instances(server);
        region_instances.running -= 1;
        region_instances.free.push(server);
    }

    /// Answers 429: the platform already runs as many instances as it may.
    fn throttle<R: Recorder>(&mut self, recorder: &mut R, id: RequestId) {
        if self.network.is_some() {
            self.send_back(id, NetworkMessage::Throttled);
        } else {
            self.refuse(recorder, id, Refusal::Throttled);
        }
    }
}
