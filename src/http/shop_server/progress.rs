//! How far a job has come on its way through its plan, and its calls to the store.

use tokio::sync::OwnedMutexGuard;

use super::answer::Answer;
use super::cart_effect::CartEffect;
use super::credential::Credential;
use super::job::Job;
use crate::base::seed::Purpose;
use crate::base::{Items, Refusal};
use crate::http::store::{self, Backend, StoreError};
use crate::state::plan::Plan;
use crate::state::shop::Order;
use crate::state::store::StoreCall;

/// A job on its way through the stages of its plan.
pub struct Serving<'a> {
    /// The job.
    pub job: &'a Job<'a>,
    /// What the request presents.
    pub credential: Credential,
    /// The copy of the cart that was found in the store or, while carts move, in memory.
    pub copy: Option<Items>,
    /// The order of the visit. Whoever holds it keeps others from charging at the same time.
    pub order: Option<OwnedMutexGuard<Order>>,
    /// What was done to a cart in the store.
    pub cart: Option<CartEffect>,
    /// The stages that it takes.
    pub plan: Plan,
    /// Why nothing is done for it, if so.
    pub refused: Option<Refusal>,
    /// Calls to the store that got through, before the work and after it.
    calls: (u32, u32),
    /// Whether one of them may have changed something.
    changed: bool,
    /// What goes back, when all is done.
    pub answer: Option<Answer>,
}

impl<'a> Serving<'a> {
    /// What everybody costs, even a stranger: the look-ups that it takes to tell.
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

    /// A cart was found only in memory: it will be copied.
    pub fn copies_over(&mut self) {
        self.plan = self.plan.moving(self.job.path, self.job.command, true, true);
    }

    /// One call to the store. It is counted if it got through, whatever came of it.
    ///
    /// # Errors
    ///
    /// Those of the store. A request that has changed something already cannot be called refused.
    pub async fn ask<T>(
        &mut self,
        when: StoreCall,
        what: impl FnOnce(&'a dyn Backend) -> store::Answer<'a, T>,
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

    /// Calls to the store that got through.
    #[must_use]
    pub fn calls_made(&self) -> u32 {
        self.calls.0 + self.calls.1
    }
}
