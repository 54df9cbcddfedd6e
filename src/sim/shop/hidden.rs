//! Hidden state: what server processes remember although the pool is believed to be stateless.

use std::collections::BTreeMap;

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, ProcessId, Refusal, Reply, ServerId, UserId};
use crate::scenario::{self, HiddenState, Scenario};
use crate::sim::requests::InFlight;
use crate::state::process_local::{CatalogueCopy, RateWindow, accept_form};

/// Every process's memory of the one kind of state that servers hide.
#[derive(Clone, Debug)]
pub struct ProcessLocal {
    kind: HiddenState,
    rules: scenario::Hidden,
    /// By client: the process that rendered the form on the open page.
    forms: Vec<Option<ProcessId>>,
    /// By user and process: the window of the rate limiter.
    windows: BTreeMap<(UserId, ProcessId), RateWindow>,
    /// By process: its copy of the catalogue.
    copies: BTreeMap<ProcessId, CatalogueCopy>,
}

impl ProcessLocal {
    /// The hidden state at the start; `None` if servers hide nothing.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Option<Box<ProcessLocal>> {
        let (kind, rules) = (scenario.servers.hidden, scenario.hidden);
        let first = |server| (ProcessId(server), CatalogueCopy::at_opening(&rules.cache, ServerId(server), seed));
        let copies = (0..scenario.servers.count.get32()).map(first).collect();
        let hidden = ProcessLocal { kind, rules, forms: Vec::new(), windows: BTreeMap::new(), copies };
        (kind != HiddenState::None).then(|| Box::new(hidden))
    }

    /// Whether each process signs logins with its own key.
    #[must_use]
    pub fn own_keys(&self) -> bool {
        self.kind == HiddenState::SigningKey
    }

    /// Why a process refuses an otherwise valid request, if it does.
    pub fn refusal(&mut self, request: &InFlight, process: ProcessId) -> Option<Refusal> {
        match self.kind {
            HiddenState::CsrfToken if request.command.posts_form() => {
                accept_form(self.forms.get(request.client.index()).and_then(Option::as_ref), Some(&process)).err()
            }
            HiddenState::RateLimiter => {
                let window = self.windows.entry((request.visit().user, process)).or_default();
                window.admit(&self.rules.rate, request.sent).err()
            }
            _ => None,
        }
    }

    /// A process's answer to a request for the catalogue, if each process has its own copy of it.
    pub fn page(&mut self, request: &InFlight, process: ProcessId, now: Instant) -> Option<Reply> {
        if self.kind != HiddenState::Cache || request.command != Command::Browse {
            return None;
        }
        let copy = self.copies.entry(process).or_default();
        Some(Reply::Page(copy.read(&self.rules.cache, now)))
    }

    /// Notes which process rendered the client's open page; `None` for no page.
    pub fn note_page(&mut self, client: ClientId, process: Option<ProcessId>) {
        if self.kind != HiddenState::CsrfToken {
            return;
        }
        if client.index() >= self.forms.len() {
            self.forms.resize(client.index() + 1, None);
        }
        self.forms[client.index()] = process;
    }
}
