//! Where the cart of one visit is, moment by moment, as the history has it: what each memory held when it last answered,
//! and what became of it since.

use std::collections::BTreeMap;

use crate::base::time::Instant;
use crate::base::{Command, Items, Outcome, ServerId, ServerState};
use crate::history::{Event, EventKind, Inside, PoolEvent, Seen, Served};
use crate::operations::faults::{FaultKind, timeline};
use crate::results::{Tape, VariantReport};
use crate::scenario::{CartHome, Scenario, UploadHome};

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
    /// The user's files in its memory or on its disk.
    pub files: Items,
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
    /// The files whose upload the user was told of.
    pub uploaded: Items,
    /// The user's files in the object store.
    pub objects: Items,
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
            EventKind::Inside(_, Inside::Served(served)) => self.served(served),
            EventKind::Seen(_, Seen::Told { request, outcome: Outcome::Ok(_), .. }) => {
                if let Command::Upload(file) = request.command {
                    self.now.uploaded = self.now.uploaded.with(file.place());
                }
            }
            EventKind::Pool(pool) => self.pool(event.at, pool),
            EventKind::Seen(..) | EventKind::Inside(..) => {}
        }
    }

    fn served(&mut self, served: Served) {
        match (served.request.command, self.scenario.homes.upload) {
            (Command::Upload(file), UploadHome::ObjectStore) => self.now.objects = self.now.objects.with(file.place()),
            (Command::Upload(file), UploadHome::ServerMemory | UploadHome::LocalDisk) => {
                let server = self.server(served.server);
                server.files = server.files.with(file.place());
            }
            (command, _) if command.touches_cart() => {
                self.put(served.server, served.cart);
                self.charged = (command == Command::Checkout).then_some(served.server);
            }
            _ => {}
        }
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
            PoolEvent::Struck { server: Some(server), memory_lost: true, fault } => {
                let kept = self.scenario.homes.upload == UploadHome::LocalDisk && !self.has_new_host(fault);
                let server = self.server(server);
                server.dies(Some(ServerState::Down));
                server.files = if kept { server.files } else { Items::NONE };
            }
            PoolEvent::Struck { server: Some(server), memory_lost: false, .. } => self.server(server).troubled = true,
            PoolEvent::Struck { server: None, fault, .. } => self.struck_store(at, fault),
            PoolEvent::Stopped { server, .. } => {
                let server = self.server(server);
                server.dies(Some(ServerState::Down));
                server.files = Items::NONE;
            }
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

    /// What a fault of the scenario does; `None` for a random one.
    fn kind(&self, fault: u32) -> Option<FaultKind> {
        timeline(self.scenario).into_iter().nth(fault as usize).map(|known| known.kind)
    }

    /// Whether servers that a fault kills come back with an empty disk.
    fn has_new_host(&self, fault: u32) -> bool {
        self.kind(fault).and_then(|kind| kind.comeback()).is_some_and(|comeback| comeback.new_host)
    }

    fn struck_store(&mut self, at: Instant, fault: u32) {
        if let Some(FaultKind::Store { lasting, .. }) = self.kind(fault) {
            self.store_down_until = Some(lasting.map_or(Instant::NEVER, |lasting| at + lasting));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;
    use crate::results::sample::{crashed, items, sticky_crash, unharmed};

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Span::from_millis(millis)
    }

    #[test]
    fn a_crash_takes_what_one_server_held_and_a_checkout_empties_another() {
        let (report, tape) = (sticky_crash(), crashed());
        let mut follower = Follower::new(&report.variants[1], &tape);
        let server = |now: &Whereabouts, number: u32| now.servers.get(&ServerId(number)).copied().unwrap_or_default();
        assert_eq!(server(follower.at(at(28_000)), 1), Server { holds: items(&[1, 2]), ..Server::default() });
        let dead = server(follower.at(at(30_000)), 1);
        assert!(dead.is_dead() && dead.holds.is_empty() && dead.died == items(&[1, 2]), "{dead:?}");
        assert!(!dead.believed_down, "the balancer does not know yet");
        assert_eq!(server(follower.at(at(32_700)), 0).holds, items(&[3]));
        assert_eq!(server(follower.at(at(38_000)), 0).holds, items(&[3]), "still there while it is charged");
        assert_eq!(server(follower.at(at(38_001)), 0).holds, Items::NONE);
    }

    #[test]
    fn a_cart_in_the_store_or_in_a_token_is_in_no_server() {
        for (home, of) in [
            (CartHome::SharedStore, (|now| now.store) as fn(&Whereabouts) -> Items),
            (CartHome::SignedToken, |now| now.token),
        ] {
            let (mut report, tape) = (sticky_crash(), unharmed());
            report.variants[3].scenario.homes.cart = home;
            let mut follower = Follower::new(&report.variants[3], &tape);
            let now = follower.at(at(32_700));
            assert_eq!(of(now), items(&[1, 2, 3]));
            assert!(now.servers.values().all(|server| server.holds.is_empty()), "{now:?}");
        }
    }
}
