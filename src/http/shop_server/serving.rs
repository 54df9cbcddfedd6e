//! Serving a request: a worker goes through the stages of its plan, and commits its effect just before the answer.

use std::sync::atomic::Ordering;

use tokio::sync::OwnedMutexGuard;

use super::cart::{self, CartEffect};
use super::files::{self, FileEffect};
use super::request::{Answer, ParsedRequest, store_trouble};
use super::session::{self, Credential};
use super::{ServerProcess, Shop, hidden};
use crate::base::seed::{Key, Purpose};
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items, Refusal, Reply, UserId};
use crate::history::{Evidence, Request as Asked, Served};
use crate::http::log::CommitRecord;
use crate::http::store::{self, Backend, StoreError};
use crate::http::token::Signer;
use crate::http::wire::CartId;
use crate::scenario::CartPath;
use crate::state::plan::{Plan, Stage};
use crate::state::session::accepts;
use crate::state::shop::Order;
use crate::state::store::StoreCall;

/// A request that a worker holds.
pub struct Job<'a> {
    /// The process that works on it.
    pub process: &'a ServerProcess,
    /// What all servers share.
    pub shop: &'a Shop,
    /// The request.
    pub request: &'a ParsedRequest,
    /// What it asks.
    pub command: Command,
    /// Whose luck it has.
    pub key: Key,
    /// The cart it is about.
    pub cart: CartId,
    /// The way to the cart, while carts move.
    pub path: CartPath,
    /// When it was sent.
    pub sent: Instant,
    started: Instant,
}

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
    plan: Plan,
    refused: Option<Refusal>,
    /// Calls to the store that got through, before the work and after it.
    calls: (u32, u32),
    /// Whether one of them may have changed something.
    changed: bool,
    answer: Option<Answer>,
}

/// What a request came to.
pub struct Completed {
    /// What its server says.
    pub reply: Reply,
    /// Why nothing was done for it, if so.
    pub refused: Option<Refusal>,
    /// What it did to a cart.
    pub cart: Option<CartEffect>,
    /// What it did to a file.
    pub file: Option<FileEffect>,
    /// Cookies that the answer sets.
    pub cookies: Vec<String>,
    /// Bytes of state that came with the request and go with the answer.
    carried: usize,
}

impl<'a> Job<'a> {
    /// A worker begins with a request.
    #[must_use]
    pub fn new(
        process: &'a ServerProcess,
        request: &'a ParsedRequest,
        command: Command,
        (sent, started): (Instant, Instant),
    ) -> Job<'a> {
        let shop = &*process.shop;
        // Guests have keys of their own, in bits that no user has.
        let guest =
            || Key { entity: 1 << 48 | u64::from(shop.guests.fetch_add(1, Ordering::Relaxed)), ..Key::default() };
        let key = request.id.map_or_else(guest, |id| id.key);
        let new_cart = || CartId { user: 0, tab: 0, visit: getrandom::u32().unwrap_or_default() };
        let cart = request.cart.unwrap_or_else(new_cart);
        let path = shop.migration.map_or(CartPath::Usual, |migration| migration.path(started));
        Job { process, shop, request, command, key, cart, path, sent, started }
    }

    /// Who signs and checks logins here.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.process.secrets.signer.as_ref().unwrap_or(&self.shop.signer)
    }

    /// Serves the request. `None`: the process died meanwhile.
    pub async fn serve(&self) -> Option<Answer> {
        let mut serving = Serving::begin(self);
        match serving.go_through().await {
            Ok(()) => serving.answer,
            Err(trouble) => serving.give_up(trouble),
        }
    }

    /// How long a worker is busy with it, without the store.
    fn service_time(&self) -> Span {
        let cost = self.request.id.map_or(1, |id| self.shop.workload.cost(UserId(id.visit().user.0)));
        let mut luck = self.shop.workload.seed.draw(Purpose::Service, self.key);
        self.shop.service.sample(&mut luck) * (cost * self.process.slot.slowness())
    }

    async fn do_work(&self) {
        let time = self.service_time();
        if time > Span::ZERO {
            self.shop.clock.sleep_until(self.shop.clock.now() + time).await;
        }
    }

    fn record(&self, done: &Completed, store_calls: u32) {
        let Some(id) = self.request.id else { return };
        let effect = done.cart.as_ref();
        let served = Served {
            request: Asked { step: id.key.step, attempt: id.key.attempt, command: self.command },
            server: self.process.slot.id,
            process: self.process.process,
            waited: self.started - self.sent,
            busy: Span::ZERO,
            knew_cart: effect.map(|effect| effect.knew).or(done.file.as_ref().map(|file| file.knew)),
            cart: effect.map_or(Items::NONE, |effect| effect.held),
            store_calls,
            carried_bytes: u32::try_from(done.carried).unwrap_or(u32::MAX),
            copies: effect.map_or(0, |effect| effect.copies),
            // The log knows more about that.
            evidence: Evidence::default(),
        };
        let mut kept = effect.map_or(CommitRecord::default(), |effect| effect.kept);
        kept.file = done.file.as_ref().map(|effect| (effect.place, effect.file));
        kept.moving = self.shop.migration.map(|_| (self.path, self.shop.migration_fault));
        self.shop.log.served(id, served, self.started, kept);
    }
}

