//! Where users are in their journeys, and what they believe.

use super::servers::known;
use super::{ClientSnapshot, Doing, Snapshot};
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ServerId};
use crate::sim::Sim;
use crate::sim::events::Due;
use crate::sim::users::ClientSlot;
use crate::traffic::{Jar, Loop};

impl Sim {
    /// All clients. The requests must have been shown.
    pub(super) fn show_clients(&self, into: &mut Snapshot) {
        self.note_carts(&mut into.scratch.carts_before);
        let Snapshot { clients, requests, scratch, .. } = into;
        clients.clear();
        for (id, slot) in (0u32..).map(ClientId).zip(&self.users.clients) {
            clients.push(self.show_client(id, slot, &scratch.carts_before));
        }
        for (at, client) in self.events.wakes.pending() {
            wakes(&mut clients[client.index()].doing, at);
        }
        for request in requests.iter().filter(|request| request.awaited) {
            let doing = &mut clients[request.visit.client.index()].doing;
            *doing = match *doing {
                Doing::Waiting { since } => Doing::Waiting { since: since.min(request.sent) },
                _ => Doing::Waiting { since: request.sent },
            };
        }
        for (at, due) in self.events.agenda() {
            if let Due::Again { visit, .. } = due {
                let client = &mut clients[visit.client.index()];
                if client.visit == visit.number && !matches!(client.doing, Doing::Waiting { .. }) {
                    wakes(&mut client.doing, at);
                }
            }
        }
    }

    fn show_client(&self, id: ClientId, slot: &ClientSlot, carts_before: &[Items]) -> ClientSnapshot {
        let client = &slot.client;
        let (key, visit) = (client.key(), client.visit(id));
        // When it will wake is filled in later.
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
            region: self.network.as_ref().map(|network| network.map.place(visit.user, visit.number, key.step)),
            cart: self.believed_cart(id, carts_before),
            exists: Items::NONE,
            whole: false,
            bound_to: self.bound_to(slot),
        }
    }

    /// The cookies of a client's user. Visitors who have gone may have left their jar to another.
    pub(super) fn jar_of(&self, slot: &ClientSlot) -> Option<&Jar> {
        let gone = slot.client.is_away() && matches!(self.workload.arrivals, Loop::Open { .. });
        self.users.jars.get(slot.client.jar as usize).filter(|_| self.users.needs_jars && !gone)
    }

    /// The server to which a cookie sends a client's user.
    fn bound_to(&self, slot: &ClientSlot) -> Option<ServerId> {
        let pin = self.jar_of(slot)?.pin;
        pin.server().filter(|server| pin.binds(self.balancer.affinity, *server, self.now))
    }

    /// By step: what a user has in the cart who has come so far.
    pub(super) fn note_carts(&self, carts_before: &mut Vec<Items>) {
        carts_before.clear();
        let mut cart = Items::NONE;
        for command in &self.workload.commands {
            carts_before.push(cart);
            cart = after(cart, *command);
        }
        carts_before.push(cart);
    }

    /// What a client's user believes to have in the cart. A step is done when the shop has acknowledged it, so how far
    /// the user has come says it all.
    pub(super) fn believed_cart(&self, id: ClientId, carts_before: &[Items]) -> Items {
        let client = &self.users.clients[id.index()].client;
        if client.is_away() {
            return Items::NONE;
        }
        let cart = carts_before[usize::from(client.key().step)];
        let Some(concurrent_steps) = self.users.concurrent_steps.get(&id) else { return cart };
        let done = concurrent_steps.acknowledged().map(|step| self.workload.commands[usize::from(step)]);
        done.fold(cart, after)
    }
}

/// What a cart holds after an acknowledged command.
fn after(cart: Items, command: Command) -> Items {
    match command {
        Command::Add(item) => cart.with(item),
        Command::Remove(item) => cart.without(item),
        Command::Checkout => Items::NONE,
        _ => cart,
    }
}

/// A client does something at this moment, or earlier.
fn wakes(doing: &mut Doing, at: Instant) {
    match doing {
        Doing::Away { until } => *until = known(at),
        Doing::Thinking { until } | Doing::Pausing { until } => *until = at.min(*until),
        Doing::Waiting { .. } => {}
    }
}
