//! A server process: its memory, its workers, and its death.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use dashmap::DashMap;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::busy::BusyClock;
use super::process_local::ProcessLocal;
use super::{Shop, Slot};
use crate::base::time::{Instant, Span};
use crate::base::{Items, ProcessId};
use crate::http::failure::Failure;
use crate::http::files::FileName;
use crate::http::wire::CartId;
use crate::state::admission::{Admitted, admit};
use crate::state::replication::Change;

/// What a process has in memory, and loses when it dies.
#[derive(Debug, Default)]
pub struct Memory {
    /// Carts, if their home is server memory.
    pub carts: DashMap<CartId, Items>,
    /// Carts, if their home is replicated memory: the latest version that this process knows.
    pub copies: DashMap<CartId, Change>,
    /// Users by session id, if the home of sessions is server memory.
    pub sessions: DashMap<String, String>,
    /// Uploaded files, if their home is server memory.
    pub files: DashMap<FileName, Bytes>,
}

impl Memory {
    fn forget(&self) {
        self.carts.clear();
        self.copies.clear();
        self.sessions.clear();
        self.files.clear();
    }
}

/// How a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The process ends: the kernel resets its connections and refuses new ones.
    Crash,
    /// The host disappears: nothing is answered any more.
    Vanish,
}

/// A server process, from its start to its death.
pub struct ServerProcess {
    /// Its id.
    pub process: ProcessId,
    /// The slot in which it runs.
    pub slot: Arc<Slot>,
    /// What all servers share.
    pub shop: Arc<Shop>,
    /// What it has in memory.
    pub memory: Memory,
    /// What it keeps to itself although the pool is believed to be stateless.
    pub local: ProcessLocal,
    /// A permit for each idle worker.
    pub workers: Semaphore,
    /// The number of requests that wait for a worker.
    pub waiting: AtomicUsize,
    busy: BusyClock,
    /// The number of users' requests whose connections wait for the answer.
    awaited: AtomicUsize,
    alive: RwLock<bool>,
    death: watch::Sender<Option<Death>>,
    listening: watch::Sender<bool>,
    /// Whether it can be reached.
    within_reach: watch::Sender<bool>,
    /// Whether it takes new requests.
    accepting: watch::Sender<bool>,
}

impl ServerProcess {
    /// Starts a process, which is about to listen.
    pub fn start(process: ProcessId, slot: Arc<Slot>, shop: Arc<Shop>) -> Arc<ServerProcess> {
        Arc::new(ServerProcess {
            process,
            local: ProcessLocal::new(&shop, slot.id, process),
            slot,
            memory: Memory::default(),
            workers: Semaphore::new(shop.workers),
            shop,
            waiting: AtomicUsize::new(0),
            busy: BusyClock::default(),
            awaited: AtomicUsize::new(0),
            alive: RwLock::new(true),
            death: watch::Sender::new(None),
            listening: watch::Sender::new(true),
            within_reach: watch::Sender::new(true),
            accepting: watch::Sender::new(true),
        })
    }

