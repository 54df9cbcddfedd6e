//! The virtual-time engine: discrete events, exact and repeatable.
//!
//! A simulation can be cloned (a fork), advanced in steps, disturbed and looked at. `advance(a)` then `advance(b)` is
//! the same as `advance(b)`. Events at the same moment are ordered by kind (faults and health checks, ends of service,
//! timeouts, users), then by entity, then by age.

mod attempt_timeout;
mod carts;
mod concurrent_steps;
mod events;
mod failures;
mod files;
mod hidden;
mod isolation;
mod migration;
mod network;
mod operations;
mod operator;
mod outages;
mod platform;
mod queue;
mod requests;
mod routing;
mod serving;
mod session_replication;
pub mod snapshot;
mod store_faults;
mod store_limits;
mod store_replicas;
mod stuck;
mod tournament;
mod users;

use std::collections::BTreeMap;
use std::hint::black_box;

#[cfg(not(debug_assertions))]
use crate::balancing::policy::dispatch_policy;
use crate::balancing::policy::{AnyPolicy, Policy};
use crate::balancing::pool::Pool;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, ServerId, ServerState};
use crate::faults::{self, Fault};
use crate::history::{Prefetch, Recorder};
use crate::operations::operator::Operator;
use crate::scenario::{Affinity, Autoscaler, HiddenState, Homes, Migration, PinnedDown, Scenario, StoreUpdate, Tokens};
use crate::traffic::workload::{Client, ConcurrentSteps, HeavyUsers, Jar, Workload};

use carts::{CartSlot, Carts};
use events::{Due, Events};
use files::Files;
use hidden::Hidden;
use isolation::WithheldReply;
use network::Network;
use platform::Platform;
use requests::Requests;
use serving::WorkerPools;
use store_limits::StoreLimits;
pub use stuck::{Holder, Stuck};
use users::Stolen;

/// A simulation of one variant with one seed.
#[derive(Clone, Debug)]
pub struct Sim {
    world: World,
    policy: AnyPolicy,
}

/// Everything but the policy, so that one can change while it looks at the other.
#[derive(Clone, Debug)]
struct World {
    now: Instant,
    workload: Workload,
    homes: Homes,
    update: StoreUpdate,
    tokens: Tokens,
    affinity: Affinity,
    pinned_down: PinnedDown,
    retries: u8,
    connect_timeout: Span,
    answer_timeout: Option<Span>,
    events: Events,
    clients: Vec<ClientSlot>,
    free_clients: Vec<u32>,
    /// Clients that have several requests under way.
    concurrent_steps: BTreeMap<ClientId, ConcurrentSteps>,
    /// Empty when neither logins nor affinity need one.
    jars: Vec<Jar>,
    free_jars: Vec<u32>,
    needs_jars: bool,
    open_visits: u64,
    carts: Carts,
    /// Absent where nobody uploads any.
    files: Option<Box<Files>>,
    /// Absent where servers hide nothing.
    hidden: Option<Box<Hidden>>,
    store_limits: StoreLimits,
    /// Copies of sessions whose users have logged out, when somebody will present them.
    stolen: BTreeMap<ClientId, Stolen>,
    migration: Option<Migration>,
    requests: Requests,
    pool: Pool,
    worker_pools: WorkerPools,
    faults: Vec<Fault>,
    operator: Operator,
    autoscaler: Option<Autoscaler>,
    /// From the start of a process to its first answer.
    boot: Span,
    /// When the operator will look at the pool; at most one look is pending.
    next_look: Instant,
    /// Answers of servers that are cut off.
    withheld: Vec<WithheldReply>,
    /// Servers that the request being routed has failed to reach; kept to be used again.
    excluded: Vec<ServerId>,
    /// Events without end happen at this moment.
    stands_still: bool,
    /// Where everybody is, when that is not one place.
    network: Option<Box<Network>>,
    /// What starts instances, when there are no servers.
    platform: Option<Box<Platform>>,
}

