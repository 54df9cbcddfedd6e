//! Migrations of carts while the shop is open.

use serde::Deserialize;

use super::{CartHome, Pause};
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
