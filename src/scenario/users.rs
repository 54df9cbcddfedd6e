//! The users: how many there are, when they visit, and what they do.

use serde::Deserialize;

use super::{Dist, Duration, Journey, Pause, Positive, Time, Whole};
use crate::base::Step;
use crate::base::time::Span;

/// The users: how many there are, when they visit, and what they do.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// Closed loop: this many users keep visiting. 300 if neither this nor `rate` is given.
    pub count: Option<Whole<1, 10_000_000>>,
    /// Open loop: this many new visitors a second (Poisson), each for one visit.
    pub rate: Option<Positive>,
    /// The steps of a visit. The steps of a nested list, `["add", "add"]`, are sent at the same moment.
    pub journey: Journey,
    /// How long a user thinks after each step.
    pub think: Dist,
    /// Closed loop: the first visits start spread over this time. By default the length of one visit without waiting.
    pub ramp: Option<Pause>,
    /// How often a user retries a step before giving up the visit.
    pub patience: Whole<0, 100>,
    /// How long a user waits before retrying a failed step.
    pub pause: Pause,
    /// How long a user waits for a response. (Envoy's default route timeout is 15 s.)
    pub timeout: Duration,
    /// How many users share one virtual address (NAT).
    pub nat: Whole<1, 1_000_000>,
    /// Users who are busier than the others.
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
    /// Whether the journey uploads files.
    #[must_use]
    pub fn upload(&self) -> bool {
        self.journey.contains(&Step::Upload)
    }

    /// Closed loop: the number of users. `None` in an open loop.
    #[must_use]
    pub fn people(&self) -> Option<u64> {
        match (self.count, self.rate) {
            (Some(count), _) => Some(count.get()),
            (None, Some(_)) => None,
            (None, None) => Some(300),
        }
    }
}

/// Heavy users, spread evenly among the others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Heavy {
    /// How many of the users are heavy (closed loop).
    pub count: Option<Whole<1, 10_000_000>>,
    /// One in this many users is heavy (closed or open loop).
    pub one_in: Option<Whole<1, 10_000_000>>,
    /// How many times shorter their think times are.
    #[serde(default = "one")]
    pub activity: Whole<1, 10_000>,
    /// How many times more work each of their requests takes.
    #[serde(default = "one")]
    pub cost: Whole<1, 10_000>,
    /// How many tabs each has open at once. All tabs share one cookie jar; each makes its own visits.
    #[serde(default = "one")]
    pub parallel: Whole<1, 10_000>,
}

impl Heavy {
    /// How many of a number of users are heavy.
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
