//! Users: they wake, send, are told, and leave.

use super::events::{Due, TimerKind};
use super::requests::{InFlight, RequestId, RequestState};
use super::{ClientSlot, Context, World};
use crate::balancing::policy::Policy;
use crate::base::seed::Key;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Outcome, ProcessId, Refusal, Reply, ServerId, UserId};
use crate::history::{Ending, Event, EventKind, Recorder, Request, Seen};
use crate::scenario::{CartHome, CartPath, SessionHome};
use crate::state::home::{CredentialStatus, StoreCalls};
use crate::traffic::workload::{Client, Jar, Loop, Next, Session};

/// Clients at once: their ids have 24 bits in the queue.
const MAX_CLIENTS: usize = 1 << 24;

/// A copy of a session whose user has logged out.
#[derive(Clone, Copy, Debug)]
pub struct Stolen {
    session: Session,
    /// When the logout was committed.
    logout: Instant,
}

impl World {
    /// Prepares for everybody who will come.
    pub(super) fn expect_users(&mut self) {
        match self.workload.arrivals {
            Loop::Closed { users, ramp } => {
                let extra = self.workload.heavy().map_or(0, |_| 64);
                self.clients.reserve_exact(users as usize + extra);
                for user in (1..=users).map(UserId) {
                    self.expect_user(user, Instant::ZERO, ramp);
                }
            }
            Loop::Open { .. } => self.events.schedule(Instant::ZERO, Due::Visitor(UserId(0))),
        }
    }

    /// Prepares for one who comes within the ramp that begins at `from`.
    pub(super) fn expect_user(&mut self, user: UserId, from: Instant, ramp: Span) {
        let jar = self.jars.len();
        if self.needs_jars {
            self.jars.push(Jar::new());
        }
        for tab in 0..self.workload.tabs(user) {
            let client = Client::new(user, tab, u32::try_from(jar).expect("as many as users"));
            let at = self.workload.first_visit(&client, from, ramp);
            if at < self.workload.closes {
                self.events.wakes.push(at, self.new_client_id());
            }
            self.clients.push(ClientSlot::new(client));
        }
    }

    fn new_client_id(&self) -> ClientId {
        assert!(self.clients.len() < MAX_CLIENTS, "more than 16 million clients at once");
        #[expect(clippy::cast_possible_truncation, reason = "just checked")]
        ClientId(self.clients.len() as u32)
    }

