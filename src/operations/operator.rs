//! Planned changes of the pool: deploys, changes of its size, an autoscaler.
//!
//! The operator is a pure state machine. An engine tells it the plans, and asks repeatedly what to do next: whenever
//! the pool has changed, and at intervals while servers are drained. The operator acts on what it sees in the pool; it
//! has no other way to learn the effect of its actions. Deploys and changes of size are carried out one after another,
//! in the order in which they were announced: one that arrives during a deploy waits for it.

mod autoscaler;
mod deploy;
mod leaving;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::balancing::pool::Pool;
use crate::base::ServerId;
use crate::base::time::{Instant, Span};
use crate::operations::faults::FaultKind;
use crate::scenario::{Affinity, Deploy, Drain, DrainFor, First, Scale, Scenario};

pub use autoscaler::Autoscaler;
use deploy::{Rollout, Step};
use leaving::{Leaving, Then, Unlearned};

/// How often to look at draining servers.
const POLL_INTERVAL: Span = Span::from_millis(100);
/// The same if cookies bind users, because counting them takes time.
const COUNT_INTERVAL: Span = Span::from_secs(1);

/// Something for the engine to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A plan begins.
    Begin {
        /// The plan, an index into the faults of the run.
        fault: u32,
        /// Whether it will stop running servers.
        memory_lost: bool,
    },
    /// Add a slot, whose server boots.
    Launch {
        /// Its weight.
        weight: u32,
        /// Whether the balancer may not use it yet.
        held_back: bool,
    },
    /// The balancer may use a server that was held back.
    Admit(ServerId),
    /// Send no new users to this server, or no requests at all.
    Drain {
        /// The server.
        server: ServerId,
        /// What its drain waits for.
        waits_for: DrainFor,
    },
    /// This server takes no new requests from now on.
    Close(ServerId),
    /// The balancer learns that the process which it has not been told of is gone.
    Learn(ServerId),
    /// End the process of this server. [`Action::Boot`] or [`Action::Decommission`] follows at once.
    Stop {
        /// The server.
        server: ServerId,
        /// The plan that demands it.
        fault: u32,
        /// Users who are still bound to it by a cookie.
        bound: u32,
    },
    /// Boot a new process in the slot of a stopped server.
    Boot {
        /// The server.
        server: ServerId,
        /// Whether it boots on a new host.
        new_host: bool,
    },
    /// A stopped server will never come back: its slot will be removed.
    Decommission(ServerId),
    /// Remove the slot of a stopped server for good.
    Retire(ServerId),
    /// A deploy is complete.
    Finished(u32),
}

/// Carries out the plans of a run.
#[derive(Clone, Debug)]
pub struct Operator {
    plans: VecDeque<(u32, Plan)>,
    under_way: Option<Work>,
    leaving: Vec<Leaving>,
    /// Servers that were stopped before the balancer has learned that they leave.
    unlearned: Vec<Unlearned>,
    /// What is to be done with the server that was stopped just now.
    follow_up: Option<Action>,
    /// Stopped servers whose slots will be retired as soon as the balancer knows.
    stopped: Vec<ServerId>,
    /// How often it looks while a server drains.
    poll_interval: Span,
    /// Adds and removes servers, if the scenario has an autoscaler, together with the plan it acts under.
    autoscaler: Option<(u32, Autoscaler)>,
}

#[derive(Clone, Copy, Debug)]
enum Plan {
    Deploy(Deploy),
    Scale(Scale),
}

/// The plan in progress.
#[derive(Clone, Debug)]
enum Work {
    Rollout(Rollout),
    /// This many servers are still to be added.
    Growth(u32),
    /// These servers are still to be removed.
    Shrinkage {
        fault: u32,
        drain: Drain,
        victims: Vec<ServerId>,
    },
}

