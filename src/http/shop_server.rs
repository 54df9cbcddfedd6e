//! Servers: each an HTTP/1.1 server on a loopback port of its own, that can die in the middle of a request.
//!
//! A [`Slot`] is the place in the pool, with its port; an [`ServerProcess`] is one life of the process behind it.

mod answer;
mod busy;
mod cart;
mod cart_effect;
mod completed;
mod connections;
mod credential;
mod files;
mod gate;
mod handling;
mod hidden;
mod job;
mod port;
mod process;
mod progress;
mod replica;
mod request;
mod secrets;
mod serving;
mod session;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use dashmap::DashMap;
use tokio::sync::mpsc;

use super::clock::Clock;
use super::failure::{self, Failure};
use super::files::{Depot, FileName};
use super::log::Log;
use super::store::Store;
use super::token::Signer;
use crate::balancing::pool::Member;
use crate::base::seed::Sampler;
use crate::base::{ProcessId, ServerId};
use crate::operations::faults;
use crate::scenario::{Hidden, HiddenState, Migration, Replication, Scenario};
use crate::state::file_locations::FileLocation;
use crate::state::plan::ServingRules;
use crate::state::shop::Order;
use crate::traffic::Workload;

use port::Port;
pub use process::{Death, ServerProcess};

/// What all servers of a run share.
pub struct Shop {
    /// The run's clock.
    pub clock: Clock,
    /// The history.
    pub log: Arc<Log>,
    /// The users, for the work that their requests are.
    pub workload: Arc<Workload>,
    /// What serving a request consists of.
    pub serving: ServingRules,
    /// Servers that run when the shop opens.
    pub servers_at_first: u32,
    /// What every process keeps to itself.
    pub hidden: HiddenState,
    /// How that behaves.
    pub rules: Hidden,
    /// The shared store.
    pub store: Store,
    /// Who has copies of carts.
    pub replication: Replication,
    /// Changes of carts in replicated memory, counted.
    pub versions: AtomicU64,
    /// The servers that are there, in the order of the pool.
    peers: RwLock<Vec<Weak<Slot>>>,
    /// How carts move.
    pub migration: Option<Migration>,
    /// The migration as a fault.
    pub migration_fault: u32,
    /// Makes and checks tokens.
    pub signer: Signer,
    /// Disks, and the object store.
    pub depot: Depot,
    /// What a request takes, without the store.
    pub service: Sampler,
    /// How many requests a server works on at once.
    pub workers: usize,
    /// How many more may wait.
    pub queue: usize,
    /// What was charged, by the key of the order: the payment provider's book, durable and shared in every design.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
    /// Numbers for guests: requests that belong to no user of the run.
    pub guests: AtomicU32,
    /// Files that guests have stored.
    pub guest_files: AtomicU32,
    /// Where a run that cannot go on is told so.
    pub failures: mpsc::UnboundedSender<Failure>,
}

impl Shop {
    /// What the servers of a scenario share.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        workload: Arc<Workload>,
        log: Arc<Log>,
        (store, signer, depot): (Store, Signer, Depot),
        (clock, failures): (Clock, mpsc::UnboundedSender<Failure>),
    ) -> Shop {
        Shop {
            clock,
            log,
            workload,
            serving: ServingRules::new(scenario),
            servers_at_first: scenario.servers_at_first(),
            hidden: scenario.servers.hidden,
            rules: scenario.hidden,
            store,
            replication: scenario.replication,
            versions: AtomicU64::new(0),
            peers: RwLock::default(),
            migration: scenario.migration,
            migration_fault: faults::migration(&faults::timeline(scenario)).unwrap_or(u32::MAX),
            signer,
            depot,
            service: scenario.servers.service.sampler(),
            workers: scenario.servers.workers.index(),
            queue: scenario.servers.queue.index(),
            orders: DashMap::new(),
            guests: AtomicU32::new(0),
            guest_files: AtomicU32::new(0),
            failures,
        }
    }

    /// Tells the others of a server, which comes after them in the order of the pool.
    pub fn introduce(&self, slot: &Arc<Slot>) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(slot));
    }

    /// A server is gone for good.
    pub fn dismiss(&self, server: ServerId) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| peer.upgrade().is_some_and(|slot| slot.id != server));
    }

    /// The servers that are there, in the order of the pool.
    fn peers(&self) -> Vec<Arc<Slot>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }

    /// The run cannot go on.
    pub fn fail(&self, failure: Failure) {
        // Nobody listens any more when the run is already over.
        let _ = self.failures.send(failure);
    }
}

