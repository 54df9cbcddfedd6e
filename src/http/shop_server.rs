//! Servers: HTTP/1.1 servers, each on its own loopback port, which can die in the middle of a request.
//!
//! A [`Slot`] is a place in the pool, with its port. A [`ServerProcess`] is a process that runs in a slot.

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
mod process_local;
mod progress;
mod replica;
mod request;
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
    /// The history of the run.
    pub log: Arc<Log>,
    /// The users' behaviour: it determines how much work their requests are.
    pub workload: Arc<Workload>,
    /// The rules that determine the stages of serving a request.
    pub serving: ServingRules,
    /// How many servers run when the shop opens.
    pub servers_at_first: u32,
    /// The kind of hidden state that every process has.
    pub hidden: HiddenState,
    /// How hidden state behaves.
    pub hidden_rules: Hidden,
    /// The shared store.
    pub store: Store,
    /// How many copies of carts there are, and their lag.
    pub replication: Replication,
    /// The number of changes to carts in replicated memory so far.
    pub versions: AtomicU64,
    /// The servers in the pool, in its order.
    peers: RwLock<Vec<Weak<Slot>>>,
    /// The migration of carts, if there is one.
    pub migration: Option<Migration>,
    /// The index of the migration among the faults.
    pub migration_fault: u32,
    /// Signs and verifies tokens.
    pub signer: Signer,
    /// The disks of all hosts, and the object store.
    pub depot: Depot,
    /// The service time, without the store, on a server that is not slowed and for a user who is not heavy.
    pub service: Sampler,
    /// The number of workers per server.
    pub workers: usize,
    /// The maximum length of a server's queue.
    pub queue: usize,
    /// The payment provider's order book, by idempotency key: durable and shared in every design.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
    /// How many requests came from guests, who are not users of the run.
    pub guests: AtomicU32,
    /// How many files guests have stored.
    pub guest_files: AtomicU32,
    /// Where failures that abort the run are reported.
    pub failures: mpsc::UnboundedSender<Failure>,
}

impl Shop {
    /// What the servers of a scenario share, before any of them has started.
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
            hidden_rules: scenario.hidden,
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

    /// Adds a server at the end of the pool.
    pub fn introduce(&self, slot: &Arc<Slot>) {
        self.peers.write().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(slot));
    }

    /// Removes a server for good.
    pub fn dismiss(&self, server: ServerId) {
        let mut peers = self.peers.write().unwrap_or_else(PoisonError::into_inner);
        peers.retain(|peer| peer.upgrade().is_some_and(|slot| slot.id != server));
    }

    /// The servers in the pool, in its order.
    fn peers(&self) -> Vec<Arc<Slot>> {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
    }

    /// Reports a failure, which aborts the run.
    pub fn fail(&self, failure: Failure) {
        // The receiver is gone only if the run is already over.
        let _ = self.failures.send(failure);
    }
}

/// A place in the pool. It keeps its port while the server is down.
pub struct Slot {
    /// The server's id.
    pub id: ServerId,
    /// Its address.
    pub address: SocketAddr,
    /// How many times slower than usual it is.
    pub slow: AtomicU32,
    /// How many of a billion requests it fails at once.
    pub failing: AtomicU32,
    /// The number of this host among those of the slot, counted from 1.
    host: AtomicU32,
    shop: Arc<Shop>,
    port: tokio::sync::Mutex<Port>,
    state: Mutex<SlotState>,
}

enum SlotState {
    Up(Arc<ServerProcess>),
    /// With the process that vanished, if one did: its connections still hang.
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

    /// Binds a port. Connections are refused until the first process starts.
    ///
    /// # Errors
    ///
    /// When there is no port left, or no file descriptor.
    pub fn reserve(id: ServerId, shop: Arc<Shop>) -> Result<Arc<Slot>, Failure> {
        let port = Port::bind().map_err(|error| failure::of_io(format!("{id} cannot have a port"), &error))?;
        let (address, slow, failing) = (port.address(), AtomicU32::new(1), AtomicU32::new(0));
        let port = tokio::sync::Mutex::new(port);
        let host = AtomicU32::new(1);
        Ok(Arc::new(Slot { id, address, slow, failing, host, shop, port, state: Mutex::new(SlotState::Down(None)) }))
    }

    /// Makes the server as slow and as failing as this member of the pool.
    pub fn follow(&self, member: &Member) {
        self.slow.store(member.slow, Ordering::Relaxed);
        self.failing.store(member.failing, Ordering::Relaxed);
    }

    /// Waits until a death in progress is over.
    pub async fn settled(&self) {
        drop(self.port.lock().await);
    }

