//! Where users are in their journeys, and what they believe.

use super::servers::known;
use super::{ClientSnapshot, Doing, Snapshot};
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ServerId};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::users::{ClientSlot, Users};

/// Fills in all clients. The requests must have been filled in.
pub(super) fn show_clients(sim: &Sim, into: &mut Snapshot) {
    note_carts(&sim.users, &mut into.scratch.carts_before);
    let Snapshot { clients, requests, scratch, .. } = into;
    clients.clear();
    for (id, slot) in (0u32..).map(ClientId).zip(&sim.users.clients) {
        clients.push(show_client(sim, id, slot, &scratch.carts_before));
    }
    for (at, client) in sim.events.wakes.pending() {
        wakes(&mut clients[client.index()].doing, at);
    }
    for request in requests.iter().filter(|request| request.awaited) {
        let doing = &mut clients[request.visit.client.index()].doing;
        *doing = match *doing {
            Doing::Waiting { since } => Doing::Waiting { since: since.min(request.sent) },
            _ => Doing::Waiting { since: request.sent },
        };
    }
    for (at, due) in sim.events.agenda() {
        if let Due::Again { visit, .. } = due {
            let client = &mut clients[visit.client.index()];
            if client.visit == visit.number && !matches!(client.doing, Doing::Waiting { .. }) {
                wakes(&mut client.doing, at);
            }
        }
    }
}

fn show_client(sim: &Sim, id: ClientId, slot: &ClientSlot, carts_before: &[Items]) -> ClientSnapshot {
    let client = &slot.client;
    let (key, visit) = (client.key(), client.visit(id));
    // When it wakes is filled in later.
    let doing = match (client.is_away(), key.attempt) {
        (true, _) => Doing::Away { until: None },
        (false, 0) => Doing::Thinking { until: Instant::NEVER },
        (false, _) => Doing::Pausing { until: Instant::NEVER },
    };
    ClientSnapshot {
        user: visit.user,
        client: id,
        #[expect(clippy::cast_possible_truncation, reason = "the upper half is the tab, of 16 bits")]
        tab: (key.entity >> 32) as u16,
        visit: visit.number,
        step: key.step,
        doing,
        region: sim.network.as_ref().map(|network| network.map.place(visit.user, visit.number, key.step)),
        cart: believed_cart(&sim.users, id, carts_before),
        exists: Items::NONE,
        whole: false,
        bound_to: bound_to(sim, slot),
    }
}

/// The server that a cookie binds a client's user to.
fn bound_to(sim: &Sim, slot: &ClientSlot) -> Option<ServerId> {
    let pin = sim.users.jar(&slot.client)?.pin;
    pin.server().filter(|server| pin.binds(sim.balancer.affinity, *server, sim.events.now))
}

/// By step: what a user who has come so far believes to have in the cart.
pub(super) fn note_carts(users: &Users, carts_before: &mut Vec<Items>) {
    carts_before.clear();
    let mut belief = Belief::default();
    for command in &users.workload.commands {
        carts_before.push(belief.cart);
        belief.acknowledged(*command);
    }
    carts_before.push(belief.cart);
}

/// What a client's user believes is in the cart. A step is only done once the shop has acknowledged it, so the
/// position in the journey determines the cart.
pub(super) fn believed_cart(users: &Users, id: ClientId, carts_before: &[Items]) -> Items {
    let client = users.client(id);
    if client.is_away() {
        return Items::NONE;
    }
    let cart = carts_before[usize::from(client.key().step)];
    let Some(concurrent_steps) = users.concurrent_steps.get(&id) else { return cart };
    let mut belief = Belief { cart, checked_out: false };
    for step in concurrent_steps.acknowledged() {
        belief.acknowledged(users.workload.commands[usize::from(step)]);
    }
    belief.cart
}

/// What a user believes to have in the cart.
#[derive(Clone, Copy, Default)]
struct Belief {
    cart: Items,
    checked_out: bool,
}

impl Belief {
    /// The shop has acknowledged a command. After a checkout nothing is left: an item that was added at the same moment
    /// may have been bought, whichever answer came first.
    fn acknowledged(&mut self, command: Command) {
        match command {
            Command::Add(item) if !self.checked_out => self.cart = self.cart.with(item),
            Command::Remove(item) => self.cart = self.cart.without(item),
            Command::Checkout => *self = Belief { cart: Items::NONE, checked_out: true },
            _ => {}
        }
    }
}

/// Fills in when a client acts, unless it acts earlier.
fn wakes(doing: &mut Doing, at: Instant) {
    match doing {
        Doing::Away { until } => *until = known(at),
        Doing::Thinking { until } | Doing::Pausing { until } => *until = at.min(*until),
        Doing::Waiting { .. } => {}
    }
}
