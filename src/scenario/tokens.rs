//! Carts and logins that travel with the user.

use serde::Deserialize;

use super::{Duration, Pause, Time};
use crate::base::time::{Instant, Span};

/// Signed tokens: carts and logins that travel with the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long one is valid after it was issued. A login issues a session; every answer about the cart issues that anew.
    pub lifetime: Duration,
    /// How much longer servers accept it, because their clocks differ. (Common verifiers of JWTs allow 60 s.)
    pub leeway: Pause,
    /// A login also leaves a refresh session in the shared store. When a session's time is over (with the leeway), the
    /// server looks there, at the cost of one call, and issues it anew; after a logout it is gone.
    pub refresh: bool,
    /// A logout writes the session's token to a deny list in the shared store, in which servers look up every token that
    /// they are shown, at the cost of one call.
    pub deny_list: bool,
}

impl Default for Tokens {
    fn default() -> Self {
        let (lifetime, leeway) = (Time::of(Span::from_secs(900)), Time::of(Span::from_secs(60)));
        Tokens { lifetime, leeway, refresh: false, deny_list: false }
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
