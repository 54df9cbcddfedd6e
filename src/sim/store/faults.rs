//! Store failures, and their effect on current and future calls.

use crate::base::time::{Instant, Span};
use crate::base::{Outcome, Refusal};
use crate::history::Recorder;
use crate::scenario::Forgets;
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::requests::{Phase, RequestId, RequestState};
use crate::sim::store::stored_carts;
use crate::state::store::{StoreCall, goes_down};

/// The number of connections of a store without a limit.
const PLENTY: u32 = u32::MAX;

impl Sim {
    /// Makes each store call an event of its own from now on, so that it can fail individually. Requests that are
    /// already running are split up.
    pub(in crate::sim) fn tell_store_calls_apart(&mut self) {
        if self.store.free.is_some() {
            return;
        }
        let mut under_way = 0;
        for (worker, id) in self.servers.at_work().collect::<Vec<_>>() {
            let (before, after) = (self.store_time(id, StoreCall::Before), self.store_time(id, StoreCall::After));
            let request = &self.requests[id];
            let work = request.started + before;
            let end = self.servers.busy.time(worker as usize);
            let worked = Instant::from_nanos(end.as_nanos() - after.as_nanos());
            let (phase, until) = if request.plan.calls_before() > 0 && self.now < work {
                (Phase::Store(StoreCall::Before), work)
            } else if request.plan.calls_after() == 0 || self.now < worked {
                (Phase::Work, worked)
            } else {
                (Phase::Store(StoreCall::After), end)
            };
            under_way += u32::from(phase != Phase::Work);
            self.requests[id].place = RequestState::Running(phase);
            self.servers.busy.set(worker as usize, until);
        }
        self.store.free = Some(PLENTY - under_way);
    }

    /// A store fault strikes.
    pub(in crate::sim) fn break_store<R: Recorder>(
        &mut self,
        recorder: &mut R,
        index: u32,
        lasting: Option<Span>,
        forgets: Forgets,
    ) {
        self.struck(recorder, None, index);
        self.store.forget(&mut stored_carts!(self), forgets, index);
        self.cut_off_store(lasting);
    }

    /// Takes the store down: new calls are refused, and those in progress break off.
    pub(in crate::sim) fn cut_off_store(&mut self, lasting: Option<Span>) {
        if goes_down(lasting) {
            self.store.outages += 1;
            for worker in std::mem::take(&mut self.store.waiting) {
                let id = self.servers.held[worker as usize];
                if let RequestState::Running(Phase::StoreLine(call)) = self.requests[id].place {
                    self.refuse_store_call(worker, id, call);
                }
            }
        }
        self.break_calls_off();
        if let Some(lasting) = lasting.filter(|_| goes_down(lasting)) {
            self.events.schedule(self.now + lasting, Due::StoreBack);
        }
    }

    /// Breaks off the calls in progress. If a call only reads, the server knows that it had no effect.
    fn break_calls_off(&mut self) {
        let call = |(worker, id): (u32, RequestId)| match self.requests[id].place {
            RequestState::Running(Phase::Store(call)) => Some((worker, id, call)),
            _ => None,
        };
        for (worker, id, call) in self.servers.at_work().filter_map(call).collect::<Vec<_>>() {
            if call.only_looks(self.requests[id].command) {
                self.refuse_store_call(worker, id, call);
            } else {
                self.requests[id].place = RequestState::Running(Phase::BrokenOff);
                self.servers.busy.set(worker as usize, self.now);
            }
            self.release_connection();
        }
    }

    /// Ends a request now, because the store cannot be reached.
    pub(in crate::sim) fn refuse_store_call(&mut self, worker: u32, id: RequestId, call: StoreCall) {
        self.requests[id].place = RequestState::Running(Phase::Refused(call));
        self.servers.busy.set(worker as usize, self.now);
    }

    /// Answers that the store cannot be reached. Nothing has been changed.
    #[cold]
    pub(in crate::sim) fn finish_refused<R: Recorder>(
        &mut self,
        recorder: &mut R,
        worker: u32,
        id: RequestId,
        call: StoreCall,
    ) {
        let made = if call == StoreCall::Before { 0 } else { self.requests[id].plan.calls_before() };
        self.finish_in_vain(recorder, worker, id, Outcome::Refused(Refusal::StoreDown), made);
    }

    /// Fails a request, because its server cannot tell whether the store call took effect. (It did not: a call takes
    /// effect at its end.)
    #[cold]
    pub(in crate::sim) fn finish_broken_off<R: Recorder>(&mut self, recorder: &mut R, worker: u32, id: RequestId) {
        let made = self.requests[id].plan.calls();
        self.finish_in_vain(recorder, worker, id, Outcome::Failed, made);
    }
}
