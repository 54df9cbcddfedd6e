//! One life of a server process: its memory, its workers, its connections and its end.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::{Shop, Slot, answer, port};
use crate::home::Change;
use crate::http::failure::{self, Failure};
use crate::http::files::FileName;
use crate::http::wire::CartId;
use crate::model::{Items, Life};

/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server waits when it cannot accept a connection, before it tries again.
const BREATH: Duration = Duration::from_millis(10);

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
pub struct Incarnation {
    /// Which.
    pub life: Life,
    /// The place in the pool.
    pub slot: Arc<Slot>,
    /// What all servers share.
    pub shop: Arc<Shop>,
    /// What it remembers.
    pub memory: Memory,
    /// Workers that are free.
    pub workers: Semaphore,
    /// Requests that wait for one.
    pub waiting: AtomicUsize,
    alive: RwLock<bool>,
    fate: watch::Sender<Option<Death>>,
    listening: watch::Sender<bool>,
    /// Whether others reach it.
    within_reach: watch::Sender<bool>,
}

impl Incarnation {
    /// Takes requests from now on.
    pub fn start(life: Life, slot: Arc<Slot>, shop: Arc<Shop>, listener: TcpListener) -> Arc<Incarnation> {
        let incarnation = Arc::new(Incarnation {
            life,
            slot,
            memory: Memory::default(),
            workers: Semaphore::new(shop.workers),
            shop,
            waiting: AtomicUsize::new(0),
            alive: RwLock::new(true),
            fate: watch::Sender::new(None),
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
    pub fn die(&self, death: Death, strike: impl FnOnce(Life)) {
        let mut alive = self.alive.write().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *alive, false) {
            strike(self.life);
        }
        drop(alive);
        self.memory.forget();
        self.fate.send_replace(Some(death));
    }

    /// Nobody reaches this process from now on. It does not know, and goes on.
    pub fn withdraw(&self) {
        self.within_reach.send_replace(false);
    }

    /// Others reach this process again.
    pub fn return_to(self: &Arc<Incarnation>, listener: TcpListener) {
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

    /// Runs something as a task of this life: ended by its death and by nothing else, whoever hangs up.
    pub async fn outlive<T: Send + 'static>(
        self: &Arc<Incarnation>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let this = Arc::clone(self);
        let task = tokio::spawn(async move {
            let _alarm = this.alarm();
            let mut fate = this.fate.subscribe();
            tokio::select! {
                biased;
                _ = fate.wait_for(Option::is_some) => None,
                done = work => Some(done),
            }
        });
        task.await.ok().flatten()
    }

    async fn listen(self: Arc<Incarnation>, listener: TcpListener) {
        let _alarm = self.alarm();
        let mut fate = self.fate.subscribe();
        let mut within_reach = self.within_reach.subscribe();
        loop {
            let accepted = tokio::select! {
                biased;
                _ = fate.wait_for(Option::is_some) => break,
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
                Err(_) => tokio::time::sleep(BREATH).await,
            }
        }
        drop(listener);
        self.listening.send_replace(false);
    }

    /// Serves one connection, until its client or this process goes.
    async fn converse(self: Arc<Incarnation>, stream: TcpStream) {
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
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let mut fate = self.fate.subscribe();
        let mut within_reach = self.within_reach.subscribe();
        let death = loop {
            tokio::select! {
                biased;
                death = fate.wait_for(Option::is_some) => break death.ok().and_then(|death| *death),
                _ = within_reach.wait_for(|reached| !reached) => {}
                _ = &mut connection => return,
            }
            // Cut off: nothing comes and nothing goes. What was on its way arrives afterwards. A connection that is idle
            // is closed, so that the balancer has to make a new one, and waits for that as it does in a simulation.
            if !busy.load(Ordering::Acquire) {
                return;
            }
            tokio::select! {
                biased;
                death = fate.wait_for(Option::is_some) => break death.ok().and_then(|death| *death),
                _ = within_reach.wait_for(|reached| *reached) => {}
            }
        };
        if death == Some(Death::Vanish) {
            // Nobody reads and nobody hangs up, until another host answers for this address.
            let _ = fate.wait_for(|death| *death == Some(Death::Crash)).await;
        }
        port::reset(connection.into_parts().io.into_inner());
    }

    async fn answer(self: &Arc<Incarnation>, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let request = match answer::read(request).await {
            Ok(request) => request,
            Err(response) => return Some(response),
        };
        if let Some(response) = answer::at_once(&request) {
            return Some(response);
        }
        self.outlive(answer::work(Arc::clone(self), request)).await.flatten()
    }

    /// A worker takes a request; or there is no room even in the queue.
    pub async fn worker(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        if let Ok(worker) = self.workers.try_acquire() {
            return Some(worker);
        }
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.shop.queue {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let worker = self.workers.acquire().await.expect("never closed");
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        Some(worker)
    }
}

/// Tells of a panic when it is dropped by one.
struct Alarm<'a>(&'a Incarnation);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shop.fail(Failure::Panic(format!("a task of {}", self.0.slot.id)));
        }
    }
}
