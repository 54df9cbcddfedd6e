//! Serving a request: a worker goes through the stages of its plan, and commits the effect just before it answers.

use super::answer::{Answer, store_trouble};
use super::completed::Completed;
use super::credential::Credential;
use super::files::{self, FileEffect};
use super::job::Job;
use super::progress::Serving;
use super::{cart, hidden, session};
use crate::base::time::Span;
use crate::base::{Items, Refusal, Reply};
use crate::history::{Evidence, Request as Asked, Served};
use crate::http::log::CommitRecord;
use crate::http::store::StoreError;
use crate::state::moving_carts::MovingEffect;
use crate::state::plan::Stage;
use crate::state::session::accepts;
use crate::state::store::StoreCall;

impl Job<'_> {
    /// Serves the request. `None` if the process has died in the meantime.
    pub async fn serve(&self) -> Option<Answer> {
        let mut serving = Serving::begin(self);
        match serving.go_through().await {
            Ok(()) => serving.answer,
            Err(trouble) => serving.give_up(trouble),
        }
    }

    async fn do_work(&self) {
        let user = self.request.id.map(|id| id.visit().user);
        let slow = self.process.slot.slowness();
        let time = self.shop.workload.service_time(self.shop.service, self.key, user, slow);
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
            // The log adds it: it knows about all servers.
            evidence: Evidence::default(),
        };
        let mut kept = effect.map_or(CommitRecord::default(), |effect| effect.kept);
        kept.file = done.file.as_ref().map(|effect| (effect.place, effect.file));
        kept.moving = self.shop.migration.map(|_| (self.path, self.shop.migration_fault));
        self.shop.log.served(id, served, self.started, kept);
    }
}

impl Serving<'_> {
    async fn go_through(&mut self) -> Result<(), StoreError> {
        self.take(Stage::CheckDenyList).await?;
        self.take(Stage::FindSession).await?;
        self.decide();
        for stage in Stage::ALL.into_iter().filter(|stage| *stage > Stage::FindSession) {
            self.take(stage).await?;
        }
        Ok(())
    }

    /// Decides whether the request is accepted, and plans the stages of serving it.
    fn decide(&mut self) {
        let Job { shop, command, path, .. } = *self.job;
        let rules = &shop.serving;
        let Credential { status, found, .. } = self.credential;
        let known = accepts(rules.homes.session, &rules.tokens, status, found);
        self.refused = if known { hidden::refusal(self.job) } else { Some(Refusal::Unauthorized) };
        let accepted = self.refused.is_none();
        // Assumes that the store has the cart; the call to the store will tell.
        let effect = MovingEffect::of(path, command, true, false);
        self.plan = rules.plan(command, status, accepted);
        if shop.migration.is_some() {
            self.plan = self.plan.moving(effect, command, accepted);
        }
    }

    /// Goes through one stage, if the plan has it.
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

    /// Calls to the store that return nothing, because it has no goods: they only take time.
    async fn look_up_goods(&mut self) -> Result<(), StoreError> {
        for _ in 0..self.plan.look_ups_of_goods() {
            self.ask(StoreCall::Before, |_| Box::pin(std::future::ready(Ok(())))).await?;
        }
        Ok(())
    }

    /// The worker's own work. After it, a checkout locks the order of its visit.
    async fn work(&mut self) -> Result<(), StoreError> {
        self.job.do_work().await;
        if self.refused.is_none()
            && let Some(order) = cart::order_of(self.job)?
        {
            self.order = Some(order.lock_owned().await);
        }
        Ok(())
    }

    /// Commits all effects at once, unless the process has died.
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

    /// Ends the request without an effect, because a call to the store has failed.
    fn give_up(&self, trouble: StoreError) -> Option<Answer> {
        self.job.process.while_alive(|| {
            self.job.record(&self.nothing_done(), self.calls_made());
            store_trouble(trouble)
        })
    }
}
