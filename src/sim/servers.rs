//! Servers: workers, queues, and how long the workers have been busy.

use std::collections::VecDeque;

use super::events::tournament::Tournament;
use super::requests::{InFlight, Phase, RequestSlot, RequestState, Requests};
use crate::base::ServerId;
use crate::base::seed::Sampler;
use crate::base::time::{Instant, Span};
use crate::scenario::Scenario;
use crate::state::admission::{self, Admitted};

/// Marks a worker that holds no request.
pub const IDLE: RequestSlot = RequestSlot(u32::MAX);

/// The workers and queues of all servers.
#[derive(Clone, Debug)]
pub struct Servers {
    workers_each: u32,
    queue_limit: usize,
    /// The service time, on a server that is not slowed and for a user who is not heavy.
    pub service: Sampler,
    /// By worker: when its current stage ends.
    pub busy: Tournament,
    /// By worker: the request it holds.
    pub held: Vec<RequestSlot>,
    /// By server: its idle workers.
    idle: Vec<Vec<u32>>,
    /// By server: the requests that wait for a worker.
    pub queues: Vec<VecDeque<RequestSlot>>,
    /// By server: the total time its workers spent on requests that have ended. Only kept for an autoscaler.
    worked: Option<Vec<Span>>,
}

impl Servers {
    /// The servers of a scenario, with all workers idle.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Servers {
        let servers = scenario.servers_at_first();
        let workers_each = scenario.workers_each();
        let workers = (servers * workers_each) as usize;
        Servers {
            workers_each,
            queue_limit: scenario.servers.queue.index(),
            service: scenario.servers.service.sampler(),
            busy: Tournament::new(workers),
            held: vec![IDLE; workers],
            idle: (0..servers).map(|server| idle_workers(server, workers_each)).collect(),
            queues: vec![VecDeque::new(); servers as usize],
            worked: scenario.autoscaler.map(|_| vec![Span::ZERO; servers as usize]),
        }
    }

    /// Adds the workers and the queue of one more server.
    pub fn grow(&mut self) {
        let server = u32::try_from(self.idle.len()).expect("fewer than 2^32 servers");
        self.queues.push(VecDeque::new());
        self.idle.push(idle_workers(server, self.workers_each));
        self.held.resize(self.held.len() + self.workers_each as usize, IDLE);
        self.busy.grow(self.held.len());
        if let Some(worked) = &mut self.worked {
            worked.push(Span::ZERO);
        }
    }

    /// The number of workers per server.
    #[must_use]
    pub fn workers_each(&self) -> u32 {
        self.workers_each
    }

    /// The length of a server's queue, and the number of its busy workers.
    #[must_use]
    pub fn occupancy(&self, server: ServerId) -> (u32, u32) {
        let idle = u32::try_from(self.idle[server.index()].len()).unwrap_or(u32::MAX);
        let queued = u32::try_from(self.queues[server.index()].len()).unwrap_or(u32::MAX);
        (queued, self.workers_each - idle)
    }

    /// Assigns an arriving request to an idle worker, or else to the queue, if it has room.
    #[inline(always)]
    pub fn admit(&mut self, server: ServerId, id: RequestSlot) -> Admitted<u32> {
        let queue = &mut self.queues[server.index()];
        let admitted = admission::admit(self.idle[server.index()].pop(), queue.len(), self.queue_limit);
        if admitted == Admitted::Queued {
            queue.push_back(id);
        }
        admitted
    }

    /// Queues a request for a server that has not started yet, regardless of the limit.
    pub fn wait(&mut self, server: ServerId, id: RequestSlot) {
        self.queues[server.index()].push_back(id);
    }

    /// Pairs a worker of a server that has just started with the first queued request.
    pub fn first_in_line(&mut self, server: ServerId) -> Option<(u32, RequestSlot)> {
        let worker = self.idle[server.index()].pop()?;
        Some((worker, self.next_in_line(worker, server)?))
    }

    /// Gives a free worker the next queued request, or marks it idle.
    #[inline(always)]
    pub fn next_in_line(&mut self, worker: u32, server: ServerId) -> Option<RequestSlot> {
        let next = self.queues[server.index()].pop_front();
        if next.is_none() {
            self.held[worker as usize] = IDLE;
            self.idle[server.index()].push(worker);
            self.busy.set(worker as usize, Instant::NEVER);
        }
        next
    }

    /// Replaces a queued request by another one, at the same position.
    pub fn replace_queued(&mut self, server: ServerId, old: RequestSlot, new: RequestSlot) {
        let place = self.queues[server.index()].iter_mut().find(|queued| **queued == old);
        *place.expect("it is in the queue of its server") = new;
    }

    /// Busy workers, each with its request.
    pub fn at_work(&self) -> impl Iterator<Item = (u32, RequestSlot)> {
        (0u32..).zip(self.held.iter().copied()).filter(|(_, id)| *id != IDLE)
    }

    /// The requests that a server's workers hold.
    pub fn held_by(&self, server: ServerId) -> impl Iterator<Item = RequestSlot> {
        let first = (server.0 * self.workers_each) as usize;
        self.held[first..first + self.workers_each as usize].iter().copied().filter(|id| *id != IDLE)
    }

    /// Adds the time that a worker spent on a request that has ended.
    #[inline(always)]
    pub fn count_work(&mut self, server: ServerId, busy: Span) {
        if let Some(worked) = &mut self.worked {
            worked[server.index()] += busy;
        }
    }

    /// The total busy time of a server's workers, including current requests. Only meaningful with an autoscaler.
    pub fn worked(&self, server: ServerId, now: Instant, requests: &Requests) -> Span {
        let ended = self.worked.as_ref().map_or(Span::ZERO, |worked| worked[server.index()]);
        self.held_by(server).fold(ended, |sum, id| sum + (now - requests[id].since))
    }

    /// How many requests a server holds for users who are still waiting.
    pub fn awaited_at(&self, server: ServerId, requests: &Requests) -> u32 {
        let queued = self.queues[server.index()].iter().copied();
        let awaited = self.held_by(server).chain(queued).filter(|id| !requests[*id].departed).count();
        u32::try_from(awaited).expect("fewer than 2^32 requests at once")
    }

    /// The workers of one server.
    pub fn workers_of(&self, server: ServerId) -> std::ops::Range<u32> {
        server.0 * self.workers_each..(server.0 + 1) * self.workers_each
    }

    /// A worker takes a request.
    #[inline(always)]
    pub fn assign(&mut self, worker: u32, id: RequestSlot, request: &mut InFlight, now: Instant) {
        self.held[worker as usize] = id;
        request.worker = worker;
        request.since = now;
    }

    /// A worker begins a phase of its request.
    #[inline(always)]
    pub fn begin(&mut self, request: &mut InFlight, phase: Phase, until: Instant) {
        request.place = RequestState::Running(phase);
        self.busy.set(request.worker as usize, until);
    }

    /// Takes all requests from a server whose process has died: first the running ones by worker, then the queue.
    pub fn evacuate(&mut self, server: ServerId) -> Vec<RequestSlot> {
        let mut out = Vec::new();
        for worker in self.workers_of(server) {
            self.busy.set(worker as usize, Instant::NEVER);
            out.push(std::mem::replace(&mut self.held[worker as usize], IDLE));
        }
        out.retain(|id| *id != IDLE);
        self.idle[server.index()] = idle_workers(server.0, self.workers_each);
        out.extend(std::mem::take(&mut self.queues[server.index()]));
        out
    }
}

/// The workers of a server; the lowest number is on top of the stack.
fn idle_workers(server: u32, each: u32) -> Vec<u32> {
    (server * each..(server + 1) * each).rev().collect()
}
