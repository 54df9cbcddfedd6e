//! The engine over real sockets: real requests to real servers on this machine, against the wall clock.
//!
//! It shares every decision with the simulation (policies, health rules, shop, homes, workload, faults, checker, meter)
//! and owns only the I/O. Servers are HTTP/1.1 servers on loopback ports of their own; users are tasks with cookie jars;
//! between them is the balancer, a function over pooled connections. Times of the scenario are divided by the speed;
//! figures are in the scenario's time again.

mod balancer;
mod clock;
mod failure;
mod fault_injector;
mod files;
mod load_generator;
mod log;
mod operator;
mod servers;
mod shop_server;
mod store;
#[cfg(test)]
mod tests;
mod token;
mod wire;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::balancing::pool::HealthRules;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{ServerId, UserId};
use crate::history::Recorder;
use crate::judging::meter::LatencyMeter;
use crate::operations::faults::{self, Fault, FaultKind};
use crate::scenario::{Join, Scenario};
use crate::traffic::{HeavyUsers, Loop, Wave, Workload};

use balancer::Balancer;
use clock::Clock;
pub use failure::Failure;
use fault_injector::FaultInjector;
use load_generator::LoadGenerator;
use log::Log;
use operator::OperatorTask;
pub use servers::Servers;
use store::Backend;

/// A run takes about so long, at the speed chosen for it.
const RUN: Span = Span::from_secs(20);
/// Mean service takes at least so long: shorter times drown in what a real machine adds.
const SERVICE: Span = Span::from_millis(2);
/// Users and the balancer wait for an answer at least so long: else a machine that stands still for a moment makes them
/// give up.
const WAIT: Span = Span::from_millis(50);
/// How often a run that is under way is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long tasks may take to end when the run is over.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How to play one variant.
pub struct Options<'a> {
    /// Scenario seconds a second.
    pub speed: f64,
    /// Set from outside to stop early.
    pub interrupt: &'a AtomicBool,
    /// Told now and then how it is going.
    pub progress: &'a dyn Fn(&Progress),
    /// Told where the servers are, when they have started.
    pub started: &'a dyn Fn(&[SocketAddr]),
}

/// How a run is going.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Time of the scenario.
    pub now: Instant,
    /// When it is over at the latest.
    pub ends: Instant,
    /// Requests sent so far.
    pub sent: u64,
    /// Faults that have struck, by their index.
    pub struck: Vec<u32>,
}

/// What a run came to, beside its history.
#[derive(Debug)]
pub struct Played {
    /// How late requests were sent, in real time.
    pub late: LatencyMeter,
    /// Requests that users still waited for.
    pub awaited: u64,
    /// Servers that the balancer still waited for, each with the number of requests.
    pub holders: Vec<(ServerId, u32)>,
    /// Connections to servers that the balancer has opened. It keeps them open, so that they are few.
    pub connections: u64,
    /// The faults of the scenario.
    pub faults: Vec<Fault>,
}

/// The speed at which mean service takes 2 ms or more, nobody waits less than 50 ms for an answer, and the run takes
/// about 20 s; never slower than the scenario itself.
#[must_use]
pub fn default_speed(scenario: &Scenario) -> f64 {
    let service = scenario.servers.service.sampler().mean();
    let by_service = if service == Span::ZERO { f64::INFINITY } else { service.as_secs_f64() / SERVICE.as_secs_f64() };
    let by_length = scenario.duration.get().as_secs_f64() / RUN.as_secs_f64();
    let by_wait = shortest_wait(scenario).as_secs_f64() / WAIT.as_secs_f64();
    by_service.min(by_wait).min(by_length).max(1.0)
}

/// How long users or the balancer wait for an answer, whichever is shorter, in the scenario's time.
#[must_use]
pub fn shortest_wait(scenario: &Scenario) -> Span {
    let users = scenario.users.timeout.get();
    scenario.balancer.answer_timeout.map_or(users, |timeout| timeout.get().min(users))
}