/// A client, and its carts beside it: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct ClientSlot {
    client: Client,
    carts_here: CartSlot,
}

impl ClientSlot {
    fn new(client: Client) -> ClientSlot {
        ClientSlot { client, carts_here: CartSlot::EMPTY }
    }
}

/// What an event needs besides the world.
struct Context<'a, P, R> {
    policy: &'a mut P,
    recorder: &'a mut R,
}

/// A look at a simulation from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The time it has reached.
    pub now: Instant,
    /// Visits that have begun and not ended.
    pub open_visits: u64,
    /// Requests that users wait for.
    pub awaited: u64,
    /// Server by server.
    pub servers: Vec<ServerView>,
}

/// One server, from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerView {
    /// Which.
    pub id: ServerId,
    /// What it really does.
    pub state: ServerState,
    /// Whether the balancer sends users there.
    pub believed_up: bool,
    /// Requests that the balancer waits for.
    pub in_flight: u32,
    /// Requests in its queue.
    pub queued: u32,
    /// Workers that hold a request.
    pub busy_workers: u32,
}

impl Sim {
    /// A simulation at time 0. The scenario must have passed validation.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Sim {
        let pool = Pool::new(scenario, seed);
        let policy = AnyPolicy::new(scenario, &pool.view, seed);
        let workload = Workload::new(scenario, seed);
        let needs_jars = workload.logs_in || scenario.balancer.affinity != Affinity::None;
        let worker_pools = WorkerPools::new(scenario);
        let mut world = World {
            now: Instant::ZERO,
            homes: scenario.homes,
            update: scenario.store.update,
            tokens: scenario.tokens,
            affinity: scenario.balancer.affinity,
            pinned_down: scenario.balancer.pinned_down,
            retries: u8::try_from(scenario.balancer.retries.get()).expect("limited to 10"),
            connect_timeout: scenario.balancer.connect_timeout.get(),
            answer_timeout: scenario.balancer.answer_timeout.map(crate::scenario::Time::get),
            events: Events::new(&workload, worker_pools.workers()),
            clients: Vec::new(),
            free_clients: Vec::new(),
            concurrent_steps: BTreeMap::new(),
            jars: Vec::new(),
            free_jars: Vec::new(),
            needs_jars,
            open_visits: 0,
            carts: Carts::new(
                scenario.homes.cart,
                scenario.servers.hidden == HiddenState::IdempotencyKey,
                &scenario.replication,
            ),
            files: Files::new(scenario),
            hidden: Hidden::new(scenario, seed),
            store_limits: StoreLimits::new(scenario),
            stolen: BTreeMap::new(),
            migration: scenario.migration,
            requests: Requests::default(),
            pool,
            worker_pools,
            faults: Vec::new(),
            operator: Operator::new(scenario),
            autoscaler: scenario.autoscaler,
            boot: scenario.servers.boot.get(),
            next_look: Instant::NEVER,
            withheld: Vec::new(),
            excluded: Vec::new(),
            stands_still: false,
            network: Network::new(scenario),
            platform: Platform::new(scenario, seed),
            workload,
        };
        world.expect_users();
        for fault in faults::of_run(scenario, seed) {
            world.inject(fault);
        }
        Sim { world, policy }
    }

    /// The time it has reached.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.now
    }

    /// Whether the shop has closed and everybody has left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.world.now >= self.world.workload.closes && self.world.open_visits == 0
    }

    /// The faults of this run: those of the scenario, then those injected.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.world.faults
    }

    /// Which users are heavy, if any are.
    #[must_use]
    pub fn heavy(&self) -> Option<HeavyUsers> {
        self.world.workload.heavy()
    }

    /// Breaks something. A fault whose time has passed strikes now.
    pub fn inject(&mut self, fault: Fault) {
        self.world.inject(fault);
    }

    /// Plays everything up to and including this moment. Any recorder will do: `&mut (&mut other as &mut dyn Recorder)`
    /// is one too, and slower.
    pub fn advance<R: Recorder + Prefetch>(&mut self, until: Instant, recorder: &mut R) {
        // One copy of the loop for each policy is fast, and slow to compile: debug builds have one for all.
        #[cfg(debug_assertions)]
        self.world.play(until, Context { policy: &mut self.policy, recorder });
        #[cfg(not(debug_assertions))]
        dispatch_policy!(&mut self.policy, policy => self.world.play(until, Context { policy, recorder }));
    }

    /// A look from outside; costs as much as there are servers.
    #[must_use]
    pub fn view(&self) -> View {
        let world = &self.world;
        let servers = (0u32..).map(ServerId).zip(&world.pool.members).map(|(id, member)| {
            let (queued, busy_workers) = world.worker_pools.occupancy(id);
            ServerView {
                id,
                state: member.state,
                believed_up: world.pool.view.eligible[id.index()],
                in_flight: world.pool.view.in_flight[id.index()],
                queued,
                busy_workers,
            }
        });
        View {
            now: world.now,
            open_visits: world.open_visits,
            awaited: world.requests.awaited(),
            servers: servers.collect(),
        }
    }
}

