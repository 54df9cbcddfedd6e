//! What breaks, and what comes back: real ends of processes, at the scenario's times.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

use super::balancer::Router;
use super::clock::Clock;
use super::failure::Failure;
use super::files::FileName;
use super::log::Log;
use super::shop_server::{Death, Shop, Slot};
use crate::base::time::Span;
use crate::base::{File, Items, ServerId};
use crate::history::PoolEvent;
use crate::operations::faults::{self, Comeback, Fault, FaultKind};
use crate::scenario::{Affliction, Forgets};

/// What strikes, and whom.
pub struct FaultInjector {
    /// The run's clock.
    pub clock: Clock,
    /// The history.
    pub log: Arc<Log>,
    /// Servers as they are.
    pub routing: Arc<Router>,
    /// What they share: the store.
    pub shop: Arc<Shop>,
    /// The servers.
    pub slots: RwLock<Vec<Arc<Slot>>>,
    /// The faults of the run.
    pub faults: Vec<Fault>,
}

impl FaultInjector {
    /// Waits for one fault and strikes; then for its end.
    ///
    /// # Errors
    ///
    /// When a server cannot be started again.
    pub async fn fulfil(self: Arc<FaultInjector>, index: u32) -> Result<(), Failure> {
        let Fault { at, kind, .. } = self.faults[index as usize];
        self.clock.sleep_until(at).await;
        match kind {
            FaultKind::Store { lasting, forgets, .. } => {
                self.break_store(index, lasting, forgets.unwrap_or(Forgets::NOTHING)).await;
            }
            FaultKind::Join(_) | FaultKind::Migrate { .. } => {
                let memory_lost = kind.loses_memory();
                self.log.pool(PoolEvent::Struck { fault: index, server: None, memory_lost });
            }
            FaultKind::Slow { server, lasting, .. } | FaultKind::Failing { server, lasting, .. } => {
                let Some((slot, affliction)) = self.slot(server).zip(kind.affliction()) else { return Ok(()) };
                self.trouble(&slot, index, affliction);
                if let Some(lasting) = lasting {
                    self.clock.sleep_until(at + lasting).await;
                    self.recovered(&slot, index, affliction);
                }
            }
            FaultKind::Isolate { server, lasting } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                self.isolate(&slot, index, lasting).await?;
            }
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. } => {
                let Some(slot) = self.slot(server) else { return Ok(()) };
                let death = if kind.silences() { Death::Vanish } else { Death::Crash };
                self.end(&slot, index, death, kind.comeback()).await?;
            }
            // The operator's; and only a simulation has regions.
            FaultKind::Deploy(_) | FaultKind::Scale(_) | FaultKind::Autoscale | FaultKind::RegionOutage { .. } => {}
        }
        Ok(())
    }

    /// The server of this name, if there is one by now.
    #[must_use]
    pub fn slot(&self, server: ServerId) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(server.index()).cloned()
    }

    /// One more server.
    pub fn add(&self, slot: Arc<Slot>) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).push(slot);
    }

    /// The shared store breaks, and perhaps forgets.
    async fn break_store(&self, index: u32, lasting: Option<Span>, forgets: Forgets) {
        let memory_lost = self.faults[index as usize].kind.loses_memory();
        self.log.pool(PoolEvent::Struck { fault: index, server: None, memory_lost });
        self.shop.store.break_off(forgets, index);
        if let Some(lasting) = lasting {
            self.clock.sleep_until(self.faults[index as usize].at + lasting).await;
            self.shop.store.is_back();
        }
    }

    async fn end(&self, slot: &Arc<Slot>, index: u32, death: Death, comeback: Option<Comeback>) -> Result<(), Failure> {
        let fault = &self.faults[index as usize];
        // Who is dead already cannot die.
        if !self.routing.with_pool(|pool| pool.kill(slot.id, index, fault.kind)) {
            return Ok(());
        }
        slot.kill(death, |process| self.log.killed(process.process, index, slot.id)).await?;
        // Only now: what the operator does about it must find the port at rest.
        self.routing.tell_operator();
        let Some(comeback) = comeback else { return Ok(()) };
        self.clock.sleep_until(fault.at + comeback.after).await;
        let process = self.routing.with_pool(|pool| {
            // Unless something else has happened to it meanwhile.
            pool.is_left_dead(slot.id, index).then(|| {
                pool.revive(slot.id, comeback);
                pool.members[slot.id.index()].process
            })
        });
        let Some(process) = process else { return Ok(()) };
        if comeback.new_host {
            slot.slow.store(1, Ordering::Relaxed);
            slot.new_host()?;
            self.log.new_host(slot.id, slot.host());
        }
        slot.revive(process)?;
        self.ready(slot.id);
        Ok(())
    }

    /// Searches every server and store for the files of every user, when the run is over.
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

    /// Cuts a server off, and lets it be reached again.
    async fn isolate(&self, slot: &Arc<Slot>, index: u32, lasting: Option<Span>) -> Result<(), Failure> {
        if !self.routing.with_pool(|pool| pool.isolate(slot.id, index)) {
            return Ok(());
        }
        let struck = PoolEvent::Struck { fault: index, server: Some(slot.id), memory_lost: false };
        slot.isolate(|| self.log.pool(struck)).await?;
        let Some(lasting) = lasting else { return Ok(()) };
        self.clock.sleep_until(self.faults[index as usize].at + lasting).await;
        if self.routing.with_pool(|pool| pool.reconnect(slot.id, index)) {
            slot.reconnect().await?;
            self.ready(slot.id);
        }
        Ok(())
    }

    /// A server is not itself from now on.
    fn trouble(&self, slot: &Slot, index: u32, affliction: Affliction) {
        self.routing.with_pool(|pool| {
            pool.afflict(slot.id, affliction);
            slot.feels(&pool.members[slot.id.index()]);
        });
        self.log.pool(PoolEvent::Struck { fault: index, server: Some(slot.id), memory_lost: false });
    }

    /// A server that was slow or failing is itself again, unless a later fault of that kind struck it anew.
    fn recovered(&self, slot: &Slot, index: u32, affliction: Affliction) {
        if faults::struck_anew(&self.faults, index, self.clock.now()) {
            return;
        }
        let recovered = self.routing.with_pool(|pool| {
            let recovered = pool.recover(slot.id, affliction);
            slot.feels(&pool.members[slot.id.index()]);
            recovered
        });
        if recovered {
            self.ready(slot.id);
        }
    }

    /// A server runs again.
    pub fn ready(&self, server: ServerId) {
        self.log.pool(PoolEvent::Ready { server });
        self.routing.tell_operator();
    }
}
