//! Carts that move while the shop runs.

use serde::Deserialize;

use super::{CartHome, Pause};
use crate::base::time::Instant;

/// Carts move from the memory of servers to the shared store while the shop runs. A request that a server works on at
/// that moment is still done in the old way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// From when on carts are read in their new home.
    pub at: Pause,
    /// Their new home: `shared-store`.
    pub to: CartHome,
    /// What is done so that they are there.
    pub how: MigrationWay,
    /// With `dual-write`: from when on every change goes to both homes.
    pub from: Option<Pause>,
}

/// What is done so that carts are found in their new home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MigrationWay {
    /// Nothing: a new version that knows only the new home starts everywhere.
    BigBang,
    /// For a while, whoever changes a cart also writes all of it to the new home.
    DualWrite,
    /// A cart that is not in the new home is looked for in the memory of the server that was asked, and copied.
    ReadThrough,
}

/// Where a server looks for a cart while carts move, and where it writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CartPath {
    /// Nothing moves.
    #[default]
    Usual,
    /// In its memory, as always.
    Memory,
    /// In its memory; changes go to the store too.
    Both,
    /// In the store.
    Store,
    /// In the store, then in its memory.
    StoreThenMemory,
}

impl Migration {
    /// The way of a request that a server begins to work on now.
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
