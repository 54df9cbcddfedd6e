//! All pending events, each kind in the set that suits it. (Ends of service are with the workers.)

mod queue;
pub mod tournament;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::requests::{InFlight, RequestId, Requests};
use crate::base::time::{Instant, Span};
use crate::base::{ProcessId, ServerId, UserId, Visit};
use crate::traffic::{Loop, Workload};
use queue::WakeQueue;

/// Rare events. Their order here is their order at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A fault strikes.
    Fault(u32),
    /// A server that a fault killed is back.
    Ready { server: ServerId, fault: u32 },
    /// A server that a fault slowed down is itself again.
    Recovered { server: ServerId, fault: u32 },
    /// An outage of the store is over.
    StoreBack,
    /// A health check got no answer in time.
    CheckTimeout(ServerId),
    /// A health check begins.
    Check(ServerId),
    /// A new visitor comes (open loop).
    Visitor(UserId),
    /// A process that the operator started has booted.
    Booted { server: ServerId, process: ProcessId },
    /// The operator looks at the pool.
    Operate,
    /// The autoscaler looks at the load.
    Autoscale,
    /// An instance has started.
    Warm { server: ServerId, process: ProcessId },
    /// An instance has perhaps been idle for too long.
    Idle { server: ServerId, process: ProcessId },
    /// What was on its way between two regions for a request is there.
    Delivered(RequestId),
    /// A server that a fault cut off is within reach again.
    Reconnected { server: ServerId, fault: u32 },
    /// Copies of carts arrive at other servers.
    Copies,
    /// The pause before another try of one of several simultaneous steps is over.
    Again { visit: Visit, step: u16 },
    /// The time of an ejection is over.
    Readmit(ServerId),
}

impl Due {
    /// Whether it is a step of a visit that is under way: something that a user has begun and that will go on. The
    /// others happen to the pool and the store, whether anybody visits or not, or begin new visits.
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

/// A timer with a constant delay: such timers end in the order in which they began.
#[derive(Clone, Copy, Debug)]
struct Timer {
    at: Instant,
    request: RequestId,
    serial: u32,
    /// Which of the request's attempts it belongs to.
    retries: u8,
}

/// Which constant delay ended. Their order here is their order at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerKind {
    /// The balancer's patience with one connection.
    Connect,
    /// The user's with one request.
    Answer,
    /// The balancer's with a server that has a request.
    Try,
    /// The moment that a failing server needs to fail.
    Fail,
}

const KINDS: [TimerKind; 4] = [TimerKind::Connect, TimerKind::Answer, TimerKind::Try, TimerKind::Fail];

/// The future.
#[derive(Clone, Debug)]
pub struct Events {
    /// Users who think or pause.
    pub wakes: WakeQueue,
    /// By kind.
    timers: [VecDeque<Timer>; KINDS.len()],
    agenda: BinaryHeap<Reverse<(Instant, Due, u64)>>,
    next_number: u64,
    /// How many events of the agenda move visits that are under way.
    moving_visits: u64,
    /// When the first of the timers ends.
    next_timer: Instant,
    /// When the first event of the agenda is due.
    next_due: Instant,
}

impl Events {
    /// Nothing is pending yet.
    #[must_use]
    pub fn new(workload: &Workload) -> Events {
        let clients = match workload.arrivals {
            Loop::Closed { users, .. } => users as usize,
            Loop::Open { rate } => usize::try_from(workload.visitors_at_once(rate)).unwrap_or(1).max(1),
        };
        let delay = workload.mean_think().max(Span::from_millis(1));
        Events {
            wakes: WakeQueue::new(clients, delay),
            timers: KINDS.map(|_| VecDeque::new()),
            agenda: BinaryHeap::new(),
            next_number: 0,
            moving_visits: 0,
            next_timer: Instant::NEVER,
            next_due: Instant::NEVER,
        }
    }

    /// When the next timeout and the next rare event are due.
    #[inline]
    #[must_use]
    pub fn next(&self) -> (Instant, Instant) {
        (self.next_timer, self.next_due)
    }

    /// Schedules a rare event.
    pub fn schedule(&mut self, at: Instant, due: Due) {
        self.agenda.push(Reverse((at, due, self.next_number)));
        self.next_number += 1;
        self.moving_visits += u64::from(due.moves_a_visit());
        self.next_due = self.next_due.min(at);
    }

    /// Takes the next rare event.
    pub fn take_due(&mut self) -> Option<Due> {
        let due = self.agenda.pop().map(|Reverse((_, due, _))| due);
        self.moving_visits -= u64::from(due.is_some_and(Due::moves_a_visit));
        self.next_due = self.agenda.peek().map_or(Instant::NEVER, |Reverse((at, ..))| *at);
        due
    }

    /// All rare events that are pending, in no order.
    pub fn agenda(&self) -> impl Iterator<Item = (Instant, Due)> + '_ {
        self.agenda.iter().map(|Reverse((at, due, _))| (*at, *due))
    }

    /// Whether a rare event is pending that moves a visit which is under way.
    #[must_use]
    pub fn moves_visits(&self) -> bool {
        self.moving_visits > 0
    }

    /// Starts a timer of a constant delay.
    #[inline]
    pub fn start_timer(&mut self, kind: TimerKind, at: Instant, id: RequestId, request: &InFlight) {
        let timer = Timer { at, request: id, serial: request.serial, retries: request.retries };
        self.next_timer = self.next_timer.min(at);
        self.timers[kind as usize].push_back(timer);
    }

    /// Takes the next timer: of which kind, for which request. `None` when nobody waits for that any more; then the
    /// timers behind it that nobody waits for go too, whenever they would end, so that an answered request costs no
    /// event.
    #[inline]
    pub fn take_timer(&mut self, requests: &Requests) -> Option<(TimerKind, RequestId)> {
        let kind = KINDS.into_iter().min_by_key(|kind| first(&self.timers[*kind as usize]))?;
        let timers = &mut self.timers[kind as usize];
        let timer = timers.pop_front()?;
        // The user waits for the request, the balancer for one attempt at it.
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

/// When the first of these timers ends.
fn first(timers: &VecDeque<Timer>) -> Instant {
    timers.front().map_or(Instant::NEVER, |timer| timer.at)
}
