//! What one request does to a cart, wherever it lives.

use super::answer::cookie;
use super::job::Job;
use crate::base::{Items, Reply};
use crate::http::log::CommitRecord;
use crate::http::wire;
use crate::scenario::HiddenState;
use crate::state::shop::{self, Applied, Basket, Order};

/// What one request did to a cart.
#[derive(Clone, Debug)]
pub struct CartEffect {
    /// The shop's answer.
    pub reply: Reply,
    /// Whether the cart was known where it was looked for.
    pub knew: bool,
    /// What it held after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// For the post-mortem.
    pub kept: CommitRecord,
    /// The cart as it travels on.
    pub token: Option<String>,
    /// Bytes of the token, on the way back.
    pub carried: usize,
    /// Copies that are sent to other servers.
    pub copies: u32,
}

impl CartEffect {
    /// What came of a command, in a place that knew the cart or not.
    pub fn of(applied: Applied, knew: bool) -> CartEffect {
        let Applied { reply, held, billed } = applied;
        CartEffect {
            reply,
            knew,
            held,
            kept: CommitRecord { billed, ..CommitRecord::default() },
            token: None,
            carried: 0,
            copies: 0,
        }
    }

    /// The cookie that the cart travels in.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.token.as_ref().map(|token| cookie(wire::CART, token))
    }
}

/// Does a command to one copy.
pub fn apply(job: &Job, basket: &mut Basket, order: Option<&mut Order>) -> Applied {
    shop::apply(basket, job.command, order, keeps_orders(job))
}

/// Whether each process remembers only what it has charged itself.
#[must_use]
pub fn keeps_orders(job: &Job) -> bool {
    job.shop.hidden == HiddenState::IdempotencyKey
}
