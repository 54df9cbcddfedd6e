//! What the store does to carts, beside keeping them: it lets them expire, evicts them, refuses them, and forgets. When it
//! does, `state::store` says; here it happens to the carts of clients.

use super::Store;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, Refusal};
use crate::scenario::Forgets;
use crate::sim::requests::InFlight;
use crate::sim::shop::carts::{CartSlot, Carts};
use crate::sim::users::Users;
use crate::state::evidence::{self, StoreLoss};
use crate::state::store::{Full, Journal};

/// The carts in the store, and what is known of their losses.
pub struct StoredCarts<'a> {
    /// The carts lie with the clients.
    pub users: &'a mut Users,
    /// Where losses are noted.
    pub carts: &'a mut Carts,
    /// When.
    pub now: Instant,
}

/// Whether a request leaves a cart in the store that may not have been there.
fn fills(request: &InFlight) -> bool {
    match request.command {
        Command::Add(_) => true,
        // Written back from the copy that was read.
        Command::Remove(item) => request.copy.is_some_and(|copy| !copy.without(item).is_empty()),
        _ => false,
    }
}

impl Store {
    /// A request is about to touch its cart: what has expired goes, a new one needs room.
    #[cold]
    pub fn before_effect(&mut self, stored: &mut StoredCarts, request: &InFlight) -> Result<(), Refusal> {
        self.expire(stored, request.client);
        let visit = request.visit();
        let before = stored.users.carts_of(request.client).copy();
        if before.is_none() && fills(request) {
            let evicted = self.limits.make_room(stored.now).map_err(|Full| Refusal::StoreFull)?;
            // Perhaps that of a visit that has ended, for which nobody will ask.
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

    /// It has touched it: where places are few an empty cart takes none, and any other was used just now.
    #[cold]
    pub fn after_effect(&mut self, stored: &mut StoredCarts, request: &InFlight) {
        let carts_here = stored.users.carts_of(request.client);
        let Some(items) = carts_here.copy() else { return };
        let end = self.limits.end_if_written(stored.now).filter(|_| !request.command.is_safe());
        if let Some(end) = end {
            carts_here.keep_token(items, end);
        }
        if self.limits.has_places() && items.is_empty() {
            self.limits.removed(request.visit());
            *carts_here = CartSlot::EMPTY;
        } else {
            self.limits.used(request.visit(), end);
        }
    }

    /// A cart whose time is over goes when somebody asks for it.
    pub fn expire(&mut self, stored: &mut StoredCarts, client: ClientId) {
        if !self.has_expired(stored.users.carts_of(client), stored.now) {
            return;
        }
        let visit = stored.users.client(client).visit(client);
        let items = stored.take(client);
        self.limits.removed(visit);
        stored.lost(client, StoreLoss::Expired, items);
    }

    /// Whether a cart is still here though its time is over.
    #[must_use]
    pub fn has_expired(&self, cart: &CartSlot, now: Instant) -> bool {
        self.limits.has_ttl() && cart.copy().is_some() && now >= cart.token_end()
    }

    /// The store's process has ended by this fault, and what it had not made durable is gone. What it had evicted stays
    /// out.
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
    /// Takes a cart out.
    fn take(&mut self, client: ClientId) -> Items {
        let cart = std::mem::replace(self.users.carts_of(client), CartSlot::EMPTY);
        cart.copy().unwrap_or_default()
    }

    /// A cart is as it was before; one that is not there any more was thrown out meanwhile, and stays out.
    fn roll_back(&mut self, client: ClientId, before: Option<Items>, fault: u32) {
        let carts_here = self.users.carts_of(client);
        let Some(now) = carts_here.copy() else { return };
        match before {
            Some(items) => carts_here.keep(items),
            None => *carts_here = CartSlot::EMPTY,
        }
        self.lost(client, StoreLoss::RolledBack(fault), now.minus(before.unwrap_or_default()));
    }

    fn lost(&mut self, client: ClientId, how: StoreLoss, items: Items) {
        if !items.is_empty() {
            evidence::lost_by_store(self.carts.losses(client), how, items);
        }
    }
}