    /// A new visitor comes, and the next one is expected. User 0 is the moment the shop opens.
    pub(super) fn visitor<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, user: UserId) {
        let Loop::Open { between } = self.workload.arrivals else { return };
        let next = UserId(user.0 + 1);
        let at = self.now + self.workload.until_visitor(next, self.now, between);
        if at < self.workload.closes {
            self.events.schedule(at, Due::Visitor(next));
        }
        if user.0 == 0 {
            return;
        }
        let jar = self.new_jar();
        // All are seated before one wakes: it may leave at once, and another tab of this user must not get its seat.
        let first = self.slot(Client::new(user, 0, jar));
        let others: Vec<ClientId> =
            (1..self.workload.tabs(user)).map(|tab| self.slot(Client::new(user, tab, jar))).collect();
        self.wake(context, first);
        for id in others {
            self.wake(context, id);
        }
    }

    /// A free seat, or a new one.
    fn slot(&mut self, client: Client) -> ClientId {
        let id = self.free_clients.pop().map_or_else(|| self.new_client_id(), ClientId);
        if id.index() == self.clients.len() {
            self.clients.push(ClientSlot::new(client));
        } else {
            self.clients[id.index()] = ClientSlot::new(client);
        }
        id
    }

    fn new_jar(&mut self) -> u32 {
        if !self.needs_jars {
            return 0;
        }
        self.free_jars.pop().unwrap_or_else(|| {
            self.jars.push(Jar::new());
            u32::try_from(self.jars.len() - 1).expect("at most as many as clients")
        })
    }

    /// A client's think time or pause is over.
    #[inline(always)]
    pub(super) fn wake<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: ClientId) {
        let client = &mut self.clients[id.index()].client;
        if client.is_away() {
            client.begin();
            self.open_visits += 1;
            if self.needs_jars {
                self.jars[client.jar as usize].open_visits += 1;
            }
            if let Some(hidden) = &mut self.hidden {
                hidden.shows(id, None);
            }
            let what = EventKind::Seen(client.visit(id), Seen::Began);
            context.recorder.record(&Event { at: self.now, what });
        }
        if self.workload.is_simultaneous() && self.begin_concurrent_steps(context, id) {
            return;
        }
        self.send(context, id);
    }

    #[inline]
    fn send<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, client: ClientId) {
        let sender = &mut self.clients[client.index()].client;
        let mut request = sender.request(&self.workload, self.now);
        if let Some(files) = &mut self.files {
            request.command = sender.name_file(&self.workload, files.folder(sender.user), request.command);
        }
        let key = sender.key();
        self.post(context, client, request, key);
    }

    /// A request goes to the balancer.
    #[inline(always)]
    pub(super) fn post<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        client: ClientId,
        request: Request,
        key: Key,
    ) {
        let ClientSlot { client: sender, carts_here } = &self.clients[client.index()];
        let visit = sender.visit(client);
        let session = match request.command {
            Command::Login | Command::ForgeSession => None,
            Command::ReplayToken => self.stolen.get(&client).map(|stolen| stolen.session),
            _ if self.workload.logs_in => self.jars[sender.jar as usize].session,
            _ => None,
        };
        let (copy, copy_ends) = match self.homes.cart {
            CartHome::SignedToken => (carts_here.copy(), carts_here.token_end()),
            CartHome::ServerMemory | CartHome::SharedStore | CartHome::ReplicatedMemory => (None, Instant::ZERO),
        };
        let id = self.requests.insert(InFlight {
            key,
            client,
            command: request.command,
            sent: self.now,
            started: self.now,
            copy,
            copy_ends,
            session,
            server: ServerId(0),
            worker: 0,
            place: RequestState::Balancer,
            retries: 0,
            departed: false,
            refused: None,
            path: CartPath::Usual,
            credential: CredentialStatus::Nothing,
            calls: StoreCalls::default(),
            serial: 0,
        });
        self.events.start_timer(TimerKind::Answer, self.now + self.workload.timeout, id, &self.requests[id]);
        context.recorder.record(&Event { at: self.now, what: EventKind::Seen(visit, Seen::Sent(request)) });
        self.route(context, id);
    }

    /// A server answered, and the user is still there: cookies first, then the news.
    #[inline(always)]
    pub(super) fn answer<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        outcome: Outcome,
    ) {
        let request = self.requests[id];
        if let Some(hidden) = &mut self.hidden
            && !matches!(outcome, Outcome::Refused(Refusal::QueueFull | Refusal::StoreDown | Refusal::StoreFull))
        {
            hidden.shows(request.client, Some(self.pool.members[request.server.index()].process));
        }
        if self.needs_jars {
            let logged_in_at = (request.command == Command::Login).then(|| self.answered_by(id));
            let jar = &mut self.jars[self.clients[request.client.index()].client.jar as usize];
            jar.pin.answered(self.affinity, request.server, self.now);
            match (logged_in_at, request.command, outcome) {
                (Some(process), _, Outcome::Ok(_)) => {
                    let until = self.tokens.end(self.now);
                    jar.session = Some(match self.homes.session {
                        SessionHome::ServerMemory => Session::Memory(process),
                        SessionHome::SignedToken if self.hidden.as_ref().is_some_and(|hidden| hidden.own_keys()) => {
                            Session::Signed(process, until)
                        }
                        SessionHome::SignedToken if self.tokens.refresh => {
                            Session::Renewable { until, login: self.store_limits.log_in(self.now) }
                        }
                        SessionHome::SignedToken => Session::Until(until),
                        SessionHome::SharedStore => Session::Stored(self.store_limits.log_in(self.now)),
                        SessionHome::UnsignedCookie => Session::Until(Instant::NEVER),
                    });
                }
                (_, Command::Logout, Outcome::Ok(_)) => {
                    jar.session = None;
                    if let (true, Some(session)) = (self.workload.replays, request.session) {
                        self.stolen.insert(request.client, Stolen { session, logout: self.now });
                    }
                }
                _ if self.renews(&request, outcome) => self.renew(&request),
                _ => {}
            }
        }
        if let (CartHome::SignedToken, Some(items), Outcome::Ok(_)) = (self.homes.cart, request.copy, outcome) {
            let carts_here = &mut self.clients[request.client.index()].carts_here;
            if self.workload.is_simultaneous() {
                self.carts.token_replaced(carts_here.copy(), items, request.client, request.command);
            }
            carts_here.keep_token(items, self.tokens.end(self.now));
        }
        self.tell(context, id, outcome);
        self.requests.remove(id);
    }

    /// A user learns how a request ended, and goes on. The request itself stays where it is.
    #[inline(always)]
    pub(super) fn tell<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        id: RequestId,
        outcome: Outcome,
    ) {
        let request = self.requests[id];
        // From here on nobody waits for it, whatever its user does next.
        self.requests[id].departed = true;
        if !self.concurrent_steps.is_empty() && self.tell_concurrent_steps(context, &request, outcome) {
            return;
        }
        let client = &mut self.clients[request.client.index()].client;
        if let Some(files) = &mut self.files {
            files.folder(client.user).told(request.command, outcome);
        }
        let meant = client.meant;
        let next = client.told(&self.workload, request.command, outcome);
        let settled = matches!(next, Next::Think | Next::Leave(_));
        let told = Seen::Told { request: request.request(), sent: request.sent, meant, outcome, settled };
        context.recorder.record(&Event { at: self.now, what: EventKind::Seen(request.visit(), told) });
        self.go_on(context, request.client, next);
    }

    /// A client does what it has decided.
    #[inline(always)]
    pub(super) fn go_on<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: ClientId, next: Next) {
        match next {
            Next::Think => {
                let at = self.now + self.workload.think(&self.clients[id.index()].client);
                self.events.wakes.push(at, id);
            }
            Next::Pause => self.events.wakes.push(self.now + self.workload.pause, id),
            Next::Again => self.send(context, id),
            Next::Leave(ending) => self.leave(context, id, ending),
        }
    }

    fn leave<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>, id: ClientId, ending: Ending) {
        let client = self.clients[id.index()].client;
        let what = EventKind::Seen(client.visit(id), Seen::Left(ending));
        context.recorder.record(&Event { at: self.now, what });
        self.carts.forget(&mut self.clients[id.index()].carts_here, id);
        if self.workload.replays {
            self.stolen.remove(&id);
        }
        if let Some(replicas) = self.network.as_mut().and_then(|network| network.replicas.as_mut()) {
            replicas.forget(id);
        }
        self.open_visits -= 1;
        let mut last = true;
        if self.needs_jars {
            let jar = &mut self.jars[client.jar as usize];
            jar.visit_ended(self.affinity);
            last = jar.open_visits == 0;
        }
        match self.workload.arrivals {
            Loop::Closed { .. } => {
                let at = self.now + self.workload.think(&client);
                if at < self.workload.closes {
                    self.events.wakes.push(at, id);
                }
            }
            Loop::Open { .. } => {
                self.free_clients.push(id.0);
                if self.needs_jars && last {
                    self.jars[client.jar as usize] = Jar::new();
                    self.free_jars.push(client.jar);
                }
            }
        }
    }

    /// A timeout ends, of whatever kind.
    pub(super) fn timer_event<P: Policy, R: Recorder>(&mut self, context: &mut Context<'_, P, R>) {
        let Some((kind, id)) = self.events.take_timer(&self.requests) else { return };
        match kind {
            TimerKind::Connect => self.connect_timed_out(context, id),
            TimerKind::Answer => {
                self.hang_up(context, id);
                self.give_up(context, id, Outcome::TimedOut);
            }
            TimerKind::Try => self.answer_overdue(context, id),
            TimerKind::Fail => self.fail(context, id),
        }
    }

    /// Whether a server of this design takes the session that a request shows.
    #[inline]
    pub(super) fn accepts(&self, request: &InFlight) -> bool {
        if request.command == Command::ForgeSession {
            return self.homes.session == SessionHome::UnsignedCookie;
        }
        if request.command == Command::ReplayToken {
            let here = self.pool.members[request.server.index()].process;
            return self.stolen.get(&request.client).is_some_and(|stolen| self.accepts_stolen(stolen, here));
        }
        match request.session {
            Some(Session::Memory(process)) => process == self.pool.members[request.server.index()].process,
            Some(Session::Until(end)) => self.now < end,
            Some(Session::Signed(process, end)) => {
                process == self.pool.members[request.server.index()].process && self.now < end
            }
            Some(Session::Stored(login)) => self.store_limits.knows(login),
            Some(Session::Renewable { until, login }) => self.now < until || self.store_limits.knows(login),
            None => true,
        }
    }

    /// The same for a session whose user has logged out: its logout counts, unless the store has forgotten it.
    #[cold]
    fn accepts_stolen(&self, stolen: &Stolen, here: ProcessId) -> bool {
        let undone = self.store_limits.has_forgotten(stolen.logout);
        let denied = self.tokens.deny_list && !undone;
        match stolen.session {
            Session::Memory(_) => false,
            Session::Until(end) => self.now < end && !denied,
            Session::Signed(signer, end) => signer == here && self.now < end && !denied,
            Session::Stored(login) => undone && self.store_limits.knows(login),
            Session::Renewable { until, login } => {
                !denied && (self.now < until || undone && self.store_limits.knows(login))
            }
        }
    }

    /// Whether the answer to a request brings a new token for one whose time was over.
    #[inline]
    pub(super) fn renews(&self, request: &InFlight, outcome: Outcome) -> bool {
        let renewable = self.tokens.refresh && matches!(request.session, Some(Session::Renewable { .. }));
        renewable && matches!(outcome, Outcome::Ok(_)) && request.credential == CredentialStatus::Expired
    }

    /// A token was renewed: the user has it now, unless it was somebody else who asked, or the user has just logged out.
    #[cold]
    fn renew(&mut self, request: &InFlight) {
        if let (Some(Session::Renewable { login, .. }), false) = (request.session, request.command.is_a_thief_s()) {
            let until = self.tokens.end(self.now);
            let jar = self.clients[request.client.index()].client.jar;
            self.jars[jar as usize].session = Some(Session::Renewable { until, login });
        }
    }

    /// Whether the visit that a request belongs to is still under way.
    #[inline]
    pub(super) fn is_current(&self, request: &InFlight) -> bool {
        let client = &self.clients[request.client.index()].client;
        !client.is_away() && client.visit(request.client) == request.visit()
    }
}

/// What any other request is answered with.
#[inline]
pub(super) const fn ok(reply: Reply) -> Outcome {
    Outcome::Ok(reply)
}
