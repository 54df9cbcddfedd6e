//! Copies of carts in the memory of other servers.

use serde::Deserialize;

use super::{Pause, Time, Whole};
use crate::base::time::Span;

/// With carts in replicated memory: how many copies there are, and how far they lag. The last writer wins, for each
/// cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Replication {
    /// How many other servers get a copy of each change of a cart: the next ones in the order of the pool, wrapping
    /// around at the end. (Tomcat's `BackupManager` keeps one copy, its `DeltaManager` one on every server.)
    pub copies: Whole<1, 1_000>,
    /// How long after the change the copy arrives. A copy sent to a server that cannot be reached is lost, and so is a
    /// copy that a dying server has not sent yet.
    pub lag: Pause,
}

impl Default for Replication {
    fn default() -> Self {
        Replication { copies: Whole::of(1), lag: Time::of(Span::from_millis(50)) }
    }
}
