//! The shop: what servers do with requests, and the state that they and their users keep.

pub mod carts;
mod files;
mod hidden;
mod migration;
pub mod session_replication;

use crate::base::seed::Seed;
use crate::scenario::{HiddenState, Migration, Scenario};
use crate::state::plan::ServingRules;
use carts::Carts;
use files::Files;
use hidden::Hidden;

/// The shop as all servers run it.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The stages of serving each request.
    pub rules: ServingRules,
    /// The migration of carts from server memory to the store, if there is one.
    pub migration: Option<Migration>,
    /// The carts of open visits.
    pub carts: Carts,
    /// Uploaded files; `None` if nobody uploads any.
    pub files: Option<Box<Files>>,
    /// Hidden server state; `None` if servers hide nothing.
    pub hidden: Option<Box<Hidden>>,
}

impl Shop {
    /// The shop before its first visitor.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Shop {
        let orders_by_process = scenario.servers.hidden == HiddenState::IdempotencyKey;
        Shop {
            rules: ServingRules::new(scenario),
            migration: scenario.migration,
            carts: Carts::new(scenario.homes.cart, orders_by_process, &scenario.replication),
            files: Files::new(scenario),
            hidden: Hidden::new(scenario, seed),
        }
    }
}
