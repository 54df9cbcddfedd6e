//! Store failures, and their effect on current and future calls.

use super::Store;
use crate::base::time::Span;
use crate::sim::Sim;
use crate::sim::events::{Due, Events};
use crate::sim::requests::{Phase, RequestSlot, RequestState, Requests};
use crate::sim::servers::Servers;
use crate::state::store::goes_down;

/// The number of connections of a store without a limit.
const PLENTY: u32 = u32::MAX;

impl Store {
    /// Takes the store down, if the failure lasts: new calls are refused. Calls in progress break off in any case. If one
    /// only reads, its server knows that it had no effect. Returns how many connections that frees.
    fn cut_off(
        &mut self,
        events: &mut Events,
        servers: &mut Servers,
        requests: &mut Requests,
        lasting: Option<Span>,
    ) -> usize {
        if goes_down(lasting) {
            self.outages += 1;
            if let Some(lasting) = lasting {
                events.schedule(events.now + lasting, Due::StoreBack);
            }
            for worker in std::mem::take(&mut self.waiting) {
                let request = &mut requests[servers.held[worker as usize]];
                if let RequestState::Running(Phase::StoreLine(call)) = request.place {
                    servers.begin(request, Phase::Refused(call), events.now);
                }
            }
        }
        let mut freed = 0;
        for (_, id) in servers.at_work().collect::<Vec<_>>() {
            let request = &mut requests[id];
            if let RequestState::Running(Phase::Store(call)) = request.place {
                let phase = if call.only_looks(request.command) { Phase::Refused(call) } else { Phase::BrokenOff };
                servers.begin(request, phase, events.now);
                freed += 1;
            }
        }
        freed
    }

    /// The workers that held these requests have died: they leave the line. Returns how many connections they had.
    pub fn abandon(&mut self, requests: &Requests, ids: &[RequestSlot]) -> usize {
        let mut freed = 0;
        for request in ids.iter().map(|id| &requests[*id]) {
            match request.place {
                RequestState::Running(Phase::StoreLine(_)) => self.leave_line(request.worker),
                RequestState::Running(Phase::Store(_)) => freed += 1,
                _ => {}
            }
        }
        freed
    }
}

impl Sim {
    /// Makes each store call an event of its own from now on, so that it can fail individually. Requests that are
    /// already running are split up.
    pub(in crate::sim) fn tell_store_calls_apart(&mut self) {
        if self.store.has_line() {
            return;
        }
        let mut under_way = 0;
        for (_, id) in self.servers.at_work().collect::<Vec<_>>() {
            let (phase, _, until) = self.phase_within(id);
            self.servers.begin(&mut self.requests[id], phase, until);
            under_way += u32::from(phase != Phase::Work);
        }
        self.store.free = Some(PLENTY - under_way);
    }

    /// The store fails for a while or until the end. What it has lost is another matter.
    pub(in crate::sim) fn cut_off_store(&mut self, lasting: Option<Span>) {
        for _ in 0..self.store.cut_off(&mut self.events, &mut self.servers, &mut self.requests, lasting) {
            self.release_connection();
        }
    }
}
