//! Users: one task per tab. It walks through the journey that the workload gives it, with the user's cookie jar.

mod concurrent_steps;
mod jar;

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::balancer::Balancer;
use super::clock::Clock;
use super::failure::{self, Failure};
use super::log::{Answered, Log};
use super::token;
use super::wire::{self, Body, CartId, RequestId};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Outcome, Refusal, Reply, ServerId, UserId};
use crate::history;
use crate::scenario::{Scenario, SessionHome};
use crate::traffic::{Client, ConcurrentSteps, Loop, Next, Wave, Workload};

pub use jar::CookieJar;
use jar::TabState;

/// The most bytes of an answer that a user reads.
const ANSWER_LIMIT: usize = 64 << 10;

/// What all users share.
pub struct LoadGenerator {
    /// The run's clock.
    pub clock: Clock,
    /// The history.
    pub log: Arc<Log>,
    /// What the users do.
    pub workload: Arc<Workload>,
    /// Where they send their requests.
    pub balancer: Arc<Balancer>,
    /// How logins are kept, so that users can forge a session.
    pub sessions: SessionHome,
    /// The most servers that exist at any one time.
    pub most_servers: u64,
    /// Where failures that abort the run are reported.
    pub failures: mpsc::UnboundedSender<Failure>,
    /// Users who join later (closed loop).
    pub waves: Vec<Wave>,
    /// The jars of the users present, for counting the users bound to a server.
    pub jars: Mutex<Vec<Weak<Mutex<CookieJar>>>>,
    /// How many client numbers have been allocated.
    pub clients: AtomicU32,
    /// Client numbers that are free again.
    pub free: Mutex<Vec<ClientId>>,
}

/// Runs all users. Returns when the shop has closed and everybody has left.
pub async fn come(load_generator: Arc<LoadGenerator>) -> Result<(), Failure> {
    let mut tasks = JoinSet::new();
    match load_generator.workload.arrivals {
        Loop::Closed { users, ramp } => {
            let first = Wave { first: UserId(1), last: UserId(users), from: Instant::ZERO, over: ramp };
            for wave in [first].into_iter().chain(load_generator.waves.iter().copied()) {
                for user in wave.users() {
                    let come =
                        |client, tab| Arc::clone(&load_generator).keep_visiting(client, tab, wave.from, wave.over);
                    load_generator.tabs(user, |client, tab| tasks.spawn(come(client, tab)));
                }
            }
        }
        Loop::Open { rate } => visitors(&load_generator, rate, &mut tasks).await?,
    }
    while let Some(ended) = tasks.join_next().await {
        check(ended)?;
    }
    Ok(())
}

/// Starts visitors one after another, and reaps the tasks of those who have left.
async fn visitors(load_generator: &Arc<LoadGenerator>, rate: f64, tasks: &mut JoinSet<()>) -> Result<(), Failure> {
    let most = failure::clients_within(failure::limit(), load_generator.most_servers)
        / load_generator.workload.most_steps_at_once();
    let mut at = Instant::ZERO;
    for user in (1..).map(UserId) {
        at = at + load_generator.workload.until_visitor(user, at, rate);
        if at >= load_generator.workload.closes {
            break;
        }
        load_generator.clock.sleep_until(at).await;
        while let Some(ended) = tasks.try_join_next() {
            check(ended)?;
        }
        if tasks.len() as u64 >= most {
            return Err(Failure::TooMany { clients: tasks.len() as u64 + 1, most });
        }
        load_generator.tabs(user, |client, tab| tasks.spawn(Arc::clone(load_generator).visit_once(client, tab, at)));
    }
    Ok(())
}

fn check(ended: Result<(), tokio::task::JoinError>) -> Result<(), Failure> {
    match ended {
        Err(error) if error.is_panic() => Err(Failure::Panic("a user's task".into())),
        _ => Ok(()),
    }
}

/// One tab: its client number, its own state, and the jar it shares with the user's other tabs.
struct TabTask {
    id: ClientId,
    jar: Arc<Mutex<CookieJar>>,
    state: TabState,
}