/// More threads than these would only wait for each other.
const MOST_THREADS: usize = 16;

/// Plays one variant from a clean state, and tells `recorder` what happens, now and then and in order. Before each call
/// of `progress` it knows all that has happened. Nothing of the run is left when this returns.
///
/// # Errors
///
/// When the run itself failed: then it has no figures.
pub fn play(
    scenario: &Scenario,
    seed: Seed,
    options: &Options,
    recorder: &mut dyn Recorder,
) -> Result<Played, Failure> {
    play_with(scenario, seed, options, recorder, None)
}

/// The same, with a shared store of one's own.
fn play_with(
    scenario: &Scenario,
    seed: Seed,
    options: &Options,
    recorder: &mut dyn Recorder,
    backend: Option<Box<dyn Backend>>,
) -> Result<Played, Failure> {
    let half = (cores() / 2).max(1);
    let (users, servers) = (runtime(half)?, runtime(half)?);
    let there = (backend, servers.handle());
    let played = users.block_on(async { Stage::set(scenario, seed, options, there)?.play(options, recorder).await });
    end(users);
    end(servers);
    played
}

/// How many threads are of use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)
}

fn runtime(threads: usize) -> Result<Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| failure::of_io("no threads to run on".into(), &error))
}

/// Ends every task and closes every socket.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(SHUTDOWN_GRACE);
}

/// Everything that takes part in a run.
struct Stage {
    clock: Clock,
    log: Arc<Log>,
    load_generator: Arc<LoadGenerator>,
    injector: Arc<FaultInjector>,
    operator: Option<OperatorTask>,
    /// Where servers run, and what happens to them.
    backstage: Handle,
    failures: mpsc::UnboundedReceiver<Failure>,
    /// Health checks: they end with the stage.
    checks: JoinSet<()>,
    ends: Instant,
}

impl Stage {
    fn set(
        scenario: &Scenario,
        seed: Seed,
        options: &Options,
        (backend, backstage): (Option<Box<dyn Backend>>, &Handle),
    ) -> Result<Stage, Failure> {
        let mut workload = Workload::new(scenario, seed);
        let faults = faults::of_run(scenario, seed);
        let waves = joining(&mut workload, &faults);
        let workload = Arc::new(workload);
        failure::check(
            clients(&workload),
            workload.most_steps_at_once(),
            scenario.most_servers_at_once(),
            failure::limit(),
        )?;
        let clock = Clock::start(options.speed);
        let log = Arc::new(Log::new(clock));
        let (alarm, failures) = mpsc::unbounded_channel();
        let (shop, slots) = {
            let _there = backstage.enter();
            servers::open(scenario, &workload, &log, backend, (clock, &alarm))?
        };
        let addresses: Vec<SocketAddr> = slots.iter().map(|slot| slot.address).collect();
        (options.started)(&addresses);
        let edges = (clock, alarm.clone());
        let balancer = Balancer::new(scenario, &addresses, Arc::clone(&workload), Arc::clone(&log), edges);
        let routing = Arc::clone(balancer.routing());
        let rules = HealthRules::new(&scenario.balancer.health);
        let mut checks = JoinSet::new();
        for slot in &slots {
            let known = (clock, Arc::clone(&log));
            checks.spawn(balancer::health::watch(slot.id, slot.address, rules, Arc::clone(&routing), known));
        }
        let slots = RwLock::new(slots);
        let injector =
            Arc::new(FaultInjector { clock, log: Arc::clone(&log), routing, shop: Arc::clone(&shop), slots, faults });
        let load_generator = Arc::new(LoadGenerator {
            clock,
            log: Arc::clone(&log),
            workload,
            balancer: Arc::new(balancer),
            sessions: scenario.homes.session,
            most_servers: scenario.most_servers_at_once(),
            failures: alarm,
            waves,
            jars: Mutex::new(Vec::new()),
            clients: AtomicU32::new(0),
            free: Mutex::new(Vec::new()),
        });
        let ends = Instant::ZERO + scenario.duration.get() + scenario.closing.get();
        let operator = Some(OperatorTask::new(scenario, Arc::clone(&injector), Arc::clone(&load_generator), shop));
        Ok(Stage {
            clock,
            log,
            load_generator,
            injector,
            backstage: backstage.clone(),
            operator,
            failures,
            checks,
            ends,
        })
    }

