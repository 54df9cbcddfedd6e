//! What a session shows at one moment, in buffers that are used again.

use std::collections::BTreeMap;

use crate::base::{ClientId, Items, UserId};
use crate::judging::post_mortem::{Cause, first_cause};
use crate::live::Session;
use crate::scenario::{CartHome, HiddenState, Scenario, SessionHome, UploadHome};
use crate::sim::snapshot::{Holder, Memory, Snapshot};

/// How a login is shown in a plate: as one item.
const LOGIN: Items = Items(1);

/// What a session shows at one moment.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    pub snapshot: Snapshot,
    pub memory: Memory,
    /// Whether instances of a platform answer.
    pub serverless: bool,
    /// What is kept in servers.
    pub kept: Kept,
    /// What places hold of each client: its cart, or its login or files where servers keep no carts.
    pub held: Vec<(Holder, ClientId, Items)>,
}

/// What a server keeps in its memory or on its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub carts: bool,
    pub logins: bool,
    pub files: bool,
    pub hidden: HiddenState,
}

impl Kept {
    pub fn of(scenario: &Scenario) -> Kept {
        let homes = scenario.homes;
        Kept {
            carts: matches!(homes.cart, CartHome::ServerMemory | CartHome::ReplicatedMemory),
            logins: homes.session == SessionHome::ServerMemory,
            files: scenario.users.upload() && homes.upload != UploadHome::ObjectStore,
            hidden: scenario.servers.hidden,
        }
    }

    /// Whether a server's death costs something.
    pub fn anything(self) -> bool {
        self != Kept::default()
    }
}

impl Moment {
    pub fn take(&mut self, session: &Session) {
        session.snapshot(&mut self.snapshot);
        session.memory(&mut self.memory);
        self.set_aside_what_is_bought(session);
        self.serverless = session.scenario().serverless.is_some();
        self.kept = Kept::of(session.scenario());
        self.fill_places();
    }

    fn fill_places(&mut self) {
        let Moment { snapshot, memory, kept, held, .. } = self;
        held.clear();
        held.extend(memory.carts.iter().map(|cart| (cart.holder, cart.visit.client, cart.items)));
        if kept.carts {
            return;
        }
        let owners: BTreeMap<UserId, ClientId> =
            snapshot.clients.iter().rev().map(|client| (client.user, client.client)).collect();
        let logins = memory.logins.iter().map(|login| (login.holder, login.user, LOGIN));
        let files = memory.files.iter().map(|files| (files.holder, files.user, files.files));
        let of_servers =
            logins.chain(files).filter(|(holder, ..)| matches!(holder, Holder::Server(_) | Holder::Objects));
        held.extend(of_servers.filter_map(|(holder, user, items)| Some((holder, *owners.get(&user)?, items))));
    }

    /// A cart whose charge is on its way to the user is empty, but nothing took its items: it counts as whole.
    fn set_aside_what_is_bought(&mut self, session: &Session) {
        let Snapshot { clients, carts, .. } = &mut self.snapshot;
        for client in clients.iter_mut().filter(|client| client.exists != client.cart) {
            let missing = client.cart.minus(client.exists);
            if first_cause(missing, &session.evidence_so_far(client.client)) == Cause::Unexplained {
                (client.exists, client.whole) = (client.cart, true);
                carts.gone -= 1;
                carts.whole += 1;
            }
        }
    }
}
