//! The servers of a scenario alone, for people who bring their own load balancer.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::clock::Clock;
use super::failure::Failure;
use super::files::Depot;
use super::log::Log;
use super::shop_server::{Shop, Slot};
use super::store::{Backend, Embedded, Store};
use super::token::Signer;
use crate::base::seed::Seed;
use crate::base::{ProcessId, ServerId};
use crate::scenario::Scenario;
use crate::traffic::Workload;

/// Servers that answer as long as this value lives. They run in real time, and no faults strike.
pub struct Servers {
    slots: Vec<Arc<Slot>>,
    failures: mpsc::UnboundedReceiver<Failure>,
    /// Declared last, so that it is dropped after everything that runs on it.
    _runtime: Runtime,
}

impl Servers {
    /// Starts the servers of a scenario, with an empty store of their own.
    ///
    /// # Errors
    ///
    /// When the machine runs out of ports, files or threads.
    pub fn start(scenario: &Scenario, seed: Seed) -> Result<Servers, Failure> {
        let runtime = super::runtime(super::cores())?;
        let clock = Clock::start(1.0);
        let workload = Arc::new(Workload::new(scenario, seed));
        let log = Arc::new(Log::new(clock));
        let (alarm, failures) = mpsc::unbounded_channel();
        let (_, slots) = {
            let _on_it = runtime.enter();
            open(scenario, &workload, &log, None, (clock, &alarm))?
        };
        Ok(Servers { slots, failures, _runtime: runtime })
    }

    /// Where the servers listen.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.slots.iter().map(|slot| slot.address).collect()
    }

    /// The next failure that has not been returned yet, if any.
    pub fn trouble(&mut self) -> Option<Failure> {
        self.failures.try_recv().ok()
    }
}

/// Starts the servers of a scenario on the current runtime. Their shared store is `backend` or, if that is `None`, an
/// embedded one. Also returns the state that they share.
pub fn open(
    scenario: &Scenario,
    workload: &Arc<Workload>,
    log: &Arc<Log>,
    backend: Option<Box<dyn Backend>>,
    (clock, alarm): (Clock, &mpsc::UnboundedSender<Failure>),
) -> Result<(Arc<Shop>, Vec<Arc<Slot>>), Failure> {
    let embedded = || Box::new(Embedded::new(&scenario.store, clock, Arc::clone(log)));
    let store = Store::new(&scenario.store, backend.unwrap_or_else(|| embedded()), clock);
    let signer = Signer::new(scenario.tokens)
        .map_err(|error| Failure::Machine { what: "no randomness for a key".into(), why: error.to_string() })?;
    let (parts, edges) = ((store, signer, Depot::new(scenario)?), (clock, alarm.clone()));
    let shop = Arc::new(Shop::new(scenario, Arc::clone(workload), Arc::clone(log), parts, edges));
    let start = |i| Slot::start(ServerId(i), ProcessId(i), Arc::clone(&shop));
    let slots = (0..scenario.servers.count.get32()).map(start).collect::<Result<Vec<_>, Failure>>()?;
    for slot in &slots {
        shop.introduce(slot);
    }
    Ok((shop, slots))
}