impl World {
    fn play<P: Policy, R: Recorder + Prefetch>(&mut self, until: Instant, mut context: Context<'_, P, R>) {
        let context = &mut context;
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
                left = stuck::AT_ONE_MOMENT;
            }
            left -= 1;
            let (service, timer, agenda) = self.events.others();
            let other = service.min(timer).min(agenda);
            if let Some((at, client)) = self.events.wakes.pop_before(other.min(end)) {
                self.now = at;
                self.prefetch(context.recorder);
                self.wake(context, client);
                continue;
            }
            if other > until {
                break;
            }
            self.now = other;
            if agenda == other {
                self.next_due(context);
            } else if service == other {
                self.service_event(context);
            } else {
                self.timer_event(context);
            }
        }
        self.now = self.now.max(until);
    }

    /// Reads what the next clients' events will need, many at a time, so that memory is asked for all of it at once and
    /// before it is needed. With millions of users nothing of theirs is in a cache, and waiting for it piece by piece
    /// would cost more than everything else.
    #[inline]
    fn prefetch(&self, recorder: &impl Prefetch) {
        let Some(clients) = self.events.wakes.upcoming() else { return };
        recorder.prefetch(clients.inspect(|client| {
            black_box(self.clients[client.index()].client.meant);
        }));
    }

    fn next_due<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        match self.events.take_due() {
            Some(Due::Fault(index)) => self.strike(context, index),
            Some(Due::Ready { server, fault }) => self.comeback(context, server, fault),
            Some(Due::Recovered { server, fault }) => self.recovered(context, server, fault),
            Some(Due::StoreBack) => self.store_limits.is_back(),
            Some(Due::CheckTimeout(server)) => self.check_ended(context, server, false),
            Some(Due::Check(server)) => self.check(context, server),
            Some(Due::Visitor(user)) => self.visitor(context, user),
            Some(Due::Readmit(server)) => self.readmit(context, server),
            Some(Due::Booted { server, process }) => self.booted(context, server, process),
            Some(Due::Operate) => self.look(context),
            Some(Due::Autoscale) => self.autoscale(context),
            Some(Due::Warm { server, process }) => self.warm(context, server, process),
            Some(Due::Idle { server, process }) => self.idle_for_long(context, server, process),
            Some(Due::Delivered(request)) => self.delivered(context, request),
            Some(Due::Reconnected { server, fault }) => self.reconnected(context, server, fault),
            Some(Due::Copies) => self.copies_arrive(),
            Some(Due::Again { visit, step }) => self.try_again(context, visit, step),
            None => {}
        }
    }
}