impl TabTask {
    fn jar(&self) -> MutexGuard<'_, CookieJar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LoadGenerator {
    /// All users of a scenario, none of whom has come yet.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        workload: Arc<Workload>,
        balancer: Arc<Balancer>,
        waves: Vec<Wave>,
        (clock, log): (Clock, Arc<Log>),
        failures: mpsc::UnboundedSender<Failure>,
    ) -> LoadGenerator {
        LoadGenerator {
            clock,
            log,
            workload,
            balancer,
            sessions: scenario.homes.session,
            most_servers: scenario.most_servers_at_once(),
            failures,
            waves,
            jars: Mutex::new(Vec::new()),
            clients: AtomicU32::new(0),
            free: Mutex::new(Vec::new()),
        }
    }

    /// Creates a user's tabs and passes each to `start`.
    fn tabs<T>(&self, user: UserId, mut start: impl FnMut(Client, TabTask) -> T) {
        let jar = Arc::new(Mutex::new(CookieJar::default()));
        self.jars().push(Arc::downgrade(&jar));
        for tab in 0..self.workload.tabs(user) {
            let id = self.free().pop().unwrap_or_else(|| ClientId(self.clients.fetch_add(1, Ordering::Relaxed)));
            start(Client::new(user, tab, 0), TabTask { id, jar: Arc::clone(&jar), state: TabState::default() });
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<ClientId>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jars(&self) -> MutexGuard<'_, Vec<Weak<Mutex<CookieJar>>>> {
        self.jars.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many users have an affinity cookie that sends them to this server.
    #[must_use]
    pub fn bound_to(&self, server: ServerId) -> u32 {
        let mut jars = self.jars();
        jars.retain(|jar| jar.strong_count() > 0);
        let bound = |jar: &Weak<Mutex<CookieJar>>| {
            let Some(jar) = jar.upgrade() else { return false };
            let jar = jar.lock().unwrap_or_else(PoisonError::into_inner);
            jar.server().is_some_and(|cookie| self.balancer.routing().is_bound(cookie, server))
        };
        u32::try_from(jars.iter().filter(|jar| bound(jar)).count()).expect("as many as users")
    }

    /// Closed loop: one visit after another until the shop closes. The first begins during the ramp that starts at
    /// `from`.
    async fn keep_visiting(self: Arc<LoadGenerator>, mut client: Client, mut tab: TabTask, from: Instant, ramp: Span) {
        let mut at = self.workload.first_visit(&client, from, ramp);
        while at < self.workload.closes {
            self.clock.sleep_until(at).await;
            self.visit(&mut client, &mut tab, at).await;
            at = self.clock.now() + self.workload.think(&client);
        }
    }

    /// Open loop: one visit, after which the client number is free again.
    async fn visit_once(self: Arc<LoadGenerator>, mut client: Client, mut tab: TabTask, at: Instant) {
        self.visit(&mut client, &mut tab, at).await;
        self.free().push(tab.id);
    }

    /// One whole visit. `intended`: when it should begin.
    async fn visit(&self, client: &mut Client, tab: &mut TabTask, mut intended: Instant) {
        client.begin();
        tab.state = TabState::new(CartId::of(&client.key()).to_string());
        tab.jar().visit_began();
        let visit = client.visit(tab.id);
        self.log.began(visit);
        loop {
            let next = match ConcurrentSteps::begin(client, &self.workload) {
                None => self.try_once(client, tab, intended).await,
                Some(concurrent_steps) => self.do_at_once(concurrent_steps, client, tab, intended).await,
            };
            let now = self.clock.now();
            intended = match next {
                Next::Think => now + self.workload.think(client),
                Next::Pause => now + self.workload.pause,
                Next::Again => now,
                Next::Leave(ending) => {
                    self.log.left(visit, ending);
                    tab.jar().visit_ended();
                    return;
                }
            };
            self.clock.sleep_until(intended).await;
        }
    }

    /// Sends one request of a step, and decides what the user does next.
    async fn try_once(&self, client: &mut Client, tab: &TabTask, intended: Instant) -> Next {
        let visit = client.visit(tab.id);
        let mut request = client.request(&self.workload, intended);
        request.command = client.name_file(&self.workload, &mut tab.jar().folder, request.command);
        let (key, meant) = (client.key(), client.meant);
        self.log.sent(visit, request, intended);
        let outcome = self.ask(RequestId { key, client: tab.id }, request, tab, intended).await;
        tab.jar().folder.told(request.command, outcome);
        let next = client.told(&self.workload, request.command, outcome);
        let settled = next.settles_the_step();
        self.log.told(visit, &Answered { request, sent: intended, meant, outcome, settled });
        next
    }

    /// Sends a request and waits for its outcome, until the user's timeout.
    async fn ask(&self, id: RequestId, request: history::Request, tab: &TabTask, intended: Instant) -> Outcome {
        if self.workload.thief_copies(request.command) {
            tab.state.steal(tab.jar().session());
        }
        let message = self.message(id, request.command, tab, intended);
        let answered = async {
            let response = self.balancer.handle(message).await;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_LIMIT).collect().await.ok()?.to_bytes();
            Some(Response::from_parts(head, body))
        };
        match self.clock.before(intended + self.workload.timeout, answered).await {
            None => Outcome::TimedOut,
            // The answer broke off in the middle, so its outcome is unknown.
            Some(None) => Outcome::Failed,
            Some(Some(response)) => {
                tab.jar().keep(&tab.state, response.headers(), !request.command.is_a_thief_s());
                self.understand(id.visit().user, request.command, &response)
            }
        }
    }

    fn message(&self, id: RequestId, command: Command, tab: &TabTask, intended: Instant) -> Request<Bytes> {
        let user = id.visit().user;
        let (method, path, body) = wire::spelled(command, user);
        let another = match command {
            Command::ForgeSession => Some(format!("{}={}", wire::SESSION, self.forged(user))),
            Command::ReplayToken => {
                let nothing = || format!("{}=nothing-to-steal", wire::SESSION);
                Some(tab.state.stolen().unwrap_or_else(nothing))
            }
            _ => None,
        };
        let with_session = another.is_none() && command != Command::Login;
        let mut values = Values::default();
        let mut headers = HeaderMap::with_capacity(8);
        let cookies = values.of(|line| tab.jar().write(line, &tab.state, with_session, another.as_deref()));
        headers.insert(COOKIE, cookies);
        headers.insert(wire::REQUEST_ID, values.of(|line| write!(line, "{id}")));
        headers.insert(wire::REQUEST_START, values.of(|line| write!(line, "{}", intended.as_nanos())));
        match command {
            Command::Upload(_) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            }
            _ if !body.is_empty() => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            _ => {}
        }
        if command == Command::Checkout {
            headers.insert(wire::IDEMPOTENCY_KEY, values.of(|line| line.write_str(&tab.state.visit)));
        }
        if let Some(form) = tab.state.form().filter(|_| command.posts_form()) {
            headers.insert(wire::CSRF_TOKEN, form);
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path;
        *request.headers_mut() = headers;
        request
    }

    /// A session forged in a user's name.
    fn forged(&self, user: UserId) -> String {
        match self.sessions {
            SessionHome::SignedToken => token::forged_session(user),
            SessionHome::UnsignedCookie => wire::user_name(user),
            SessionHome::ServerMemory | SessionHome::SharedStore => "0".repeat(32),
        }
    }

    /// The outcome that an answer means for its user.
    fn understand(&self, user: UserId, command: Command, response: &Response<Bytes>) -> Outcome {
        let body = || serde_json::from_slice::<Body>(response.body()).ok();
        match (response.status(), command) {
            (StatusCode::OK, Command::Download(file)) if *response.body() != wire::contents(user, file) => {
                self.defect(format!("a user got {file} with other contents than were uploaded"))
            }
            (StatusCode::OK, Command::Download(_)) | (StatusCode::CREATED, Command::Upload(_)) => {
                Outcome::Ok(Reply::Done)
            }
            (StatusCode::NOT_FOUND, Command::Download(_)) => Outcome::Refused(Refusal::NotFound),
            (StatusCode::OK, _) => body().and_then(|body| reply(command, &body)).map_or(Outcome::Failed, Outcome::Ok),
            (StatusCode::FORBIDDEN, _) if command.posts_form() => Outcome::Refused(Refusal::Forbidden),
            (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Refused(Refusal::TooMany),
            (StatusCode::UNAUTHORIZED, _) => Outcome::Refused(Refusal::Unauthorized),
            (StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE, _) => {
                Outcome::Refused(refusal(body()))
            }
            (status, _) if status.is_client_error() => {
                self.defect(format!("a request of a user ({command:?}) was answered with {status}"))
            }
            _ => Outcome::Failed,
        }
    }

    /// Reports a defect, which aborts the run.
    fn defect(&self, what: String) -> Outcome {
        // The receiver is gone only if the run is already over.
        let _ = self.failures.send(Failure::Defect(what));
        Outcome::Failed
    }
}

/// Writes header values into one buffer that they share, so that cloning them copies nothing.
struct Values(BytesMut);

impl Default for Values {
    fn default() -> Values {
        Values(BytesMut::with_capacity(512))
    }
}

impl Values {
    fn of(&mut self, write: impl FnOnce(&mut BytesMut) -> fmt::Result) -> HeaderValue {
        write(&mut self.0).expect("memory takes everything");
        HeaderValue::from_maybe_shared(self.0.split().freeze()).expect("plain text")
    }
}

fn reply(command: Command, body: &Body) -> Option<Reply> {
    match command {
        Command::View => body.cart.map(|cart| Reply::Cart(cart.0)),
        Command::Checkout => body.charged.map(|charged| Reply::Charged(charged.0)),
        Command::Browse => Some(body.catalogue.map_or(Reply::Done, Reply::Page)),
        _ => Some(Reply::Done),
    }
}

/// The refusal that the body of a 503 or 507 names. A body without a known code is not from one of our servers.
fn refusal(body: Option<Body>) -> Refusal {
    body.and_then(|body| Refusal::of_code(&body.code?)).unwrap_or(Refusal::Unreachable)
}
