//! Servers: workers, queues, and how long the workers were busy.

use std::collections::VecDeque;

use super::events::tournament::Tournament;
use super::requests::{RequestId, Requests};
use crate::base::ServerId;
use crate::base::seed::Sampler;
use crate::base::time::{Instant, Span};
use crate::scenario::Scenario;

/// Nobody's request.
pub const IDLE: RequestId = RequestId(u32::MAX);

/// Workers and queues of all servers.
#[derive(Clone, Debug)]
pub struct Servers {
    workers_each: u32,
    queue_limit: usize,
    /// How long work takes on a server that is not slow, for a user who is not heavy.
    pub service: Sampler,
    /// By worker: when the step that it is at ends.
    pub busy: Tournament,
    /// By worker: the request it holds.
    pub held: Vec<RequestId>,
    /// By server: workers that are idle.
    idle: Vec<Vec<u32>>,
    /// By server: requests that wait for a worker.
    pub queues: Vec<VecDeque<RequestId>>,
    /// By server: how long its workers were busy with requests that have ended. Kept for an autoscaler only.
    worked: Option<Vec<Span>>,
}

/// What becomes of a request that reaches a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// This worker takes it.
    Worker(u32),
    /// It waits in the queue.
    Queued,
    /// There is no room in the queue.
    Full,
}

impl Servers {
    /// All idle.
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

    /// Makes room for one more server.
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

    /// Workers of one server.
    #[must_use]
    pub fn workers_each(&self) -> u32 {
        self.workers_each
    }

    /// Requests in a server's queue, and workers that are busy.
    #[must_use]
    pub fn occupancy(&self, server: ServerId) -> (u32, u32) {
        let idle = u32::try_from(self.idle[server.index()].len()).unwrap_or(u32::MAX);
        let queued = u32::try_from(self.queues[server.index()].len()).unwrap_or(u32::MAX);
        (queued, self.workers_each - idle)
    }

    /// A request reaches a server: an idle worker, the queue, or neither.
    #[inline(always)]
    pub fn admit(&mut self, server: ServerId, id: RequestId) -> Admitted {
        if let Some(worker) = self.idle[server.index()].pop() {
            Admitted::Worker(worker)
        } else if self.queues[server.index()].len() < self.queue_limit {
            self.queues[server.index()].push_back(id);
            Admitted::Queued
        } else {
            Admitted::Full
        }
    }

    /// A request waits for a server that does not work yet.
    pub fn wait(&mut self, server: ServerId, id: RequestId) {
        self.queues[server.index()].push_back(id);
    }

    /// A worker of a server that has just begun to work, and the first request that waits for it.
    pub fn first_in_line(&mut self, server: ServerId) -> Option<(u32, RequestId)> {
        let worker = self.idle[server.index()].pop()?;
        Some((worker, self.next_in_line(worker, server)?))
    }

    /// A worker is free: the next request of its server, or it is idle.
    #[inline(always)]
    pub fn next_in_line(&mut self, worker: u32, server: ServerId) -> Option<RequestId> {
        let next = self.queues[server.index()].pop_front();
        if next.is_none() {
            self.held[worker as usize] = IDLE;
            self.idle[server.index()].push(worker);
            self.busy.set(worker as usize, Instant::NEVER);
        }
        next
    }

    /// Another request takes the place of one in a queue.
    pub fn replace_queued(&mut self, server: ServerId, old: RequestId, new: RequestId) {
        let place = self.queues[server.index()].iter_mut().find(|queued| **queued == old);
        *place.expect("it is in the queue of its server") = new;
    }

    /// Workers that hold a request, with the request.
    pub fn at_work(&self) -> impl Iterator<Item = (u32, RequestId)> {
        (0u32..).zip(self.held.iter().copied()).filter(|(_, id)| *id != IDLE)
    }

    /// Requests that the workers of a server hold.
    pub fn held_by(&self, server: ServerId) -> impl Iterator<Item = RequestId> {
        let first = (server.0 * self.workers_each) as usize;
        self.held[first..first + self.workers_each as usize].iter().copied().filter(|id| *id != IDLE)
    }

    /// A worker was busy for so long with a request that has ended.
    #[inline(always)]
    pub fn count_work(&mut self, server: ServerId, busy: Span) {
        if let Some(worked) = &mut self.worked {
            worked[server.index()] += busy;
        }
    }

    /// How long the workers of a server have been busy, with what they do now. Known when there is an autoscaler.
    pub fn worked(&self, server: ServerId, now: Instant, requests: &Requests) -> Span {
        let ended = self.worked.as_ref().map_or(Span::ZERO, |worked| worked[server.index()]);
        self.held_by(server).fold(ended, |sum, id| sum + (now - requests[id].started))
    }

    /// Requests that a server holds and that users wait for.
    pub fn awaited_at(&self, server: ServerId, requests: &Requests) -> u32 {
        let queued = self.queues[server.index()].iter().copied();
        let awaited = self.held_by(server).chain(queued).filter(|id| !requests[*id].departed).count();
        u32::try_from(awaited).expect("fewer than 2^32 requests at once")
    }

    /// The workers of one server.
    pub fn workers_of(&self, server: ServerId) -> std::ops::Range<u32> {
        server.0 * self.workers_each..(server.0 + 1) * self.workers_each
    }

    /// A worker of a process that has died lets go of its request, if it has one.
    pub fn stop_worker(&mut self, worker: u32) -> Option<RequestId> {
        self.busy.set(worker as usize, Instant::NEVER);
        Some(std::mem::replace(&mut self.held[worker as usize], IDLE)).filter(|id| *id != IDLE)
    }

    /// A process has died: takes out what was queued, and all workers are idle.
    pub fn empty_queue(&mut self, server: ServerId) -> VecDeque<RequestId> {
        self.idle[server.index()] = idle_workers(server.0, self.workers_each);
        std::mem::take(&mut self.queues[server.index()])
    }
}

/// The workers of a server, the first one on top.
fn idle_workers(server: u32, each: u32) -> Vec<u32> {
    (server * each..(server + 1) * each).rev().collect()
}
