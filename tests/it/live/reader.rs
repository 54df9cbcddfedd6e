//! A naive reader of the history, which derives from events alone what servers, stores and tokens hold, and what users
//! believe.

use std::collections::{BTreeMap, BTreeSet};

use whatcart::base::{ClientId, Command, Items, Outcome, ServerId, UserId, Visit};
use whatcart::history::{Event, EventKind, Inside, PoolEvent, Request, Seen, Served};
use whatcart::operations::faults::FaultKind;
use whatcart::scenario::{CartHome, HiddenState, Scenario, StoreUpdate};
use whatcart::sim::snapshot::Holder;

/// What is known of carts.
pub struct Reader {
    home: CartHome,
    /// Whether a checkout leaves the cart where it is.
    keeps: bool,
    pub held: BTreeMap<(ClientId, Holder), Items>,
    pub believed: BTreeMap<ClientId, Items>,
    checked_out: BTreeSet<ClientId>,
    pub open: BTreeMap<ClientId, Visit>,
    pub users: BTreeSet<UserId>,
    /// The contents of tokens in transit.
    tokens: BTreeMap<(ClientId, u16, u16), Items>,
}

impl Reader {
    /// `None` for a design whose events do not tell everything.
    pub fn of(scenario: &Scenario, faults: &[whatcart::operations::faults::Fault]) -> Option<Reader> {
        let store = &scenario.store;
        let plain_store = store.ttl.is_none() && store.memory.is_none() && store.update == StoreUpdate::Atomic;
        let silent = |kind: &FaultKind| {
            matches!(kind, FaultKind::Store { .. } | FaultKind::RegionOutage { .. } | FaultKind::Migrate { .. })
        };
        let told = match scenario.homes.cart {
            CartHome::ReplicatedMemory => false,
            CartHome::SharedStore => plain_store && scenario.regions.is_none(),
            CartHome::ServerMemory => true,
            // None of them expires during the run.
            CartHome::SignedToken => {
                let whole = scenario.duration.get() + scenario.closing.get();
                scenario.regions.is_none() && scenario.tokens.lifetime.get() > whole
            }
        };
        let keeps = scenario.servers.hidden == HiddenState::IdempotencyKey;
        let reader = Reader {
            home: scenario.homes.cart,
            keeps,
            held: BTreeMap::new(),
            believed: BTreeMap::new(),
            checked_out: BTreeSet::new(),
            open: BTreeMap::new(),
            users: BTreeSet::new(),
            tokens: BTreeMap::new(),
        };
        (told && !faults.iter().any(|fault| silent(&fault.kind))).then_some(reader)
    }

    pub fn read(&mut self, event: &Event) {
        match event.what {
            EventKind::Seen(visit, seen) => self.seen(visit, seen),
            EventKind::Inside(visit, Inside::Served(served)) => self.served(visit, &served),
            EventKind::Pool(
                PoolEvent::Struck { server: Some(server), memory_lost: true, .. } | PoolEvent::Stopped { server, .. },
            ) => self.died(server),
            EventKind::Inside(..) | EventKind::Pool(_) => {}
        }
    }

    fn seen(&mut self, visit: Visit, seen: Seen) {
        match seen {
            Seen::Began => {
                self.users.insert(visit.user);
                self.open.insert(visit.client, visit);
                self.believed.insert(visit.client, Items::NONE);
            }
            Seen::Left(_) => {
                self.open.remove(&visit.client);
                self.believed.remove(&visit.client);
                self.checked_out.remove(&visit.client);
                self.held.retain(|(client, _), _| *client != visit.client);
                self.tokens.retain(|(client, ..), _| *client != visit.client);
            }
            Seen::Told { request, outcome: Outcome::Ok(_), .. } => self.acknowledged(visit, request),
            Seen::Told { .. } | Seen::Sent(_) | Seen::Billed(_) => {}
        }
    }

    fn acknowledged(&mut self, visit: Visit, request: Request) {
        let cart = self.believed.get_mut(&visit.client).expect("a visit has begun");
        match request.command {
            Command::Add(item) => *cart = cart.with(item),
            Command::Remove(item) => *cart = cart.without(item),
            Command::Checkout => drop(self.checked_out.insert(visit.client)),
            _ => {}
        }
        // An item added at the moment of the checkout may have been bought, whichever answer comes first.
        if self.checked_out.contains(&visit.client) {
            *cart = Items::NONE;
        }
        if let Some(items) = self.tokens.remove(&(visit.client, request.step, request.attempt)) {
            self.held.insert((visit.client, Holder::Token), items);
        }
    }

    fn served(&mut self, visit: Visit, served: &Served) {
        let Request { step, attempt, command } = served.request;
        if served.knew_cart.is_none() || !command.touches_cart() || self.open.get(&visit.client) != Some(&visit) {
            return;
        }
        let emptied = command == Command::Checkout && !self.keeps;
        let items = if emptied { Items::NONE } else { served.cart };
        match self.home {
            CartHome::ServerMemory => drop(self.held.insert((visit.client, Holder::Server(served.server)), items)),
            CartHome::SharedStore => drop(self.held.insert((visit.client, Holder::Store), items)),
            _ => drop(self.tokens.insert((visit.client, step, attempt), items)),
        }
    }

    fn died(&mut self, server: ServerId) {
        if self.home == CartHome::ServerMemory {
            self.held.retain(|(_, holder), _| *holder != Holder::Server(server));
        }
    }
}
