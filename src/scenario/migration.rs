//! Migrations of carts while the shop is open.

use serde::Deserialize;

use super::violation::{Checked, wrong, wrong_but};
use super::{CartHome, Pause, Scenario, StoreUpdate};
use crate::base::time::Instant;

/// Carts move from the memory of the servers to the shared store while the shop is open. A request in flight at that
/// moment is still served the old way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// When servers start to read carts from the new home.
    pub at: Pause,
    /// Their new home: `shared-store`.
    pub to: CartHome,
    /// How the carts get there.
    pub how: MigrationWay,
    /// With `dual-write`: when servers start to write every change to both homes.
    pub from: Option<Pause>,
}

/// How carts get to their new home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MigrationWay {
    /// They do not: from then on servers use only the new home.
    BigBang,
    /// For a while, a server that changes a cart in its memory also writes the whole cart to the new home.
    DualWrite,
    /// If the new home does not have a cart, the server looks in its own memory and copies the cart.
    ReadThrough,
}

/// Where a server reads and writes a cart during a migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CartPath {
    /// There is no migration.
    #[default]
    Usual,
    /// In its memory, as before.
    Memory,
    /// In its memory; changes also go to the store.
    Both,
    /// In the store.
    Store,
    /// In the store; if it is not there, in its memory.
    StoreThenMemory,
}

impl CartPath {
    /// Whether the server goes by the cart in its own memory, whatever is in the store.
    #[must_use]
    pub const fn asks_memory(self) -> bool {
        matches!(self, CartPath::Usual | CartPath::Memory | CartPath::Both)
    }
}

impl Migration {
    /// The path for a request that a server starts to work on now.
    #[must_use]
    pub fn path(&self, now: Instant) -> CartPath {
        let reached = |at: Pause| now >= Instant::ZERO + at.get();
        match self.how {
            MigrationWay::BigBang | MigrationWay::DualWrite if reached(self.at) => CartPath::Store,
            MigrationWay::ReadThrough if reached(self.at) => CartPath::StoreThenMemory,
            MigrationWay::DualWrite if self.from.is_some_and(reached) => CartPath::Both,
            _ => CartPath::Memory,
        }
    }
}

/// Carts that move need a place to go, and time.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let Some(migration) = &scenario.migration else { return Ok(()) };
    if migration.to != CartHome::SharedStore {
        return wrong_but("migration.to", "carts can only move to the shared store", "write \"shared-store\"");
    }
    match scenario.homes.cart {
        CartHome::ServerMemory => {}
        CartHome::SharedStore => {
            let help = "`homes.cart` is where they live before they move: \"server-memory\"";
            return wrong_but("migration.to", "carts already live in the shared store", help);
        }
        _ => {
            let help = "`homes.cart` is where they live before they move";
            return wrong_but("homes.cart", "carts can only move out of server memory", help);
        }
    }
    if scenario.store.update == StoreUpdate::ReadModifyWrite {
        let help = "leave `store.update` out, or make it \"atomic\"";
        return wrong_but("store.update", "a migration works with atomic updates of the store only", help);
    }
    let store = &scenario.store;
    if store.memory.is_some() || store.ttl.is_some() || scenario.breaks_store() {
        let help = "remove the store's faults and limits: they have their own scenarios";
        return wrong_but("migration", "a migration needs a store that neither fails nor loses carts", help);
    }
    in_time(migration, scenario)
}

/// Everything of it happens in order, while the shop is open.
fn in_time(migration: &Migration, scenario: &Scenario) -> Checked {
    let Migration { at, how, from, .. } = *migration;
    let duration = scenario.duration.get();
    if at.get() >= duration {
        let message = format!("an event after the end: the shop closes at {duration}");
        return wrong_but("migration.at", message, "move it to an earlier time, or make `duration` longer");
    }
    match (how, from) {
        (MigrationWay::DualWrite, None) => {
            let help = "`from = \"30s\"`: when servers start to write every change twice";
            wrong_but("migration", "the start of the dual writes is missing", help)
        }
        (MigrationWay::DualWrite, Some(from)) if from.get() >= at.get() => {
            let message = format!("dual writes must begin before carts are read from the store, at {}", at.get());
            wrong("migration.from", message)
        }
        (MigrationWay::BigBang | MigrationWay::ReadThrough, Some(_)) => {
            wrong("migration.from", "`from` goes with `how = \"dual-write\"`: nothing is written twice otherwise")
        }
        _ => Ok(()),
    }
}