    async fn play(mut self, options: &Options<'_>, recorder: &mut dyn Recorder) -> Result<Played, Failure> {
        let mut faults = JoinSet::new();
        for index in 0..u32::try_from(self.injector.faults.len()).expect("fewer than 2^32 faults") {
            faults.spawn_on(Arc::clone(&self.injector).fulfil(index), &self.backstage);
        }
        if let Some(operator) = self.operator.take() {
            faults.spawn_on(operator.work(), &self.backstage);
        }
        let mut users = JoinSet::new();
        users.spawn(load_generator::come(Arc::clone(&self.load_generator)));
        let mut glance = tokio::time::interval(POLL_INTERVAL);
        loop {
            tokio::select! {
                biased;
                Some(failure) = self.failures.recv() => return Err(failure),
                Some(ended) = faults.join_next() => ended.map_err(|_| Failure::Panic("a fault".into()))??,
                // Health checks go on for ever, unless their server is gone for good.
                Some(ended) = self.checks.join_next() => ended.map_err(|_| Failure::Panic("a health check".into()))?,
                Some(ended) = users.join_next() => {
                    ended.map_err(|_| Failure::Panic("the crowd of users".into()))??;
                    break;
                }
                _ = glance.tick() => {
                    self.log.tell(recorder);
                    (options.progress)(&self.progress());
                    if options.interrupt.load(Ordering::Relaxed) || self.clock.now() >= self.ends {
                        break;
                    }
                }
            }
        }
        let holders = self.holders();
        // Those who still wait are counted, not heard: from here on nothing changes any more.
        users.shutdown().await;
        faults.shutdown().await;
        self.checks.shutdown().await;
        self.injector.audit();
        // What went wrong in the last moment counts too.
        if let Ok(failure) = self.failures.try_recv() {
            return Err(failure);
        }
        let (late, awaited) = self.log.close();
        self.log.tell(recorder);
        let connections = self.load_generator.balancer.connections_opened();
        Ok(Played { late, awaited, holders, connections, faults: self.injector.faults.clone() })
    }

    fn holders(&self) -> Vec<(ServerId, u32)> {
        let in_flight = self.injector.routing.with_pool(|pool| pool.view.in_flight.clone());
        (0..).map(ServerId).zip(in_flight).filter(|(_, requests)| *requests > 0).collect()
    }

    fn progress(&self) -> Progress {
        let state = self.log.state();
        Progress { now: self.clock.now(), ends: self.ends, sent: state.sent, struck: state.struck.clone() }
    }
}

/// Lets the workload know of everybody who will join. Returns who they are, in a closed loop.
fn joining(workload: &mut Workload, faults: &[Fault]) -> Vec<Wave> {
    let mut joins: Vec<(Instant, Join)> = Vec::new();
    for fault in faults {
        if let FaultKind::Join(join) = fault.kind {
            joins.push((fault.at, join));
        }
    }
    joins.sort_by_key(|(at, _)| *at);
    joins.iter().filter_map(|(at, join)| workload.join(*at, join)).collect()
}

/// Clients that may all wait for an answer at once: all of a closed loop; of an open one as many as Little's law says.
fn clients(workload: &Workload) -> u64 {
    match workload.arrivals {
        Loop::Closed { .. } => {
            let users = workload.people();
            let tabs = |heavy: HeavyUsers| (1..=users).map(UserId).filter(|user| heavy.include(*user)).count() as u64;
            let heavy = workload.heavy().map_or(0, tabs);
            let each = workload.heavy().map_or(0, HeavyUsers::tabs);
            u64::from(users) - heavy + heavy * each
        }
        Loop::Open { rate } => workload.visitors_at_once(rate),
    }
}
