//! Isolation: a server keeps running, but nothing reaches it and nothing comes back.

use crate::base::{Outcome, ServerId};
use crate::history::Recorder;
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestSlot, RequestState};

/// The answers of isolated servers, in the order in which they were given.
#[derive(Clone, Debug, Default)]
pub struct WithheldReplies(Vec<WithheldReply>);

/// An answer that is withheld while its server is isolated.
#[derive(Clone, Copy, Debug)]
struct WithheldReply {
    server: ServerId,
    request: RequestSlot,
    serial: u32,
    outcome: Outcome,
}

impl WithheldReplies {
    /// Withholds the answer to a request.
    #[cold]
    pub fn withhold(&mut self, id: RequestSlot, request: &mut InFlight, outcome: Outcome) {
        request.place = RequestState::Swallowed;
        self.0.push(WithheldReply { server: request.server, request: id, serial: request.serial, outcome });
    }

    /// Discards the answer to a request that the balancer has given up on.
    pub fn forget(&mut self, id: RequestSlot) {
        self.0.retain(|reply| reply.request != id);
    }

    /// Discards the answers of a server that has died.
    pub fn forget_server(&mut self, server: ServerId) {
        self.0.retain(|reply| reply.server != server);
    }

    /// Takes out the answers of a server that can be reached again.
    fn take(&mut self, server: ServerId) -> Vec<WithheldReply> {
        let (taken, still_withheld) = self.0.iter().partition(|reply| reply.server == server);
        self.0 = still_withheld;
        taken
    }
}

impl Sim {
    /// Reconnects an isolated server. Withheld answers reach the users who are still waiting.
    pub(in crate::sim) fn reconnect<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, fault: u32) {
        let Sim { operations, events, balancer, .. } = self;
        if !operations.reconnect(recorder, events, balancer, server, fault) {
            return;
        }
        for WithheldReply { request, serial, outcome, .. } in self.operations.withheld.take(server) {
            if self.requests.is_awaited(request, serial) {
                self.reply(recorder, request, outcome);
            }
        }
    }
}
