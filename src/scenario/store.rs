//! The database that every server can reach.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{Dist, Duration, Time, Whole};
use crate::base::time::Span;

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
    /// What it forgets when it fails over or restarts: what was written during so long before, or `"all"` when it keeps
    /// everything in memory only. Nothing by default.
    pub durability_window: Forgets,
    /// How long a cart is kept after it was last written; for ever when absent. Sessions have no such limit.
    pub ttl: Option<Duration>,
    /// How many carts fit. No limit when absent. Sessions are not counted.
    pub memory: Option<StoreMemory>,
    /// How often an add asks it for something else than the cart, before the work: a price, what is in stock. Only a
    /// simulation can play it.
    pub lookups_per_add: Whole<0, 100>,
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

/// A limit to what the store holds. A cart takes its place with the first item and gives it back when it is empty again,
/// as after checkout; one whose user gave up stays until it is evicted or its `ttl` is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StoreMemory {
    /// Most carts at once.
    pub carts: Whole<1, 1_000_000>,
    /// What happens to one more.
    pub when_full: WhenFull,
}

/// What a store that is full does with one more cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The cart that was not used for the longest time goes, without a word. (In Redis `allkeys-lru`, which looks for it
    /// among a few only.)
    Evict,
    /// The new one is refused with an error, and nothing else happens. (In Redis `noeviction`, its default, which
    /// refuses every write then.)
    Refuse,
}

/// What the store forgets when its process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    /// What was written during so long before. Nothing, when that is no time at all.
    Last(Span),
    /// Everything: it was in memory only.
    Everything,
}

impl Forgets {
    /// It keeps what it has acknowledged.
    pub const NOTHING: Forgets = Forgets::Last(Span::ZERO);
}

impl<'de> Deserialize<'de> for Forgets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "all" {
            return Ok(Forgets::Everything);
        }
        text.parse().map(Forgets::Last).map_err(|_| {
            D::Error::custom(format_args!(
                "`{text}` is not what a store forgets: write a time such as \"1s\", or \"all\" if it keeps nothing on disk"
            ))
        })
    }
}

impl Default for Store {
    fn default() -> Self {
        Store {
            latency: Dist::Constant(Time::of(Span::from_millis(1))),
            connections: None,
            update: StoreUpdate::Atomic,
            durability_window: Forgets::NOTHING,
            ttl: None,
            memory: None,
            lookups_per_add: Whole::of(0),
        }
    }
}
