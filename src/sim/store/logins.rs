//! Sessions in the store: serial numbers in order of time. What a failover loses is then a range of numbers, and a
//! session needs no memory. The rules are in [`state::session`](crate::state::session).

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::ProcessId;
use crate::base::time::{Instant, Span};
use crate::scenario::Forgets;
use crate::state::session::{CredentialCheck, Issued};
use crate::state::store::is_forgotten;
use crate::state::tokens;
use crate::traffic::SessionCookie;

/// The sessions that the store has issued, and those that it has lost.
#[derive(Clone, Debug)]
pub struct Logins {
    window: Option<Span>,
    next: u32,
    /// How many logins the memory of servers has held.
    remembered: u32,
    /// Sessions within the durability window, oldest first.
    recent: VecDeque<(Instant, u32)>,
    forgotten: Vec<Range<u32>>,
    /// When the store lost data, and how much.
    losses: Vec<(Instant, Forgets)>,
}

impl Logins {
    /// Creates a store without sessions.
    #[must_use]
    pub fn new(window: Option<Span>) -> Logins {
        Logins { window, next: 0, remembered: 0, recent: VecDeque::new(), forgotten: Vec::new(), losses: Vec::new() }
    }

    /// The session of a user whom this process logs in. A token is good until `until`; with `own_keys`, each process
    /// signs tokens with a key of its own.
    pub fn issue(
        &mut self,
        issued: Issued,
        own_keys: bool,
        process: ProcessId,
        until: Instant,
        now: Instant,
    ) -> SessionCookie {
        match issued {
            Issued::Remembered => {
                self.remembered += 1;
                SessionCookie::Memory(process, self.remembered)
            }
            Issued::Signed | Issued::SignedAndStored if own_keys => SessionCookie::Signed(process, until),
            Issued::SignedAndStored => SessionCookie::Renewable { until, login: self.log_in(now) },
            Issued::Signed => SessionCookie::Until(until),
            Issued::Stored => SessionCookie::Stored(self.log_in(now)),
            Issued::Plain => SessionCookie::Until(Instant::NEVER),
        }
    }

    /// What a process finds out about a session that is presented to it. `logouts`: the sessions of this user that a
    /// logout has ended, and when.
    #[inline]
    #[must_use]
    pub fn check(
        &self,
        session: SessionCookie,
        logouts: &[(SessionCookie, Instant)],
        here: ProcessId,
        deny_list: bool,
        now: Instant,
    ) -> CredentialCheck {
        let genuine = match session {
            SessionCookie::Memory(process, _) => process == here && !self.is_ended(session, logouts),
            SessionCookie::Signed(process, _) => process == here,
            SessionCookie::Until(_) | SessionCookie::Stored(_) | SessionCookie::Renewable { .. } => true,
        };
        let current = match session {
            SessionCookie::Until(end) | SessionCookie::Signed(_, end) | SessionCookie::Renewable { until: end, .. } => {
                tokens::is_current(end, now)
            }
            SessionCookie::Memory(..) | SessionCookie::Stored(_) => true,
        };
        let stored = |login| self.knows(login) && !self.is_ended(session, logouts);
        CredentialCheck {
            genuine,
            current,
            stored: session.stored_login().is_some_and(stored),
            denied: deny_list && logouts.iter().any(|(of, at)| *of == session && !self.has_forgotten(*at)),
        }
    }

    /// Whether one of these logouts has ended a session where it is kept: in the memory of its process, or in the store,
    /// unless the store has lost that.
    #[inline]
    #[must_use]
    pub fn is_ended(&self, session: SessionCookie, logouts: &[(SessionCookie, Instant)]) -> bool {
        logouts.iter().any(|(of, at)| match session.stored_login() {
            None => *of == session,
            login => of.stored_login() == login && !self.has_forgotten(*at),
        })
    }

    /// Issues a session, and returns its number.
    fn log_in(&mut self, now: Instant) -> u32 {
        let number = self.next;
        self.next += 1;
        if let Some(window) = self.window {
            self.recent.push_back((now, number));
            while self.recent.front().is_some_and(|(at, _)| !is_forgotten(*at, now, Forgets::Last(window))) {
                self.recent.pop_front();
            }
        }
        number
    }

    /// Whether the store still knows this session.
    #[inline]
    #[must_use]
    pub fn knows(&self, login: u32) -> bool {
        !self.forgotten.iter().any(|range| range.contains(&login))
    }

    /// Whether the store has lost what was written at this time.
    fn has_forgotten(&self, written: Instant) -> bool {
        self.losses.iter().any(|(at, forgets)| written < *at && is_forgotten(written, *at, *forgets))
    }

    /// The store's process ends now, and loses whatever was not durable.
    pub fn forget(&mut self, now: Instant, forgets: Forgets) {
        let from = match forgets {
            Forgets::Everything => 0,
            Forgets::Last(_) => {
                let mut recent = self.recent.iter().filter(|(at, _)| is_forgotten(*at, now, forgets));
                recent.next().map_or(self.next, |(_, login)| *login)
            }
        };
        self.forgotten.push(from..self.next);
        self.losses.push((now, forgets));
        self.recent.clear();
    }
}
