//! Carts and logins that travel with the user.

use serde::Deserialize;

use super::{Duration, Pause, Time};
use crate::time::{Instant, Span};

/// Signed tokens: carts and logins that travel with the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long one is valid after it was issued. A login issues a session; every answer about the cart issues that anew.
    pub lifetime: Duration,
    /// How much longer servers accept it, because their clocks differ. (Common verifiers of JWTs allow 60 s.)
    pub leeway: Pause,
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens { lifetime: Time::of(Span::from_secs(900)), leeway: Time::of(Span::from_secs(60)) }
    }
}

impl Tokens {
    /// From when on servers refuse a token that is issued now.
    #[inline]
    #[must_use]
    pub fn end(&self, now: Instant) -> Instant {
        now + self.lifetime.get() + self.leeway.get()
    }
}
