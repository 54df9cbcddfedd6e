//! State that servers keep to themselves though the pool is taken to be stateless.

use serde::Deserialize;

use super::{Duration, Time, Whole};
use crate::base::ServerId;
use crate::base::seed::{Key, Purpose, Sampler, Seed};
use crate::base::time::{Instant, Span};

/// The one thing that every process keeps in its own memory, in a pool that is stateless otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HiddenState {
    /// Nothing: the pool is what it is taken to be.
    #[default]
    None,
    /// How many requests a user has sent: each process counts only those that it gets.
    RateLimiter,
    /// The token in the form of the page that it served last: a form that is posted to another process is refused (403)
    /// and shown anew.
    CsrfToken,
    /// The key that signs logins, made when the process starts: others answer 401.
    SigningKey,
    /// Which visits have checked out: a checkout that is tried again elsewhere charges again.
    IdempotencyKey,
    /// The catalogue as it was some time ago: pages can go back in time.
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

/// What a rate limiter allows one user: a fixed window. A request counts in the window in which it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RateLimit {
    /// Requests in one window; more are refused (429).
    pub limit: Whole<1, 1_000_000>,
    /// The length of a window. The first begins when the shop opens.
    pub window: Duration,
}

/// A cache of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// How long a process keeps the catalogue before it reads it again.
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
    /// The window that a moment falls into, counted from 0.
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
    /// How long a server that runs when the shop opens keeps the copy that it has then: servers did not start together.
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
