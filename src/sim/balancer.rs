//! What the balancer does in virtual time: it checks servers' health, judges their answers, and readmits them.

use super::events::{Due, Events};
use super::requests::InFlight;
use crate::balancing::balancer::Balancer;
use crate::base::time::Instant;
use crate::base::{Outcome, ServerId};
use crate::history::{Event, PoolEvent, Recorder};

impl Balancer {
    /// Schedules the next health check of a server, if it has to be simulated.
    pub(super) fn watch(&mut self, events: &mut Events, server: ServerId) {
        if let Some(at) = self.pool.watch(server, events.now) {
            events.schedule(at, Due::Check(server));
        }
    }

    /// Schedules the check of a server that follows one that has just ended, perhaps because it timed out.
    pub(super) fn watch_again(&mut self, events: &mut Events, server: ServerId, timed_out: bool) {
        if let Some(at) = self.pool.watch_again(server, events.now, timed_out) {
            events.schedule(at, Due::Check(server));
        }
    }

    /// A health check begins. Returns whether it passes, unless that depends on an answer that does not come at once.
    pub(super) fn begin_check(&mut self, events: &mut Events, server: ServerId) -> Option<bool> {
        let (passed, ends) = self.pool.check(server, events.now);
        if ends > events.now {
            events.schedule(ends, Due::CheckTimeout(server));
            return None;
        }
        Some(passed)
    }

    /// A health check has ended. Returns whether that changes what the balancer believes.
    pub(super) fn end_check<R: Recorder>(
        &mut self,
        recorder: &mut R,
        server: ServerId,
        passed: bool,
        now: Instant,
    ) -> bool {
        let Some(up) = self.checked(server, passed) else { return false };
        recorder.record(&Event::pool(now, PoolEvent::Believed { server, up }));
        true
    }

    /// A platform assigns an instance to a request. A request whose user has left does not count as in flight.
    pub(super) fn assign(&mut self, request: &mut InFlight, server: ServerId) {
        request.server = server;
        self.pool.view.in_flight[server.index()] += u32::from(!request.departed);
    }

    /// The attempt that a request is making ends.
    #[inline(always)]
    pub(super) fn end_attempt(&mut self, request: &InFlight, outcome: Outcome, now: Instant) {
        self.ended(now, request.server, request.retries > 0, request.attempt_began(), outcome);
    }

    /// Feeds a server's success or failure to outlier detection. An ejected server is readmitted later.
    #[inline(always)]
    pub(super) fn count_outcome<R: Recorder>(
        &mut self,
        recorder: &mut R,
        events: &mut Events,
        server: ServerId,
        failed: bool,
    ) {
        if let Some(until) = self.judge(events.now, server, failed) {
            eject(recorder, events, server, until);
        }
    }

    /// The time of an ejection is over.
    pub(super) fn end_ejection<R: Recorder>(&mut self, recorder: &mut R, server: ServerId, now: Instant) {
        if self.readmit(server, now) {
            recorder.record(&Event::pool(now, PoolEvent::Readmitted { server }));
        }
    }
}

/// Records an ejection, and schedules its end.
#[cold]
fn eject<R: Recorder>(recorder: &mut R, events: &mut Events, server: ServerId, until: Instant) {
    recorder.record(&Event::pool(events.now, PoolEvent::Ejected { server }));
    events.schedule(until, Due::Readmit(server));
}
