//! The session that a user's browser carries, and the copy that a thief has made of it.

use super::Users;
use crate::base::ClientId;
use crate::base::time::Instant;
use crate::sim::requests::InFlight;
use crate::traffic::Session;

/// A copy of a session whose user has logged out.
#[derive(Clone, Copy, Debug)]
pub struct Stolen {
    /// The copy.
    pub session: Session,
    /// When the logout was committed.
    pub logout: Instant,
}

impl Users {
    /// A login was answered: the user has this session from now on.
    pub fn log_in(&mut self, client: ClientId, session: Session) {
        self.jar_of(client).session = Some(session);
    }

    /// A logout was answered: the user has no session any more. A thief keeps a copy, if there are thieves.
    pub fn log_out(&mut self, request: &InFlight, now: Instant) {
        self.jar_of(request.client).session = None;
        if let (true, Some(session)) = (self.workload.replays, request.session) {
            self.stolen.insert(request.client, Stolen { session, logout: now });
        }
    }

    /// A renewed token, good until `until`, goes to the user, unless a thief presented the old one or the user has just
    /// logged out.
    #[cold]
    pub fn renew_token(&mut self, request: &InFlight, until: Instant) {
        if let (Some(Session::Renewable { login, .. }), false) = (request.session, request.command.is_a_thief_s()) {
            self.log_in(request.client, Session::Renewable { until, login });
        }
    }
}
