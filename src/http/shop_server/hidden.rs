//! What a process keeps to itself, though the pool is taken to be stateless.

use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;

use super::Shop;
use super::serving::Job;
use super::session::unguessable;
use crate::base::{Command, ProcessId, Refusal, ServerId, UserId};
use crate::http::token::Signer;
use crate::http::wire::{self, CartId};
use crate::scenario::HiddenState;
use crate::state::process_local::{CatalogueCopy, RateWindow, accept_form};
use crate::state::shop::Order;

/// What one process hides, of whatever kind.
#[derive(Default)]
pub struct Secrets {
    /// Its own key, when each process has one.
    pub signer: Option<Signer>,
    /// The token in the form of each visit's page.
    forms: DashMap<CartId, String>,
    /// What it has heard of each user.
    heard: DashMap<UserId, RateWindow>,
    /// Its copy of the catalogue.
    catalogue: Mutex<CatalogueCopy>,
    /// What it has charged.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
}

impl Secrets {
    /// Those of a process that starts.
    #[must_use]
    pub fn new(shop: &Shop, server: ServerId, process: ProcessId) -> Secrets {
        let tokens = &shop.serving.tokens;
        let signer = (shop.hidden == HiddenState::SigningKey)
            .then(|| Signer::new(tokens.lifetime.get(), tokens.leeway.get()).expect("the run's key was made so too"));
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

/// Why this process refuses a request that is otherwise good.
pub fn refusal(job: &Job) -> Option<Refusal> {
    let secrets = &job.process.secrets;
    match job.shop.hidden {
        HiddenState::CsrfToken if job.command.posts_form() => {
            let shown = job.request.headers.get(wire::CSRF_TOKEN).and_then(|token| token.to_str().ok());
            let known = secrets.forms.get(&job.cart);
            accept_form(shown, known.as_deref().map(String::as_str)).err()
        }
        HiddenState::RateLimiter => {
            let user = job.request.id?.visit().user;
            secrets.heard.entry(user).or_default().admit(&job.shop.rules.rate, job.sent).err()
        }
        _ => None,
    }
}

/// The token for the form of the page that is served now.
pub fn form(job: &Job) -> Option<String> {
    let forms = &job.process.secrets.forms;
    (job.shop.hidden == HiddenState::CsrfToken).then(|| forms.entry(job.cart).or_insert_with(unguessable).clone())
}

/// The version of the catalogue that this process shows.
pub fn version(job: &Job) -> Option<u32> {
    if job.shop.hidden != HiddenState::Cache || job.command != Command::Browse {
        return None;
    }
    let mut copy = job.process.secrets.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
    Some(copy.read(&job.shop.rules.cache, job.shop.clock.now()))
}