    /// Does something that must not overlap with the death of the process. `None` if it is already dead.
    pub fn while_alive<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner);
        alive.then(act)
    }

    /// The process dies. `strike` is called as soon as nothing can be committed any more.
    pub fn die(&self, death: Death, strike: impl FnOnce(&ServerProcess)) {
        let mut alive = self.alive.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *alive, false) {
            strike(self);
        }
        drop(alive);
        self.memory.forget();
        self.local.forget();
        self.death.send_replace(Some(death));
    }

    /// Cuts the process off from the network. It does not notice, and goes on working.
    pub fn withdraw(&self) {
        self.within_reach.send_replace(false);
    }

    /// Reconnects the process, which is about to listen.
    pub fn come_back(&self) {
        self.listening.send_replace(true);
        self.within_reach.send_replace(true);
    }

    /// Whether it can be reached.
    pub fn is_within_reach(&self) -> bool {
        *self.within_reach.borrow()
    }

    /// Watches whether it can be reached.
    pub fn reach(&self) -> watch::Receiver<bool> {
        self.within_reach.subscribe()
    }

    /// It takes no new requests from now on.
    pub fn stop_accepting(&self) {
        self.accepting.send_replace(false);
    }

    /// Watches whether it takes new requests.
    pub fn accepts(&self) -> watch::Receiver<bool> {
        self.accepting.subscribe()
    }

    /// Watches for its death.
    pub fn deaths(&self) -> watch::Receiver<Option<Death>> {
        self.death.subscribe()
    }

    /// The listener has been closed.
    pub fn listens_no_more(&self) {
        self.listening.send_replace(false);
    }

    /// Waits until the listener has been closed.
    pub async fn stopped_listening(&self) {
        // This cannot fail: the sender lives as long as `self`.
        let _ = self.listening.subscribe().wait_for(|listening| !listening).await;
    }

    /// Held by every task of the process: a panic in one of them fails the run.
    pub fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }

    /// Runs work that only the death of the process ends: it goes on even if its client hangs up. `counts`: whether it
    /// is a user's, so that it is awaited.
    pub fn outlive<F: Future + Send + 'static>(self: &Arc<ServerProcess>, work: F, counts: bool) -> Outliving<F>
    where
        F::Output: Send,
    {
        self.awaited.fetch_add(usize::from(counts), Ordering::AcqRel);
        Outliving { process: Arc::clone(self), work: Some(Box::pin(work)), counts }
    }

    /// The number of requests, in service or in the queue, that a user of the run is waiting for.
    #[must_use]
    pub fn awaited(&self) -> u32 {
        u32::try_from(self.awaited.load(Ordering::Acquire)).unwrap_or(u32::MAX)
    }

    /// The busy time of its workers until `now`, including the work in progress.
    #[must_use]
    pub fn worked(&self, now: Instant) -> Span {
        self.busy.worked(now)
    }

    fn is_alive(&self) -> bool {
        *self.alive.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a worker. `None`: the queue is full.
    pub async fn worker(&self) -> Option<Worker<'_>> {
        let idle = self.workers.try_acquire().ok();
        // Counted before it is admitted, so that no two requests take the last place in the queue.
        let queued = if idle.is_none() { self.waiting.fetch_add(1, Ordering::AcqRel) } else { 0 };
        let worker = match admit(idle, queued, self.shop.queue) {
            Admitted::Worker(worker) => return Some(Worker::begin(self, worker)),
            Admitted::Queued => Some(self.workers.acquire().await.expect("never closed")),
            Admitted::Full => None,
        };
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        worker.map(|worker| Worker::begin(self, worker))
    }
}

/// A busy worker; it is idle again when this is dropped.
pub struct Worker<'a> {
    process: &'a ServerProcess,
    /// When it began.
    pub begun: Instant,
    _permit: SemaphorePermit<'a>,
}

impl<'a> Worker<'a> {
    fn begin(process: &'a ServerProcess, permit: SemaphorePermit<'a>) -> Worker<'a> {
        let begun = process.shop.clock.now();
        process.busy.begin(begun);
        Worker { process, begun, _permit: permit }
    }
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.process.busy.end(self.begun, self.process.shop.clock.now());
    }
}

/// Work that a connection waits for. If the connection goes first, the work becomes a task of its own.
pub struct Outliving<F: Future<Output: Send> + Send + 'static> {
    process: Arc<ServerProcess>,
    /// `None` once it is done.
    work: Option<Pin<Box<F>>>,
    counts: bool,
}

impl<F: Future<Output: Send> + Send + 'static> Outliving<F> {
    fn awaited_no_more(&self) {
        self.process.awaited.fetch_sub(usize::from(self.counts), Ordering::AcqRel);
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Outliving<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let work = self.work.as_mut().expect("a future is not polled when it is over");
        let done = work.as_mut().poll(cx);
        if done.is_ready() {
            self.work = None;
            self.awaited_no_more();
        }
        done
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Outliving<F> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        self.awaited_no_more();
        // Without a runtime the run is over. Work that has panicked must not go on.
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.process.is_alive() || std::thread::panicking() {
            return;
        }
        let process = Arc::clone(&self.process);
        runtime.spawn(async move {
            let _alarm = process.alarm();
            let mut deaths = process.deaths();
            tokio::select! {
                biased;
                _ = deaths.wait_for(Option::is_some) => {}
                _ = work => {}
            }
        });
    }
}

/// Fails the run if a panic drops it.
pub struct Alarm<'a>(&'a ServerProcess);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shop.fail(Failure::Panic(format!("a task of {}", self.0.slot.id)));
        }
    }
}
