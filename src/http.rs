//! The engine over real sockets: it sends real requests to real servers on this machine, in real time.
//!
//! It shares every decision with the simulation (policies, health rules, shop, homes, workload, faults, checker, meter)
//! and owns only the I/O. Servers speak HTTP/1.1, each on its own loopback port. Users are tasks with cookie jars.
//! Between them is the balancer, a function over pooled connections; it can listen for guests, who are people. Scenario times are divided by the speed; figures
//! are reported in scenario time.

mod balancer;
mod body;
mod clock;
mod failure;
mod fault_injector;
mod files;
mod listener;
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
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

use balancer::{Balancer, Router};
use clock::Clock;
pub use failure::Failure;
use fault_injector::FaultInjector;
use load_generator::LoadGenerator;
use log::Log;
use operator::OperatorTask;
pub use servers::Servers;
use shop_server::Slot;
use store::Backend;

/// A run at the default speed takes about this long.
const RUN: Span = Span::from_secs(20);
/// Mean service takes at least this long: shorter times drown in the machine's own overhead.
const SERVICE: Span = Span::from_millis(2);
/// Users and the balancer wait at least this long for an answer: otherwise a brief stall of the machine makes them time
/// out.
const WAIT: Span = Span::from_millis(50);
/// How often a run checks for its end and reports its progress.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long tasks may take to end once the run is over.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// How to run one design.
pub struct Options<'a> {
    /// Scenario seconds per real second.
    pub speed: f64,
    /// Set by the caller to stop early.
    pub interrupt: &'a AtomicBool,
    /// Called regularly with the progress of the run.
    pub progress: &'a dyn Fn(&Progress),
    /// Whether the balancer listens, so that people can shop through it.
    pub for_guests: bool,
    /// Called with the addresses once the servers have started.
    pub started: &'a dyn Fn(&Addresses),
}

/// Where a shop can be reached while a run lasts, all of it on the loopback interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The balancer, if it listens.
    pub balancer: Option<SocketAddr>,
    /// The servers that run when the shop opens, in the order of the pool.
    pub servers: Vec<SocketAddr>,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The current scenario time.
    pub now: Instant,
    /// When the run ends at the latest.
    pub ends: Instant,
    /// Requests sent so far.
    pub sent: u64,
    /// Faults that have struck, by index.
    pub struck: Vec<u32>,
}

/// The result of a run, besides its history.
#[derive(Debug)]
pub struct Played {
    /// How late requests were sent, in real time.
    pub late: LatencyMeter,
    /// Requests that users were still waiting for at the end.
    pub awaited: u64,
    /// Servers that the balancer was still waiting for at the end, each with its number of requests.
    pub holders: Vec<(ServerId, u32)>,
    /// Connections to servers that the balancer opened: few, because it keeps them open.
    pub connections: u64,
    /// The faults of the scenario.
    pub faults: Vec<Fault>,
    /// How far the run came.
    pub now: Instant,
    /// Whether it was interrupted before its end.
    pub cut_short: bool,
}

/// The speed at which mean service takes at least 2 ms, no timeout is below 50 ms, and the run takes about 20 s, all in
/// real time. It is never slower than the scenario itself.
#[must_use]
pub fn default_speed(scenario: &Scenario) -> f64 {
    let service = scenario.servers.service.sampler().mean();
    let by_service = if service == Span::ZERO { f64::INFINITY } else { service.as_secs_f64() / SERVICE.as_secs_f64() };
    let by_length = scenario.duration.get().as_secs_f64() / RUN.as_secs_f64();
    let by_wait = shortest_wait(scenario).as_secs_f64() / WAIT.as_secs_f64();
    by_service.min(by_wait).min(by_length).max(1.0)
}

/// The shorter of the users' timeout and the balancer's answer timeout, in scenario time.
#[must_use]
pub fn shortest_wait(scenario: &Scenario) -> Span {
    let users = scenario.users.timeout.get();
    scenario.balancer.answer_timeout.map_or(users, |timeout| timeout.get().min(users))
}

/// More threads than this would only wait for each other.
const MOST_THREADS: usize = 16;

/// Runs one design from a clean state, and passes its events to `recorder` in order and in batches. Before each call of
/// `progress`, the recorder has all events so far. Nothing of the run is left when this returns.
///
/// # Errors
///
/// When the run itself failed: it then has no figures.
pub fn play(
    scenario: &Scenario,
    seed: Seed,
    options: &Options,
    recorder: &mut dyn Recorder,
) -> Result<Played, Failure> {
    play_with(scenario, seed, options, recorder, None)
}

/// Like [`play`], but with the caller's backend for the shared store.
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
    let played = users.block_on(async {
        let run = Run::set_up(scenario, seed, options, there).await?;
        run.play(options, recorder).await
    });
    end(users);
    end(servers);
    played
}

/// How many threads are useful on this machine.
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
struct Run {
    clock: Clock,
    log: Arc<Log>,
    load_generator: Arc<LoadGenerator>,
    injector: Arc<FaultInjector>,
    operator: Option<OperatorTask>,
    /// The runtime of servers, faults and the operator.
    backstage: Handle,
    failures: mpsc::UnboundedReceiver<Failure>,
    /// Health checks, and the balancer's listener. They are aborted when the run is dropped.
    checks: JoinSet<()>,
    ends: Instant,
}

