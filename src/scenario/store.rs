//! The database that every server can reach.

use serde::Deserialize;

use super::{Dist, Time, Whole};
use crate::time::Span;

/// The database that every server can reach.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// One call, there and back, on a free connection.
    pub latency: Dist,
    /// How many calls it serves at once; others wait in line. No limit when absent.
    pub connections: Option<Whole<1, 100_000>>,
    /// How servers change a cart in it.
    pub update: StoreUpdate,
}

/// How servers change a cart in the shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreUpdate {
    /// One call after the work changes what is there then, as `SADD` does in Redis or a single `UPDATE` in SQL.
    Atomic,
    /// The cart is read before the work, and what was made of that copy is written after it: what others wrote in
    /// between is lost.
    ReadModifyWrite,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            latency: Dist::Constant(Time::of(Span::from_millis(1))),
            connections: None,
            update: StoreUpdate::Atomic,
        }
    }
}
