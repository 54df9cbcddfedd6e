//! The shared store breaks: what that does to calls, those under way and those to come.

use super::events::Due;
use super::requests::{Phase, RequestId, RequestState, StoreCall};
use super::serving::{Effect, IDLE};
use super::{Context, World};
use crate::balancing::policy::Policy;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, Refusal};
use crate::history::Recorder;
use crate::scenario::Forgets;

/// Connections of a store without a limit.
const PLENTY: u32 = u32::MAX;

impl World {
    /// From now on calls to the store are events of their own, so that one can fail. Requests that run already are
    /// taken apart.
    pub(super) fn tell_store_calls_apart(&mut self) {
        if self.worker_pools.store.free.is_some() {
            return;
        }
        let mut under_way = 0;
        for worker in 0..self.worker_pools.held.len() {
            let id = self.worker_pools.held[worker];
            if id == IDLE {
                continue;
            }
            let calls = self.requests[id].calls;
            let (before, after) =
                (self.store_time(id, calls, StoreCall::Before), self.store_time(id, calls, StoreCall::After));
            let work = self.requests[id].started + before;
            let end = self.events.busy.time(worker);
            let worked = Instant::from_nanos(end.as_nanos() - after.as_nanos());
            let (phase, until) = if calls.before > 0 && self.now < work {
                (Phase::Store(StoreCall::Before), work)
            } else if calls.after == 0 || self.now < worked {
                (Phase::Work, worked)
            } else {
                (Phase::Store(StoreCall::After), end)
            };
            under_way += u32::from(phase != Phase::Work);
            self.requests[id].place = RequestState::Running(phase);
            self.events.busy.set(worker, until);
        }
        self.worker_pools.store.free = Some(PLENTY - under_way);
    }

    /// A fault of the store strikes.
    pub(super) fn break_store<P, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        index: u32,
        lasting: Option<Span>,
        forgets: Forgets,
    ) {
        self.struck(context, None, index);
        self.forget_writes(forgets, index);
        self.cut_off_store(lasting);
    }

    /// Nobody reaches the store: calls are refused, and those under way break off.
    pub(super) fn cut_off_store(&mut self, lasting: Option<Span>) {
        if lasting != Some(Span::ZERO) {
            self.store_limits.goes_down();
            for worker in std::mem::take(&mut self.worker_pools.store.waiting) {
                let id = self.worker_pools.held[worker as usize];
                if let RequestState::Running(Phase::StoreLine(call)) = self.requests[id].place {
                    self.refuse_store_call(worker, id, call);
                }
            }
        }
        self.break_calls_off();
        if let Some(lasting) = lasting.filter(|lasting| *lasting > Span::ZERO) {
            self.events.schedule(self.now + lasting, Due::StoreBack);
        }
    }

    /// Calls that are under way get no answer. Of one that only looks, the server can say that nothing has come of it.
    fn break_calls_off(&mut self) {
        let held = (0u32..).zip(&self.worker_pools.held).filter(|(_, id)| **id != IDLE);
        let call = |(worker, id): (u32, &RequestId)| match self.requests[*id].place {
            RequestState::Running(Phase::Store(call)) => Some((worker, *id, call)),
            _ => None,
        };
        for (worker, id, call) in held.filter_map(call).collect::<Vec<_>>() {
            if call == StoreCall::After && !self.requests[id].command.is_safe() {
                self.requests[id].place = RequestState::Running(Phase::BrokenOff);
                self.events.busy.set(worker as usize, self.now);
            } else {
                self.refuse_store_call(worker, id, call);
            }
            self.release_connection();
        }
    }

    /// The store cannot be reached: the request ends now.
    pub(super) fn refuse_store_call(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        self.requests[id].place = RequestState::Running(Phase::Refused(call));
        self.events.busy.set(worker as usize, self.now);
    }

    /// The server says that it cannot reach the store. Nothing has been changed.
    #[cold]
    pub(super) fn finish_refused<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        worker: u32,
        id: RequestId,
        call: StoreCall,
    ) {
        let made = if call == StoreCall::Before { 0 } else { self.requests[id].calls.before };
        let effect = Effect::none(Outcome::Refused(Refusal::StoreDown));
        self.finish_with(context, worker, id, &effect, made);
    }

    /// The server cannot say whether the store has done what it was told. (It has not: a call takes effect at its end.)
    #[cold]
    pub(super) fn finish_broken_off<P: Policy, R: Recorder>(
        &mut self,
        context: &mut Context<'_, P, R>,
        worker: u32,
        id: RequestId,
    ) {
        let made = self.requests[id].calls.total();
        self.finish_with(context, worker, id, &Effect::none(Outcome::Failed), made);
    }
}
