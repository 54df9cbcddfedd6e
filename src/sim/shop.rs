//! The shop: what servers do with requests, and the state that they and their users keep.

pub mod cart_slot;
pub mod carts;
mod files;
mod hidden;
mod migration;
pub mod session_replication;

use super::requests::InFlight;
use crate::balancing::pool::Pool;
use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Outcome, ProcessId, Refusal, Reply};
use crate::history::Evidence;
use crate::operations::faults::Fault;
use crate::scenario::{CartHome, CartPath, HiddenState, Migration, Scenario};
use crate::state::plan::ServingRules;
use crate::state::session;
use crate::traffic::SessionCookie;
use cart_slot::CartSlot;
use carts::Carts;
use files::Files;
use hidden::ProcessLocal;

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
    pub hidden: Option<Box<ProcessLocal>>,
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
            hidden: ProcessLocal::new(scenario, seed),
        }
    }

    /// Why a process refuses a request whose login it accepts, if it does.
    #[inline]
    pub fn refusal(&mut self, request: &InFlight, process: ProcessId) -> Option<Refusal> {
        self.hidden.as_mut()?.refusal(request, process)
    }

    /// Plans the stages of serving a request that a process has just taken.
    #[inline(always)]
    pub fn plan(&self, request: &mut InFlight, slot: &CartSlot, process: ProcessId, now: Instant) {
        request.plan = self.rules.plan(request.command, request.credential, request.refused.is_none());
        if let Some(migration) = self.migration {
            self.choose_path(request, slot, process, migration.path(now));
        }
    }

    /// How long the object store takes for a request; zero if it is not called.
    #[inline]
    #[must_use]
    pub fn object_time(&self, request: &InFlight, seed: Seed) -> Span {
        self.files.as_ref().map_or(Span::ZERO, |files| files.object_time(request, seed))
    }

    /// The answer to a request that is about no cart, and whether the file was there if it is about one.
    #[inline]
    pub fn serve_page(
        &mut self,
        request: &InFlight,
        process: ProcessId,
        pool: &Pool,
        now: Instant,
    ) -> (Outcome, Option<bool>) {
        if let Some((outcome, knew)) = self.files.as_mut().and_then(|files| files.serve(request, pool)) {
            return (outcome, Some(knew));
        }
        let page = self.hidden.as_mut().and_then(|hidden| hidden.page(request, process, now));
        (Outcome::Ok(page.unwrap_or(Reply::Done)), None)
    }

    /// What a process could find out about a file that it does not have. Nothing for other requests.
    #[inline]
    #[must_use]
    pub fn file_evidence(&self, request: &InFlight, knew: Option<bool>, pool: &Pool) -> Evidence {
        self.files.as_ref().map_or(Evidence::default(), |files| files.evidence(request, knew, pool))
    }

    /// Where the items of a cart are other than in the process that was asked, and what removed the others.
    #[must_use]
    pub fn evidence(
        &self,
        request: &InFlight,
        slot: &CartSlot,
        process: ProcessId,
        pool: &Pool,
        faults: &[Fault],
    ) -> Evidence {
        self.evidence_at(request.client, slot, (process, request.path), pool, faults)
    }

    /// The same for the process that is asked, on its path to the cart.
    #[must_use]
    pub fn evidence_at(
        &self,
        client: ClientId,
        slot: &CartSlot,
        here: (ProcessId, CartPath),
        pool: &Pool,
        faults: &[Fault],
    ) -> Evidence {
        if self.migration.is_some() {
            return self.evidence_moving(slot, here, pool, faults);
        }
        self.carts.evidence(slot, client, here.0, pool)
    }

    /// Whether the answer to a request brings a new session token in place of an expired one.
    #[inline]
    #[must_use]
    pub fn renews(&self, request: &InFlight, outcome: Outcome) -> bool {
        session::renews(self.rules.homes.session, &self.rules.tokens, request.credential)
            && matches!(request.session, Some(SessionCookie::Renewable { .. }))
            && matches!(outcome, Outcome::Ok(_))
    }

    /// The cart token of an answer replaces the user's. With several requests `at_once`, that one may know more.
    #[inline(always)]
    pub fn replace_token(
        &mut self,
        slot: &mut CartSlot,
        request: &InFlight,
        outcome: Outcome,
        at_once: bool,
        now: Instant,
    ) {
        let (CartHome::SignedToken, Some(items), Outcome::Ok(_)) = (self.rules.homes.cart, request.cart, outcome)
        else {
            return;
        };
        if at_once {
            self.carts.token_replaced(slot.copy(), items, request.client, request.command);
        }
        slot.keep_until(items, self.rules.tokens.end_if_issued(now));
    }
}
