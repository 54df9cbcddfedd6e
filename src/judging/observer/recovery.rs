//! Recovery from faults that kill servers: when the balancer detects them, when capacity is back, when users are well.

use crate::base::ServerId;
use crate::base::time::{Instant, Span};

/// The consequences of one fault that killed a server. It struck at [`Outage::at`]; all other times are relative to
/// that.
///
/// Several servers can be down at once. Events of a server are attributed to the last fault that killed it; failures
/// of users, whatever their cause, to the last fault that killed any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it struck.
    pub at: Instant,
    /// The server that it killed.
    pub server: ServerId,
    /// When the balancer believed that the server was down. `None` if it never did because the server was back first,
    /// or if it already believed so because the server had died before and was not trusted yet.
    pub noticed: Option<Span>,
    /// When the server ran again and the balancer (still or again) believed it to be up. `None` if that did not
    /// happen.
    pub back: Option<Span>,
    /// When the last user met a failure, before the next such fault or the end of the run: a request that failed, was
    /// refused or timed out, an unknown login (401), or a checkout that lost items wiped by this fault. Zero if no
    /// user did.
    pub users_well: Span,
    /// When its process became ready.
    ready: Option<Instant>,
}

/// The outages of a run, in order of their beginning.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// A health check that began before a server came back can still fail this much later.
    late: Span,
    outages: Vec<Outage>,
    /// The fault of each outage.
    faults: Vec<u32>,
    /// By server: whether the balancer believes that it is down.
    believed_down: Vec<bool>,
}

impl Recovery {
    /// No outages yet. A health check waits this long for its response.
    #[must_use]
    pub fn new(check_timeout: Span) -> Recovery {
        Recovery { late: check_timeout, outages: Vec::new(), faults: Vec::new(), believed_down: Vec::new() }
    }

    /// All outages so far.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// A fault killed a server.
    pub fn killed(&mut self, at: Instant, fault: u32, server: ServerId) {
        self.outages.push(Outage { at, server, noticed: None, back: None, users_well: Span::ZERO, ready: None });
        self.faults.push(fault);
    }

    /// A server runs again. (If a slow server has recovered, that is no comeback.)
    pub fn ready(&mut self, at: Instant, server: ServerId) {
        let believed_down = self.is_believed_down(server);
        if let Some(outage) = self.last_of(server) {
            outage.ready.get_or_insert(at);
            if !believed_down {
                outage.back.get_or_insert(at - outage.at);
            }
        }
    }

    /// The balancer changed its belief about a server.
    pub fn believed(&mut self, at: Instant, server: ServerId, up: bool) {
        if server.index() >= self.believed_down.len() {
            self.believed_down.resize(server.index() + 1, false);
        }
        self.believed_down[server.index()] = !up;
        let late = self.late;
        let Some(outage) = self.last_of(server) else { return };
        let over = outage.ready.is_some_and(|ready| at - ready > late);
        if !up && !over {
            outage.noticed.get_or_insert(at - outage.at);
            outage.back = None;
        }
        if up && outage.ready.is_some() {
            outage.back.get_or_insert(at - outage.at);
        }
    }

    /// A user met a failure.
    #[inline]
    pub fn trouble(&mut self, at: Instant) {
        if let Some(outage) = self.outages.last_mut() {
            outage.users_well = at - outage.at;
        }
    }

    /// A checkout showed that this fault had wiped a cart.
    pub fn wiped(&mut self, at: Instant, fault: u32) {
        if self.faults.last() == Some(&fault) {
            self.trouble(at);
        }
    }

    fn is_believed_down(&self, server: ServerId) -> bool {
        self.believed_down.get(server.index()).copied().unwrap_or(false)
    }

    fn last_of(&mut self, server: ServerId) -> Option<&mut Outage> {
        self.outages.iter_mut().rev().find(|outage| outage.server == server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: ServerId = ServerId(0);
    const SECOND: ServerId = ServerId(1);

    fn at(second: u64) -> Instant {
        Instant::ZERO + Span::from_secs(second)
    }

    /// Detection, capacity and users' recovery, in whole seconds after each fault.
    fn told(recovery: &Recovery) -> Vec<(Option<u64>, Option<u64>, u64)> {
        let seconds = |span: Span| span.as_nanos() / 1_000_000_000;
        let outages = recovery.outages().iter();
        outages.map(|o| (o.noticed.map(seconds), o.back.map(seconds), seconds(o.users_well))).collect()
    }

    #[test]
    fn a_server_is_noticed_and_comes_back() {
        let mut recovery = Recovery::new(Span::from_secs(2));
        recovery.trouble(at(5));
        recovery.killed(at(10), 0, SECOND);
        recovery.trouble(at(12));
        recovery.believed(at(14), SECOND, false);
        recovery.wiped(at(17), 0);
        recovery.wiped(at(18), 7);
        recovery.ready(at(20), SECOND);
        recovery.believed(at(23), SECOND, true);
        recovery.believed(at(60), SECOND, false);
        assert_eq!(told(&recovery), [(Some(4), Some(13), 7)]);
    }

    #[test]
    fn one_that_is_back_first_is_never_noticed_unless_a_check_was_under_way() {
        let mut recovery = Recovery::new(Span::from_secs(2));
        recovery.killed(at(10), 0, SECOND);
        recovery.ready(at(15), SECOND);
        assert_eq!(told(&recovery), [(None, Some(5), 0)]);
        let mut late = recovery.clone();
        late.believed(at(16), SECOND, false);
        late.believed(at(20), SECOND, true);
        assert_eq!(told(&late), [(Some(6), Some(10), 0)]);
        recovery.believed(at(18), SECOND, false);
        assert_eq!(told(&recovery), [(None, Some(5), 0)]);
    }

    #[test]
    fn each_server_by_itself_and_users_by_the_last_fault() {
        let mut recovery = Recovery::new(Span::ZERO);
        recovery.killed(at(10), 3, FIRST);
        recovery.believed(at(14), FIRST, false);
        recovery.killed(at(20), 4, SECOND);
        recovery.wiped(at(22), 3);
        recovery.trouble(at(25));
        recovery.ready(at(30), FIRST);
        recovery.believed(at(31), FIRST, true);
        recovery.killed(at(40), 5, FIRST);
        assert_eq!(told(&recovery), [(Some(4), Some(21), 0), (None, None, 5), (None, None, 0)]);
    }
}
