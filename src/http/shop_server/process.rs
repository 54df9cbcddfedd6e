//! One life of a server process: its memory, its workers and its end.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use dashmap::DashMap;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::busy::BusyClock;
use super::secrets::Secrets;
use super::{Shop, Slot};
use crate::base::time::{Instant, Span};
use crate::base::{Items, ProcessId};
use crate::http::failure::Failure;
use crate::http::files::FileName;
use crate::http::wire::CartId;
use crate::state::admission::{Admitted, admit};
use crate::state::replication::Change;

/// What this process knows and will forget.
#[derive(Debug, Default)]
pub struct Memory {
    /// Carts, when they live here.
    pub carts: DashMap<CartId, Items>,
    /// Carts, when they live here and on other servers: the latest version that is known here.
    pub copies: DashMap<CartId, Change>,
    /// Sessions by their id, when they live here: whose they are.
    pub sessions: DashMap<String, String>,
    /// Uploaded files.
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

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The process dies: the kernel resets its connections and refuses new ones.
    Crash,
    /// The host goes: nothing is answered any more.
    Vanish,
}

/// One life of a server process.
pub struct ServerProcess {
    /// Which.
    pub process: ProcessId,
    /// The place in the pool.
    pub slot: Arc<Slot>,
    /// What all servers share.
    pub shop: Arc<Shop>,
    /// What it remembers.
    pub memory: Memory,
    /// What it hides from the others.
    pub secrets: Secrets,
    /// Workers that are free.
    pub workers: Semaphore,
    /// Requests that wait for one.
    pub waiting: AtomicUsize,
    busy: BusyClock,
    /// Requests that it holds and whose connections wait for the answer.
    awaited: AtomicUsize,
    alive: RwLock<bool>,
    injector: watch::Sender<Option<Death>>,
    listening: watch::Sender<bool>,
    /// Whether others reach it.
    within_reach: watch::Sender<bool>,
}

impl ServerProcess {
    /// It lives from now on, and is about to listen.
    pub fn start(process: ProcessId, slot: Arc<Slot>, shop: Arc<Shop>) -> Arc<ServerProcess> {
        Arc::new(ServerProcess {
            process,
            secrets: Secrets::new(&shop, slot.id, process),
            slot,
            memory: Memory::default(),
            workers: Semaphore::new(shop.workers),
            shop,
            waiting: AtomicUsize::new(0),
            busy: BusyClock::default(),
            awaited: AtomicUsize::new(0),
            alive: RwLock::new(true),
            injector: watch::Sender::new(None),
            listening: watch::Sender::new(true),
            within_reach: watch::Sender::new(true),
        })
    }

    /// Does something that only the living do, and that is over before death comes.
    pub fn while_alive<T>(&self, act: impl FnOnce() -> T) -> Option<T> {
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner);
        alive.then(act)
    }

    /// The end. `strike` is told of it when nothing can be committed any more.
    pub fn die(&self, death: Death, strike: impl FnOnce(&ServerProcess)) {
        let mut alive = self.alive.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *alive, false) {
            strike(self);
        }
        drop(alive);
        self.memory.forget();
        self.secrets.forget();
        self.injector.send_replace(Some(death));
    }

    /// Nobody reaches this process from now on. It does not know, and goes on.
    pub fn withdraw(&self) {
        self.within_reach.send_replace(false);
    }

    /// Others reach this process again, and it is about to listen.
    pub fn come_back(&self) {
        self.listening.send_replace(true);
        self.within_reach.send_replace(true);
    }

    /// Whether others reach it.
    pub fn is_within_reach(&self) -> bool {
        *self.within_reach.borrow()
    }

    /// Tells whether others reach it, from now on.
    pub fn reach(&self) -> watch::Receiver<bool> {
        self.within_reach.subscribe()
    }

    /// Tells of its death.
    pub fn deaths(&self) -> watch::Receiver<Option<Death>> {
        self.injector.subscribe()
    }

    /// The listener is closed.
    pub fn listens_no_more(&self) {
        self.listening.send_replace(false);
    }

    /// Waits until the listener is closed.
    pub async fn stopped_listening(&self) {
        // The sender lives as long as `self`.
        let _ = self.listening.subscribe().wait_for(|listening| !listening).await;
    }

    /// Held by every task of this life: one that panics fails the run.
    pub fn alarm(&self) -> Alarm<'_> {
        Alarm(self)
    }

    /// Does something in this life, ended by its death and by nothing else: whoever hangs up, it goes on.
    pub fn outlive<F: Future + Send + 'static>(self: &Arc<ServerProcess>, work: F) -> Outliving<F>
    where
        F::Output: Send,
    {
        self.awaited.fetch_add(1, Ordering::AcqRel);
        Outliving { process: Arc::clone(self), work: Some(Box::pin(work)) }
    }

    /// Requests that it holds, in its workers or before them, and that somebody waits for.
    #[must_use]
    pub fn awaited(&self) -> u32 {
        u32::try_from(self.awaited.load(Ordering::Acquire)).unwrap_or(u32::MAX)
    }

    /// How long its workers have been busy until now, with what they are doing.
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

/// A worker that is busy, until this is dropped.
pub struct Worker<'a> {
    process: &'a ServerProcess,
    /// Since when.
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

/// Work that its connection waits for. When the connection goes before it is done, it becomes a task of its own.
pub struct Outliving<F: Future<Output: Send> + Send + 'static> {
    process: Arc<ServerProcess>,
    /// `None` when it is done.
    work: Option<Pin<Box<F>>>,
}

impl<F: Future<Output: Send> + Send + 'static> Future for Outliving<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let work = self.work.as_mut().expect("a future is not polled when it is over");
        let done = work.as_mut().poll(cx);
        if done.is_ready() {
            self.work = None;
            self.process.awaited.fetch_sub(1, Ordering::AcqRel);
        }
        done
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Outliving<F> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        self.process.awaited.fetch_sub(1, Ordering::AcqRel);
        // Where there is no runtime any more, the run is over. What has panicked must not go on.
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.process.is_alive() || std::thread::panicking() {
            return;
        }
        let process = Arc::clone(&self.process);
        runtime.spawn(async move {
            let _alarm = process.alarm();
            let mut injector = process.injector.subscribe();
            tokio::select! {
                biased;
                _ = injector.wait_for(Option::is_some) => {}
                _ = work => {}
            }
        });
    }
}

/// Tells of a panic when it is dropped by one.
pub struct Alarm<'a>(&'a ServerProcess);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shop.fail(Failure::Panic(format!("a task of {}", self.0.slot.id)));
        }
    }
}