/// A place in the pool. Its port stays ours while the server is down.
pub struct Slot {
    /// Which.
    pub id: ServerId,
    /// Where.
    pub address: SocketAddr,
    /// How many times slower than usual it works.
    pub slow: AtomicU32,
    /// Of a billion requests, how many it fails at once.
    pub failing: AtomicU32,
    /// The number of this host among those of the slot, counted from 1.
    host: AtomicU32,
    shop: Arc<Shop>,
    port: tokio::sync::Mutex<Port>,
    now: Mutex<SlotState>,
}

enum SlotState {
    Up(Arc<ServerProcess>),
    /// With the process that vanished, and whose connections hang.
    Down(Option<Arc<ServerProcess>>),
    Dying,
}

impl Slot {
    /// Binds a port and starts the first process.
    ///
    /// # Errors
    ///
    /// When there is no port left, or no file descriptor.
    pub fn start(id: ServerId, process: ProcessId, shop: Arc<Shop>) -> Result<Arc<Slot>, Failure> {
        let slot = Slot::reserve(id, shop)?;
        slot.revive(process)?;
        Ok(slot)
    }

    /// Binds a port, at which connections are refused until the first process starts.
    ///
    /// # Errors
    ///
    /// When there is no port left, or no file descriptor.
    pub fn reserve(id: ServerId, shop: Arc<Shop>) -> Result<Arc<Slot>, Failure> {
        let port = Port::bind().map_err(|error| failure::of_io(format!("{id} cannot have a port"), &error))?;
        let (address, slow, failing) = (port.address(), AtomicU32::new(1), AtomicU32::new(0));
        let port = tokio::sync::Mutex::new(port);
        let host = AtomicU32::new(1);
        Ok(Arc::new(Slot { id, address, slow, failing, host, shop, port, now: Mutex::new(SlotState::Down(None)) }))
    }

    /// From now on it is as slow and as failing as this member of the pool.
    pub fn follow(&self, member: &Member) {
        self.slow.store(member.slow, Ordering::Relaxed);
        self.failing.store(member.failing, Ordering::Relaxed);
    }

    /// Waits until a death that is under way is over.
    pub async fn settled(&self) {
        drop(self.port.lock().await);
    }

    /// A new, empty process takes requests. What an old one left hanging is reset: another host answers now for its
    /// address.
    ///
    /// # Errors
    ///
    /// When the port does not listen.
    pub fn revive(self: &Arc<Slot>, process: ProcessId) -> Result<(), Failure> {
        let defect = || Failure::Defect(format!("{} was to start and is not down", self.id));
        let mut port = self.port.try_lock().map_err(|_| defect())?;
        let trouble = |error| failure::of_io(format!("{} cannot listen on {}", self.id, self.address), &error);
        let listener = port.listen().map_err(trouble)?;
        self.failing.store(0, Ordering::Relaxed);
        let incarnation = ServerProcess::start(process, Arc::clone(self), Arc::clone(&self.shop));
        connections::accept(&incarnation, listener);
        let before = std::mem::replace(&mut *self.now(), SlotState::Up(incarnation));
        match before {
            SlotState::Down(vanished) => vanished.iter().for_each(|old| old.die(Death::Crash, |_| ())),
            SlotState::Up(_) | SlotState::Dying => return Err(defect()),
        }
        Ok(())
    }

