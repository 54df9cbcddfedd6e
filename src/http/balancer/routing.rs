//! Which server a request goes to: the affinity cookie, then the policy, over what the balancer believes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::Notify;

use crate::balancing::affinity::Pin;
use crate::balancing::balancer::{Attempt, Balancer};
use crate::balancing::pool::Pool;
use crate::base::seed::{Key, Purpose, Seed};
use crate::base::time::Instant;
use crate::base::{Outcome, Refusal, Reply, ServerId};
use crate::http::clock::Clock;
use crate::http::wire::{self, RequestId};
use crate::operations::faults::server_named;
use crate::scenario::{Affinity, CookieLife, Scenario};
use crate::traffic::Workload;

/// What the balancer decides, behind one lock.
pub struct Router {
    state: Mutex<RouterState>,
    changed: Notify,
    workload: Arc<Workload>,
    affinity: Affinity,
    clock: Clock,
    seed: Seed,
}

struct RouterState {
    balancer: Balancer,
    /// Requests that belong to no user of the run.
    strangers: u32,
}

/// A request on its way to a server. The balancer counts it as in flight until this is dropped.
pub struct InFlightGuard {
    /// Where it went.
    pub server: ServerId,
    sent: Instant,
    outcome: Outcome,
    /// It was sent to another server before.
    again: bool,
    routing: Arc<Router>,
}

impl InFlightGuard {
    /// The server answered. Returns until when this has it ejected, if it does.
    pub fn answered(&mut self, status: StatusCode) -> Option<Instant> {
        let failed = status.is_server_error();
        if !failed {
            self.outcome = Outcome::Ok(Reply::Done);
        }
        self.routing.judge(self.server, failed)
    }

    /// The server did not answer. Returns until when this has it ejected, if it does.
    pub fn failed(&mut self) -> Option<Instant> {
        self.routing.judge(self.server, true)
    }
}

impl Router {
    /// At the start all servers are believed up.
    #[must_use]
    pub fn new(scenario: &Scenario, workload: Arc<Workload>, clock: Clock) -> Router {
        let seed = workload.seed;
        let balancer = Balancer::new(scenario, seed);
        Router {
            affinity: balancer.affinity,
            state: Mutex::new(RouterState { balancer, strangers: 0 }),
            changed: Notify::new(),
            workload,
            clock,
            seed,
        }
    }

    /// The root of all randomness.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    fn state(&self) -> MutexGuard<'_, RouterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the servers as they are, and as they are believed to be.
    pub fn with_pool<T>(&self, act: impl FnOnce(&mut Pool) -> T) -> T {
        act(&mut self.state().balancer.pool)
    }

    /// Waits until servers, or what is believed of them, have changed since this was asked last. For the operator alone.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Servers have changed: the operator is to look at them.
    pub fn tell_operator(&self) {
        self.changed.notify_one();
    }

    /// Changes servers or what is believed of them. The operator is told, and the policy when the servers that may be
    /// chosen are others now.
    pub fn change_pool<T>(&self, act: impl FnOnce(&mut Pool) -> T) -> T {
        let done = self.state().balancer.change_pool(act);
        self.tell_operator();
        done
    }

    /// What the affinity cookie says.
    #[must_use]
    pub fn pin(&self, headers: &HeaderMap) -> Pin {
        if self.affinity == Affinity::None {
            return Pin::default();
        }
        let servers = self.state().balancer.pool.members.len();
        let known = |pin: &Pin| pin.server().is_some_and(|server| server.index() < servers);
        wire::cookie(headers, wire::SERVER).and_then(read_cookie).filter(known).unwrap_or_default()
    }

    /// Whether an affinity cookie sends its user to this server.
    #[must_use]
    pub fn is_bound(&self, cookie: &str, server: ServerId) -> bool {
        read_cookie(cookie).is_some_and(|pin| pin.binds(self.affinity, server, self.clock.now()))
    }

    /// The cookie that a user must get, when a server has answered whom the old one does not name. One with a limited
    /// life says since when it holds, so that the balancer can tell when it is over, whatever the browser thinks.
    #[must_use]
    pub fn new_cookie(&self, old: Pin, server: ServerId) -> Option<HeaderValue> {
        let Affinity::Cookie(life) = self.affinity else { return None };
        let mut pin = old;
        pin.answered(self.affinity, server, self.clock.now());
        if pin == old {
            return None;
        }
        let value = match life {
            CookieLife::Visit => format!("{server}; Path=/; HttpOnly"),
            CookieLife::User => format!("{server}; Path=/; HttpOnly; Max-Age=31536000"),
            CookieLife::For(_) => format!("{server}@{}; Path=/; HttpOnly; Max-Age=31536000", pin.since().as_nanos()),
        };
        HeaderValue::try_from(format!("{}={value}", wire::SERVER)).ok()
    }

    /// The server for a request: the pinned one, or the policy's choice.
    ///
    /// # Errors
    ///
    /// When none is left.
    pub fn choose(
        self: &Arc<Router>,
        id: Option<RequestId>,
        pin: Pin,
        excluded: &[ServerId],
        retries: u8,
    ) -> Result<InFlightGuard, Refusal> {
        let now = self.clock.now();
        let mut state = self.state();
        let RouterState { balancer, strangers } = &mut *state;
        let key = id.map_or_else(|| stranger(strangers), |id| id.key).of_retry(retries);
        let draw = self.seed.draw(Purpose::Pick, key);
        let hash_key = id.map_or(key.entity, |id| self.workload.hash_key(id.visit().user));
        balancer.excluded.clear();
        balancer.excluded.extend(excluded);
        let server = balancer.choose(now, &Attempt { pin: Some(&pin), hash_key, region: None, draw })?;
        let again = retries > 0;
        balancer.pool.sent(server, again);
        Ok(InFlightGuard { server, sent: now, outcome: Outcome::Failed, again, routing: Arc::clone(self) })
    }

    /// Takes note of how a server answered. Returns until when this has it ejected, if it does.
    fn judge(&self, server: ServerId, failed: bool) -> Option<Instant> {
        let now = self.clock.now();
        self.state().balancer.judge(now, server, failed)
    }

    /// The time of an ejection is over. False when a later one goes on.
    pub fn readmit(&self, server: ServerId) -> bool {
        let now = self.clock.now();
        self.state().balancer.readmit(server, now)
    }

    /// Whether a request may be sent a second time, as far as the budget for that goes.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.state().balancer.pool.may_retry()
    }

    /// A health check of a server ended. Returns the new belief, if it changed.
    pub fn checked(&self, server: ServerId, passed: bool) -> Option<bool> {
        let changed = self.state().balancer.checked(server, passed);
        if changed.is_some() {
            self.tell_operator();
        }
        changed
    }
}

fn read_cookie(text: &str) -> Option<Pin> {
    let (name, since) = text.split_once('@').unwrap_or((text, "0"));
    Some(Pin::to(server_named(name)?, Instant::from_nanos(since.parse().ok()?)))
}

fn stranger(strangers: &mut u32) -> Key {
    *strangers = strangers.wrapping_add(1);
    Key { entity: 1 << 48 | u64::from(*strangers), ..Key::default() }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        let now = self.routing.clock.now();
        self.routing.state().balancer.ended(now, self.server, self.again, self.sent, self.outcome);
    }
}
