//! The balancer: where a request goes, and where it goes next when that fails.

use super::events::TimerKind;
use super::requests::{Place, RequestId};
use super::{Hands, World};
use crate::history::{Event, Inside, Recorder, What};
use crate::model::{Outcome, Refusal, ServerId, ServerState};
use crate::policy::affinity::Bound;
use crate::policy::{Policy, RequestView};
use crate::seed::Purpose;

impl World {
    /// Sends a request to a server, or refuses it.
    #[inline(always)]
    pub(super) fn route<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        if self.platform.is_some() {
            return self.send_to_platform(hands, id);
        }
        self.excluded.clear();
        self.route_further(hands, id);
    }

    /// The same, not to the excluded servers.
    fn route_further<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        loop {
            let server = match self.choose(hands, id) {
                Ok(server) => server,
                Err(refusal) => return self.refuse(hands, id, refusal),
            };
            self.requests[id].server = server;
            self.pool.view.in_flight[server.index()] += 1;
            hands.policy.on_start(server);
            if self.ways.is_some() {
                return self.set_out(id);
            }
            match self.pool.members[server.index()].state {
                ServerState::Up | ServerState::Draining => return self.arrive(hands, id),
                ServerState::Silent => {
                    let request = &mut self.requests[id];
                    request.place = Place::Connecting;
                    let serial = request.serial;
                    let at = self.now + self.connect_timeout;
                    return self.events.start_timer(TimerKind::Connect, at, id, serial);
                }
                ServerState::Down | ServerState::Booting | ServerState::Retired => {
                    if !self.retry(hands, id) {
                        return self.refuse(hands, id, Refusal::Unreachable);
                    }
                }
            }
        }
    }

    /// The server for a request: the pinned one, or the policy's choice.
    #[inline(always)]
    fn choose<P: Policy, R>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) -> Result<ServerId, Refusal> {
        let request = &self.requests[id];
        let client = &self.clients[request.client.index()].client;
        let view = &self.pool.view;
        let bound = if self.needs_jars {
            self.jars[client.jar as usize].pin.bound(self.affinity, self.pinned_down, self.now, view)
        } else {
            Bound::Free
        };
        match bound {
            Bound::To(server) if !self.excluded.contains(&server) => return Ok(server),
            Bound::Fail => return Err(Refusal::NoServer),
            Bound::To(_) | Bound::Free => {}
        }
        let mut key = request.key;
        // Another try has other luck; the upper byte of the attempt is free for it.
        key.attempt |= u16::from(request.retries) << 8;
        let draw = self.workload.seed.draw(Purpose::Pick, key);
        let asked = RequestView { hash_key: self.workload.hash_key(client.user), excluded: &self.excluded };
        if let Some(ways) = &self.ways {
            hands.policy.asked_from(ways.asked_from(request));
        }
        let none_left = if self.excluded.is_empty() { Refusal::NoServer } else { Refusal::Unreachable };
        hands.policy.pick(self.now, &asked, view, draw).ok_or(none_left)
    }

    /// A connection failed. Whether the request may be sent to another server; if so, this one is excluded.
    fn retry<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) -> bool {
        self.hang_up(hands, id);
        let request = &mut self.requests[id];
        if request.retries >= self.retries {
            return false;
        }
        request.retries += 1;
        request.place = Place::Balancer;
        let from = request.server;
        self.excluded.push(from);
        let what = What::Inside(request.visit(), Inside::Retried { from });
        hands.recorder.record(&Event { at: self.now, what });
        true
    }

    /// Ends the balancer's connection to a server, if there is one.
    #[inline]
    pub(super) fn hang_up<P: Policy, R>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        if self.is_for_nobody_yet(id) {
            return;
        }
        let request = &self.requests[id];
        self.pool.view.in_flight[request.server.index()] -= 1;
        hands.policy.on_complete(self.now, request.server, self.now - request.sent, Outcome::Failed);
    }

    pub(super) fn refuse<P: Policy, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        id: RequestId,
        refusal: Refusal,
    ) {
        self.drop_request(hands, id, None);
        self.tell(hands, id, Outcome::Refused(refusal));
        self.requests.remove(id);
    }

    /// Records that a request ended without effect.
    pub(super) fn drop_request<P, R: Recorder>(
        &mut self,
        hands: &mut Hands<'_, P, R>,
        id: RequestId,
        server: Option<ServerId>,
    ) {
        let what = What::Inside(self.requests[id].visit(), Inside::Dropped { server });
        hands.recorder.record(&Event { at: self.now, what });
    }

    /// No connection within the balancer's patience: it never reached the server, so any method may go elsewhere.
    pub(super) fn connect_timed_out<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        if self.retry(hands, id) {
            self.route_further(hands, id);
        } else {
            self.refuse(hands, id, Refusal::Unreachable);
        }
    }

    /// The connection to a server was reset under a request. Only an idempotent method may be sent again.
    pub(super) fn reset<P: Policy, R: Recorder>(&mut self, hands: &mut Hands<'_, P, R>, id: RequestId) {
        self.excluded.clear();
        let server = self.requests[id].server;
        if self.requests[id].command.is_idempotent() && self.requests[id].retries < self.retries {
            self.retry(hands, id);
            return self.route_further(hands, id);
        }
        self.hang_up(hands, id);
        self.drop_request(hands, id, Some(server));
        self.tell(hands, id, Outcome::Failed);
        self.requests.remove(id);
    }
}