    /// Ends the process that runs. `strike` is told at the moment of its death, when no effect of it can be committed
    /// any more, and can see what it still held. Returns when nothing listens any more: a crashed server refuses, a vanished one is silent.
    ///
    /// # Errors
    ///
    /// When the port is lost to somebody else.
    pub async fn kill(&self, death: Death, strike: impl FnOnce(&ServerProcess)) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        let before = std::mem::replace(&mut *self.now(), SlotState::Dying);
        let SlotState::Up(incarnation) = before else {
            return Err(Failure::Defect(format!("{} was to die and is not up", self.id)));
        };
        incarnation.die(death, strike);
        incarnation.stopped_listening().await;
        let trouble = |error| failure::of_io(format!("{} lost {}", self.id, self.address), &error);
        port.close(death).map_err(trouble)?;
        *self.now() = SlotState::Down((death == Death::Vanish).then_some(incarnation));
        Ok(())
    }

    /// Cuts the server off: what comes hangs, and nothing goes out. Its process lives on. `strike` is told when that
    /// begins. Returns when nobody can connect any more.
    ///
    /// # Errors
    ///
    /// When the port is lost to somebody else.
    pub async fn isolate(&self, strike: impl FnOnce()) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        let Some(incarnation) = self.running() else {
            return Err(Failure::Defect(format!("{} was to be cut off and is not up", self.id)));
        };
        incarnation.withdraw();
        strike();
        incarnation.stopped_listening().await;
        port.close(Death::Vanish).map_err(|error| failure::of_io(format!("{} lost {}", self.id, self.address), &error))
    }

    /// The server can be reached again, and goes on with what it had.
    ///
    /// # Errors
    ///
    /// When the port does not listen.
    pub async fn reconnect(&self) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        // It may have died in the last moment.
        let Some(incarnation) = self.running() else { return Ok(()) };
        let trouble = |error| failure::of_io(format!("{} cannot listen on {}", self.id, self.address), &error);
        let listener = port.listen().map_err(trouble)?;
        incarnation.come_back();
        connections::accept(&incarnation, listener);
        Ok(())
    }

    /// Gives up the port of a slot that is gone for good.
    pub async fn retire(&self) {
        self.port.lock().await.give_up();
    }

    /// The process that runs, if one does.
    #[must_use]
    pub fn running(&self) -> Option<Arc<ServerProcess>> {
        match &*self.now() {
            SlotState::Up(incarnation) => Some(Arc::clone(incarnation)),
            SlotState::Down(_) | SlotState::Dying => None,
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, SlotState> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this host among those of the slot, counted from 1.
    #[must_use]
    pub fn host(&self) -> u32 {
        self.host.load(Ordering::Acquire)
    }

    /// The next process will run on a new host: the old one goes, with its disk.
    ///
    /// # Errors
    ///
    /// When the machine's disk does not let it go.
    pub fn new_host(&self) -> Result<(), Failure> {
        let old = self.host.fetch_add(1, Ordering::AcqRel);
        self.shop.depot.discard(self.id, old)
    }

    /// Whether a file is in the memory of the process that runs, on the disk of its host, or in the object store.
    ///
    /// # Errors
    ///
    /// When the machine's disk cannot be read.
    pub fn has(&self, name: &FileName) -> Result<bool, Failure> {
        if let SlotState::Up(process) = &*self.now()
            && process.memory.files.contains_key(name)
        {
            return Ok(true);
        }
        let depot = &self.shop.depot;
        let on_disk = depot.get(FileLocation::Disk(self.id, self.host()), name)?;
        Ok(on_disk.is_some() || depot.get(FileLocation::Objects, name)?.is_some())
    }

    /// How many times slower than usual it works.
    #[must_use]
    pub fn slowness(&self) -> u32 {
        self.slow.load(Ordering::Relaxed)
    }
}
