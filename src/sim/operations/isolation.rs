//! Isolation: a server keeps running, but nothing reaches it and nothing comes back.

use crate::base::time::Span;
use crate::base::{Outcome, ServerId};
use crate::history::Recorder;
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::requests::{RequestId, RequestState};

/// An answer that is withheld while its server is isolated.
#[derive(Clone, Copy, Debug)]
pub struct WithheldReply {
    /// The server that answered.
    pub server: ServerId,
    request: RequestId,
    serial: u32,
    outcome: Outcome,
}

impl Sim {
    /// Isolates a server: new connections hang, and no answers get out. It goes on with the requests it already has.
    pub(in crate::sim) fn isolate<R: Recorder>(
        &mut self,
        recorder: &mut R,
        server: ServerId,
        index: u32,
        lasting: Option<Span>,
    ) {
        let Some(struck) = self.strike_of(index).isolate(&mut self.balancer.pool, server) else { return };
        self.record_pool(recorder, struck);
        if let Some(lasting) = lasting {
            self.events.schedule(self.now + lasting, Due::Reconnected { server, fault: index });
        }
        self.watch(server, self.now);
    }

    /// Withholds an answer if its server is isolated. Returns whether it did.
    #[cold]
    pub(in crate::sim) fn keeps_back(&mut self, id: RequestId, outcome: Outcome) -> bool {
        let request = &mut self.requests[id];
        let server = request.server;
        if !self.balancer.pool.is_isolated(server) {
            return false;
        }
        request.place = RequestState::Swallowed;
        self.operations.withheld.push(WithheldReply { server, request: id, serial: request.serial, outcome });
        true
    }

    /// Discards a withheld answer that the balancer has given up on.
    pub(in crate::sim) fn forget_withheld(&mut self, id: RequestId) {
        self.operations.withheld.retain(|answer| answer.request != id);
    }

    /// Reconnects a server, its memory intact. Withheld answers reach the users who are still waiting.
    pub(in crate::sim) fn reconnected<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let Some(ready) = self.strike_of(fault).reconnect(&mut self.balancer.pool, server) else { return };
        self.record_pool(recorder, ready);
        self.watch(server, self.now);
        let (heard, still_withheld): (Vec<WithheldReply>, _) =
            self.operations.withheld.iter().partition(|answer| answer.server == server);
        self.operations.withheld = still_withheld;
        for WithheldReply { request, serial, outcome, .. } in heard {
            if self.requests.is_awaited(request, serial) {
                self.hear(recorder, request, outcome);
            }
        }
    }
}
