//! The virtual-time engine: discrete events, exact and repeatable.
//!
//! A simulation can be cloned (forked), advanced in steps, disturbed by faults, and inspected. `advance(a)` then
//! `advance(b)` is the same as `advance(b)`. Simultaneous events are ordered by kind (faults and health checks, ends of
//! service, timeouts, users), then by entity, then by the order in which they were scheduled.

mod events;
mod network;
mod operations;
mod platform;
mod requests;
mod routing;
mod servers;
mod serving;
mod shop;
pub mod snapshot;
mod store;
mod stuck;
mod users;

use std::hint::black_box;

use crate::balancing::balancer::Balancer;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{ServerId, ServerState};
use crate::history::{Prefetch, Recorder};
use crate::operations::faults::{self, Fault};
use crate::scenario::Scenario;
use crate::traffic::{HeavyUsers, Workload};

use events::{Due, Events};
use network::Network;
use operations::Operations;
use platform::Platform;
use requests::Requests;
use servers::Servers;
use shop::Shop;
use store::Store;
pub use stuck::{Holder, Stuck};
use users::Users;

/// A simulation of one variant with one seed: parts that own their state, and a loop that dispatches their events.
#[derive(Clone, Debug)]
pub struct Sim {
    now: Instant,
    /// How many events may happen before time must advance.
    at_one_moment: u64,
    /// Whether more than that have happened at this moment.
    stands_still: bool,
    events: Events,
    /// The users' behaviour: who visits when, and what each visit does.
    workload: Workload,
    users: Users,
    requests: Requests,
    balancer: Balancer,
    servers: Servers,
    store: Store,
    shop: Shop,
    /// The regions and the latency between them. `None` with a single site.
    network: Option<Box<Network>>,
    /// The serverless platform that starts instances. `None` with ordinary servers.
    platform: Option<Box<Platform>>,
    operations: Operations,
}

/// A read-only summary of a simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The current virtual time.
    pub now: Instant,
    /// Visits that have begun and not yet ended.
    pub open_visits: u64,
    /// Requests that a user is waiting for.
    pub awaited: u64,
    /// One entry per server, by id.
    pub servers: Vec<ServerView>,
}

/// The summary of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// The server's id.
    pub id: ServerId,
    /// Its actual state, which the balancer may not know yet.
    pub state: ServerState,
    /// Whether the balancer considers it eligible for requests.
    pub believed_up: bool,
    /// Requests that the balancer has in flight to it.
    pub in_flight: u32,
    /// Requests in its queue.
    pub queued: u32,
    /// Workers that are serving a request.
    pub busy_workers: u32,
}

