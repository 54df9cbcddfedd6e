//! Serverless: an instance starts when a request finds none idle, and ends when it is idle too long or evicted.

use std::collections::BTreeSet;

use super::Sim;
use super::events::{Due, Events};
use super::network::NetworkMessage;
use super::requests::{RequestSlot, RequestState};
use crate::base::seed::{Key, Purpose, Sampler, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ProcessId, Refusal, RegionId, ServerId};
use crate::history::{Event, PoolEvent, RECYCLED, Recorder};
use crate::operations::carry_out;
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

    /// Takes an idle instance of a region, the most recently started one.
    fn take_idle(&mut self, region: RegionId) -> Option<ServerId> {
        self.places[region.index()].idle.pop_last().map(|(_, server)| server)
    }

    /// Whether another instance may start in a region. If so, it counts as running from now on.
    fn may_start(&mut self, region: RegionId) -> bool {
        let instances = &mut self.places[region.index()];
        let may = instances.running < self.most;
        instances.running += u32::from(may);
        may
    }

    /// The server id of an ended instance of a region, for reuse.
    fn free_id(&mut self, region: RegionId) -> Option<ServerId> {
        self.places[region.index()].free.pop()
    }

    /// An instance starts under this id.
    fn start(&mut self, events: &mut Events, server: ServerId, process: ProcessId, region: RegionId) {
        let evicted_at = self.eviction(process, events.now);
        let instance = Instance { region, idle_since: events.now, evicted_at };
        match self.instances.get_mut(server.index()) {
            Some(old) => *old = instance,
            None => self.instances.push(instance),
        }
        events.schedule(events.now + self.cold_start, Due::Warm { server, process });
    }

    /// When an instance that starts now will be evicted.
    fn eviction(&self, process: ProcessId, now: Instant) -> Instant {
        let Some(after) = self.evicted_after else { return Instant::NEVER };
        let key = Key { entity: u64::from(process.0), ..Key::default() };
        now + after.sample(&mut self.seed.draw(Purpose::Eviction, key))
    }

    /// An instance becomes idle and waits for the next request. False if its eviction is due.
    pub fn rest(&mut self, events: &mut Events, server: ServerId, process: ProcessId) -> bool {
        let instance = &mut self.instances[server.index()];
        instance.idle_since = events.now;
        if instance.evicted_at <= events.now {
            return false;
        }
        let until = (events.now + self.idle).min(instance.evicted_at);
        self.region_instances(server).idle.insert((process, server));
        events.schedule(until, Due::Idle { server, process });
        true
    }

    /// Whether an instance is still idle and has reached its idle limit or its eviction time. If so, it gets no more
    /// requests.
    pub fn gives_up(&mut self, server: ServerId, process: ProcessId, now: Instant) -> bool {
        let Instance { idle_since, evicted_at, .. } = self.instances[server.index()];
        let over = now >= evicted_at || now >= idle_since + self.idle;
        over && self.region_instances(server).idle.remove(&(process, server))
    }

    /// An instance has ended, and its id is free.
    fn end(&mut self, server: ServerId) {
        let instances = self.region_instances(server);
        instances.running -= 1;
        instances.free.push(server);
    }

    fn region_instances(&mut self, server: ServerId) -> &mut RegionInstances {
        &mut self.places[self.instances[server.index()].region.index()]
    }
}

impl Sim {
    /// Assigns an instance to a request, in the request's region if there are several, or refuses it with a 429 if the
    /// platform already runs as many instances as it may.
    pub(super) fn dispatch<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot) {
        let region = self.network.as_ref().map_or(RegionId(0), |network| network.asked_from(&self.requests[id]));
        let Some(platform) = &mut self.platform else { return };
        if let Some(server) = platform.take_idle(region) {
            self.balancer.assign(&mut self.requests[id], server);
            self.arrive(recorder, id);
        } else if platform.may_start(region) {
            let server = self.start_instance(recorder, region);
            self.balancer.assign(&mut self.requests[id], server);
            self.requests[id].place = RequestState::Queued;
            self.servers.wait(server, id);
        } else if self.network.is_some() {
            self.send_message(id, NetworkMessage::Throttled);
        } else {
            self.drop_request(recorder, id, None, Outcome::Refused(Refusal::Throttled));
        }
    }

    /// Starts an instance under a free server id.
    fn start_instance<R: Recorder>(&mut self, recorder: &mut R, region: RegionId) -> ServerId {
        let platform = self.platform.as_mut().expect("the caller has it");
        let pool = &mut self.balancer.pool;
        let server = if let Some(server) = platform.free_id(region) {
            pool.boot(server, true);
            server
        } else {
            self.servers.grow();
            if let Some(network) = &mut self.network {
                network.map.servers.push(region);
            }
            pool.add(1)
        };
        platform.start(&mut self.events, server, pool.process_on(server), region);
        recorder.record(&Event::pool(self.events.now, carry_out::turned(pool, server)));
        server
    }

    /// An instance has started, and takes the request it was started for.
    pub(super) fn warm<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, process: ProcessId) {
        if !self.balancer.pool.booted(server, process) {
            return;
        }
        recorder.record(&Event::pool(self.events.now, carry_out::turned(&self.balancer.pool, server)));
        if let Some((worker, id)) = self.servers.first_in_line(server) {
            self.start(worker, id);
        }
    }

    /// Ends an instance, and with it its memory.
    pub(super) fn end_instance<R: Recorder>(&mut self, recorder: &mut R, server: ServerId) {
        let (pool, now) = (&mut self.balancer.pool, self.events.now);
        pool.stop(server, RECYCLED);
        pool.retire(server);
        let stopped = PoolEvent::Stopped { server, fault: RECYCLED, cut_off_users: 0, cut_requests: 0 };
        recorder.record(&Event::pool(now, stopped));
        recorder.record(&Event::pool(now, carry_out::turned(pool, server)));
        if let Some(platform) = &mut self.platform {
            platform.end(server);
        }
    }
}
