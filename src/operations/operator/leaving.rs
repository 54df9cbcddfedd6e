//! A server that leaves: when the balancer learns of it, when the server takes no more requests, and when it is stopped.

use super::{Action, POLL_INTERVAL};
use crate::balancing::pool::Pool;
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, ServerState};
use crate::scenario::{Drain, DrainFor};

/// What happens to the slot of a server once it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// A new process boots, perhaps on a new host.
    Boot { new_host: bool },
    /// The slot will be removed for good: see [`Action::Retire`].
    Retire,
}

/// A server that will be stopped as soon as nobody needs it, and at the latest at a given time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaving {
    pub server: ServerId,
    process: ProcessId,
    pub fault: u32,
    /// When it is stopped at the latest.
    pub until: Instant,
    pub then: Then,
    waits_for: DrainFor,
    /// When the balancer is told, unless it has been.
    learns: Option<Instant>,
    /// When the server takes no more requests. `None`: it does, until it is stopped; or it takes none any more.
    closes: Option<Instant>,
    /// If bound users were sent elsewhere: how many there were.
    sent_away: Option<u32>,
}

/// A server that was stopped, and when the balancer learns of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unlearned {
    pub server: ServerId,
    pub learns: Instant,
}

impl Leaving {
    /// A server that is to leave from now on.
    pub fn new(
        now: Instant,
        (server, process): (ServerId, ProcessId),
        fault: u32,
        drain: Drain,
        then: Then,
    ) -> Leaving {
        let for_requests = drain.waits_for == DrainFor::Requests;
        Leaving {
            server,
            process,
            fault,
            until: now + drain.at_most(),
            then,
            waits_for: drain.waits_for,
            learns: drain.happens().then(|| now + drain.learns_after.get()),
            closes: for_requests.then(|| now + drain.pre_stop.get()),
            sent_away: None,
        }
    }

    /// Whoever has to be told that the server leaves, and has not been: first the balancer, then the server.
    pub fn tell(&mut self, now: Instant, bound: &mut dyn FnMut(ServerId) -> u32) -> Option<Action> {
        let (server, waits_for) = (self.server, self.waits_for);
        if self.learns.take_if(|at| *at <= now).is_some() {
            if waits_for == DrainFor::Requests {
                self.sent_away = Some(bound(server));
            }
            return Some(Action::Drain { server, waits_for });
        }
        self.closes.take_if(|at| *at <= now).map(|_| Action::Close(server))
    }

    /// If it may be stopped: nobody needs it, it is already dead, or its time is over. How many users are cut off by it?
    pub fn may_stop(&self, now: Instant, pool: &Pool, bound: &mut dyn FnMut(ServerId) -> u32) -> Option<u32> {
        let member = &pool.members[self.server.index()];
        let lives = matches!(member.state, ServerState::Up | ServerState::Draining | ServerState::Terminating);
        let over = member.process != self.process || !lives || now >= self.until;
        let idle = self.closes.is_none() && pool.view.in_flight[self.server.index()] == 0;
        if !(over || idle) {
            return None;
        }
        let left = self.sent_away.unwrap_or_else(|| bound(self.server));
        let needed = self.waits_for == DrainFor::BoundUsers && left > 0;
        (over || !needed).then_some(left)
    }

    /// Once it is stopped: whether the balancer is still to learn of it.
    pub fn unlearned(&self) -> Option<Unlearned> {
        self.learns.map(|learns| Unlearned { server: self.server, learns })
    }

    /// The moments at which something happens to it without any other cause.
    pub fn moments(&self) -> impl Iterator<Item = Instant> + use<> {
        [self.learns, self.closes, Some(self.until)].into_iter().flatten()
    }

    /// How often to look whether it may be stopped. Counting bound users takes time.
    pub fn poll_interval(&self, counting: Span) -> Span {
        if self.waits_for == DrainFor::Requests { POLL_INTERVAL } else { counting }
    }
}