    /// Starts a new process with empty memory. Connections that an old one left hanging are reset, because another host
    /// now has its address.
    ///
    /// # Errors
    ///
    /// When the port cannot listen.
    pub fn revive(self: &Arc<Slot>, process: ProcessId) -> Result<(), Failure> {
        let defect = || Failure::Defect(format!("{} was to start and is not down", self.id));
        let mut port = self.port.try_lock().map_err(|_| defect())?;
        let trouble = |error| failure::of_io(format!("{} cannot listen on {}", self.id, self.address), &error);
        let listener = port.listen().map_err(trouble)?;
        self.failing.store(0, Ordering::Relaxed);
        let started = ServerProcess::start(process, Arc::clone(self), Arc::clone(&self.shop));
        connections::accept(&started, listener);
        let before = std::mem::replace(&mut *self.state(), SlotState::Up(started));
        match before {
            SlotState::Down(vanished) => vanished.iter().for_each(|old| old.die(Death::Crash, |_| ())),
            SlotState::Up(_) | SlotState::Dying => return Err(defect()),
        }
        Ok(())
    }

    /// Waits until the process is dead that is being killed, if one is.
    pub async fn has_died(&self) {
        drop(self.port.lock().await);
    }

    /// Kills the running process. `strike` is called at its death, as soon as it can commit nothing more, and sees what
    /// it still held. Returns when nothing listens any more: then a crashed server refuses, and a vanished one is silent.
    ///
    /// # Errors
    ///
    /// When another program has taken the port.
    pub async fn kill(&self, death: Death, strike: impl FnOnce(&ServerProcess)) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        let before = std::mem::replace(&mut *self.state(), SlotState::Dying);
        let SlotState::Up(process) = before else {
            return Err(Failure::Defect(format!("{} was to die and is not up", self.id)));
        };
        process.die(death, strike);
        process.stopped_listening().await;
        let trouble = |error| failure::of_io(format!("{} lost {}", self.id, self.address), &error);
        port.close(death).map_err(trouble)?;
        *self.state() = SlotState::Down((death == Death::Vanish).then_some(process));
        Ok(())
    }

    /// Cuts the server off: new connections hang, and nothing gets out. Its process lives on. `strike` is called when
    /// this begins. Returns when nobody can connect any more.
    ///
    /// # Errors
    ///
    /// When another program has taken the port.
    pub async fn isolate(&self, strike: impl FnOnce()) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        let Some(process) = self.running() else {
            return Err(Failure::Defect(format!("{} was to be cut off and is not up", self.id)));
        };
        process.withdraw();
        strike();
        process.stopped_listening().await;
        port.close(Death::Vanish).map_err(|error| failure::of_io(format!("{} lost {}", self.id, self.address), &error))
    }

    /// Reconnects the server, which goes on with the memory and requests it had.
    ///
    /// # Errors
    ///
    /// When the port cannot listen.
    pub async fn reconnect(&self) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        // It may have died in the meantime.
        let Some(process) = self.running() else { return Ok(()) };
        let trouble = |error| failure::of_io(format!("{} cannot listen on {}", self.id, self.address), &error);
        let listener = port.listen().map_err(trouble)?;
        process.come_back();
        connections::accept(&process, listener);
        Ok(())
    }

    /// Shuts the server down gracefully: from now on it refuses connections and closes idle ones, and it finishes its
    /// requests. Its process lives on.
    ///
    /// # Errors
    ///
    /// When another program has taken the port.
    pub async fn stop_accepting(&self) -> Result<(), Failure> {
        let mut port = self.port.lock().await;
        // It may have died in the meantime.
        let Some(process) = self.running() else { return Ok(()) };
        process.stop_accepting();
        process.stopped_listening().await;
        port.close(Death::Crash).map_err(|error| failure::of_io(format!("{} lost {}", self.id, self.address), &error))
    }

    /// Releases the port of a slot that has been removed for good.
    pub async fn retire(&self) {
        self.port.lock().await.give_up();
    }

    /// The running process, if there is one.
    #[must_use]
    pub fn running(&self) -> Option<Arc<ServerProcess>> {
        match &*self.state() {
            SlotState::Up(process) => Some(Arc::clone(process)),
            SlotState::Down(_) | SlotState::Dying => None,
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this host among those of the slot, counted from 1.
    #[must_use]
    pub fn host(&self) -> u32 {
        self.host.load(Ordering::Acquire)
    }

    /// Replaces the host: the next process will run on a new one, and the old one goes, with its disk.
    ///
    /// # Errors
    ///
    /// When the old host's directory cannot be deleted.
    pub fn new_host(&self) -> Result<(), Failure> {
        let old = self.host.fetch_add(1, Ordering::AcqRel);
        self.shop.depot.discard(self.id, old)
    }

    /// Whether a file is in the memory of the running process, on the disk of its host, or in the object store.
    ///
    /// # Errors
    ///
    /// When the machine's disk cannot be read.
    pub fn has(&self, name: &FileName) -> Result<bool, Failure> {
        if let SlotState::Up(process) = &*self.state()
            && process.memory.files.contains_key(name)
        {
            return Ok(true);
        }
        let depot = &self.shop.depot;
        let on_disk = depot.get(FileLocation::Disk(self.id, self.host()), name)?;
        Ok(on_disk.is_some() || depot.get(FileLocation::Objects, name)?.is_some())
    }

    /// How many times slower than usual it is.
    #[must_use]
    pub fn slowness(&self) -> u32 {
        self.slow.load(Ordering::Relaxed)
    }
}
