//! The effect of one request on a cart, in any home.

use super::answer::cookie;
use super::job::Job;
use crate::base::{Items, Reply};
use crate::http::log::CommitRecord;
use crate::http::wire;
use crate::scenario::HiddenState;
use crate::state::shop::{self, Applied, Basket, Order};

/// The effect of one request on a cart.
#[derive(Clone, Debug)]
pub struct CartEffect {
    /// The shop's answer.
    pub reply: Reply,
    /// Whether the cart was found where the server looked for it.
    pub knew: bool,
    /// What it held after the effect; for a checkout, before it was emptied.
    pub held: Items,
    /// What the log keeps for the post-mortem.
    pub kept: CommitRecord,
    /// The new cart token, if the cart travels with the user.
    pub token: Option<String>,
    /// The size of that token in bytes.
    pub carried: usize,
    /// How many other servers are sent a copy.
    pub copies: u32,
}

impl CartEffect {
    /// The effect of a command. `knew`: whether the cart was found.
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

    /// The cookie that carries the cart token.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        self.token.as_ref().map(|token| cookie(wire::CART, token))
    }
}

/// Applies the request's command to one copy of a cart.
pub fn apply(job: &Job, basket: &mut Basket, order: Option<&mut Order>) -> Applied {
    shop::apply(basket, job.command, order, keeps_orders(job))
}

/// Whether each process knows only the orders that it has charged itself.
#[must_use]
pub fn keeps_orders(job: &Job) -> bool {
    job.shop.hidden == HiddenState::IdempotencyKey
}