impl Sim {
    /// Creates a simulation at time 0. The scenario must have passed validation.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Sim {
        let workload = Workload::new(scenario, seed);
        let mut sim = Sim {
            now: Instant::ZERO,
            at_one_moment: stuck::AT_ONE_MOMENT,
            stands_still: false,
            events: Events::new(&workload),
            users: Users::new(scenario, &workload),
            requests: Requests::default(),
            balancer: Balancer::new(scenario, seed),
            servers: Servers::new(scenario),
            store: Store::new(scenario),
            shop: Shop::new(scenario, seed),
            network: Network::new(scenario),
            platform: Platform::new(scenario, seed),
            operations: Operations::new(scenario),
            workload,
        };
        sim.expect_users();
        for fault in faults::of_run(scenario, seed) {
            sim.inject(fault);
        }
        sim
    }

    /// The current virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Whether the shop has closed and every visit has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.now >= self.workload.closes && self.users.open_visits == 0
    }

    /// The faults of this run: those of the scenario, followed by those injected.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.operations.faults
    }

    /// The heavy users, if the scenario has any.
    #[must_use]
    pub fn heavy(&self) -> Option<HeavyUsers> {
        self.workload.heavy()
    }

    /// Plays everything up to and including this moment, for any recorder: one copy of the loop is compiled for all.
    pub fn advance(&mut self, until: Instant, recorder: &mut dyn Recorder) {
        self.advance_fast(until, &mut { recorder });
    }

    /// The same where speed matters: a copy of the loop for this recorder, which is told whom to prefetch.
    pub fn advance_fast<R: Recorder + Prefetch>(&mut self, until: Instant, recorder: &mut R) {
        let end = until + Span::from_nanos(1);
        let mut begun_at = None;
        let mut left = 0;
        loop {
            if left == 0 {
                if begun_at == Some(self.now) || self.stands_still {
                    self.stands_still = true;
                    return;
                }
                begun_at = Some(self.now);
                left = self.at_one_moment;
            }
            left -= 1;
            let (service, timer, agenda) = self.next_events();
            let other = service.min(timer).min(agenda);
            if let Some((at, client)) = self.events.wakes.pop_before(other.min(end)) {
                self.now = at;
                self.prefetch(recorder);
                self.wake(recorder, client);
                continue;
            }
            if other > until {
                break;
            }
            self.now = other;
            if agenda == other {
                self.next_due(recorder);
            } else if service == other {
                self.service_event(recorder);
            } else {
                self.timer_event(recorder);
            }
        }
        self.now = self.now.max(until);
    }

    /// Summarises the simulation. The cost is proportional to the number of servers.
    #[must_use]
    pub fn view(&self) -> View {
        let servers = (0u32..).map(ServerId).zip(&self.balancer.pool.members).map(|(id, member)| {
            let (queued, busy_workers) = self.servers.occupancy(id);
            ServerView {
                id,
                state: member.state,
                believed_up: self.balancer.pool.view.eligible[id.index()],
                in_flight: self.balancer.pool.view.in_flight[id.index()],
                queued,
                busy_workers,
            }
        });
        View {
            now: self.now,
            open_visits: self.users.open_visits,
            awaited: self.requests.awaited(),
            servers: servers.collect(),
        }
    }

    /// The times of the next end of service, the next timeout and the next agenda entry.
    #[inline(always)]
    fn next_events(&self) -> (Instant, Instant, Instant) {
        let (timer, agenda) = self.events.next();
        (self.servers.busy.earliest(), timer, agenda)
    }

    /// Touches the data of clients that are about to wake, a batch at a time, so that their cache misses overlap and
    /// are resolved before the data is needed. With millions of users none of it is cached, and waiting for one cache
    /// miss after another would dominate the run time.
    #[inline]
    fn prefetch(&self, recorder: &impl Prefetch) {
        let Some(clients) = self.events.wakes.upcoming() else { return };
        recorder.prefetch(clients.inspect(|client| {
            black_box(self.users.clients[client.index()].client.meant);
        }));
    }

    fn next_due<R: Recorder>(&mut self, recorder: &mut R) {
        match self.events.take_due() {
            Some(Due::Fault(index)) => self.strike(recorder, index),
            Some(Due::Ready { server, fault }) => self.comeback(recorder, server, fault),
            Some(Due::Recovered { server, fault }) => self.recovered(recorder, server, fault),
            Some(Due::StoreBack) => self.store.is_back(),
            Some(Due::CheckTimeout(server)) => self.check_ended(recorder, server, false, true),
            Some(Due::Check(server)) => self.health_check(recorder, server),
            Some(Due::Visitor(user)) => self.visitor(recorder, user),
            Some(Due::Readmit(server)) => self.readmit(recorder, server),
            Some(Due::Booted { server, process }) => self.booted(recorder, server, process),
            Some(Due::Operate) => self.look(recorder),
            Some(Due::Autoscale) => self.autoscale(recorder),
            Some(Due::Warm { server, process }) => self.warm(recorder, server, process),
            Some(Due::Idle { server, process }) => self.idle_for_long(recorder, server, process),
            Some(Due::Delivered(request)) => self.delivered(recorder, request),
            Some(Due::Reconnected { server, fault }) => self.reconnected(recorder, server, fault),
            Some(Due::Copies) => self.copies_arrive(),
            Some(Due::Again { visit, step }) => self.try_again(recorder, visit, step),
            None => {}
        }
    }
}
