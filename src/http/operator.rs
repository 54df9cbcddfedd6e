//! The operator's orders are carried out: servers get ports, are drained, stopped and started, at the scenario's times.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::balancer::health;
use super::failure::Failure;
use super::fault_injector::FaultInjector;
use super::load_generator::LoadGenerator;
use super::shop_server::{Death, ServerProcess, Shop, Slot};
use crate::balancing::pool::{HealthRules, Pool};
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId};
use crate::history::PoolEvent;
use crate::operations::faults::FaultKind;
use crate::operations::operator::{Action, Autoscaler, Operator, Then};
use crate::scenario::Scenario;

/// Who changes the pool by plan.
pub struct OperatorTask {
    operator: Operator,
    /// The plans that are still to come, by their time: the last is the next.
    plans: Vec<(Instant, u32)>,
    /// Processes that boot, and when each is done.
    booting: Vec<(Instant, ServerId, ProcessId)>,
    /// When the autoscaler looks next.
    pulse: Option<Instant>,
    /// When the operator looks at the pool again though it has not changed.
    looks: Option<Instant>,
    boot: Span,
    rules: HealthRules,
    injector: Arc<FaultInjector>,
    load_generator: Arc<LoadGenerator>,
    shop: Arc<Shop>,
    /// Health checks of servers that were added.
    checks: JoinSet<()>,
}

