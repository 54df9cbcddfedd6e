//! Who visits the shop, when, doing what.

use serde::Deserialize;

use super::{Dist, Duration, Journey, Pause, Positive, Time, Whole};
use crate::base::Step;
use crate::base::time::Span;

/// Who visits the shop, when, doing what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// Closed loop: this many people keep visiting. 300 when neither this nor `rate` is given.
    pub count: Option<Whole<1, 10_000_000>>,
    /// Open loop: this many new visitors a second (Poisson), who come once.
    pub rate: Option<Positive>,
    /// The steps of a visit. Those in a list of their own, `["add", "add"]`, are done at the same moment.
    pub journey: Journey,
    /// How long a user thinks after each step.
    pub think: Dist,
    /// Closed loop: first visits begin spread over this long. By default the length of one visit without waiting.
    pub ramp: Option<Pause>,
    /// How often a user tries a step again before giving up the visit.
    pub patience: Whole<0, 100>,
    /// How long a user waits before trying a failed step again.
    pub pause: Pause,
    /// How long a user waits for an answer. (Envoy's default route timeout is 15 s.)
    pub timeout: Duration,
    /// How many users share one virtual address (NAT).
    pub nat: Whole<1, 1_000_000>,
    /// Some people are busier than others.
    pub heavy: Option<Heavy>,
}

impl Default for Users {
    fn default() -> Self {
        use Step::{Add, Browse, Checkout, Login, View};
        Users {
            count: None,
            rate: None,
            journey: vec![Login, Browse, Browse, Add, View, Add, Add, Checkout].into(),
            think: Dist::Exponential(Time::of(Span::from_secs(2))),
            ramp: None,
            patience: Whole::of(3),
            pause: Time::of(Span::from_secs(1)),
            timeout: Time::of(Span::from_secs(15)),
            nat: Whole::of(1),
            heavy: None,
        }
    }
}

impl Users {
    /// Whether they ever give the shop a file.
    #[must_use]
    pub fn upload(&self) -> bool {
        self.journey.contains(&Step::Upload)
    }

    /// Closed loop: how many people keep visiting. `None` in an open loop.
    #[must_use]
    pub fn people(&self) -> Option<u64> {
        match (self.count, self.rate) {
            (Some(count), _) => Some(count.get()),
            (None, Some(_)) => None,
            (None, None) => Some(300),
        }
    }
}

/// Heavy users: spread evenly among the others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Heavy {
    /// How many of the users are heavy (closed loop).
    pub count: Option<Whole<1, 10_000_000>>,
    /// One in so many users is heavy (either loop).
    pub one_in: Option<Whole<1, 10_000_000>>,
    /// How many times shorter they think.
    #[serde(default = "one")]
    pub activity: Whole<1, 10_000>,
    /// How many times more work each of their requests is.
    #[serde(default = "one")]
    pub cost: Whole<1, 10_000>,
    /// How many tabs each has open at once. All share one cookie jar; every tab makes visits of its own.
    #[serde(default = "one")]
    pub parallel: Whole<1, 10_000>,
}

impl Heavy {
    /// How many of so many people are heavy.
    #[must_use]
    pub fn people(&self, among: u64) -> u64 {
        match (self.count, self.one_in) {
            (Some(count), _) => count.get().min(among),
            (None, Some(one_in)) => among.div_ceil(one_in.get()),
            (None, None) => 0,
        }
    }
}

fn one() -> Whole<1, 10_000> {
    Whole::of(1)
}
