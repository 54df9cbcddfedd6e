//! What servers keep to themselves in the simulation, though the pool is taken to be stateless.

use std::collections::BTreeMap;

use super::World;
use super::requests::{InFlight, RequestId};
use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, ProcessId, Refusal, Reply, ServerId, UserId};
use crate::scenario::{self, HiddenState, Scenario};

/// The memory of all processes for the one thing that they hide.
#[derive(Clone, Debug)]
pub struct Hidden {
    kind: HiddenState,
    rules: scenario::Hidden,
    /// By client: the process that made the form on the page that is open.
    forms: Vec<Option<ProcessId>>,
    /// The last window in which a process heard of a user, and how often.
    heard: BTreeMap<(UserId, ProcessId), (u64, u64)>,
    /// By process: the version of its copy of the catalogue, and until when that is kept.
    copies: BTreeMap<ProcessId, (u32, Instant)>,
}

impl Hidden {
    /// Nothing known yet; `None` for a pool that hides nothing.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Option<Box<Hidden>> {
        let (kind, rules) = (scenario.servers.hidden, scenario.hidden);
        let first = |server: u32| {
            let lasts = rules.cache.first_copy_lasts(ServerId(server), seed);
            (ProcessId(server), (rules.cache.version(Instant::ZERO), Instant::ZERO + lasts))
        };
        let copies = (0..scenario.servers.count.get32()).map(first).collect();
        let hidden = Hidden { kind, rules, forms: Vec::new(), heard: BTreeMap::new(), copies };
        (kind != HiddenState::None).then(|| Box::new(hidden))
    }

    /// Whether each process signs logins with a key of its own.
    #[must_use]
    pub fn own_keys(&self) -> bool {
        self.kind == HiddenState::SigningKey
    }

    /// Why a process refuses a request that is otherwise good.
    fn refusal(&mut self, request: &InFlight, process: ProcessId) -> Option<Refusal> {
        match self.kind {
            HiddenState::CsrfToken if request.command.posts_form() => {
                let form = self.forms.get(request.client.index()).copied().flatten();
                (form != Some(process)).then_some(Refusal::Forbidden)
            }
            HiddenState::RateLimiter => {
                let window = self.rules.rate.window_of(request.sent);
                let heard = self.heard.entry((request.visit().user, process)).or_default();
                if heard.0 < window {
                    *heard = (window, 0);
                }
                heard.1 += 1;
                (heard.1 > self.rules.rate.limit.get()).then_some(Refusal::TooMany)
            }
            _ => None,
        }
    }

    /// The catalogue as a process shows it.
    fn page(&mut self, process: ProcessId, now: Instant) -> Option<Reply> {
        if self.kind != HiddenState::Cache {
            return None;
        }
        let rules = &self.rules.cache;
        let copy = self.copies.entry(process).or_insert((0, Instant::ZERO));
        if copy.0 == 0 || now >= copy.1 {
            *copy = (rules.version(now), now + rules.ttl.get());
        }
        Some(Reply::Page(copy.0))
    }

    /// A client sees a page of this process, or no page any more.
    pub fn shows(&mut self, client: ClientId, process: Option<ProcessId>) {
        if self.kind != HiddenState::CsrfToken {
            return;
        }
        if client.index() >= self.forms.len() {
            self.forms.resize(client.index() + 1, None);
        }
        self.forms[client.index()] = process;
    }
}

impl World {
    /// Why the server that takes a request does nothing for it, if so.
    #[inline(always)]
    pub(super) fn refusal(&mut self, id: RequestId) -> Option<Refusal> {
        let request = &self.requests[id];
        if !self.accepts(request) {
            return Some(Refusal::Unauthorized);
        }
        let hidden = self.hidden.as_mut()?;
        hidden.refusal(request, self.pool.members[request.server.index()].process)
    }

    /// What a request for the catalogue is answered with, where servers have copies of their own.
    pub(super) fn page(&mut self, request: &InFlight) -> Option<Reply> {
        let process = self.pool.members[request.server.index()].process;
        let hidden = self.hidden.as_mut().filter(|_| request.command == Command::Browse)?;
        hidden.page(process, self.now)
    }
}
