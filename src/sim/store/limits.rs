//! What the store does to the carts it holds: expiry, eviction, refusal, and loss in a failover. The rules are in
//! [`state::store`](crate::state::store); this module applies them to clients' carts.

use super::Store;
use crate::base::time::Instant;
use crate::base::{ClientId, Items, Refusal};
use crate::scenario::Forgets;
use crate::sim::requests::InFlight;
use crate::sim::shop::cart_slot::CartSlot;
use crate::sim::shop::carts::{Call, Carts};
use crate::sim::users::Users;
use crate::state::evidence::{self, Loss};
use crate::state::plan::Stage;
use crate::state::store::{Full, Journal, RolledBack, has_expired, roll_back};

/// The carts in the store, and the records of their losses.
pub struct StoredCarts<'a> {
    /// The users, whose slots hold the carts.
    pub users: &'a mut Users,
    /// Where losses are recorded.
    pub carts: &'a mut Carts,
    /// The current time.
    pub now: Instant,
}

impl Store {
    /// Prepares for a request's effect on its cart: expires the old cart, and makes room for a new one.
    #[cold]
    pub fn before_effect(&mut self, stored: &mut StoredCarts, request: &InFlight, call: Call) -> Result<(), Refusal> {
        self.expire(stored, request.client);
        let visit = request.visit();
        let before = stored.users.carts_of(request.client).copy();
        let base = if request.plan.has(Stage::ReadCart) { request.cart } else { before };
        if self.limits.needs_room(before, stored.carts.written(base, call)) {
            let evicted = self.limits.make_room(stored.now).map_err(|Full| Refusal::StoreFull)?;
            // It may belong to a visit that has ended, in which case nobody will miss it.
            if let Some(evicted) = evicted.filter(|evicted| stored.users.is_open(*evicted)) {
                let items = stored.take(evicted.client);
                stored.lost(evicted.client, Loss::Evicted, items);
            }
        }
        if let (Some(journal), false) = (&mut self.journal, request.command.is_safe()) {
            journal.note(stored.now, (visit, before));
        }
        Ok(())
    }

    /// Updates the limits after a request's effect: an empty cart frees its place, any other counts as just used.
    #[cold]
    pub fn after_effect(&mut self, stored: &mut StoredCarts, request: &InFlight) {
        let slot = stored.users.carts_of(request.client);
        let Some(items) = slot.copy() else { return };
        let end = self.limits.end_if_written(stored.now).filter(|_| !request.command.is_safe());
        if let Some(end) = end {
            slot.keep_until(items, end);
        }
        if self.limits.takes_place(items) {
            self.limits.used(request.visit(), end);
        } else {
            self.limits.removed(request.visit());
            *slot = CartSlot::EMPTY;
        }
    }

    /// Removes a cart whose TTL has passed. Expiry is lazy: it happens on access.
    pub fn expire(&mut self, stored: &mut StoredCarts, client: ClientId) {
        if !self.has_expired(stored.users.carts_of(client), stored.now) {
            return;
        }
        let visit = stored.users.client(client).visit(client);
        let items = stored.take(client);
        self.limits.removed(visit);
        stored.lost(client, Loss::Expired, items);
    }

    /// Whether a cart is still present although its TTL has passed.
    #[must_use]
    pub fn has_expired(&self, cart: &CartSlot, now: Instant) -> bool {
        self.limits.has_ttl() && cart.copy().is_some() && has_expired(cart.expires(), now)
    }

    /// The store's process ends because of this fault, and loses whatever was not durable. Evicted carts do not come
    /// back.
    pub fn forget(&mut self, stored: &mut StoredCarts, forgets: Forgets, fault: u32) {
        if forgets == Forgets::NOTHING {
            return;
        }
        self.logins.forget(stored.now, forgets);
        if !self.keeps_carts {
            return;
        }
        if forgets == Forgets::Everything {
            for client in 0..u32::try_from(stored.users.clients.len()).expect("limited to 16 million") {
                stored.roll_back(ClientId(client), None, fault);
            }
            self.limits.clear();
            self.journal.iter_mut().for_each(Journal::clear);
            return;
        }
        let Some(journal) = &mut self.journal else { return };
        for (visit, before) in journal.undo(stored.now, forgets) {
            if !stored.users.is_open(visit) {
                continue;
            }
            stored.roll_back(visit.client, before, fault);
            if before.is_none() {
                self.limits.removed(visit);
            }
        }
    }
}

impl StoredCarts<'_> {
    /// Removes a cart.
    fn take(&mut self, client: ClientId) -> Items {
        let cart = std::mem::replace(self.users.carts_of(client), CartSlot::EMPTY);
        cart.copy().unwrap_or_default()
    }

    /// Restores a cart to its earlier state.
    fn roll_back(&mut self, client: ClientId, before: Option<Items>, fault: u32) {
        let slot = self.users.carts_of(client);
        let Some(RolledBack { items, lost }) = roll_back(slot.copy(), before) else { return };
        match items {
            Some(items) => slot.keep(items),
            None => *slot = CartSlot::EMPTY,
        }
        self.lost(client, Loss::RolledBack(fault), lost);
    }

    fn lost(&mut self, client: ClientId, how: Loss, items: Items) {
        if !items.is_empty() {
            evidence::lost(self.carts.losses(client), how, items);
        }
    }
}
