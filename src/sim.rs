//! The virtual-time engine: discrete events, exact and repeatable.
//!
//! A simulation can be cloned (forked), advanced in steps, disturbed by faults, and inspected. `advance(a)` then
//! `advance(b)` is the same as `advance(b)`. Simultaneous events are ordered by kind (faults and health checks, ends of
//! service, timeouts, users), then by entity, then by the order in which they were scheduled.

mod balancer;
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
mod visits;

use crate::balancing::attempt::AttemptFailure;
use crate::balancing::balancer::Balancer;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ServerId, ServerState};
use crate::history::{Prefetch, Recorder};
use crate::operations::faults::{self, Fault};
use crate::scenario::Scenario;
use crate::traffic::{HeavyUsers, Workload};

use events::{Due, Events, TimerKind};
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
    /// How many events may happen before time must advance.
    at_one_moment: u64,
    /// Whether more than that have happened at this moment.
    stands_still: bool,
    /// The clock, and what will happen when.
    events: Events,
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
            at_one_moment: stuck::AT_ONE_MOMENT,
            stands_still: false,
            events: Events::new(&workload),
            users: Users::new(scenario, workload),
            requests: Requests::default(),
            balancer: Balancer::new(scenario, seed),
            servers: Servers::new(scenario),
            store: Store::new(scenario),
            shop: Shop::new(scenario, seed),
            network: Network::new(scenario),
            platform: Platform::new(scenario, seed),
            operations: Operations::new(scenario),
        };
        sim.users.expect_all(&mut sim.events);
        for fault in faults::of_run(scenario, seed) {
            sim.inject(fault);
        }
        sim
    }

    /// The current virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.events.now
    }

    /// Whether the shop has closed and every visit has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.events.now >= self.users.workload.closes && self.users.open_visits == 0
    }

    /// The faults of this run: those of the scenario, followed by those injected.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.operations.faults
    }

    /// The heavy users, if the scenario has any.
    #[must_use]
    pub fn heavy(&self) -> Option<HeavyUsers> {
        self.users.workload.heavy()
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
                if begun_at == Some(self.events.now) || self.stands_still {
                    self.stands_still = true;
                    return;
                }
                begun_at = Some(self.events.now);
                left = self.at_one_moment;
            }
            left -= 1;
            let (service, timer, agenda) = self.next_events();
            let other = service.min(timer).min(agenda);
            if let Some((at, client)) = self.events.wakes.pop_before(other.min(end)) {
                self.events.now = at;
                if let Some(clients) = self.events.wakes.upcoming() {
                    self.users.prefetch(clients, recorder);
                }
                self.wake(recorder, client);
                continue;
            }
            if other > until {
                break;
            }
            self.events.now = other;
            if agenda == other {
                self.next_due(recorder);
            } else if service == other {
                self.next_stage(recorder);
            } else {
                self.next_timer(recorder);
            }
        }
        self.events.now = self.events.now.max(until);
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
            now: self.events.now,
            open_visits: self.users.open_visits,
            awaited: self.requests.awaited(),
            servers: servers.collect(),
        }
    }

    /// Searches every server and store for every user's files. Called when the run is over.
    pub fn audit(&self, recorder: &mut impl Recorder) {
        if let Some(files) = &self.shop.files {
            files.audit(recorder, &self.balancer.pool, self.events.now);
        }
    }

    /// The times of the next end of service, the next timeout and the next agenda entry.
    #[inline(always)]
    fn next_events(&self) -> (Instant, Instant, Instant) {
        let (timer, agenda) = self.events.next();
        (self.servers.busy.earliest(), timer, agenda)
    }

    /// The earliest entry of the agenda is due.
    fn next_due<R: Recorder>(&mut self, recorder: &mut R) {
        let Some(due) = self.events.take_due() else { return };
        let Sim { events, balancer, operations, users, store, platform, shop, .. } = self;
        let now = events.now;
        match due {
            Due::Fault(index) => self.strike(recorder, index),
            Due::Ready { server, fault } => {
                if operations.revive(recorder, events, balancer, server, fault) {
                    self.operate(recorder);
                }
            }
            Due::Recovered { server, fault } => operations.recover(recorder, balancer, server, fault, now),
            Due::StoreBack => store.end_outage(),
            Due::CheckTimeout(server) => self.check_ended(recorder, server, false, true),
            Due::Check(server) => {
                if let Some(passed) = balancer.begin_check(events, server) {
                    self.check_ended(recorder, server, passed, false);
                }
            }
            Due::Visitor(user) => users.admit_visitor(events, user).for_each(|id| self.wake(recorder, id)),
            Due::Readmit(server) => balancer.end_ejection(recorder, server, now),
            Due::Booted { server, process } => self.booted(recorder, server, process),
            Due::Operate => {
                operations.look(now);
                self.operate(recorder);
            }
            Due::Autoscale => self.autoscale(recorder),
            Due::Warm { server, process } => self.warm(recorder, server, process),
            Due::Idle { server, process } => {
                if platform.as_mut().is_some_and(|platform| platform.gives_up(server, process, now)) {
                    self.end_instance(recorder, server);
                }
            }
            Due::Delivered(request) => self.delivered(recorder, request),
            Due::Reconnected { server, fault } => self.reconnect(recorder, server, fault),
            Due::Copies => shop.carts.replicas.deliver(&balancer.pool, now),
            Due::Again { visit, step } => {
                if users.is_open(visit) {
                    self.send_step(recorder, visit.client, step);
                }
            }
        }
    }

    /// The earliest timer expires.
    fn next_timer<R: Recorder>(&mut self, recorder: &mut R) {
        let Some((kind, id)) = self.events.take_timer(&self.requests) else { return };
        match kind {
            TimerKind::Connect => self.attempt_failed(recorder, id, AttemptFailure::Unreachable),
            TimerKind::Answer => {
                self.hang_up(id);
                self.give_up(recorder, id, Outcome::TimedOut);
            }
            TimerKind::Try => self.answer_overdue(recorder, id),
            TimerKind::Fail => self.fail(recorder, id),
        }
    }
}
