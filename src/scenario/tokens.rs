//! Carts and logins that travel with the user.

use serde::Deserialize;

use super::{Duration, Pause, Time};
use crate::base::time::{Instant, Span};

/// Signed tokens: carts and logins that travel with the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long a token is valid after it was issued. A login issues the session; every response about the cart issues
    /// a new cart token.
    pub lifetime: Duration,
    /// How much longer servers accept it, to allow for clock skew. (Common JWT verifiers allow 60 s.)
    pub leeway: Pause,
    /// A login also creates a refresh session in the shared store. When a session token has expired (including the
    /// leeway), the server looks up the refresh session, which costs one call, and issues a new token. A logout
    /// deletes it.
    pub refresh: bool,
    /// A logout adds the session token to a deny list in the shared store. Servers look up every token they receive
    /// there, which costs one call.
    pub deny_list: bool,
}

impl Default for Tokens {
    fn default() -> Self {
        let (lifetime, leeway) = (Time::of(Span::from_secs(900)), Time::of(Span::from_secs(60)));
        Tokens { lifetime, leeway, refresh: false, deny_list: false }
    }
}

impl Tokens {
    /// When servers stop accepting a token that is issued now.
    #[inline]
    #[must_use]
    pub fn end(&self, now: Instant) -> Instant {
        now + self.lifetime.get() + self.leeway.get()
    }
}
