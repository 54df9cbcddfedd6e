//! Where the cart of one visit is, moment by moment, as the history has it: what each memory held when it last answered,
//! and what became of it since.

use std::collections::BTreeMap;

use crate::base::time::Instant;
use crate::base::{Command, Items, ServerId, ServerState};
use crate::history::{Event, EventKind, Inside, PoolEvent, Served};
use crate::operations::faults::{FaultKind, timeline};
use crate::results::{Tape, VariantReport};
use crate::scenario::{CartHome, Scenario};

/// A server, as far as a story is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// What became of its process; up if nothing did.
    pub state: Option<ServerState>,
    /// Whether a fault has struck it that left its memory alone, and is not over.
    pub troubled: bool,
    /// Whether the balancer takes it to be down.
    pub believed_down: bool,
    /// What it holds of this cart.
    pub holds: Items,
    /// What it held of this cart when its last process ended; until it works again.
    pub died: Items,
}

impl Server {
    /// Whether no process answers.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(
            self.state,
            Some(ServerState::Down | ServerState::Silent | ServerState::Retired | ServerState::Booting)
        )
    }

    fn dies(&mut self, state: Option<ServerState>) {
        self.state = state;
        self.died = self.died.union(self.holds);
        self.holds = Items::NONE;
    }
}

/// Everything at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The servers that something has happened to.
    pub servers: BTreeMap<ServerId, Server>,
    /// What the shared store holds.
    pub store: Items,
    /// Whether the store is down.
    pub store_is_down: bool,
    /// What the user's own token holds.
    pub token: Items,
}

/// Goes through a tape, from moment to moment.
pub struct Follower<'a> {
    scenario: &'a Scenario,
    events: std::iter::Peekable<std::slice::Iter<'a, Event>>,
    now: Whereabouts,
    store_down_until: Option<Instant>,
    /// The memory that a checkout empties once it has been seen.
    charged: Option<ServerId>,
}

impl<'a> Follower<'a> {
    /// From the beginning of this tape of a design.
    #[must_use]
    pub fn new(variant: &'a VariantReport, tape: &'a Tape) -> Follower<'a> {
        Follower {
            scenario: &variant.scenario,
            events: tape.events.iter().peekable(),
            now: Whereabouts::default(),
            store_down_until: None,
            charged: None,
        }
    }

    /// Goes on to this moment, which is not earlier than any before. A cart that is being charged is still there.
    pub fn at(&mut self, moment: Instant) -> &Whereabouts {
        if let Some(server) = self.charged.take() {
            self.put(server, Items::NONE);
        }
        while let Some(event) = self.events.next_if(|event| event.at <= moment) {
            self.take_in(event);
        }
        self.now.store_is_down = self.store_down_until.is_some_and(|until| moment < until);
        &self.now
    }

    fn take_in(&mut self, event: &Event) {
        match event.what {
            EventKind::Inside(_, Inside::Served(served)) if served.request.command.touches_cart() => {
                self.served(served)
            }
            EventKind::Pool(pool) => self.pool(event.at, pool),
            EventKind::Seen(..) | EventKind::Inside(..) => {}
        }
    }

    fn served(&mut self, served: Served) {
        self.put(served.server, served.cart);
        self.charged = (served.request.command == Command::Checkout).then_some(served.server);
    }

    /// The cart is now this, in the memory that this server uses.
    fn put(&mut self, server: ServerId, cart: Items) {
        match self.scenario.homes.cart {
            CartHome::ServerMemory | CartHome::ReplicatedMemory => self.server(server).holds = cart,
            CartHome::SharedStore => self.now.store = cart,
            CartHome::SignedToken => self.now.token = cart,
        }
    }

    fn server(&mut self, server: ServerId) -> &mut Server {
        self.now.servers.entry(server).or_default()
    }

    fn pool(&mut self, at: Instant, event: PoolEvent) {
        match event {
            PoolEvent::Struck { server: Some(server), memory_lost: true, .. } => {
                self.server(server).dies(Some(ServerState::Down));
            }
            PoolEvent::Struck { server: Some(server), memory_lost: false, .. } => self.server(server).troubled = true,
            PoolEvent::Struck { server: None, fault, .. } => self.struck_store(at, fault),
            PoolEvent::Stopped { server, .. } => self.server(server).dies(Some(ServerState::Down)),
            PoolEvent::Ready { server } => {
                let server = self.server(server);
                (server.state, server.troubled, server.died) = (None, false, Items::NONE);
            }
            PoolEvent::Turned { server, state } => {
                let server = self.server(server);
                server.state = Some(state).filter(|state| *state != ServerState::Up);
                server.died = if server.is_dead() { server.died } else { Items::NONE };
            }
            PoolEvent::Believed { server, up } => self.server(server).believed_down = !up,
            PoolEvent::Ejected { server } => self.server(server).believed_down = true,
            PoolEvent::Readmitted { server } => self.server(server).believed_down = false,
            PoolEvent::Audited { .. } | PoolEvent::Finished { .. } => {}
        }
    }

    fn struck_store(&mut self, at: Instant, fault: u32) {
        let known = timeline(self.scenario).into_iter().nth(fault as usize);
        if let Some(FaultKind::Store { lasting, .. }) = known.map(|known| known.kind) {
            self.store_down_until = Some(lasting.map_or(Instant::NEVER, |lasting| at + lasting));
        }
    }
}