impl<'a> Serving<'a> {
    /// What everybody costs, even a stranger: the look-ups that it takes to tell.
    fn begin(job: &'a Job<'a>) -> Serving<'a> {
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

    async fn go_through(&mut self) -> Result<(), StoreError> {
        self.take(Stage::CheckDenyList).await?;
        self.take(Stage::FindSession).await?;
        self.decide();
        for stage in Stage::ALL.into_iter().filter(|stage| *stage > Stage::FindSession) {
            self.take(stage).await?;
        }
        Ok(())
    }

    /// Decides whether the request is let in, and what serving it consists of.
    fn decide(&mut self) {
        let Job { shop, command, path, .. } = *self.job;
        let rules = &shop.serving;
        let Credential { status, found, .. } = self.credential;
        let known = accepts(rules.homes.session, &rules.tokens, status, found);
        self.refused = if known { hidden::refusal(self.job) } else { Some(Refusal::Unauthorized) };
        let accepted = self.refused.is_none();
        self.plan = rules.plan(command, status, accepted).moving(path, command, accepted, false);
    }

    /// A cart was found only in memory: it will be copied.
    pub fn copies_over(&mut self) {
        self.plan = self.plan.moving(self.job.path, self.job.command, true, true);
    }

    /// Takes one stage, if the plan has it.
    async fn take(&mut self, stage: Stage) -> Result<(), StoreError> {
        if !self.plan.has(stage) {
            return Ok(());
        }
        match stage {
            Stage::CheckDenyList => session::check_deny_list(self).await,
            Stage::FindSession => session::find(self).await,
            Stage::LookUpGoods => self.look_up_goods().await,
            Stage::ReadCart => cart::read(self).await,
            Stage::Work => self.work().await,
            Stage::CallObjectStore => {
                files::wait_for_objects(self.job).await;
                Ok(())
            }
            Stage::KeepSession => session::keep(self).await,
            Stage::DenyToken => session::deny(self).await,
            Stage::DropSession => session::drop_stored(self).await,
            Stage::UpdateCart => cart::update(self).await,
            Stage::CopyCart => cart::copy_over(self).await,
            Stage::Commit => {
                self.commit();
                Ok(())
            }
        }
    }

    /// The store has no goods: these calls only take their time.
    async fn look_up_goods(&mut self) -> Result<(), StoreError> {
        for _ in 0..self.plan.look_ups_of_goods() {
            self.ask(StoreCall::Before, |_| Box::pin(std::future::ready(Ok(())))).await?;
        }
        Ok(())
    }

    /// A worker works. Then a checkout opens the order of its visit.
    async fn work(&mut self) -> Result<(), StoreError> {
        self.job.do_work().await;
        if self.refused.is_none()
            && let Some(order) = cart::order_of(self.job)?
        {
            self.order = Some(order.lock_owned().await);
        }
        Ok(())
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

    fn calls_made(&self) -> u32 {
        self.calls.0 + self.calls.1
    }

    /// All effects happen, at once, unless the process has died.
    fn commit(&mut self) {
        let job = self.job;
        self.answer = job.process.while_alive(|| {
            let done = self.effect();
            job.record(&done, self.calls_made());
            done.answer(job)
        });
    }

    fn effect(&mut self) -> Completed {
        let mut done = self.nothing_done();
        if self.refused.is_some() {
            return done;
        }
        done.cart = cart::effect(self);
        done.file = files::here(self.job);
        if let Some(version) = hidden::version(self.job) {
            done.reply = Reply::Page(version);
        }
        if let Some(cart) = &done.cart {
            done.reply = cart.reply;
            done.carried += cart.carried;
            done.cookies.extend(cart.cookie());
        }
        if done.file.as_ref().is_none_or(FileEffect::is_good) {
            done.carried += session::commit(self, &mut done.cookies);
        }
        done
    }

    fn nothing_done(&self) -> Completed {
        let carried = self.credential.carried(self.job) + cart::carried(self.job);
        Completed { reply: Reply::Done, refused: self.refused, cart: None, file: None, cookies: Vec::new(), carried }
    }

    /// The store has not done its part: the request ends without an effect.
    fn give_up(&self, trouble: StoreError) -> Option<Answer> {
        self.job.process.while_alive(|| {
            self.job.record(&self.nothing_done(), self.calls_made());
            store_trouble(trouble)
        })
    }
}
