//! The session that a user's browser carries, the logouts that have ended it, and the copy that a thief has made of it.

use super::Users;
use crate::base::ClientId;
use crate::base::time::Instant;
use crate::sim::requests::InFlight;
use crate::traffic::SessionCookie;

impl Users {
    /// A login was answered: the user has this session from now on.
    pub fn keep_session(&mut self, client: ClientId, session: SessionCookie) {
        self.jar_of(client).session = Some(session);
    }

    /// A logout was answered: the user has no session any more.
    pub fn drop_session(&mut self, client: ClientId) {
        self.jar_of(client).session = None;
    }

    /// A renewed token, good until `until`, goes to the user, unless a thief presented the old one or the user has just
    /// logged out.
    #[cold]
    pub fn renew_token(&mut self, request: &InFlight, until: Instant) {
        if let (Some(SessionCookie::Renewable { login, .. }), false) = (request.session, request.command.is_a_thief_s())
        {
            self.keep_session(request.client, SessionCookie::Renewable { until, login });
        }
    }

    /// The effect of a logout, whether its user still waits for the answer or not. Whoever has closed the browser has no
    /// session any more.
    pub fn log_out(&mut self, request: &InFlight, now: Instant) {
        let (client, Some(session)) = (self.client(request.client), request.session) else { return };
        let jar = client.jar;
        if client.user == request.visit().user && !self.jars[jar as usize].open.are_none() {
            self.logged_out.entry(jar).or_default().push((session, now));
        }
    }

    /// The sessions of a client's user that a logout has ended, and when, while the browser is open.
    #[inline]
    pub fn logouts(&self, client: ClientId) -> &[(SessionCookie, Instant)] {
        if self.logged_out.is_empty() {
            return &[];
        }
        self.logged_out.get(&self.client(client).jar).map_or(&[], Vec::as_slice)
    }
}
