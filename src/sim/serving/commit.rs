//! The effect of a request: all of it happens at one moment, just before the answer, and is recorded.

use crate::base::{Command, Items, Outcome};
use crate::history::{Event, Evidence, Inside, Recorder, Seen, Served};
use crate::scenario::{CartHome, StoreUpdate};
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestSlot};
use crate::sim::shop::carts::{Call, CartResult};
use crate::sim::store::stored_carts;
use crate::state::{evidence, shop, tokens};

/// What a request did, for the record and for the answer.
pub(super) struct Effect {
    pub outcome: Outcome,
    /// The store calls that were made for it.
    store_calls: u32,
    /// Whether the cart or the file was found where the server looked.
    knew: Option<bool>,
    cart: Items,
    billed: Option<Items>,
    /// The new cart token that the answer sets.
    pub token: Option<Items>,
    /// How many other servers were sent a copy of the cart.
    copies: u32,
}

impl Effect {
    /// Nothing has been changed.
    pub fn none(outcome: Outcome, store_calls: u32) -> Effect {
        Effect { outcome, store_calls, knew: None, cart: Items::NONE, billed: None, token: None, copies: 0 }
    }
}

impl Sim {
    /// Applies the whole effect of a request at this moment.
    #[inline(always)]
    pub(super) fn commit(&mut self, id: RequestSlot) -> Effect {
        let request = self.requests[id];
        let calls = request.plan.calls();
        if let Some(refusal) = request.refused {
            return Effect::none(Outcome::Refused(refusal), calls);
        }
        if !shop::reaches_cart(request.command, !request.departed || self.users.is_open(request.visit())) {
            let (pool, now) = (&self.balancer.pool, self.events.now);
            if request.command == Command::Logout {
                self.users.log_out(&request, now);
            }
            let (outcome, knew) = self.shop.serve_page(&request, pool.process_on(request.server), pool, now);
            return Effect { knew, ..Effect::none(outcome, calls) };
        }
        let call = self.call(&request);
        if self.store.touches_carts()
            && let Err(refusal) = self.store.before_effect(&mut stored_carts!(self), &request, call)
        {
            return Effect::none(Outcome::Refused(refusal), calls);
        }
        let (CartResult { reply, knew, held, billed }, token, copies) = self.change_cart(&request, call);
        if self.store.touches_carts() {
            self.store.after_effect(&mut stored_carts!(self), &request);
        }
        Effect { outcome: Outcome::Ok(reply), store_calls: calls, knew: Some(knew), cart: held, billed, token, copies }
    }

    /// The command of a request, as it reaches the home of a cart.
    #[inline(always)]
    fn call(&self, request: &InFlight) -> Call {
        let InFlight { client, command, server, .. } = *request;
        let pool = &self.balancer.pool;
        // An answer in transit may arrive after its user has given up.
        let late = pool.has_isolated() || self.network.is_some();
        let repeated = request.departed || request.key.attempt > 0 || late;
        Call { client, command, by: pool.process_on(server), repeated }
    }

    /// Changes a cart in its home. Returns the new cart token as well, if there is one, and how many servers were sent a
    /// copy.
    #[inline(always)]
    fn change_cart(&mut self, request: &InFlight, call: Call) -> (CartResult, Option<Items>, u32) {
        let (server, pool, now) = (request.server, &self.balancer.pool, self.events.now);
        let slot = self.users.carts_of(request.client);
        let carts = &mut self.shop.carts;
        let result = match (self.shop.rules.homes.cart, self.shop.rules.update, &mut self.network) {
            _ if self.shop.migration.is_some() => carts.apply_moving(slot, request.path, call),
            (CartHome::ReplicatedMemory, ..) => {
                let (result, copies) = carts.apply_to_replica(call, request.visit(), server, pool, &mut self.events);
                return (result, None, copies);
            }
            (CartHome::SignedToken, ..) => {
                let (result, token) = carts.apply_to_sent_token(request, call, now);
                return (result, Some(token), 0);
            }
            (CartHome::SharedStore, _, Some(network)) if network.replicas.is_some() => {
                network.apply_in_region(server, call, carts, now)
            }
            (CartHome::SharedStore, StoreUpdate::ReadModifyWrite, _) => carts.write_back(slot, request.cart, call),
            (CartHome::ServerMemory, ..) | (CartHome::SharedStore, StoreUpdate::Atomic, _) => carts.apply(slot, call),
        };
        (result, None, 0)
    }

    /// Records that a request was served, and what it did.
    #[inline(always)]
    pub(super) fn report_served<R: Recorder>(&mut self, recorder: &mut R, id: RequestSlot, effect: &Effect) {
        let (request, rules, now) = (&self.requests[id], &self.shop.rules, self.events.now);
        let visit = request.visit();
        let sent = request.cart.filter(|_| rules.homes.cart == CartHome::SignedToken);
        let logged_in = request.command == Command::Login && matches!(effect.outcome, Outcome::Ok(_));
        let set_anew = logged_in || self.shop.renews(request, effect.outcome);
        let served = Served {
            request: request.request(),
            server: request.server,
            process: self.balancer.pool.process_on(request.server),
            waited: request.since - request.sent,
            busy: now - request.since,
            knew_cart: effect.knew,
            cart: effect.cart,
            store_calls: effect.store_calls,
            carried_bytes: tokens::carried_bytes(rules.homes, visit, request.credential, set_anew, sent, effect.token),
            copies: effect.copies,
            evidence: self.evidence(request, effect.knew),
        };
        recorder.record(&Event::inside(now, visit, Inside::Served(served)));
        if let Some(items) = effect.billed {
            recorder.record(&Event::seen(now, visit, Seen::Billed(items)));
        }
    }

    /// What a checkout could find out about missing items: where else they are, or what removed them. For other
    /// requests, the same about files.
    #[inline(always)]
    fn evidence(&self, request: &InFlight, knew: Option<bool>) -> Evidence {
        let pool = &self.balancer.pool;
        if !evidence::is_about_a_cart(request.command, knew) {
            return self.shop.file_evidence(request, knew, pool);
        }
        if let (CartHome::SharedStore, Some(network)) = (self.shop.rules.homes.cart, &self.network)
            && let Some(stale) = network.on_their_way(request, self.events.now)
        {
            return Evidence { stale, ..Evidence::default() };
        }
        let (slot, process) = (self.users.carts(request.client), pool.process_on(request.server));
        self.shop.evidence(request, slot, process, pool, &self.operations.faults)
    }
}
