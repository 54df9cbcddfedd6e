//! Carries out faults at the scenario's times: really ends, restarts, isolates and slows down servers.

use std::sync::{Arc, PoisonError, RwLock};

use super::balancer::Router;
use super::clock::Clock;
use super::failure::Failure;
use super::files::FileName;
use super::log::Log;
use super::shop_server::{Death, Shop, Slot};
use crate::balancing::pool::Pool;
use crate::base::time::Span;
use crate::base::{File, Items, ServerId};
use crate::history::PoolEvent;
use crate::operations::faults::{Fault, FaultKind};
use crate::operations::strike::{self, Strike};
use crate::scenario::Forgets;
use crate::state::store::goes_down;

/// Injects the faults of a run.
pub struct FaultInjector {
    /// The run's clock.
    pub clock: Clock,
    /// The history.
    pub log: Arc<Log>,
    /// The router, whose pool holds the servers' actual state.
    pub routing: Arc<Router>,
    /// What the servers share, including the store.
    pub shop: Arc<Shop>,
    /// The servers.
    pub slots: RwLock<Vec<Arc<Slot>>>,
    /// The faults of the run.
    pub faults: Vec<Fault>,
}

impl FaultInjector {
    /// Waits until one fault is due and injects it; then waits for its end and reverses it.
    ///
    /// # Errors
    ///
    /// When a server cannot be started again.
    pub async fn carry_out(self: Arc<FaultInjector>, index: u32) -> Result<(), Failure> {
        let strike = Strike::of(&self.faults, index);
        let kind = strike.kind;
        self.clock.sleep_until(self.faults[index as usize].at).await;
        match kind {
            FaultKind::Store { lasting, forgets, .. } => {
                self.break_store(strike, lasting, forgets.unwrap_or(Forgets::NOTHING)).await;
            }
            FaultKind::Join(_) | FaultKind::Migrate { .. } => self.log.pool(strike.struck(None)),
            FaultKind::Slow { server, lasting, .. } | FaultKind::Failing { server, lasting, .. } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                self.afflict(&slot, strike, lasting).await;
            }
            FaultKind::Isolate { server, lasting } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                self.isolate(&slot, strike, lasting).await?;
            }
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                self.end(&slot, strike).await?;
            }
            FaultKind::Revive { server } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                self.start(&slot, strike).await?;
            }
            // The operator carries out the first three; only the simulation has regions.
            FaultKind::Deploy(_) | FaultKind::Scale(_) | FaultKind::Autoscale | FaultKind::RegionOutage { .. } => {}
        }
        Ok(())
    }

    /// The server with this id, if it exists yet.
    #[must_use]
    pub fn slot(&self, server: ServerId) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(server.index()).cloned()
    }

    /// Adds a server.
    pub fn add(&self, slot: Arc<Slot>) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).push(slot);
    }

    /// Takes the shared store down, perhaps with loss of data, and brings it back when the fault ends.
    async fn break_store(&self, strike: Strike, lasting: Option<Span>, forgets: Forgets) {
        self.log.pool(strike.struck(None));
        self.shop.store.break_off(forgets, strike.fault, goes_down(lasting));
        if let Some(lasting) = lasting.filter(|_| goes_down(lasting)) {
            self.clock.sleep_until(self.faults[strike.fault as usize].at + lasting).await;
            self.shop.store.is_back();
        }
    }

    /// Ends a process. Some faults start another one in its place after a delay.
    async fn end(&self, slot: &Arc<Slot>, strike: Strike) -> Result<(), Failure> {
        let Some(struck) = self.routing.with_pool(|pool| strike.kill(pool, slot.id)) else { return Ok(()) };
        let death = if strike.kind.silences() { Death::Vanish } else { Death::Crash };
        slot.kill(death, |process| self.log.killed(process.process, strike.fault, [struck])).await?;
        // Not earlier: when the operator reacts, the old process must have ended and its port must be free.
        self.routing.tell_operator();
        let Some(comeback) = strike.kind.comeback() else { return Ok(()) };
        self.clock.sleep_until(self.faults[strike.fault as usize].at + comeback.after).await;
        let revived =
            self.routing.with_pool(|pool| strike.revive(pool, slot.id).map(|ready| (ready, pool.process_on(slot.id))));
        let Some((ready, process)) = revived else { return Ok(()) };
        if comeback.new_host {
            self.new_host(slot)?;
        }
        slot.revive(process)?;
        self.works_again(ready);
        Ok(())
    }

    /// Starts a dead server again.
    async fn start(&self, slot: &Arc<Slot>, strike: Strike) -> Result<(), Failure> {
        slot.has_died().await;
        let started = self.routing.with_pool(|pool| {
            strike.start(pool, slot.id).map(|events| (events, pool.members[slot.id.index()].process))
        });
        let Some(([struck, ready], process)) = started else { return Ok(()) };
        self.log.pool(struck);
        slot.revive(process)?;
        self.works_again(ready);
        Ok(())
    }

    /// Gives a server a new host, with an empty disk and without the old one's slowness and failures.
    ///
    /// # Errors
    ///
    /// When the old host's disk cannot be deleted.
    pub fn new_host(&self, slot: &Slot) -> Result<(), Failure> {
        self.routing.with_pool(|pool| slot.follow(&pool.members[slot.id.index()]));
        slot.new_host()?;
        self.log.new_host(slot.id, slot.host());
        Ok(())
    }

    /// Searches every server and store for every user's files, once the run is over.
    pub fn audit(&self) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner).clone();
        for user in self.log.owners() {
            let there = |file: &File| {
                let name = FileName::of_user(user, *file);
                slots.iter().any(|slot| slot.has(&name).unwrap_or(false))
            };
            let found = (1..=64).filter_map(File::new).filter(there);
            let found = found.fold(Items::NONE, |found, file| found.with(file.place()));
            self.log.pool(PoolEvent::Audited { user, found });
        }
    }

    /// Isolates a server, and reconnects it when the fault ends.
    async fn isolate(&self, slot: &Arc<Slot>, strike: Strike, lasting: Option<Span>) -> Result<(), Failure> {
        let Some(struck) = self.routing.with_pool(|pool| strike.isolate(pool, slot.id)) else { return Ok(()) };
        slot.isolate(|| self.log.pool(struck)).await?;
        let Some(lasting) = lasting else { return Ok(()) };
        self.clock.sleep_until(self.faults[strike.fault as usize].at + lasting).await;
        if let Some(ready) = self.routing.with_pool(|pool| strike.reconnect(pool, slot.id)) {
            slot.reconnect().await?;
            self.works_again(ready);
        }
        Ok(())
    }

    /// Makes a server slow or failing, for a while or until the end of the run.
    async fn afflict(&self, slot: &Slot, strike: Strike, lasting: Option<Span>) {
        if let Some(struck) = self.change(slot, |pool| strike.afflict(pool, slot.id)) {
            self.log.pool(struck);
        }
        let Some(lasting) = lasting else { return };
        self.clock.sleep_until(self.faults[strike.fault as usize].at + lasting).await;
        let now = self.clock.now();
        let recover = |pool: &mut Pool| strike::recover(pool, &self.faults, strike.fault, slot.id, now);
        if let Some(ready) = self.change(slot, recover) {
            self.works_again(ready);
        }
    }

    /// Changes how slow a server is and how often it fails.
    fn change<T>(&self, slot: &Slot, act: impl FnOnce(&mut Pool) -> T) -> T {
        self.routing.with_pool(|pool| {
            let done = act(pool);
            slot.follow(&pool.members[slot.id.index()]);
            done
        })
    }

    /// A server works again; the operator may be waiting for it.
    fn works_again(&self, ready: PoolEvent) {
        self.log.pool(ready);
        self.routing.tell_operator();
    }
}
