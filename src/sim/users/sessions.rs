//! Logins in the simulation: which session a user carries, and whether a server accepts it. The rules are in
//! [`state::session`](crate::state::session).

use crate::base::time::Instant;
use crate::base::{Command, Outcome, ProcessId};
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestId};
use crate::state::session::{self, CredentialCheck, CredentialStatus, Issued};
use crate::state::tokens;
use crate::traffic::Session;

/// A copy of a session whose user has logged out.
#[derive(Clone, Copy, Debug)]
pub struct Stolen {
    /// The copy.
    pub session: Session,
    /// When the logout was committed.
    logout: Instant,
}

impl Sim {
    /// The state of a request's login as its server sees it.
    #[inline]
    pub(in crate::sim) fn credential(request: &InFlight) -> CredentialStatus {
        match request.session {
            Some(Session::Until(end) | Session::Renewable { until: end, .. })
                if !tokens::is_current(end, request.started) =>
            {
                CredentialStatus::Expired
            }
            Some(_) => CredentialStatus::Current,
            None if request.command.is_a_thief_s() => CredentialStatus::Forged,
            None => CredentialStatus::Nothing,
        }
    }

    /// Whether its server accepts a request's login.
    #[inline]
    pub(in crate::sim) fn accepts(&self, request: &InFlight) -> bool {
        let found = match request.session {
            None if request.credential == CredentialStatus::Nothing => return true,
            _ if request.command == Command::ReplayToken => match self.users.stolen.get(&request.client) {
                // Nothing was stolen, or the visit is over.
                None => return false,
                Some(stolen) => self.check_stolen(*stolen, self.process_of(request.server)),
            },
            None => CredentialCheck::default(),
            Some(session) => self.check(session, self.process_of(request.server)),
        };
        session::accepts(self.shop.rules.homes.session, &self.shop.rules.tokens, request.credential, found)
    }

    /// What a server finds out about a session presented to it.
    #[inline]
    fn check(&self, session: Session, here: ProcessId) -> CredentialCheck {
        let genuine = CredentialCheck { genuine: true, current: true, ..CredentialCheck::default() };
        match session {
            Session::Memory(process) => CredentialCheck { genuine: process == here, ..genuine },
            Session::Until(end) => CredentialCheck { current: tokens::is_current(end, self.now), ..genuine },
            Session::Signed(process, end) => {
                CredentialCheck { genuine: process == here, current: tokens::is_current(end, self.now), ..genuine }
            }
            Session::Stored(login) => CredentialCheck { stored: self.store.logins.knows(login), ..genuine },
            Session::Renewable { until, login } => {
                let stored = self.store.logins.knows(login);
                CredentialCheck { current: tokens::is_current(until, self.now), stored, ..genuine }
            }
        }
    }

    /// The same for a session whose user has logged out. The logout counts unless the store has lost it.
    #[cold]
    fn check_stolen(&self, stolen: Stolen, here: ProcessId) -> CredentialCheck {
        let found = self.check(stolen.session, here);
        let undone = self.store.logins.has_forgotten(stolen.logout);
        let remembered = matches!(stolen.session, Session::Memory(_));
        CredentialCheck {
            genuine: found.genuine && !remembered,
            stored: found.stored && undone,
            denied: self.shop.rules.tokens.deny_list && !undone,
            ..found
        }
    }

    /// Updates the user's session after an answer to a login, a logout, or a request that renewed a token.
    #[inline(always)]
    pub(in crate::sim) fn keep_session(&mut self, id: RequestId, request: &InFlight, outcome: Outcome) {
        match (request.command, outcome) {
            (Command::Login, Outcome::Ok(_)) => {
                let session = self.log_in(self.answered_by(id));
                self.users.jar_of(request.client).session = Some(session);
            }
            (Command::Logout, Outcome::Ok(_)) => {
                self.users.jar_of(request.client).session = None;
                if let (true, Some(session)) = (self.workload.replays, request.session) {
                    self.users.stolen.insert(request.client, Stolen { session, logout: self.now });
                }
            }
            _ if self.renews(request, outcome) => self.renew(request),
            _ => {}
        }
    }

    /// The session of a user whom this process has just logged in.
    fn log_in(&mut self, process: ProcessId) -> Session {
        let rules = &self.shop.rules.tokens;
        let until = rules.end_if_issued(self.now);
        let own_keys = self.shop.hidden.as_ref().is_some_and(|hidden| hidden.own_keys());
        match session::issue(self.shop.rules.homes.session, rules) {
            Issued::Remembered => Session::Memory(process),
            Issued::Signed | Issued::SignedAndStored if own_keys => Session::Signed(process, until),
            Issued::SignedAndStored => Session::Renewable { until, login: self.store.logins.log_in(self.now) },
            Issued::Signed => Session::Until(until),
            Issued::Stored => Session::Stored(self.store.logins.log_in(self.now)),
            Issued::Plain => Session::Until(Instant::NEVER),
        }
    }

    /// Whether the answer to a request brings a new token in place of an expired one.
    #[inline]
    pub(in crate::sim) fn renews(&self, request: &InFlight, outcome: Outcome) -> bool {
        let rules = &self.shop.rules;
        session::renews(rules.homes.session, &rules.tokens, request.credential)
            && matches!(request.session, Some(Session::Renewable { .. }))
            && matches!(outcome, Outcome::Ok(_))
    }

    /// Gives a renewed token to its user, unless a thief presented the old one or the user has just logged out.
    #[cold]
    fn renew(&mut self, request: &InFlight) {
        if let (Some(Session::Renewable { login, .. }), false) = (request.session, request.command.is_a_thief_s()) {
            let until = self.shop.rules.tokens.end_if_issued(self.now);
            self.users.jar_of(request.client).session = Some(Session::Renewable { until, login });
        }
    }
}
