//! Copies of carts in the memory of other servers.

use serde::Deserialize;

use super::{Pause, Time, Whole};
use crate::base::time::Span;

/// With carts in replicated memory: who has a copy, and how late. The last writer wins, cart by cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Replication {
    /// To how many other servers each change of a cart is sent: those that come next in the order of the pool, after the
    /// last one the first. (Tomcat's `BackupManager` keeps one
    /// copy, its `DeltaManager` one on every server.)
    pub copies: Whole<1, 1_000>,
    /// How long after the change it arrives. What is sent to a server that nobody reaches then is lost, and so is what a
    /// server that dies has not sent yet.
    pub lag: Pause,
}

impl Default for Replication {
    fn default() -> Self {
        Replication { copies: Whole::of(1), lag: Time::of(Span::from_millis(50)) }
    }
}
