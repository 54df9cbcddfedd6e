//! One life of a server process: its memory, its workers, its connections and its end.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use super::busy::BusyClock;
use super::gate::{Gate, GatedStream};
use super::hidden::Secrets;
use super::{Shop, Slot, port, request};
use crate::base::time::{Instant, Span};
use crate::base::{Items, ProcessId};
use crate::http::failure::{self, Failure};
use crate::http::files::FileName;
use crate::http::wire::CartId;
use crate::state::replication::Change;

/// How long a server waits when it cannot accept a connection, before it tries again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(10);

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
    /// Takes requests from now on.
    pub fn start(process: ProcessId, slot: Arc<Slot>, shop: Arc<Shop>, listener: TcpListener) -> Arc<ServerProcess> {
        let incarnation = Arc::new(ServerProcess {
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
        });
        tokio::spawn(Arc::clone(&incarnation).listen(listener));
        incarnation
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

    /// Others reach this process again.
    pub fn return_to(self: &Arc<ServerProcess>, listener: TcpListener) {
        self.listening.send_replace(true);
        self.within_reach.send_replace(true);
        tokio::spawn(Arc::clone(self).listen(listener));
    }

    /// Whether others reach it.
    pub fn is_within_reach(&self) -> bool {
        *self.within_reach.borrow()
    }

    /// Waits until the listener is closed.
    pub async fn stopped_listening(&self) {
        // The sender lives as long as `self`.
        let _ = self.listening.subscribe().wait_for(|listening| !listening).await;
    }

    /// Held by every task of this life: one that panics fails the run.
    fn alarm(&self) -> Alarm<'_> {
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

    async fn listen(self: Arc<ServerProcess>, listener: TcpListener) {
        let _alarm = self.alarm();
        let mut injector = self.injector.subscribe();
        let mut within_reach = self.within_reach.subscribe();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = injector.wait_for(Option::is_some) => break,
                _ = within_reach.wait_for(|reached| !reached) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self).converse(stream));
                }
                Err(error) if failure::is_out_of_descriptors(&error) => {
                    self.shop.fail(failure::out_of_descriptors());
                    break;
                }
                // The client has gone again, or the machine is short of something for a moment.
                Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
            }
        }
        drop(listener);
        self.listening.send_replace(false);
    }

    /// Serves one connection, until its client or this process goes.
    async fn converse(self: Arc<ServerProcess>, stream: TcpStream) {
        let _alarm = self.alarm();
        // Only a socket that is already dead refuses this.
        let _ = stream.set_nodelay(true);
        let (this, busy) = (Arc::clone(&self), Arc::new(AtomicBool::new(false)));
        let at_work = Arc::clone(&busy);
        let service = service_fn(move |request| {
            let (this, at_work) = (Arc::clone(&this), Arc::clone(&at_work));
            async move {
                at_work.store(true, Ordering::Release);
                let answer = this.answer(request).await;
                at_work.store(false, Ordering::Release);
                answer.ok_or("the process died")
            }
        });
        let gate = Gate::default();
        let stream = TokioIo::new(GatedStream::new(stream, gate.clone()));
        let mut connection = http1::Builder::new().writev(false).serve_connection(stream, service);
        let mut injector = self.injector.subscribe();
        let mut within_reach = self.within_reach.subscribe();
        let death = loop {
            tokio::select! {
                biased;
                death = injector.wait_for(Option::is_some) => break death.ok().and_then(|death| *death),
                _ = within_reach.wait_for(|reached| *reached != gate.is_open()) => {}
                _ = &mut connection => return,
            }
            // Cut off: nothing comes and nothing goes; work goes on, and its answer is sent afterwards. A connection that
            // is idle is closed, so that the balancer has to make a new one, and waits for that as it does in a
            // simulation.
            gate.turn();
            if !gate.is_open() && !busy.load(Ordering::Acquire) {
                return;
            }
        };
        if death == Some(Death::Vanish) {
            // Idle: closed, for the same reason. Behind a shut gate there is an answer that was not sent.
            if gate.is_open() && !busy.load(Ordering::Acquire) {
                return;
            }
            // Nobody reads and nobody hangs up, until another host answers for this address.
            let _ = injector.wait_for(|death| *death == Some(Death::Crash)).await;
        }
        port::reset(connection.into_parts().io.into_inner().into_inner());
    }

    async fn answer(self: &Arc<ServerProcess>, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let request = match request::read(request).await {
            Ok(request) => request,
            Err(response) => return Some(response),
        };
        if let Some(response) = request::without_worker(&request) {
            return Some(response);
        }
        self.outlive(request::work(Arc::clone(self), request)).await
    }

    /// A worker takes a request; or there is no room even in the queue.
    pub async fn worker(&self) -> Option<Worker<'_>> {
        if let Ok(worker) = self.workers.try_acquire() {
            return Some(Worker::begin(self, worker));
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.shop.queue {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let worker = self.workers.acquire().await.expect("never closed");
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        Some(Worker::begin(self, worker))
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
struct Alarm<'a>(&'a ServerProcess);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shop.fail(Failure::Panic(format!("a task of {}", self.0.slot.id)));
        }
    }
}
