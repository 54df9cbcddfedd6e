//! A request that a worker holds, and all it needs to serve it.

use std::sync::atomic::Ordering;

use super::request::ParsedRequest;
use super::{ServerProcess, Shop};
use crate::base::Command;
use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::http::token::Signer;
use crate::http::wire::CartId;
use crate::scenario::CartPath;

/// A request that a worker holds.
pub struct Job<'a> {
    /// The process that works on it.
    pub process: &'a ServerProcess,
    /// What all servers share.
    pub shop: &'a Shop,
    /// The request.
    pub request: &'a ParsedRequest,
    /// What it asks.
    pub command: Command,
    /// Whose luck it has.
    pub key: Key,
    /// The cart it is about.
    pub cart: CartId,
    /// The way to the cart, while carts move.
    pub path: CartPath,
    /// When it was sent.
    pub sent: Instant,
    /// When a worker began with it.
    pub started: Instant,
}

impl<'a> Job<'a> {
    /// A worker begins with a request.
    #[must_use]
    pub fn new(
        process: &'a ServerProcess,
        request: &'a ParsedRequest,
        command: Command,
        (sent, started): (Instant, Instant),
    ) -> Job<'a> {
        let shop = &*process.shop;
        // Guests have keys of their own, in bits that no user has.
        let guest =
            || Key { entity: 1 << 48 | u64::from(shop.guests.fetch_add(1, Ordering::Relaxed)), ..Key::default() };
        let key = request.id.map_or_else(guest, |id| id.key);
        let new_cart = || CartId { user: 0, tab: 0, visit: getrandom::u32().unwrap_or_default() };
        let cart = request.cart.unwrap_or_else(new_cart);
        let path = shop.migration.map_or(CartPath::Usual, |migration| migration.path(started));
        Job { process, shop, request, command, key, cart, path, sent, started }
    }

    /// Who signs and checks logins here.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.process.secrets.signer.as_ref().unwrap_or(&self.shop.signer)
    }
}
