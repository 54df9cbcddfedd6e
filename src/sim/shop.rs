//! What servers do with requests, and what they and their users keep.

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
    /// What serving a request consists of.
    pub rules: ServingRules,
    /// Carts that move while users shop, if they do.
    pub migration: Option<Migration>,
    /// The carts of open visits.
    pub carts: Carts,
    /// Absent where nobody uploads any.
    pub files: Option<Box<Files>>,
    /// Absent where servers hide nothing.
    pub hidden: Option<Box<Hidden>>,
}

impl Shop {
    /// Nobody has come yet.
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
