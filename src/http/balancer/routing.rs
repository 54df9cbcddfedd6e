//! Which server a request goes to: the affinity cookie, then the policy, over what the balancer believes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::Notify;

use crate::balancing::affinity::{Bound, Pin};
use crate::balancing::policy::{AnyPolicy, Policy, RequestView};
use crate::balancing::pool::Pool;
use crate::base::seed::{Key, Purpose, Seed};
use crate::base::time::Instant;
use crate::base::{Outcome, Refusal, Reply, ServerId, UserId};
use crate::http::clock::Clock;
use crate::http::wire::{self, RequestId};
use crate::operations::faults::server_named;
use crate::scenario::{Affinity, CookieLife, PinnedDown, Scenario};
use crate::traffic::Workload;

/// The balancer's mind.
pub struct Router {
    state: Mutex<RouterState>,
    changed: Notify,
    workload: Arc<Workload>,
    affinity: Affinity,
    pinned_down: PinnedDown,
    clock: Clock,
    seed: Seed,
}

struct RouterState {
    pool: Pool,
    policy: AnyPolicy,
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
        let pool = Pool::new(scenario, seed);
        let policy = AnyPolicy::new(scenario, &pool.view, seed);
        Router {
            state: Mutex::new(RouterState { pool, policy, strangers: 0 }),
            changed: Notify::new(),
            workload,
            affinity: scenario.balancer.affinity,
            pinned_down: scenario.balancer.pinned_down,
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
        act(&mut self.state().pool)
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
        let mut state = self.state();
        let RouterState { pool, policy, .. } = &mut *state;
        let before = pool.view.generation;
        let done = act(pool);
        if pool.view.generation != before {
            policy.on_pool_change(&pool.view);
        }
        drop(state);
        self.tell_operator();
        done
    }

    /// What the affinity cookie says.
    #[must_use]
    pub fn pin(&self, headers: &HeaderMap) -> Pin {
        if self.affinity == Affinity::None {
            return Pin::default();
        }
        let servers = self.state().pool.members.len();
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
        let RouterState { pool, policy, strangers } = &mut *state;
        pool.look_at_the_clock(now);
        let server = match pin.bound(self.affinity, self.pinned_down, now, &pool.view) {
            Bound::To(server) if !excluded.contains(&server) => server,
            Bound::Fail => return Err(Refusal::NoServer),
            Bound::To(_) | Bound::Free => {
                let mut key = id.map_or_else(|| stranger(strangers), |id| id.key);
                // Another try has other luck; the upper byte of the attempt is free for it.
                key.attempt |= u16::from(retries) << 8;
                let draw = self.seed.draw(Purpose::Pick, key);
                let hash_key = id.map_or(key.entity, |id| self.workload.hash_key(UserId(id.visit().user.0)));
                let asked = RequestView { hash_key, excluded };
                let none_left = if excluded.is_empty() { Refusal::NoServer } else { Refusal::Unreachable };
                policy.pick(now, &asked, &pool.view, draw).ok_or(none_left)?
            }
        };
        let again = retries > 0;
        pool.sent(server, again);
        Ok(InFlightGuard { server, sent: now, outcome: Outcome::Failed, again, routing: Arc::clone(self) })
    }

    /// Takes note of how a server answered. Returns until when this has it ejected, if it does.
    fn judge(&self, server: ServerId, failed: bool) -> Option<Instant> {
        let now = self.clock.now();
        let mut state = self.state();
        let RouterState { pool, policy, .. } = &mut *state;
        let until = pool.answered(server, failed, now);
        if until.is_some() {
            policy.on_pool_change(&pool.view);
        }
        until
    }

    /// The time of an ejection is over. False when a later one goes on.
    pub fn readmit(&self, server: ServerId) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        let RouterState { pool, policy, .. } = &mut *state;
        let readmitted = pool.readmit(server, now);
        if readmitted {
            policy.on_pool_change(&pool.view);
        }
        readmitted
    }

    /// Whether a request may be sent a second time, as far as the budget for that goes.
    #[must_use]
    pub fn may_retry(&self) -> bool {
        self.state().pool.may_retry()
    }

    /// A health check of a server ended. Returns the new belief, if it changed.
    pub fn checked(&self, server: ServerId, passed: bool) -> Option<bool> {
        let mut state = self.state();
        let RouterState { pool, policy, .. } = &mut *state;
        let changed = pool.checked(server, passed);
        if changed.is_some() {
            policy.on_pool_change(&pool.view);
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
        let mut state = self.routing.state();
        let RouterState { pool, policy, .. } = &mut *state;
        pool.ended(self.server, self.again);
        policy.on_complete(now, self.server, now - self.sent, self.outcome);
    }
}