impl Run {
    /// Starts the servers and the balancer; users, faults and the operator begin with [`Run::play`].
    async fn set_up(
        scenario: &Scenario,
        seed: Seed,
        options: &Options<'_>,
        (backend, backstage): (Option<Box<dyn Backend>>, &Handle),
    ) -> Result<Run, Failure> {
        let mut workload = Workload::new(scenario, seed);
        let faults = faults::of_run(scenario, seed);
        let waves = joining(&mut workload, &faults);
        let workload = Arc::new(workload);
        let (each, servers) = (workload.most_steps_at_once(), scenario.most_servers_at_once());
        failure::check(clients(&workload), each, servers, failure::limit())?;
        let clock = Clock::start(options.speed);
        let log = Arc::new(Log::new(clock));
        let (alarm, failures) = mpsc::unbounded_channel();
        let (shop, slots) = {
            let _there = backstage.enter();
            servers::open(scenario, &workload, &log, backend, (clock, &alarm))?
        };
        let addresses: Vec<SocketAddr> = slots.iter().map(|slot| slot.address).collect();
        let edges = (clock, alarm.clone());
        let balancer = Balancer::new(scenario, &addresses, Arc::clone(&workload), Arc::clone(&log), edges);
        let balancer = Arc::new(balancer);
        let routing = Arc::clone(balancer.routing());
        let mut checks = health_checks(scenario, &slots, &routing, (clock, &log));
        let door = if options.for_guests { Some(listen(&balancer, &mut checks).await?) } else { None };
        (options.started)(&Addresses { balancer: door, servers: addresses });
        let slots = RwLock::new(slots);
        let injector =
            Arc::new(FaultInjector { clock, log: Arc::clone(&log), routing, shop: Arc::clone(&shop), slots, faults });
        let known = (clock, Arc::clone(&log));
        let load_generator = Arc::new(LoadGenerator::new(scenario, workload, balancer, waves, known, alarm));
        let ends = scenario.ends();
        let operator = Some(OperatorTask::new(scenario, Arc::clone(&injector), Arc::clone(&load_generator), shop));
        let backstage = backstage.clone();
        Ok(Run { clock, log, load_generator, injector, operator, backstage, failures, checks, ends })
    }

    async fn play(mut self, options: &Options<'_>, recorder: &mut dyn Recorder) -> Result<Played, Failure> {
        let mut faults = JoinSet::new();
        for index in 0..u32::try_from(self.injector.faults.len()).expect("fewer than 2^32 faults") {
            faults.spawn_on(Arc::clone(&self.injector).carry_out(index), &self.backstage);
        }
        if let Some(operator) = self.operator.take() {
            faults.spawn_on(operator.work(), &self.backstage);
        }
        let mut users = JoinSet::new();
        users.spawn(load_generator::come(Arc::clone(&self.load_generator)));
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        let mut cut_short = false;
        loop {
            tokio::select! {
                biased;
                Some(failure) = self.failures.recv() => return Err(failure),
                Some(ended) = faults.join_next() => ended.map_err(|_| Failure::Panic("a fault".into()))??,
                // A health check ends only when its server is gone for good.
                Some(ended) = self.checks.join_next() => ended.map_err(|_| Failure::Panic("a health check".into()))?,
                Some(ended) = users.join_next() => {
                    ended.map_err(|_| Failure::Panic("the crowd of users".into()))??;
                    break;
                }
                _ = poll.tick() => {
                    self.log.tell(recorder);
                    (options.progress)(&self.progress());
                    let over = self.clock.now() >= self.ends;
                    cut_short = !over && options.interrupt.load(Ordering::Relaxed);
                    if over || cut_short {
                        break;
                    }
                }
            }
        }
        let now = self.clock.now();
        let holders = self.holders();
        // Requests that users still wait for are counted but not answered: nothing changes from here on.
        users.shutdown().await;
        faults.shutdown().await;
        self.checks.shutdown().await;
        if !cut_short {
            self.injector.audit();
        }
        // A failure in the last moment counts too.
        if let Ok(failure) = self.failures.try_recv() {
            return Err(failure);
        }
        let (late, awaited) = self.log.close();
        self.log.tell(recorder);
        let connections = self.load_generator.balancer.connections_opened();
        let faults = self.injector.faults.clone();
        Ok(Played { late, awaited, holders, connections, faults, now, cut_short })
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

/// Lets the balancer listen, and returns its address.
async fn listen(balancer: &Arc<Balancer>, tasks: &mut JoinSet<()>) -> Result<SocketAddr, Failure> {
    let listener = listener::bind().await?;
    let address =
        listener.local_addr().map_err(|error| failure::of_io("the balancer has no address".into(), &error))?;
    tasks.spawn(listener::listen(Arc::clone(balancer), listener));
    Ok(address)
}

/// Starts the health checks of the servers that run when the shop opens.
fn health_checks(
    scenario: &Scenario,
    slots: &[Arc<Slot>],
    routing: &Arc<Router>,
    (clock, log): (Clock, &Arc<Log>),
) -> JoinSet<()> {
    let rules = HealthRules::new(&scenario.balancer.health);
    let mut checks = JoinSet::new();
    for slot in slots {
        let known = (clock, Arc::clone(log));
        checks.spawn(balancer::health::watch(slot.id, slot.address, rules, Arc::clone(routing), known));
    }
    checks
}

/// Tells the workload about everybody who will join. In a closed loop, returns the waves of new users.
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

/// Clients that may all wait for an answer at once: in a closed loop all of them, in an open loop as many as Little's
/// law gives.
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
