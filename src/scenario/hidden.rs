//! Hidden state: what servers keep in their own memory although the pool is supposed to be stateless.

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{Duration, Scenario, SessionHome, Time, Whole};
use crate::base::ServerId;
use crate::base::Step;
use crate::base::seed::{Key, Purpose, Sampler, Seed};
use crate::base::time::{Instant, Span};

/// The one thing that every process keeps in its own memory in an otherwise stateless pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum HiddenState {
    /// Nothing: the pool really is stateless.
    #[default]
    None,
    /// How many requests a user has sent. Each process counts only the requests it receives.
    RateLimiter,
    /// The CSRF token of the form on the page that it served last. A form posted to another process is refused (403)
    /// and shown again.
    CsrfToken,
    /// The key that signs logins, generated when the process starts. Other processes answer 401.
    SigningKey,
    /// Which visits have checked out. A checkout that is retried on another process charges again.
    IdempotencyKey,
    /// A cached copy of the catalogue. Pages can show an older version than the page before.
    Cache,
}

/// How hidden state behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Hidden {
    /// For a `rate-limiter`.
    pub rate: RateLimit,
    /// For a `cache`.
    pub cache: Cache,
}

/// What a rate limiter allows each user, in fixed windows. A request counts in the window in which it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RateLimit {
    /// Requests allowed in one window; further ones are refused (429).
    pub limit: Whole<1, 1_000_000>,
    /// The length of a window. The first begins when the shop opens.
    pub window: Duration,
}

/// A cache of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// How long a process keeps its copy of the catalogue before it reads it again.
    pub ttl: Duration,
    /// How often the catalogue changes.
    pub changes: Duration,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit { limit: Whole::of(5), window: Time::of(Span::from_secs(1)) }
    }
}

impl RateLimit {
    /// The number of the window that contains this moment, counted from 0.
    #[must_use]
    pub fn window_of(&self, sent: Instant) -> u64 {
        sent.as_nanos() / self.window.get().as_nanos()
    }
}

impl Default for Cache {
    fn default() -> Self {
        Cache { ttl: Time::of(Span::from_secs(30)), changes: Time::of(Span::from_secs(10)) }
    }
}

impl Cache {
    /// How long a server that is up when the shop opens keeps its first copy. It is random, because servers did not
    /// start at the same time.
    #[must_use]
    pub fn first_copy_lasts(&self, server: ServerId, seed: Seed) -> Span {
        let key = Key { entity: u64::from(server.0), ..Key::default() };
        let any = Sampler::Uniform { from: Span::ZERO, to: self.ttl.get() };
        any.sample(&mut seed.draw(Purpose::Cache, key))
    }

    /// The version of the catalogue at a moment, counted from 1.
    #[must_use]
    pub fn version(&self, now: Instant) -> u32 {
        u32::try_from(now.as_nanos() / self.changes.get().as_nanos() + 1).unwrap_or(u32::MAX)
    }
}

/// Hidden state must be possible in the scenario.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let path = "servers.hidden";
    let journey = &scenario.users.journey;
    match scenario.servers.hidden {
        HiddenState::SigningKey if scenario.homes.session != SessionHome::SignedToken => {
            let help = "set `homes.session = \"signed-token\"`, or hide something else";
            wrong_but(path, "a signing key signs logins, but in this scenario they are not signed", help)
        }
        HiddenState::SigningKey if !journey.contains(&Step::Login) => {
            let help = "begin the journey with \"login\"";
            wrong_but(path, "a signing key signs logins, but nobody logs in on this journey", help)
        }
        HiddenState::SigningKey if scenario.tokens.refresh || scenario.tokens.deny_list => {
            let help = "leave out `tokens.refresh` and `tokens.deny_list`";
            wrong_but(path, "a hidden signing key cannot be combined with early revocation", help)
        }
        HiddenState::CsrfToken if matches!(journey.first(), Some(Step::Add | Step::Remove | Step::Checkout)) => {
            let help = "begin the journey with \"login\" or \"browse\"";
            wrong_but(path, "this journey posts a form before it has seen a page", help)
        }
        _ => Ok(()),
    }
}
