//! What a process does not tell the others, and what nobody is to guess.

use std::sync::{Arc, Mutex};

use dashmap::DashMap;

use super::Shop;
use crate::base::{ProcessId, ServerId, UserId};
use crate::http::token::Signer;
use crate::http::wire::CartId;
use crate::scenario::HiddenState;
use crate::state::process_local::{CatalogueCopy, RateWindow};
use crate::state::shop::Order;

/// What one process hides, of whatever kind.
#[derive(Default)]
pub struct Secrets {
    /// Its own key, when each process has one.
    pub signer: Option<Signer>,
    /// The token in the form of each visit's page.
    pub forms: DashMap<CartId, String>,
    /// What it has heard of each user.
    pub heard: DashMap<UserId, RateWindow>,
    /// Its copy of the catalogue.
    pub catalogue: Mutex<CatalogueCopy>,
    /// What it has charged.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
}

impl Secrets {
    /// Those of a process that starts.
    #[must_use]
    pub fn new(shop: &Shop, server: ServerId, process: ProcessId) -> Secrets {
        let tokens = &shop.serving.tokens;
        let signer = (shop.hidden == HiddenState::SigningKey)
            .then(|| Signer::new(*tokens).expect("the run's key was made so too"));
        let runs_at_opening = process.0 < shop.servers_at_first;
        let catalogue = if runs_at_opening {
            CatalogueCopy::at_opening(&shop.rules.cache, server, shop.workload.seed)
        } else {
            CatalogueCopy::default()
        };
        Secrets { signer, catalogue: Mutex::new(catalogue), ..Secrets::default() }
    }

    /// The process is gone.
    pub fn forget(&self) {
        self.forms.clear();
        self.heard.clear();
        self.orders.clear();
    }
}

/// 128 random bits.
#[must_use]
pub fn unguessable() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the run's key was made of the same randomness");
    format!("{:032x}", u128::from_ne_bytes(bits))
}
