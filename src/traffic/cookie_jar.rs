//! What a user's browser keeps between requests: the affinity cookie and the session.

use crate::balancing::affinity::Pin;
use crate::base::ProcessId;
use crate::base::time::Instant;
use crate::scenario::Affinity;

/// What a user's browser stores, shared by all tabs. The response that arrives last wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jar {
    /// The affinity cookie.
    pub pin: Pin,
    /// The session, if logged in.
    pub session: Option<SessionCookie>,
    /// Visits that are open in any tab.
    pub open: OpenVisits,
}

/// A user's open visits, in any tab. The browser closes with the last of them; then session cookies go, the login among
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenVisits(u16);

impl OpenVisits {
    /// A visit begins.
    #[inline]
    pub fn began(&mut self) {
        self.0 += 1;
    }

    /// A visit ends. Returns whether the browser closes.
    #[inline]
    pub fn ended(&mut self) -> bool {
        self.0 -= 1;
        self.0 == 0
    }

    /// Whether none is open.
    #[inline]
    #[must_use]
    pub fn are_none(self) -> bool {
        self.0 == 0
    }
}

/// A session as its user carries it, by which servers accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCookie {
    /// Only the process that logged the user in, which has it in memory under this number.
    Memory(ProcessId, u32),
    /// Every server, before this moment: a signed token. If it does not expire, the moment is [never](Instant::NEVER).
    Until(Instant),
    /// Every server, as long as the shared store has the login with this number.
    Stored(u32),
    /// Every server before this moment, and later as long as the shared store has the login with this number.
    Renewable {
        /// When the token expires and is renewed.
        until: Instant,
        /// Its refresh session in the store.
        login: u32,
    },
    /// Only the process that signed it with its own key, before this moment.
    Signed(ProcessId, Instant),
}

impl SessionCookie {
    /// The login that the store has of it, if any.
    #[must_use]
    pub fn stored_login(self) -> Option<u32> {
        match self {
            SessionCookie::Stored(login) | SessionCookie::Renewable { login, .. } => Some(login),
            SessionCookie::Memory(..) | SessionCookie::Until(_) | SessionCookie::Signed(..) => None,
        }
    }
}

impl Jar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Jar {
        Jar { pin: Pin::default(), session: None, open: OpenVisits::default() }
    }

    /// A visit ended. When the browser closes, the session is deleted, and so is the affinity cookie if it lives as long
    /// as a visit.
    #[inline]
    pub fn visit_ended(&mut self, affinity: Affinity) {
        if self.open.ended() {
            self.session = None;
            self.pin.browser_closes(affinity);
        }
    }
}

impl Default for Jar {
    fn default() -> Self {
        Jar::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ServerId;
    use crate::scenario::CookieLife;

    #[test]
    fn the_browser_closes_with_the_last_visit() {
        for (life, kept) in [(CookieLife::Visit, false), (CookieLife::User, true)] {
            let affinity = Affinity::Cookie(life);
            let mut jar = Jar { pin: Pin::to(ServerId(1), Instant::ZERO), ..Jar::new() };
            jar.session = Some(SessionCookie::Memory(ProcessId(1), 0));
            jar.open.began();
            jar.open.began();
            jar.visit_ended(affinity);
            assert!(jar.session.is_some() && jar.pin.server().is_some());
            jar.visit_ended(affinity);
            assert_eq!((jar.session, jar.pin.server().is_some()), (None, kept), "{life:?}");
        }
    }

    #[test]
    fn a_jar_stays_small() {
        assert!(size_of::<Jar>() <= 32, "{} bytes", size_of::<Jar>());
    }
}
