//! Serverless: instances that come when a request finds nobody idle, and go when the platform likes.

use std::collections::BTreeSet;

use super::events::Due;
use super::requests::{Place, RequestId};
use super::ways::Parcel;
use super::{Hands, World};
use crate::history::{PoolEvent, RECYCLED, Recorder};
use crate::model::{Life, Refusal, RegionId, ServerId};
use crate::policy::Policy;
use crate::scenario::Scenario;
use crate::seed::{Key, Purpose, Sampler, Seed};
use crate::time::{Instant, Span};

/// The platform: who is idle, and what may be started.
#[derive(Clone, Debug)]
pub struct Platform {
    cold_start: Span,
    idle: Span,
    most: u32,
    evicted_after: Option<Sampler>,
    seed: Seed,
    /// By region.
    places: Vec<Premises>,
    /// By slot.
    instances: Vec<Instance>,
}

/// One region's instances.
#[derive(Clone, Debug, Default)]
struct Premises {
    /// Those that wait for a request, the one that was started last at the end.
    idle: BTreeSet<(Life, ServerId)>,
    /// Names of those that are gone, to be used again.
    free: Vec<ServerId>,
    /// How many there are, starting, busy or idle.
    running: u32,
}

#[derive(Clone, Copy, Debug)]
struct Instance {
    region: RegionId,
    /// When it became idle last.
    idle_since: Instant,
    /// When the platform takes it away, whatever it does.
    evicted_at: Instant,
}

impl Platform {
    /// The platform of a scenario that is serverless: nothing runs yet.
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
            places: vec![Premises::default(); regions],
            instances: Vec::new(),
        }))
    }

    /// When an instance that starts now will be evicted.
    fn eviction(&self, life: Life, now: Instant) -> Instant {
        let Some(after) = self.evicted_after else { return Instant::NEVER };
        let key = Key { entity: u64::from(life.0), ..Key::default() };
        now + after.sample(&mut self.seed.draw(Purpose::Eviction, key))
    }

    fn premises(&mut self, server: ServerId) -> &mut Premises {
        &mut self.places[self.instances[server.index()].region.index()]
    }
}

impl World {
    /// A request goes to the platform.
    pub(super) fn send_to_platform<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        if self.ways.is_some() { self.set_out(id) } else { self.dispatch(hands, id) }
    }

    /// A request looks for an instance, in its region if there are several.
    pub(super) fn dispatch<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        let region = self.ways.as_ref().map_or(RegionId(0), |ways| ways.asked_from(&self.requests[id]));
        let Some(platform) = &mut self.platform else { return };
        let most = platform.most;
        let premises = &mut platform.places[region.index()];
        if let Some((_, server)) = premises.idle.pop_last() {
            self.give(id, server);
            return self.arrive(hands, id);
        }
        if premises.running >= most {
            return self.throttle(hands, id);
        }
        premises.running += 1;
        let server = self.start_instance(hands, region);
        self.give(id, server);
        self.requests[id].place = Place::Queued;
        self.stations.wait(server, id);
    }

    /// A request is for this instance. Nobody counts one whose user has left.
    fn give(&mut self, id: RequestId, server: ServerId) {
        let request = &mut self.requests[id];
        request.server = server;
        self.pool.view.in_flight[server.index()] += u32::from(!request.departed);
    }

    /// A new instance begins to start, under a name that is free.
    fn start_instance<P, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, region: RegionId) -> ServerId {
        let platform = self.platform.as_mut().expect("the caller has it");
        let free = platform.places[region.index()].free.pop();
        let server = if let Some(server) = free {
            self.pool.boot(server, true);
            server
        } else {
            self.stations.grow();
            self.events.busy.grow(self.stations.workers());
            if let Some(ways) = &mut self.ways {
                ways.map.servers.push(region);
            }
            self.pool.add(1)
        };
        let life = self.pool.members[server.index()].life;
        let evicted_at = platform.eviction(life, self.now);
        let instance = Instance { region, idle_since: self.now, evicted_at };
        match platform.instances.get_mut(server.index()) {
            Some(old) => *old = instance,
            None => platform.instances.push(instance),
        }
        let warm = self.now + platform.cold_start;
        self.events.schedule(warm, Due::Warm { server, life });
        self.turned(hands, server);
        server
    }

    /// An instance has started, and begins with the request that it was started for.
    pub(super) fn warm<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, server: ServerId, life: Life) {
        if self.pool.booted(server, life) {
            self.turned(hands, server);
            self.take_from_queue(server);
        }
    }

    /// An instance has nothing to do: it waits for the next request, unless its time has come.
    pub(super) fn rest<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, server: ServerId) {
        let now = self.now;
        let life = self.pool.members[server.index()].life;
        let Some(platform) = &mut self.platform else { return };
        let instance = &mut platform.instances[server.index()];
        instance.idle_since = now;
        if instance.evicted_at <= now {
            return self.recycle(hands, server);
        }
        let until = (now + platform.idle).min(instance.evicted_at);
        platform.premises(server).idle.insert((life, server));
        self.events.schedule(until, Due::Idle { server, life });
    }

    /// The moment at which an instance goes if it was idle since it was asked last.
    pub(super) fn idle_for_long<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        server: ServerId,
        life: Life,
    ) {
        let now = self.now;
        let Some(platform) = &mut self.platform else { return };
        let Instance { idle_since, evicted_at, .. } = platform.instances[server.index()];
        let over = now >= evicted_at || now >= idle_since + platform.idle;
        if over && platform.premises(server).idle.remove(&(life, server)) {
            self.recycle(hands, server);
        }
    }

    /// An instance goes, and its memory with it.
    fn recycle<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, server: ServerId) {
        self.pool.stop(server, RECYCLED);
        self.pool.retire(server);
        self.record_pool(hands, PoolEvent::Stopped { server, fault: RECYCLED, cut_off_users: 0, cut_requests: 0 });
        self.turned(hands, server);
        let Some(platform) = &mut self.platform else { return };
        let premises = platform.premises(server);
        premises.running -= 1;
        premises.free.push(server);
    }

    /// 429: the platform runs as many instances as it may.
    fn throttle<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        if self.ways.is_some() {
            self.send_back(id, Parcel::Throttled);
        } else {
            self.refuse(hands, id, Refusal::Throttled);
        }
    }
}