impl Operator {
    /// An operator without plans.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Operator {
        let bound = matches!(scenario.balancer.affinity, Affinity::Cookie(_));
        let poll_interval = if bound { COUNT_INTERVAL } else { POLL_INTERVAL };
        Operator {
            plans: VecDeque::new(),
            under_way: None,
            leaving: Vec::new(),
            unlearned: Vec::new(),
            follow_up: None,
            stopped: Vec::new(),
            poll_interval,
            autoscaler: None,
        }
    }

    /// A plan is due. False if this fault is not a plan.
    pub fn plan(&mut self, fault: u32, kind: FaultKind) -> bool {
        let plan = if let FaultKind::Deploy(deploy) = kind {
            Plan::Deploy(deploy)
        } else if let FaultKind::Scale(scale) = kind {
            Plan::Scale(scale)
        } else {
            return false;
        };
        self.plans.push_back((fault, plan));
        true
    }

    /// Whether there is anything to do or to wait for.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        let waits = self.under_way.is_some() || !self.plans.is_empty();
        let goes = !self.leaving.is_empty() || !self.unlearned.is_empty() || !self.stopped.is_empty();
        waits || goes || self.follow_up.is_some()
    }

    /// The servers that are to be stopped, each with the moment when that happens at the latest.
    pub fn leaving(&self) -> impl Iterator<Item = (ServerId, Instant)> + '_ {
        self.leaving.iter().map(|leaving| (leaving.server, leaving.until))
    }

    /// When to ask again at the latest, even if the pool does not change.
    #[must_use]
    pub fn looks_again(&self, now: Instant) -> Option<Instant> {
        let learns = self.unlearned.iter().map(|unlearned| unlearned.learns);
        let deadline = self.leaving.iter().flat_map(Leaving::moments).chain(learns).filter(|at| *at > now).min()?;
        let poll = self.leaving.iter().map(|leaving| leaving.poll_interval(self.poll_interval)).min();
        Some(poll.map_or(deadline, |poll| deadline.min(now + poll)))
    }

    /// The next action; `None` if there is nothing to do now. `bound` counts the users whom a cookie binds to a
    /// server.
    pub fn next(&mut self, now: Instant, pool: &Pool, bound: &mut dyn FnMut(ServerId) -> u32) -> Option<Action> {
        if let Some(action) = self.follow_up.take() {
            return Some(action);
        }
        if let Some(at) = self.stopped.iter().position(|server| !pool.passes_checks(*server)) {
            return Some(Action::Retire(self.stopped.remove(at)));
        }
        loop {
            let told = self.leaving.iter_mut().find_map(|leaving| leaving.tell(now, bound));
            if let Some(action) = told.or_else(|| self.learn(now)).or_else(|| self.let_go(now, pool, bound)) {
                return Some(action);
            }
            let step = match &mut self.under_way {
                None => return self.begin(pool),
                Some(Work::Rollout(rollout)) => rollout.step(pool, &self.leaving),
                Some(Work::Growth(0)) => Step::Done,
                Some(Work::Growth(left)) => {
                    *left -= 1;
                    Step::Do(Action::Launch { weight: 1, held_back: false })
                }
                Some(Work::Shrinkage { fault, drain, victims }) => match victims.pop() {
                    None => Step::Done,
                    Some(server) => Step::Send { server, fault: *fault, drain: *drain, then: Then::Retire },
                },
            };
            match step {
                Step::Do(action) => return Some(action),
                Step::Send { server, fault, drain, then } => {
                    let process = pool.process_on(server);
                    self.leaving.push(Leaving::new(now, (server, process), fault, drain, then));
                }
                Step::Wait => return None,
                Step::Done => {
                    if let Some(Work::Rollout(rollout)) = self.under_way.take() {
                        return Some(Action::Finished(rollout.fault));
                    }
                }
            }
        }
    }

    /// The balancer learns of a server that is stopped already.
    fn learn(&mut self, now: Instant) -> Option<Action> {
        let at = self.unlearned.iter().position(|unlearned| unlearned.learns <= now)?;
        Some(Action::Learn(self.unlearned.remove(at).server))
    }

    /// The next server that may be stopped: nobody needs it, it is already dead, or its time is over.
    fn let_go(&mut self, now: Instant, pool: &Pool, bound: &mut dyn FnMut(ServerId) -> u32) -> Option<Action> {
        let (at, left) = self.leaving.iter().enumerate().find_map(|(at, leaving)| {
            let left = leaving.may_stop(now, pool, bound)?;
            Some((at, left))
        })?;
        let gone = self.leaving.remove(at);
        self.unlearned.extend(gone.unlearned());
        let Leaving { server, fault, then, .. } = gone;
        self.follow_up = Some(match then {
            Then::Boot { new_host } => Action::Boot { server, new_host },
            Then::Retire => {
                self.stopped.push(server);
                Action::Decommission(server)
            }
        });
        Some(Action::Stop { server, fault, bound: left })
    }

    /// Begins the next plan, if any.
    fn begin(&mut self, pool: &Pool) -> Option<Action> {
        let (fault, plan) = self.plans.pop_front()?;
        let present = self.staying(pool);
        match plan {
            Plan::Deploy(deploy) => {
                self.under_way = Some(Work::Rollout(Rollout::new(fault, deploy, present)));
                Some(Action::Begin { fault, memory_lost: true })
            }
            Plan::Scale(scale) => {
                let shrinks = self.resize(fault, &scale, present);
                Some(Action::Begin { fault, memory_lost: shrinks })
            }
        }
    }

    /// The servers that are not about to be removed.
    fn staying(&self, pool: &Pool) -> Vec<ServerId> {
        let goes = |server: &ServerId| {
            let leaves = |leaving: &Leaving| leaving.server == *server && leaving.then == Then::Retire;
            self.stopped.contains(server) || self.leaving.iter().any(leaves)
        };
        pool.present().filter(|server| !goes(server)).collect()
    }

    /// Begins to add or remove servers. Returns whether any are removed.
    fn resize(&mut self, fault: u32, scale: &Scale, mut present: Vec<ServerId>) -> bool {
        let (have, want) = (present.len(), scale.to.index());
        if want >= have {
            let more = u32::try_from(want - have).expect("limited to 10,000");
            self.under_way = Some(Work::Growth(more));
            return false;
        }
        // Victims are taken from the end.
        if scale.first == First::Newest {
            present.reverse();
        }
        present.truncate(have - want);
        present.reverse();
        self.under_way = Some(Work::Shrinkage { fault, drain: scale.drain, victims: present });
        true
    }

    /// From now on the autoscaler changes the size of the pool; its actions are attributed to this fault.
    pub fn automate(&mut self, fault: u32, autoscaler: Autoscaler) {
        self.autoscaler = Some((fault, autoscaler));
    }

    /// How often the autoscaler looks; `None` without an autoscaler.
    #[must_use]
    pub fn pulse(&self) -> Option<Span> {
        self.autoscaler.as_ref().map(|(_, autoscaler)| autoscaler.interval())
    }

    /// The autoscaler looks at the load. `worked`: how long the workers of a server have been busy since the start. It
    /// does nothing during a deploy.
    pub fn autoscale(&mut self, now: Instant, pool: &Pool, worked: &mut dyn FnMut(ServerId) -> Span) {
        let staying = self.staying(pool);
        let settled = self.under_way.is_none() && self.plans.is_empty();
        let Some((fault, autoscaler)) = &mut self.autoscaler else { return };
        if let (Some(scale), true) = (autoscaler.look(now, pool, &staying, worked), settled) {
            autoscaler.acted(now);
            let fault = *fault;
            self.resize(fault, &scale, staying);
        }
    }
}
