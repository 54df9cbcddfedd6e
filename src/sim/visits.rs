//! Visits: clients wake, send requests, are answered, and leave.

use super::Sim;
use super::events::TimerKind;
use super::requests::{InFlight, RequestSlot};
use super::users::Reaction;
use crate::base::seed::Key;
use crate::base::{ClientId, Command, Outcome};
use crate::history::{Ending, Event, Recorder, Request, Seen};
use crate::state::process_local::shows_form;
use crate::state::session;

impl Sim {
    /// A client's think time or pause ends.
    #[inline(always)]
    pub(super) fn wake<R: Recorder>(&mut self, recorder: &mut R, id: ClientId) {
        if self.users.begin_visit(recorder, id, self.events.now)
            && let Some(hidden) = &mut self.shop.hidden
        {
            hidden.note_page(id, None);
        }
        match self.users.begin_concurrent_steps(id) {
            Some(steps) => steps.for_each(|step| self.send_step(recorder, id, step)),
            None => self.send(recorder, id),
        }
    }

    #[inline]
    fn send<R: Recorder>(&mut self, recorder: &mut R, client: ClientId) {
        let (request, key) = self.users.next_request(client, self.events.now);
        self.post(recorder, client, request, key);
    }

    /// Sends the request of a concurrent step, unless the user has given up.
    pub(super) fn send_step<R: Recorder>(&mut self, recorder: &mut R, client: ClientId, step: u16) {
        if let Some((request, key)) = self.users.request_of_step(client, step, self.events.now) {
            self.post(recorder, client, request, key);
        }
    }

    /// Sends a request to the balancer.
    #[inline(always)]
    fn post<R: Recorder>(&mut self, recorder: &mut R, client: ClientId, request: Request, key: Key) {
        let now = self.events.now;
        let id = self.requests.insert(self.users.post(client, request, key, now));
        let sent = &self.requests[id];
        self.events.start_timer(TimerKind::Answer, now + self.users.workload.timeout, id, sent);
        recorder.record(&Event::seen(now, sent.visit(), Seen::Sent(request)));
        self.route(recorder, id);
    }

    /// A server's answer reaches a user who is still waiting: first the cookies are updated, then the user reacts.
    #[inline(always)]
    pub(super) fn answer<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, outcome: Outcome) {
        let request = self.requests[id];
        if let Some(hidden) = &mut self.shop.hidden
            && shows_form(outcome.is_server_error())
        {
            hidden.note_page(request.client, Some(self.balancer.pool.process_on(request.server)));
        }
        if self.users.needs_jars {
            self.users.jar_of(request.client).pin.answered(self.balancer.affinity, request.server, self.events.now);
            self.keep_session(id, &request, outcome);
        }
        let at_once = self.users.workload.is_simultaneous();
        self.shop.replace_token(self.users.carts_of(request.client), &request, outcome, at_once, self.events.now);
        self.tell(recorder, id, outcome);
        self.requests.remove(id);
    }

    /// Updates the user's session after an answer to a login, a logout, or a request that renewed a token.
    #[inline(always)]
    fn keep_session(&mut self, id: RequestSlot, request: &InFlight, outcome: Outcome) {
        let (rules, now) = (&self.shop.rules, self.events.now);
        match (request.command, outcome) {
            (Command::Login, Outcome::Ok(_)) => {
                let issued = session::issue(rules.homes.session, &rules.tokens);
                let own_keys = self.shop.hidden.as_ref().is_some_and(|hidden| hidden.own_keys());
                let answered_by = self.network.as_ref().and_then(|network| network.answered_by(id));
                let process = answered_by.unwrap_or_else(|| self.balancer.pool.process_on(request.server));
                let session = self.store.logins.issue(issued, own_keys, process, rules.tokens.end_if_issued(now), now);
                self.users.keep_session(request.client, session);
            }
            (Command::Logout, Outcome::Ok(_)) => self.users.drop_session(request.client),
            _ if self.shop.renews(request, outcome) => self.users.renew_token(request, rules.tokens.end_if_issued(now)),
            _ => {}
        }
    }

    /// A user learns how a request ended, and goes on. The request's slot is not freed here.
    #[inline(always)]
    pub(super) fn tell<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, outcome: Outcome) {
        // From here on nobody waits for it, whatever its user does next.
        self.requests[id].departed = true;
        let request = &self.requests[id];
        let client = request.client;
        match self.users.told(recorder, &mut self.events, request, outcome) {
            Reaction::Wait => {}
            Reaction::Send => self.send(recorder, client),
            Reaction::SendStep(step) => self.send_step(recorder, client, step),
            Reaction::Leave(ending) => self.leave(recorder, client, ending),
        }
    }

    /// A visit ends, and its carts are forgotten.
    fn leave<R: Recorder>(&mut self, recorder: &mut R, id: ClientId, ending: Ending) {
        self.users.leave(recorder, &mut self.events, id, ending, self.balancer.affinity);
        self.shop.carts.forget(self.users.carts_of(id), id);
        if let Some(replicas) = self.network.as_mut().and_then(|network| network.replicas.as_mut()) {
            replicas.forget(id);
        }
    }
}
