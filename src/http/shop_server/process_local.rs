//! What a process keeps to itself although the pool is believed to be stateless.

use std::sync::{Arc, Mutex};

use dashmap::DashMap;

use super::Shop;
use crate::base::{ProcessId, ServerId, UserId};
use crate::http::token::Signer;
use crate::http::wire::CartId;
use crate::scenario::HiddenState;
use crate::state::process_local::{CatalogueCopy, RateWindow};
use crate::state::shop::Order;

/// What one process keeps to itself, of whatever kind.
#[derive(Default)]
pub struct ProcessLocal {
    /// Its own signing key, if each process has one.
    pub signer: Option<Signer>,
    /// The CSRF token in the form of each visit's page.
    pub forms: DashMap<CartId, String>,
    /// The requests that it has counted, by user.
    pub heard: DashMap<UserId, RateWindow>,
    /// Its copy of the catalogue.
    pub catalogue: Mutex<CatalogueCopy>,
    /// The orders that it has charged.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
}

impl ProcessLocal {
    /// The local state of a process that starts.
    #[must_use]
    pub fn new(shop: &Shop, server: ServerId, process: ProcessId) -> ProcessLocal {
        let own_key = shop.hidden == HiddenState::SigningKey;
        let signer =
            own_key.then(|| Signer::new(shop.serving.tokens).expect("the run's own key was made the same way"));
        let runs_at_opening = process.0 < shop.servers_at_first;
        let catalogue = if runs_at_opening {
            CatalogueCopy::at_opening(&shop.hidden_rules.cache, server, shop.workload.seed)
        } else {
            CatalogueCopy::default()
        };
        ProcessLocal { signer, catalogue: Mutex::new(catalogue), ..ProcessLocal::default() }
    }

    /// The process has died: its memory is gone.
    pub fn forget(&self) {
        self.forms.clear();
        self.heard.clear();
        self.orders.clear();
    }
}

/// 128 random bits, in hexadecimal.
#[must_use]
pub fn unguessable() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the run's own key was made of the same randomness");
    format!("{:032x}", u128::from_ne_bytes(bits))
}