impl OperatorTask {
    /// With everything that is planned.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        injector: Arc<FaultInjector>,
        load_generator: Arc<LoadGenerator>,
        shop: Arc<Shop>,
    ) -> OperatorTask {
        let planned = |kind| matches!(kind, FaultKind::Deploy(_) | FaultKind::Scale(_));
        let mut plans: Vec<(Instant, u32)> = (0..)
            .zip(&injector.faults)
            .filter(|(_, fault)| planned(fault.kind))
            .map(|(i, fault)| (fault.at, i))
            .collect();
        plans.sort_unstable();
        plans.reverse();
        let mut operator = Operator::new(scenario);
        let mut pulse = None;
        let automated = injector.faults.iter().position(|fault| fault.kind == FaultKind::Autoscale);
        if let (Some(rules), Some(index)) = (scenario.autoscaler, automated.and_then(|i| u32::try_from(i).ok())) {
            let workers = scenario.servers.workers.get32();
            let autoscaler = injector.routing.with_pool(|pool| Autoscaler::new(rules, workers, Instant::ZERO, pool));
            operator.automate(index, autoscaler);
            pulse = Some(Instant::ZERO + rules.interval.get());
        }
        OperatorTask {
            operator,
            plans,
            booting: Vec::new(),
            pulse,
            looks: None,
            boot: scenario.servers.boot.get(),
            rules: HealthRules::new(&scenario.balancer.health),
            injector,
            load_generator,
            shop,
            checks: JoinSet::new(),
        }
    }

    /// Does what is planned, until nothing more can come.
    ///
    /// # Errors
    ///
    /// When a server cannot be started.
    pub async fn work(mut self) -> Result<(), Failure> {
        while self.next_look().is_some() || self.operator.is_busy() {
            self.wait().await;
            while let Some(ended) = self.checks.try_join_next() {
                ended.map_err(|_| Failure::Panic("a health check".into()))?;
            }
            let now = self.injector.clock.now();
            while let Some((_, index)) = self.plans.pop_if(|(at, _)| *at <= now) {
                self.operator.plan(index, self.injector.faults[index as usize].kind);
            }
            self.booted(now).await?;
            self.autoscale(now);
            self.look(now).await?;
        }
        // Checks of servers that were added go on.
        while self.checks.join_next().await.is_some() {}
        Ok(())
    }

    /// Waits until something is to be looked at: it is due, or the pool has changed while something is under way.
    async fn wait(&self) {
        let due = async {
            match self.next_look() {
                Some(next) => self.injector.clock.sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = self.injector.routing.changed(), if self.operator.is_busy() => {}
        }
    }

    /// When something is to be looked at next, whatever happens until then.
    fn next_look(&self) -> Option<Instant> {
        let plan = self.plans.last().map(|(at, _)| *at);
        let booted = self.booting.iter().map(|(at, ..)| *at).min();
        [self.looks, plan, booted, self.pulse].into_iter().flatten().min()
    }

    /// Carries out all that is to be done now.
    async fn look(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(action) = self.next_action(now) {
            match action {
                Action::Begin { fault, memory_lost } => {
                    self.injector.log.pool(PoolEvent::Struck { fault, server: None, memory_lost });
                }
                Action::Launch { weight, held_back } => self.launch(now, weight, held_back)?,
                Action::Admit(server) => self.turn(server, |pool| pool.admit(server)),
                Action::Drain(server) => self.turn(server, |pool| _ = pool.drain(server)),
                Action::Stop { server, fault, bound, then } => {
                    self.stop(server, fault, bound).await?;
                    match then {
                        Then::Boot { new_host } => self.boot(now, server, new_host)?,
                        Then::Retire => self.turn(server, |pool| pool.decommission(server)),
                    }
                }
                Action::Retire(server) => self.retire(server).await,
                Action::Finished(fault) => self.injector.log.pool(PoolEvent::Finished { fault }),
            }
        }
        self.looks = self.operator.looks_again(now);
        Ok(())
    }

    fn next_action(&mut self, now: Instant) -> Option<Action> {
        let (operator, load_generator) = (&mut self.operator, &self.load_generator);
        self.injector.routing.with_pool(|pool| operator.next(now, pool, &mut |server| load_generator.bound_to(server)))
    }

    fn turn(&self, server: ServerId, act: impl FnOnce(&mut Pool)) {
        let state = self.injector.routing.change_pool(|pool| {
            act(pool);
            pool.as_planned(server)
        });
        self.injector.log.pool(PoolEvent::Turned { server, state });
    }

    async fn retire(&self, server: ServerId) {
        self.turn(server, |pool| pool.retire(server));
        self.load_generator.balancer.remove(server);
        if let Some(slot) = self.injector.slot(server) {
            slot.retire().await;
        }
    }

    fn launch(&mut self, now: Instant, weight: u32, held_back: bool) -> Result<(), Failure> {
        let server = self.injector.routing.with_pool(|pool| pool.servers().count());
        let server = ServerId(u32::try_from(server).expect("fewer than 2^32 slots"));
        let slot = Slot::reserve(server, Arc::clone(&self.shop))?;
        let address = slot.address;
        self.injector.add(slot);
        self.load_generator.balancer.add(&address);
        self.turn(server, |pool| {
            pool.add(weight);
            if held_back {
                pool.hold_back(server);
            }
        });
        let process = self.injector.routing.with_pool(|pool| pool.members[server.index()].process);
        self.booting.push((now + self.boot, server, process));
        let (routing, known) =
            (Arc::clone(&self.injector.routing), (self.injector.clock, Arc::clone(&self.injector.log)));
        self.checks.spawn(health::watch(server, address, self.rules, routing, known));
        Ok(())
    }

    fn boot(&mut self, now: Instant, server: ServerId, new_host: bool) -> Result<(), Failure> {
        let mut process = None;
        self.turn(server, |pool| process = Some(pool.boot(server, new_host)));
        self.booting.extend(process.map(|process| (now + self.boot, server, process)));
        if let (true, Some(slot)) = (new_host, self.injector.slot(server)) {
            slot.slow.store(1, Ordering::Relaxed);
            slot.new_host()?;
            self.injector.log.new_host(slot.id, slot.host());
        }
        Ok(())
    }

    /// Processes that have booted take requests.
    async fn booted(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(at) = self.booting.iter().position(|(at, ..)| *at <= now) {
            let (_, server, process) = self.booting.remove(at);
            let Some(slot) = self.injector.slot(server) else { continue };
            slot.settled().await;
            let up =
                self.injector.routing.with_pool(|pool| pool.booted(server, process).then(|| pool.as_planned(server)));
            let Some(state) = up else { continue };
            slot.revive(process)?;
            self.injector.log.pool(PoolEvent::Turned { server, state });
            self.injector.ready(server);
        }
        Ok(())
    }

    async fn stop(&self, server: ServerId, fault: u32, cut_off_users: u32) -> Result<(), Failure> {
        let (lived, told) = self.injector.routing.change_pool(|pool| {
            let trusted = pool.passes_checks(server);
            (pool.stop(server, fault), trusted && !pool.passes_checks(server))
        });
        let stopped = |cut_requests| PoolEvent::Stopped { server, fault, cut_off_users, cut_requests };
        match self.injector.slot(server).filter(|_| lived) {
            Some(slot) => {
                let strike = |process: &ServerProcess| {
                    self.injector.log.stopped(process.process, fault, stopped(process.awaited()));
                };
                slot.kill(Death::Crash, strike).await?;
            }
            None => self.injector.log.pool(stopped(0)),
        }
        if told {
            self.injector.log.pool(PoolEvent::Believed { server, up: false });
        }
        Ok(())
    }

    fn autoscale(&mut self, now: Instant) {
        let Some(at) = self.pulse.filter(|at| *at <= now) else { return };
        self.pulse = self.operator.pulse().map(|interval| at + interval);
        let injector = &self.injector;
        // What dead processes did is of no interest any more.
        let mut worked = |server: ServerId| {
            let process = injector.slot(server).and_then(|slot| slot.running());
            process.map_or(Span::ZERO, |process| process.worked(now))
        };
        let operator = &mut self.operator;
        injector.routing.with_pool(|pool| operator.autoscale(now, pool, &mut worked));
    }
}
