//! The clock, and all pending events, each kind in the structure that suits it. (Ends of service are kept with the
//! workers.)

mod queue;
pub mod tournament;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::requests::{InFlight, RequestSlot, Requests};
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, UserId, Visit};
use crate::traffic::{Loop, Workload};
use queue::WakeQueue;

/// Infrequent events, kept on the agenda. The order of the variants breaks ties in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A fault strikes.
    Fault(u32),
    /// A server that a fault killed comes back.
    Ready { server: ServerId, fault: u32 },
    /// A server that a fault slowed down or made fail recovers.
    Recovered { server: ServerId, fault: u32 },
    /// A store outage ends.
    StoreBack,
    /// A health check got no answer in time.
    CheckTimeout(ServerId),
    /// A health check begins.
    Check(ServerId),
    /// A new visitor arrives (open loop).
    Visitor(UserId),
    /// A process started by the operator has booted.
    Booted { server: ServerId, process: ProcessId },
    /// The operator's next look at the pool.
    Operate,
    /// The autoscaler's next look at the load.
    Autoscale,
    /// A serverless instance has started.
    Warm { server: ServerId, process: ProcessId },
    /// An instance may have reached its idle limit.
    Idle { server: ServerId, process: ProcessId },
    /// A message between two regions arrives.
    Delivered(RequestSlot),
    /// A server that a fault isolated can be reached again.
    Reconnected { server: ServerId, fault: u32 },
    /// Replicas of carts arrive at other servers.
    Copies,
    /// The pause before a retry of one of several concurrent steps ends.
    Again { visit: Visit, step: u16 },
    /// An ejection ends.
    Readmit(ServerId),
}

impl Due {
    /// Whether the event continues an open visit. All other events begin a new visit, or happen to the pool or the
    /// store whether or not anybody is visiting.
    fn moves_a_visit(self) -> bool {
        match self {
            Due::Delivered(_) | Due::Again { .. } => true,
            Due::Fault(_)
            | Due::Ready { .. }
            | Due::Recovered { .. }
            | Due::StoreBack
            | Due::CheckTimeout(_)
            | Due::Check(_)
            | Due::Visitor(_)
            | Due::Booted { .. }
            | Due::Operate
            | Due::Autoscale
            | Due::Warm { .. }
            | Due::Idle { .. }
            | Due::Reconnected { .. }
            | Due::Copies
            | Due::Readmit(_) => false,
        }
    }
}

/// A timer with a constant delay. Such timers expire in the order in which they were started.
#[derive(Clone, Copy, Debug)]
struct Timer {
    at: Instant,
    request: RequestSlot,
    serial: u32,
    /// Which of the request's attempts it belongs to.
    retries: u8,
}

/// What a timer limits. The order of the variants breaks ties in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// The balancer's connect timeout.
    Connect,
    /// The user's request timeout.
    Answer,
    /// The balancer's answer timeout for one attempt.
    Try,
    /// The delay before a failing server answers with an error.
    Fail,
}

const KINDS: [TimerKind; 4] = [TimerKind::Connect, TimerKind::Answer, TimerKind::Try, TimerKind::Fail];

/// The clock, and all pending events.
#[derive(Clone, Debug)]
pub struct Events {
    /// The current virtual time.
    pub now: Instant,
    /// When thinking or pausing clients wake.
    pub wakes: WakeQueue,
    /// One queue for each [`TimerKind`].
    timers: [VecDeque<Timer>; KINDS.len()],
    agenda: BinaryHeap<Reverse<(Instant, Due, u64)>>,
    next_number: u64,
    /// How many entries of the agenda continue an open visit.
    moving_visits: u64,
    /// When the earliest timer expires.
    next_timer: Instant,
    /// When the earliest entry of the agenda is due.
    next_due: Instant,
}

impl Events {
    /// No events, at time 0.
    #[must_use]
    pub fn new(workload: &Workload) -> Events {
        let clients = match workload.arrivals {
            Loop::Closed { users, .. } => users as usize,
            Loop::Open { rate } => usize::try_from(workload.visitors_at_once(rate)).unwrap_or(1).max(1),
        };
        let delay = workload.mean_think().max(Span::from_millis(1));
        Events {
            now: Instant::ZERO,
            wakes: WakeQueue::new(clients, delay),
            timers: KINDS.map(|_| VecDeque::new()),
            agenda: BinaryHeap::new(),
            next_number: 0,
            moving_visits: 0,
            next_timer: Instant::NEVER,
            next_due: Instant::NEVER,
        }
    }

    /// When the next timer expires, and when the next entry of the agenda is due.
    #[inline]
    #[must_use]
    pub fn next(&self) -> (Instant, Instant) {
        (self.next_timer, self.next_due)
    }

    /// Adds an event to the agenda.
    pub fn schedule(&mut self, at: Instant, due: Due) {
        self.agenda.push(Reverse((at, due, self.next_number)));
        self.next_number += 1;
        self.moving_visits += u64::from(due.moves_a_visit());
        self.next_due = self.next_due.min(at);
    }

    /// Removes the earliest entry of the agenda.
    pub fn take_due(&mut self) -> Option<Due> {
        let due = self.agenda.pop().map(|Reverse((_, due, _))| due);
        self.moving_visits -= u64::from(due.is_some_and(Due::moves_a_visit));
        self.next_due = self.agenda.peek().map_or(Instant::NEVER, |Reverse((at, ..))| *at);
        due
    }

    /// All pending entries of the agenda, in no particular order.
    pub fn agenda(&self) -> impl Iterator<Item = (Instant, Due)> + '_ {
        self.agenda.iter().map(|Reverse((at, due, _))| (*at, *due))
    }

    /// Whether the agenda holds an event that continues an open visit.
    #[must_use]
    pub fn moves_visits(&self) -> bool {
        self.moving_visits > 0
    }

    /// Starts a timer of a constant delay.
    #[inline]
    pub fn start_timer(&mut self, kind: TimerKind, at: Instant, id: RequestSlot, request: &InFlight) {
        let timer = Timer { at, request: id, serial: request.serial, retries: request.retries };
        self.next_timer = self.next_timer.min(at);
        self.timers[kind as usize].push_back(timer);
    }

    /// Removes the earliest timer and returns its kind and request, or `None` if the request or attempt is no longer
    /// waited for. In that case obsolete timers behind it are removed too, even if they would expire much later, so an
    /// answered request costs no event.
    #[inline]
    pub fn take_timer(&mut self, requests: &Requests) -> Option<(TimerKind, RequestSlot)> {
        let kind = KINDS.into_iter().min_by_key(|kind| first(&self.timers[*kind as usize]))?;
        let timers = &mut self.timers[kind as usize];
        let timer = timers.pop_front()?;
        // The user waits for the request, the balancer only for one attempt.
        let awaited = |timer: &Timer| {
            requests.is_awaited(timer.request, timer.serial)
                && (kind == TimerKind::Answer || requests[timer.request].retries == timer.retries)
        };
        if !awaited(&timer) {
            while timers.front().is_some_and(|timer| !awaited(timer)) {
                timers.pop_front();
            }
        }
        self.next_timer = self.timers.iter().map(first).min().unwrap_or(Instant::NEVER);
        awaited(&timer).then_some((kind, timer.request))
    }
}

/// When the earliest of these timers expires.
fn first(timers: &VecDeque<Timer>) -> Instant {
    timers.front().map_or(Instant::NEVER, |timer| timer.at)
}
