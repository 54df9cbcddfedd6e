//! The balancer: what it believes about servers, how it picks one, and what it learns from answers.

use super::affinity::{Bound, Pin};
use super::policy::{AnyPolicy, Policy, RequestView};
use super::pool::Pool;
use crate::base::seed::{Draw, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, Refusal, RegionId, ServerId};
use crate::scenario::{Affinity, PinnedDown, Scenario, Time};

/// The balancer, together with the actual state of the pool.
#[derive(Clone, Debug)]
pub struct Balancer {
    /// The servers: their actual state, and the balancer's view of them.
    pub pool: Pool,
    policy: AnyPolicy,
    /// The session affinity.
    pub affinity: Affinity,
    pinned_down: PinnedDown,
    /// How many times a request may be retried on another server.
    pub retries: u8,
    /// How long it waits for a connection.
    pub connect_timeout: Span,
    /// How long it waits for an answer; `None` for no limit.
    pub answer_timeout: Option<Span>,
    /// Servers that the current request has failed to reach. A field only so that the allocation is reused.
    pub excluded: Vec<ServerId>,
}

/// What one routing decision depends on.
pub struct Attempt<'a> {
    /// The user's affinity cookie, if users carry one.
    pub pin: Option<&'a Pin>,
    /// The key for hash policies.
    pub hash_key: u64,
    /// The preferred region, in scenarios with regions.
    pub region: Option<RegionId>,
    /// The random draw of this decision.
    pub draw: Draw,
}

impl Balancer {
    /// A balancer whose servers are all up and believed to be up.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Balancer {
        let pool = Pool::new(scenario, seed);
        let rules = &scenario.balancer;
        Balancer {
            policy: AnyPolicy::new(scenario, &pool.view, seed),
            pool,
            affinity: rules.affinity,
            pinned_down: rules.pinned_down,
            retries: u8::try_from(rules.retries.get()).expect("limited to 10"),
            connect_timeout: rules.connect_timeout.get(),
            answer_timeout: rules.answer_timeout.map(Time::get),
            excluded: Vec::new(),
        }
    }

    /// Chooses the server for an attempt: the pinned one, or else the policy's choice.
    ///
    /// # Errors
    ///
    /// If no server is left, or if the pinned server is down and the scenario forbids redispatch.
    #[inline(always)]
    pub fn choose(&mut self, now: Instant, attempt: &Attempt) -> Result<ServerId, Refusal> {
        self.pool.look_at_the_clock(now);
        let view = &self.pool.view;
        let bound = attempt.pin.map_or(Bound::Free, |pin| pin.bound(self.affinity, self.pinned_down, now, view));
        match bound {
            Bound::To(server) if !self.excluded.contains(&server) => return Ok(server),
            Bound::Fail => return Err(Refusal::NoServer),
            Bound::To(_) | Bound::Free => {}
        }
        if let Some(region) = attempt.region {
            self.policy.asked_from(region);
        }
        let request = RequestView { hash_key: attempt.hash_key, excluded: &self.excluded };
        let none_left = if self.excluded.is_empty() { Refusal::NoServer } else { Refusal::Unreachable };
        self.policy.pick(now, &request, view, attempt.draw).ok_or(none_left)
    }

    /// Ends an attempt that was sent at `since`. `again` marks an attempt that was not the request's first.
    #[inline(always)]
    pub fn ended(&mut self, now: Instant, server: ServerId, again: bool, since: Instant, outcome: Outcome) {
        self.pool.ended(server, again);
        self.policy.on_complete(now, server, now - since, outcome);
    }

    /// Feeds a server's success or failure to outlier detection. If that ejects the server, returns the end of the
    /// ejection.
    #[inline(always)]
    pub fn judge(&mut self, now: Instant, server: ServerId, failed: bool) -> Option<Instant> {
        let until = self.pool.answered(server, failed, now)?;
        self.pool_changed();
        Some(until)
    }

    /// The time of an ejection is over. False if a later ejection is still running.
    pub fn readmit(&mut self, server: ServerId, now: Instant) -> bool {
        self.change_pool(|pool| pool.readmit(server, now))
    }

    /// A health check of a server ended. Returns the new belief, if it changed.
    pub fn checked(&mut self, server: ServerId, passed: bool) -> Option<bool> {
        self.change_pool(|pool| pool.checked(server, passed))
    }

    /// Changes the pool. The policy is told if that may have changed which servers are eligible.
    pub fn change_pool<T>(&mut self, act: impl FnOnce(&mut Pool) -> T) -> T {
        let before = self.pool.view.generation;
        let done = act(&mut self.pool);
        if self.pool.view.generation != before {
            self.pool_changed();
        }
        done
    }

    /// Tells the policy that the set of eligible servers has changed.
    fn pool_changed(&mut self) {
        self.policy.on_pool_change(&self.pool.view);
    }
}
