//! What the store does to the carts it holds: expiry, eviction, refusal, and loss in a failover. The rules are in
//! [`state::store`](crate::state::store); this module applies them to clients' carts.

use super::Store;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, Refusal};
use crate::scenario::Forgets;
use crate::sim::requests::InFlight;
use crate::sim::shop::cart_slot::CartSlot;
use crate::sim::shop::carts::Carts;
use crate::sim::users::Users;
use crate::state::evidence::{self, StoreLoss};
use crate::state::store::{Full, Journal, has_expired};

/// The carts in the store, and the records of their losses.
pub struct StoredCarts<'a> {
    /// The users, whose slots hold the carts.
    pub users: &'a mut Users,
    /// Where losses are recorded.
    pub carts: &'a mut Carts,
    /// The current time.
    pub now: Instant,
}

/// Whether a request may create a cart in the store.
fn fills(request: &InFlight) -> bool {
    match request.command {
        Command::Add(_) => true,
        // Written back from the copy that was read.
        Command::Remove(item) => request.cart.is_some_and(|copy| !copy.without(item).is_empty()),
        _ => false,
    }
}

impl Store {
    /// Prepares for a request's effect on its cart: expires the old cart, and makes room for a new one.
    #[cold]
    pub fn before_effect(&mut self, stored: &mut StoredCarts, request: &InFlight) -> Result<(), Refusal> {
        self.expire(stored, request.client);
        let visit = request.visit();
        let before = stored.users.carts_of(request.client).copy();
        if before.is_none() && fills(request) {
            let evicted = self.limits.make_room(stored.now).map_err(|Full| Refusal::StoreFull)?;
            // It may belong to a visit that has ended, in which case nobody will miss it.
            if let Some(evicted) = evicted.filter(|evicted| stored.users.is_open(*evicted)) {
                let items = stored.take(evicted.client);
                stored.lost(evicted.client, StoreLoss::Evicted, items);
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
        if self.limits.has_places() && items.is_empty() {
            self.limits.removed(request.visit());
            *slot = CartSlot::EMPTY;
        } else {
            self.limits.used(request.visit(), end);
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
        stored.lost(client, StoreLoss::Expired, items);
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

    /// Restores a cart to its earlier state. A cart that has been evicted in the meantime does not come back.
    fn roll_back(&mut self, client: ClientId, before: Option<Items>, fault: u32) {
        let slot = self.users.carts_of(client);
        let Some(now) = slot.copy() else { return };
        match before {
            Some(items) => slot.keep(items),
            None => *slot = CartSlot::EMPTY,
        }
        self.lost(client, StoreLoss::RolledBack(fault), now.minus(before.unwrap_or_default()));
    }

    fn lost(&mut self, client: ClientId, how: StoreLoss, items: Items) {
        if !items.is_empty() {
            evidence::lost_by_store(self.carts.losses(client), how, items);
        }
    }
}
