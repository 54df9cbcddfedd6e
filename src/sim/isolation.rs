//! Servers that live and that nobody reaches.

use super::events::Due;
use super::requests::{Place, RequestId};
use super::{Hands, World};
use crate::history::{PoolEvent, Recorder};
use crate::model::{Outcome, ServerId};
use crate::policy::Policy;
use crate::time::Span;

/// An answer that is on its way for as long as its server is cut off.
#[derive(Clone, Copy, Debug)]
pub struct Unheard {
    /// Whose.
    pub server: ServerId,
    request: RequestId,
    serial: u32,
    outcome: Outcome,
}

impl World {
    /// From now on connections to a server hang, and nothing comes back from it. What it has it works on.
    pub(super) fn isolate<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        server: ServerId,
        index: u32,
        lasting: Option<Span>,
    ) {
        if !self.pool.isolate(server, index) {
            return;
        }
        self.struck(hands, Some(server), index);
        if let Some(lasting) = lasting {
            self.events.schedule(self.now + lasting, Due::Reconnected { server, fault: index });
        }
        self.watch(server, self.now);
    }

    /// Keeps an answer back whose server is cut off. False when it is not.
    #[cold]
    pub(super) fn keeps_back(&mut self, id: RequestId, outcome: Outcome) -> bool {
        let request = &mut self.requests[id];
        let server = request.server;
        if !self.pool.is_isolated(server) {
            return false;
        }
        request.place = Place::Swallowed;
        self.unheard.push(Unheard { server, request: id, serial: request.serial, outcome });
        true
    }

    /// The balancer has given up on an answer that is kept back.
    pub(super) fn forget_unheard(&mut self, id: RequestId) {
        self.unheard.retain(|answer| answer.request != id);
    }

    /// A server is within reach again, with what it had; what it has said meanwhile is heard by those who still wait.
    pub(super) fn reconnected<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        server: ServerId,
        fault: u32,
    ) {
        if !self.pool.reconnect(server, fault) {
            return;
        }
        self.record_pool(hands, PoolEvent::Ready { server });
        self.watch(server, self.now);
        let (heard, still_unheard): (Vec<Unheard>, _) = self.unheard.iter().partition(|answer| answer.server == server);
        self.unheard = still_unheard;
        for Unheard { request, serial, outcome, .. } in heard {
            if self.requests.is_awaited(request, serial) {
                self.hear(hands, request, outcome);
            }
        }
    }
}
