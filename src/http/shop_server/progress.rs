//! The progress of a request through the stages of its plan, and its calls to the store.

use tokio::sync::OwnedMutexGuard;

use super::answer::Answer;
use super::cart_effect::CartEffect;
use super::credential::Credential;
use super::job::Job;
use crate::base::seed::Purpose;
use crate::base::{Items, Refusal};
use crate::http::store::{self, Backend, StoreError};
use crate::state::moving_carts::MovingEffect;
use crate::state::plan::Plan;
use crate::state::shop::Order;
use crate::state::store::StoreCall;

/// A request on its way through the stages of its plan.
pub struct Serving<'a> {
    /// The request and its context.
    pub job: &'a Job<'a>,
    /// The credential that it presents.
    pub credential: Credential,
    /// The copy of the cart that was read from the store or, during a migration, found in memory.
    pub copy: Option<Items>,
    /// The order of the visit. The lock keeps other requests from charging it at the same time.
    pub order: Option<OwnedMutexGuard<Order>>,
    /// The effect on a cart that the store has already applied.
    pub cart: Option<CartEffect>,
    /// The stages of serving it.
    pub plan: Plan,
    /// Why it is refused, if it is.
    pub refused: Option<Refusal>,
    /// The number of calls that reached the store, before and after the work.
    calls: (u32, u32),
    /// Whether one of them may have changed the store.
    changed: bool,
    /// The response, once everything is done.
    pub answer: Option<Answer>,
}

impl<'a> Serving<'a> {
    /// Begins with the plan that even a request without a valid login takes: the look-ups to find that out.
    #[must_use]
    pub fn begin(job: &'a Job<'a>) -> Serving<'a> {
        let credential = Credential::presented(job);
        Serving {
            job,
            plan: job.shop.serving.plan(job.command, credential.status, false),
            credential,
            copy: None,
            order: None,
            cart: None,
            refused: None,
            calls: (0, 0),
            changed: false,
            answer: None,
        }
    }

    /// The cart was found only in memory: one more stage will copy it to the store.
    pub fn moves_over(&mut self) {
        self.plan = self.plan.moving(MovingEffect::MovesOver, self.job.command, true);
    }

    /// Makes one call to the store. A call that reaches the store counts, whatever its result.
    ///
    /// # Errors
    ///
    /// The store's errors. Once a request may have changed something, it can no longer count as refused.
    pub async fn ask<T>(
        &mut self,
        when: StoreCall,
        what: impl FnOnce(&'a dyn Backend) -> store::StoreFuture<'a, T>,
    ) -> Result<T, StoreError> {
        let Job { shop, command, key, .. } = *self.job;
        let calls = match when {
            StoreCall::Before => &mut self.calls.0,
            StoreCall::After => &mut self.calls.1,
        };
        let draw = shop.workload.seed.draw(Purpose::Store, key);
        let span = when.times(shop.store.latency, draw).nth(*calls as usize).unwrap_or_default();
        let only_looks = when.only_looks(command);
        let result = if only_looks { shop.store.look(span, what).await } else { shop.store.call(span, what).await };
        *calls += u32::from(!matches!(result, Err(StoreError::Down)));
        let half_done = self.changed;
        self.changed |= !only_looks;
        result.map_err(|error| if half_done { StoreError::BrokenOff } else { error })
    }

    /// The number of calls that reached the store.
    #[must_use]
    pub fn calls_made(&self) -> u32 {
        self.calls.0 + self.calls.1
    }
}
