//! The database that every server can reach.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::violation::{Checked, wrong_but};
use super::{CartHome, Dist, Duration, Scenario, SessionHome, Time, Whole};
use crate::base::time::Span;

/// The database that every server can reach.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// The round trip of one call on a free connection.
    pub latency: Dist,
    /// How many calls it serves at once; further calls queue. No limit when absent.
    pub connections: Option<Whole<1, 100_000>>,
    /// How servers change a cart in it.
    pub update: StoreUpdate,
    /// Which writes it loses when it fails over or restarts: those of the last time span of this length, or `"all"` if
    /// it keeps everything in memory only. None by default.
    pub durability_window: Forgets,
    /// How long a cart is kept after the last write; forever when absent. Sessions have no such limit.
    pub ttl: Option<Duration>,
    /// How many carts fit. No limit when absent. Sessions are not counted.
    pub memory: Option<StoreMemory>,
    /// How many other lookups an add makes before the work, such as a price or the stock. Only a simulation can run
    /// it.
    pub lookups_per_add: Whole<0, 100>,
}

/// How servers change a cart in the shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum StoreUpdate {
    /// One call after the work changes the cart in place, like `SADD` in Redis or a single `UPDATE` in SQL.
    Atomic,
    /// The cart is read before the work, and the modified copy is written back after it. Whatever others wrote in
    /// between is lost.
    ReadModifyWrite,
}

/// A limit on the number of carts in the store. A cart takes up room from its first item until it is empty again, as
/// after checkout. The cart of a user who gave up stays until it is evicted or its `ttl` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StoreMemory {
    /// The maximum number of carts.
    pub carts: Whole<1, 1_000_000>,
    /// What happens when a new cart does not fit.
    pub when_full: WhenFull,
}

/// What a full store does with a new cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The least recently used cart is evicted silently. (In Redis: `allkeys-lru`, which samples a few keys only.)
    Evict,
    /// The new cart is refused with an error; nothing else changes. (In Redis: `noeviction`, the default, which
    /// refuses every write when full.)
    Refuse,
}

/// What the store loses when its process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    /// The writes of this last time span; none if it is zero.
    Last(Span),
    /// Everything: it was in memory only.
    Everything,
}

impl Forgets {
    /// Nothing: every acknowledged write is durable.
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

/// Whether any state lives in the shared store.
fn is_used(scenario: &Scenario) -> bool {
    scenario.homes.cart == CartHome::SharedStore
        || scenario.homes.session == SessionHome::SharedStore
        || scenario.tokens.refresh
        || scenario.tokens.deny_list
}

/// Checks a fault of the store.
pub(super) fn check_fault(path: &str, scenario: &Scenario) -> Checked {
    if is_used(scenario) {
        return Ok(());
    }
    let help = "no state lives in it here: set `homes.cart` or `homes.session` to \"shared-store\"";
    wrong_but(path, "a store fault without a store", help)
}
