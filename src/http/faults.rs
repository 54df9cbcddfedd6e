//! What breaks, and what comes back: real ends of processes, at the scenario's times.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::balancer::Routing;
use super::clock::Clock;
use super::failure::Failure;
use super::files::FileName;
use super::log::Log;
use super::shop_server::{Death, Slot};
use crate::fault::{Comeback, Fault, FaultKind};
use crate::history::PoolEvent;
use crate::model::{File, Items, ServerId};

/// What strikes, and whom.
pub struct Fate {
    /// The run's clock.
    pub clock: Clock,
    /// The history.
    pub log: Arc<Log>,
    /// Servers as they are.
    pub routing: Arc<Routing>,
    /// The servers.
    pub slots: Vec<Arc<Slot>>,
    /// The faults of the run.
    pub faults: Vec<Fault>,
}

impl Fate {
    /// Waits for one fault and strikes; then for its end.
    ///
    /// # Errors
    ///
    /// When a server cannot be started again.
    pub async fn fulfil(self: Arc<Fate>, index: u32) -> Result<(), Failure> {
        let Fault { at, server, kind, .. } = self.faults[index as usize];
        let Some(slot) = server.and_then(|server| self.slots.get(server.index())) else { return Ok(()) };
        self.clock.sleep_until(at).await;
        match kind {
            FaultKind::Slow { factor, lasting } => {
                self.slow(slot, index, factor);
                if let Some(lasting) = lasting {
                    self.clock.sleep_until(at + lasting).await;
                    self.recovered(slot, index);
                }
            }
            FaultKind::Crash(comeback) => self.end(slot, index, Death::Crash, comeback).await?,
            FaultKind::Vanish(comeback) => self.end(slot, index, Death::Vanish, comeback).await?,
        }
        Ok(())
    }

    async fn end(&self, slot: &Arc<Slot>, index: u32, death: Death, comeback: Option<Comeback>) -> Result<(), Failure> {
        let fault = &self.faults[index as usize];
        // Who is dead already cannot die.
        if !self.routing.with_pool(|pool| pool.kill(slot.id, index, fault.kind)) {
            return Ok(());
        }
        slot.kill(death, |life| self.log.killed(life, index, slot.id)).await?;
        let Some(comeback) = comeback else { return Ok(()) };
        self.clock.sleep_until(fault.at + comeback.after).await;
        let life = self.routing.with_pool(|pool| {
            pool.revive(slot.id, comeback);
            pool.members[slot.id.index()].life
        });
        if comeback.new_host {
            slot.slow.store(1, Ordering::Relaxed);
            slot.new_host()?;
            self.log.new_host(slot.id, slot.host());
        }
        slot.revive(life)?;
        self.ready(slot.id);
        Ok(())
    }

    /// Searches every server and store for the files of every user, when the run is over.
    pub fn audit(&self) {
        for user in self.log.owners() {
            let there = |file: &File| {
                let name = FileName::of_user(user, *file);
                self.slots.iter().any(|slot| slot.has(&name).unwrap_or(false))
            };
            let found = (1..=64).filter_map(File::new).filter(there);
            let found = found.fold(Items::NONE, |found, file| found.with(file.place()));
            self.log.pool(PoolEvent::Audited { user, found });
        }
    }

    fn slow(&self, slot: &Slot, index: u32, factor: u32) {
        self.routing.with_pool(|pool| pool.members[slot.id.index()].slow = factor);
        slot.slow.store(factor, Ordering::Relaxed);
        self.log.pool(PoolEvent::Struck { fault: index, server: Some(slot.id), memory_lost: false });
    }

    /// A slow server is itself again, unless a later fault made it slow anew.
    fn recovered(&self, slot: &Slot, index: u32) {
        let this = &self.faults[index as usize];
        let later = (0u32..).zip(&self.faults).any(|(i, other)| {
            other.server == Some(slot.id)
                && matches!(other.kind, FaultKind::Slow { .. })
                && (other.at, i) > (this.at, index)
                && other.at <= self.clock.now()
        });
        if !later && slot.slow.swap(1, Ordering::Relaxed) != 1 {
            self.routing.with_pool(|pool| pool.members[slot.id.index()].slow = 1);
            self.ready(slot.id);
        }
    }

    fn ready(&self, server: ServerId) {
        self.log.pool(PoolEvent::Ready { server });
    }
}
