//! Carts and logins that travel with the user.

use serde::Deserialize;

use super::violation::{Checked, wrong, wrong_but};
use super::{Duration, Pause, Scenario, SessionHome, Time};
use crate::base::Step;
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
    /// The expiry that a token states which is issued now.
    #[inline]
    #[must_use]
    pub fn expiry(&self, now: Instant) -> Instant {
        now + self.lifetime.get()
    }

    /// When servers stop accepting a token with this expiry.
    #[inline]
    #[must_use]
    pub fn end(&self, expiry: Instant) -> Instant {
        expiry + self.leeway.get()
    }

    /// When servers stop accepting a token that is issued now.
    #[inline]
    #[must_use]
    pub fn end_if_issued(&self, now: Instant) -> Instant {
        self.end(self.expiry(now))
    }
}

/// Checks early revocation of tokens, and replays of a session after logout.
pub(super) fn check(scenario: &Scenario) -> Checked {
    for (key, is_given) in [("refresh", scenario.tokens.refresh), ("deny_list", scenario.tokens.deny_list)] {
        if is_given && scenario.homes.session != SessionHome::SignedToken {
            let message = format!("`tokens.{key}` without tokens: sessions live elsewhere here");
            let help = "set `homes.session` to \"signed-token\", or leave this out";
            return wrong_but(format!("tokens.{key}"), message, help);
        }
    }
    replays(&scenario.users.journey)
}

fn replays(journey: &[Step]) -> Checked {
    let Some(replay) = journey.iter().position(|step| *step == Step::ReplayToken) else { return Ok(()) };
    let here = format!("users.journey[{replay}]");
    let login = journey.iter().position(|step| *step == Step::Login);
    let logout = journey.iter().position(|step| *step == Step::Logout);
    match (login, logout) {
        (None, _) => wrong(here, "nobody logs in here, so there is no session to copy"),
        (Some(login), Some(logout)) if login < logout && logout < replay => Ok(()),
        _ => {
            let help = "put \"login\" and \"logout\" before it: the copy is presented after its owner has logged out";
            wrong_but(here, "a session is replayed before its owner has logged out", help)
        }
    }
}
