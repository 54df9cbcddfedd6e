//! A request that a worker is serving, and everything that this needs.

use std::sync::atomic::Ordering;

use super::request::ParsedRequest;
use super::{ServerProcess, Shop};
use crate::base::Command;
use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::http::token::Signer;
use crate::http::wire::{self, CartId};
use crate::scenario::CartPath;

/// A request that a worker is serving.
pub struct Job<'a> {
    /// The process that serves it.
    pub process: &'a ServerProcess,
    /// What all servers share.
    pub shop: &'a Shop,
    /// The request.
    pub request: &'a ParsedRequest,
    /// What it asks for.
    pub command: Command,
    /// The key of its random draws.
    pub key: Key,
    /// The id of its cart.
    pub cart: CartId,
    /// How its cart is looked up during a migration.
    pub path: CartPath,
    /// When it was sent.
    pub sent: Instant,
    /// When a worker took it.
    pub started: Instant,
}

impl<'a> Job<'a> {
    /// A worker takes a request, which was `sent` and is `started` at these times.
    #[must_use]
    pub fn new(
        process: &'a ServerProcess,
        request: &'a ParsedRequest,
        command: Command,
        (sent, started): (Instant, Instant),
    ) -> Job<'a> {
        let shop = &*process.shop;
        let guest = || wire::guest_key(shop.guests.fetch_add(1, Ordering::Relaxed));
        let key = request.id.map_or_else(guest, |id| id.key);
        let new_cart = || CartId { user: 0, tab: 0, visit: getrandom::u32().unwrap_or_default() };
        let cart = request.cart.unwrap_or_else(new_cart);
        let path = shop.migration.map_or(CartPath::Usual, |migration| migration.path(started));
        Job { process, shop, request, command, key, cart, path, sent, started }
    }

    /// The signer of logins in this process.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        self.process.local.signer.as_ref().unwrap_or(&self.shop.signer)
    }
}
