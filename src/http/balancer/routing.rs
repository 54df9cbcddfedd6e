//! Which server a request goes to: the affinity cookie decides, then the policy, given what the balancer believes about
//! the servers.

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
use crate::http::wire::{self, GUEST, RequestId};
use crate::operations::faults::server_named;
use crate::scenario::{Affinity, CookieLife, Scenario};
use crate::traffic::Workload;

/// The balancer's decisions, behind one lock.
pub struct Router {
    state: Mutex<RouterState>,
    changed: Notify,
    workload: Arc<Workload>,
    affinity: Affinity,
    clock: Clock,
    seed: Seed,
}

#[derive(Clone)]
struct RouterState {
    balancer: Balancer,
    /// How many requests came from guests, who are not users of the run.
    guests: u32,
}

/// A request in flight to a server: the balancer counts it until this is dropped.
pub struct InFlightGuard {
    /// Where it went.
    pub server: ServerId,
    sent: Instant,
    outcome: Outcome,
    /// Whether this is a retry.
    again: bool,
    routing: Arc<Router>,
}

impl InFlightGuard {
    /// The server answered. Returns the end of the ejection that this causes, if any.
    pub fn answered(&mut self, status: StatusCode) -> Option<Instant> {
        let failed = status.is_server_error();
        if !failed {
            self.outcome = Outcome::Ok(Reply::Done);
        }
        self.routing.judge(self.server, failed)
    }

    /// The server did not answer. Returns the end of the ejection that this causes, if any.
    pub fn failed(&mut self) -> Option<Instant> {
        self.routing.judge(self.server, true)
    }
}

impl Router {
    /// A router that believes all servers up.
    #[must_use]
    pub fn new(scenario: &Scenario, workload: Arc<Workload>, clock: Clock) -> Router {
        let seed = workload.seed;
        let balancer = Balancer::new(scenario, seed);
        Router {
            affinity: balancer.affinity,
            state: Mutex::new(RouterState { balancer, guests: 0 }),
            changed: Notify::new(),
            workload,
            clock,
            seed,
        }
    }

    /// A router that decides as this one does at this moment, for the request of a guest: what it learns and counts stays
    /// with it.
    #[must_use]
    pub fn for_guest(&self) -> Router {
        let mut state = self.state();
        state.guests = state.guests.wrapping_add(1);
        Router {
            state: Mutex::new(state.clone()),
            changed: Notify::new(),
            workload: Arc::clone(&self.workload),
            affinity: self.affinity,
            clock: self.clock,
            seed: self.seed,
        }
    }

    /// The root seed of all random draws.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    fn state(&self) -> MutexGuard<'_, RouterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` on the pool: the servers' actual state, and what is believed about them.
    pub fn with_pool<T>(&self, act: impl FnOnce(&mut Pool) -> T) -> T {
        act(&mut self.state().balancer.pool)
    }

    /// Waits until the pool has changed since the last call. Only the operator may call this: each change wakes one
    /// waiter.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The pool has changed: wakes the operator.
    pub fn tell_operator(&self) {
        self.changed.notify_one();
    }

    /// Changes the pool and wakes the operator. The policy is told when eligibility changes.
    pub fn change_pool<T>(&self, act: impl FnOnce(&mut Pool) -> T) -> T {
        let done = self.state().balancer.change_pool(act);
        self.tell_operator();
        done
    }

    /// The server that the affinity cookie names, if it is known.
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

    /// The affinity cookie to set, when the old one has expired or names another server than the one that answered. A
    /// cookie with a limited lifetime says when it was issued, so that the balancer can tell when it has expired,
    /// whatever the browser thinks.
    #[must_use]
    pub fn new_cookie(&self, old: Pin, server: ServerId) -> Option<HeaderValue> {
        let Affinity::Cookie(life) = self.affinity else { return None };
        let mut pin = old;
        pin.answered(self.affinity, server, self.clock.now());
        if pin == old {
            return None;
        }
        let set = match life {
            CookieLife::Visit | CookieLife::User => String::new(),
            CookieLife::For(_) => format!("@{}", pin.since().as_nanos()),
        };
        let keep = if life.ends_with_the_browser() { "" } else { "; Max-Age=31536000" };
        HeaderValue::try_from(format!("{}={server}{set}; Path=/; HttpOnly{keep}", wire::SERVER)).ok()
    }

    /// Chooses the server for a request: the pinned one, or the policy's choice.
    ///
    /// # Errors
    ///
    /// When no server can be chosen.
    pub fn choose(
        self: &Arc<Router>,
        id: Option<RequestId>,
        pin: Pin,
        excluded: &[ServerId],
        retries: u8,
    ) -> Result<InFlightGuard, Refusal> {
        let now = self.clock.now();
        let mut state = self.state();
        let RouterState { balancer, guests } = &mut *state;
        let key = id.map_or_else(|| next_guest(guests), |id| id.key).of_retry(retries);
        let draw = self.seed.draw(Purpose::Pick, key);
        // All guests come from this machine: to a hash they are one user.
        let hash_key = id.map_or(GUEST, |id| self.workload.hash_key(id.visit().user));
        balancer.excluded.clear();
        balancer.excluded.extend(excluded);
        let server = balancer.choose(now, &Attempt { pin: Some(&pin), hash_key, region: None, draw })?;
        let again = retries > 0;
        balancer.pool.sent(server, again);
        Ok(InFlightGuard { server, sent: now, outcome: Outcome::Failed, again, routing: Arc::clone(self) })
    }

    /// Records how a server answered. Returns the end of the ejection that this causes, if any.
    fn judge(&self, server: ServerId, failed: bool) -> Option<Instant> {
        let now = self.clock.now();
        self.state().balancer.judge(now, server, failed)
    }

    /// An ejection ends. Returns false if a later one is still in force.
    pub fn readmit(&self, server: ServerId) -> bool {
        let now = self.clock.now();
        self.state().balancer.readmit(server, now)
    }

    /// Whether the retry budget allows a retry.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.state().balancer.pool.may_retry()
    }

    /// A health check has ended. Returns what is now believed about the server, if that changed.
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

fn next_guest(guests: &mut u32) -> Key {
    *guests = guests.wrapping_add(1);
    wire::guest_key(*guests)
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        let now = self.routing.clock.now();
        self.routing.state().balancer.ended(now, self.server, self.again, self.sent, self.outcome);
    }
}
