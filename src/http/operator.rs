//! Carries out the operator's actions at the scenario's times: opens ports for servers, and drains, stops and starts
//! them.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::balancer::health;
use super::failure::Failure;
use super::fault_injector::FaultInjector;
use super::load_generator::LoadGenerator;
use super::shop_server::{Death, ServerProcess, Shop, Slot};
use crate::balancing::pool::HealthRules;
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId};
use crate::operations::carry_out::{self, CarriedOut, ProcessEnd, Task, carry_out};
use crate::operations::faults::FaultKind;
use crate::operations::operator::{Action, Autoscaler, Operator};
use crate::scenario::Scenario;

/// The task that carries out planned changes of the pool, and the autoscaler's.
pub struct OperatorTask {
    operator: Operator,
    /// Plans still to come, latest first: the next one is last.
    plans: Vec<(Instant, u32)>,
    /// Processes that are booting, and when each is done.
    booting: Vec<(Instant, ServerId, ProcessId)>,
    /// When the autoscaler next evaluates the pool.
    pulse: Option<Instant>,
    /// When the operator looks at the pool again even if it has not changed.
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
    /// A task with all plans of the scenario.
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

    /// Carries out the plans, until nothing more can come.
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
        // Health checks of added servers continue.
        while self.checks.join_next().await.is_some() {}
        Ok(())
    }

    /// Waits until the next look is due or, while an operation is in progress, until the pool changes.
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

    /// When the next look is due, even if nothing happens until then.
    fn next_look(&self) -> Option<Instant> {
        let plan = self.plans.last().map(|(at, _)| *at);
        let booted = self.booting.iter().map(|(at, ..)| *at).min();
        [self.looks, plan, booted, self.pulse].into_iter().flatten().min()
    }

    /// Carries out all actions that are due now.
    async fn look(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(action) = self.next_action(now) {
            let CarriedOut { event, task } = self.injector.routing.change_pool(|pool| carry_out(pool, action));
            if let Some(event) = event {
                self.injector.log.pool(event);
            }
            if let Some(task) = task {
                self.perform(now, task).await?;
            }
        }
        self.looks = self.operator.looks_again(now);
        Ok(())
    }

    fn next_action(&mut self, now: Instant) -> Option<Action> {
        let (operator, load_generator) = (&mut self.operator, &self.load_generator);
        self.injector.routing.with_pool(|pool| operator.next(now, pool, &mut |server| load_generator.bound_to(server)))
    }

    /// Performs what an action leaves to be done with real servers.
    async fn perform(&mut self, now: Instant, task: Task) -> Result<(), Failure> {
        match task {
            Task::OpenSlot { server, process } => self.open_slot(now, server, process),
            Task::StartProcess { server, process, new_host } => self.start_process(now, server, process, new_host),
            Task::StopAccepting(server) => self.stop_accepting(server).await,
            Task::EndProcess(end) => self.end_process(end).await,
            Task::CloseSlot(server) => self.close_slot(server).await,
        }
    }

    fn open_slot(&mut self, now: Instant, server: ServerId, process: ProcessId) -> Result<(), Failure> {
        let slot = Slot::reserve(server, Arc::clone(&self.shop))?;
        let address = slot.address;
        self.shop.introduce(&slot);
        self.injector.add(slot);
        self.load_generator.balancer.add(&address);
        self.booting.push((now + self.boot, server, process));
        let (routing, known) =
            (Arc::clone(&self.injector.routing), (self.injector.clock, Arc::clone(&self.injector.log)));
        self.checks.spawn(health::watch(server, address, self.rules, routing, known));
        Ok(())
    }

    fn start_process(
        &mut self,
        now: Instant,
        server: ServerId,
        process: ProcessId,
        new_host: bool,
    ) -> Result<(), Failure> {
        self.booting.push((now + self.boot, server, process));
        match self.injector.slot(server) {
            Some(slot) if new_host => self.injector.new_host(&slot),
            _ => Ok(()),
        }
    }

    async fn close_slot(&self, server: ServerId) -> Result<(), Failure> {
        self.load_generator.balancer.remove(server);
        self.shop.dismiss(server);
        let Some(slot) = self.injector.slot(server) else { return Ok(()) };
        slot.retire().await;
        self.injector.new_host(&slot)
    }

    /// Lets processes that have booted take requests.
    async fn booted(&mut self, now: Instant) -> Result<(), Failure> {
        while let Some(at) = self.booting.iter().position(|(at, ..)| *at <= now) {
            let (_, server, process) = self.booting.remove(at);
            let Some(slot) = self.injector.slot(server) else { continue };
            slot.settled().await;
            let booted = self.injector.routing.with_pool(|pool| carry_out::booted(pool, server, process));
            let Some(events) = booted else { continue };
            slot.revive(process)?;
            for event in events {
                self.injector.log.pool(event);
            }
            self.injector.routing.tell_operator();
        }
        Ok(())
    }

    async fn stop_accepting(&self, server: ServerId) -> Result<(), Failure> {
        match self.injector.slot(server) {
            Some(slot) => slot.stop_accepting().await,
            None => Ok(()),
        }
    }

    async fn end_process(&self, end: ProcessEnd) -> Result<(), Failure> {
        let Some(slot) = self.injector.slot(end.server).filter(|_| end.lived) else {
            end.events(0).for_each(|event| self.injector.log.pool(event));
            return Ok(());
        };
        let strike = |process: &ServerProcess| {
            self.injector.log.killed(process.process, end.fault, end.events(process.awaited()));
        };
        slot.kill(Death::Crash, strike).await
    }

    fn autoscale(&mut self, now: Instant) {
        let Some(at) = self.pulse.filter(|at| *at <= now) else { return };
        self.pulse = self.operator.pulse().map(|interval| at + interval);
        let injector = &self.injector;
        // Work done by dead processes does not count.
        let mut worked = |server: ServerId| {
            let process = injector.slot(server).and_then(|slot| slot.running());
            process.map_or(Span::ZERO, |process| process.worked(now))
        };
        let operator = &mut self.operator;
        injector.routing.with_pool(|pool| operator.autoscale(now, pool, &mut worked));
    }
}
