//! The users: how many there are, when they visit, and what they do.

use std::fmt;

use serde::Deserialize;

use super::limits::no_time;
use super::violation::{Checked, wrong, wrong_but};
use super::{Dist, Duration, Journey, Pause, Positive, Scenario, Time, Whole};
use crate::base::Step;
use crate::base::time::Span;
use crate::base::words::{self, thousands};

const MOST_CLIENTS: u64 = 10_000_000;
const MOST_VISITORS: f64 = 1e8;
const MOST_PEOPLE: u64 = 10_000_000;

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

/// More users arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// With `users.count`: the total number of users from then on.
    pub to: Option<Whole<1, 10_000_000>>,
    /// With `users.rate`: the rate of new visitors per second from then on.
    pub rate_to: Option<Positive>,
    /// The time over which the new users arrive, or the rate rises.
    #[serde(default = "no_time")]
    pub over: Pause,
}

/// `users grow to 600 within 30 s`
impl fmt::Display for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.to, self.rate_to) {
            (Some(to), _) => write!(f, "users grow to {}", thousands(to.get()))?,
            (None, Some(rate)) => write!(f, "the rate of new visitors goes to {} a second", words::count(rate.get()))?,
            (None, None) => return Ok(()),
        }
        let over = self.over.get();
        if over > Span::ZERO { write!(f, " within {}", words::span(over)) } else { Ok(()) }
    }
}

/// The number of users must be manageable.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let users = &scenario.users;
    if users.rate.is_some() && users.ramp.is_some() {
        let help = "leave `ramp` out: visitors at a `rate` have no common start";
        return wrong_but("users.ramp", "`ramp` is for a fixed number of users", help);
    }
    heavy(users)?;
    match (users.people(), users.rate) {
        (Some(people), _) => clients(users, people),
        (None, Some(rate)) => visitors(scenario, rate),
        (None, None) => Ok(()),
    }
}

fn clients(users: &Users, people: u64) -> Checked {
    let total = users.heavy.as_ref().map_or(people, |heavy| people + heavy.people(people) * (heavy.parallel.get() - 1));
    if total <= MOST_CLIENTS {
        return Ok(());
    }
    let message = format!("{} clients at once are too many: at most {}", thousands(total), thousands(MOST_CLIENTS));
    wrong("users.heavy.parallel", message)
}

fn visitors(scenario: &Scenario, rate: Positive) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    if rate.get() * seconds <= MOST_VISITORS {
        return Ok(());
    }
    let message =
        format!("{} visitors a second for {} are more than a hundred million", rate.get(), scenario.duration.get());
    wrong_but("users.rate", message, "lower `users.rate` or `duration`")
}

/// Whether it says how many are heavy, and whether there are as many.
fn heavy(users: &Users) -> Checked {
    let Some(heavy) = &users.heavy else { return Ok(()) };
    match (heavy.count, heavy.one_in, users.people()) {
        (None, None, _) => {
            return wrong_but("users.heavy", "the number of heavy users is missing", "give `count` or `one_in`");
        }
        (Some(_), _, None) => {
            let help = "with `users.rate` use `one_in`: the number of visitors is not known in advance";
            return wrong_but("users.heavy.count", "`count` is for a fixed number of users", help);
        }
        (Some(count), _, Some(people)) if count.get() > people => {
            let message = format!("{} heavy users among {}", thousands(count.get()), thousands(people));
            return wrong_but("users.heavy.count", message, "heavy users are part of `users.count`");
        }
        _ => {}
    }
    Ok(())
}

/// Checks users who join the people who are there by then (closed loop); `people` then counts them.
pub(super) fn check_join(path: &str, join: &Join, people: &mut Option<u64>) -> Checked {
    match (people, join.to, join.rate_to) {
        (Some(_), None, _) => {
            return wrong_but(path, "the new number of users is missing", "write `to = 600`");
        }
        (None, _, None) => {
            let help = "these users arrive at a `rate`: write `rate_to = 20`";
            return wrong_but(path, "the new rate is missing", help);
        }
        (Some(people), Some(to), _) if to.get() <= *people => {
            let message =
                format!("there are {} users by then: {} are not more", thousands(*people), thousands(to.get()));
            let help = "`to` is the total, including users who are already there, and it can only grow";
            return wrong_but(format!("{path}.to"), message, help);
        }
        (Some(_), Some(to), _) if to.get() > MOST_PEOPLE => {
            return wrong(format!("{path}.to"), "there can be at most 10 million users");
        }
        (Some(people), Some(to), _) => *people = to.get(),
        (None, _, Some(_)) => {}
    }
    Ok(())
}
