//! The pool of servers.

use serde::Deserialize;

use super::{Dist, HiddenState, Pause, Time, Whole};
use crate::base::time::Span;

/// The pool of servers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Servers {
    /// How many.
    pub count: Whole<1, 10_000>,
    /// How many requests each works on at once.
    pub workers: Whole<1, 1_024>,
    /// How many more may wait; one more is refused with 503.
    pub queue: Whole<0, 1_000_000>,
    /// Time of work for one request, without the store.
    pub service: Dist,
    /// Weights for policies that heed them, server by server; those not named have 1.
    pub weights: Vec<Whole<1, 256>>,
    /// From the start of a process to its first answer.
    pub boot: Pause,
    /// The one thing that each keeps in its own memory though the pool is taken to be stateless.
    pub hidden: HiddenState,
}

impl Default for Servers {
    fn default() -> Self {
        Servers {
            count: Whole::of(3),
            workers: Whole::of(4),
            queue: Whole::of(1_000),
            service: Dist::Exponential(Time::of(Span::from_millis(20))),
            weights: Vec::new(),
            boot: Time::of(Span::from_secs(5)),
            hidden: HiddenState::None,
        }
    }
}
