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
    pub session: Option<Session>,
    /// Visits that are open in any tab.
    pub open_visits: u16,
}

/// A session as its user carries it, by which servers accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Only the process that logged the user in, which has it in memory.
    Memory(ProcessId),
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

impl Jar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Jar {
        Jar { pin: Pin::default(), session: None, open_visits: 0 }
    }

    /// A visit ended. After the last open visit the browser is closed: the session is deleted, and so is the affinity
    /// cookie if it lives as long as a visit.
    #[inline]
    pub fn visit_ended(&mut self, affinity: Affinity) {
        self.open_visits -= 1;
        if self.open_visits == 0 {
            self.session = None;
            self.pin.visits_ended(affinity);
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

    #[test]
    fn a_jar_stays_small() {
        assert!(size_of::<Jar>() <= 32, "{} bytes", size_of::<Jar>());
    }
}
