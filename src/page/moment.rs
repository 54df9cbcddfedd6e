//! What a session shows at one moment, in buffers that are used again.

use crate::judging::post_mortem::{Cause, first_cause};
use crate::live::Session;
use crate::scenario::{CartHome, HiddenState, Scenario, SessionHome, UploadHome};
use crate::sim::snapshot::{Memory, Snapshot};

/// What a session shows at one moment.
#[derive(Clone, Debug, Default)]
pub struct Moment {
    pub snapshot: Snapshot,
    pub memory: Memory,
    /// Whether instances of a platform answer.
    pub serverless: bool,
    /// Whether anything is kept in servers.
    pub remembers: bool,
}

impl Moment {
    pub fn take(&mut self, session: &Session) {
        session.snapshot(&mut self.snapshot);
        session.memory(&mut self.memory);
        self.set_aside_what_is_bought(session);
        self.serverless = session.scenario().serverless.is_some();
        self.remembers = servers_remember(session.scenario());
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

/// Whether anything is kept in servers, so that their death costs something.
pub fn servers_remember(scenario: &Scenario) -> bool {
    let homes = scenario.homes;
    matches!(homes.cart, CartHome::ServerMemory | CartHome::ReplicatedMemory)
        || homes.session == SessionHome::ServerMemory
        || (scenario.users.upload() && homes.upload != UploadHome::ObjectStore)
        || scenario.servers.hidden != HiddenState::None
}
