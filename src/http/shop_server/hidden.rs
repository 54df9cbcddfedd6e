//! What a process keeps to itself, though the pool is taken to be stateless.

use std::sync::{Arc, Mutex, PoisonError};

use dashmap::DashMap;

use super::Shop;
use super::request::Job;
use super::session::unguessable;
use crate::base::time::Instant;
use crate::base::{Command, ProcessId, Refusal, ServerId, UserId};
use crate::http::token::Signer;
use crate::http::wire::{self, CartId};
use crate::scenario::HiddenState;
use crate::state::shop::Order;

/// What one process hides, of whatever kind.
#[derive(Default)]
pub struct Secrets {
    /// Its own key, when each process has one.
    pub signer: Option<Signer>,
    /// The token in the form of each visit's page.
    forms: DashMap<CartId, String>,
    /// The last window in which it heard of a user, and how often.
    heard: DashMap<UserId, (u64, u64)>,
    /// The version of its copy of the catalogue, and until when that is kept.
    catalogue: Mutex<Option<(u32, Instant)>>,
    /// What it has charged.
    pub orders: DashMap<String, Arc<tokio::sync::Mutex<Order>>>,
}

impl Secrets {
    /// Those of a process that starts.
    #[must_use]
    pub fn new(shop: &Shop, server: ServerId, process: ProcessId) -> Secrets {
        let tokens = &shop.tokens;
        let signer = (shop.hidden == HiddenState::SigningKey)
            .then(|| Signer::new(tokens.lifetime.get(), tokens.leeway.get()).expect("the run's key was made so too"));
        // The first process of each server did not start with the shop.
        let first = || {
            let lasts = shop.rules.cache.first_copy_lasts(server, shop.workload.seed);
            (shop.rules.cache.version(Instant::ZERO), Instant::ZERO + lasts)
        };
        let catalogue = Mutex::new((process.0 == server.0).then(first));
        Secrets { signer, catalogue, ..Secrets::default() }
    }

    /// The process is gone.
    pub fn forget(&self) {
        self.forms.clear();
        self.heard.clear();
        self.orders.clear();
    }
}

/// Why this process refuses a request that is otherwise good.
pub fn refusal(job: &Job, command: Command) -> Option<Refusal> {
    match job.shop.hidden {
        HiddenState::CsrfToken if command.posts_form() => {
            let shown = job.request.headers.get(wire::CSRF_TOKEN).and_then(|token| token.to_str().ok());
            let known = job.process.secrets.forms.get(&job.cart);
            let same = known.is_some_and(|known| shown == Some(known.as_str()));
            (!same).then_some(Refusal::Forbidden)
        }
        HiddenState::RateLimiter => {
            let user = job.request.id?.visit().user;
            let window = job.shop.rules.rate.window_of(job.sent);
            let mut heard = job.process.secrets.heard.entry(user).or_default();
            if heard.0 < window {
                *heard = (window, 0);
            }
            heard.1 += 1;
            (heard.1 > job.shop.rules.rate.limit.get()).then_some(Refusal::TooMany)
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
pub fn version(job: &Job, command: Command) -> Option<u32> {
    if job.shop.hidden != HiddenState::Cache || command != Command::Browse {
        return None;
    }
    let rules = &job.shop.rules.cache;
    let now = job.shop.clock.now();
    let mut copy = job.process.secrets.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
    if copy.is_none_or(|(_, until)| now >= until) {
        *copy = Some((rules.version(now), now + rules.ttl.get()));
    }
    copy.map(|(version, _)| version)
}
