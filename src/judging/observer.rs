//! Everything that a run records, in one recorder: checker, post-mortem, meter, the cost of plans, and the first
//! visits that went wrong.

mod operation_costs;
mod recovery;

use std::collections::BTreeMap;

use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Outcome, Refusal, UserId, Visit};
use crate::history::{AbandonReason, Ending, Event, EventKind, Inside, PoolEvent, Prefetch, Recorder, Seen};
use crate::judging::checker::{Allowance, CartVerdict, Checker, Finding};
use crate::judging::meter::{Meter, Told};
use crate::judging::post_mortem::{Cause, PostMortem};
use crate::scenario::{HiddenState, Scenario};
use crate::traffic::HeavyUsers;

pub use operation_costs::{OperationCost, OperationCosts};
pub use recovery::{Outage, Recovery};

/// How a visit went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HurtBy {
    /// A cart was lost, with its cause.
    Lost(Cause),
    /// A cart was overcharged.
    Overcharged,
    /// The visit was abandoned.
    Abandoned,
    /// The user was logged out.
    LoggedOut,
    /// A forged session was accepted.
    Impostor,
    /// A file was missing.
    MissingFile,
    /// A copy of the session was accepted after logout.
    Zombie,
    /// A checkout was charged again.
    ChargedAgain,
    /// A form was rejected.
    Forbidden,
    /// A page was older than one seen before.
    StalePage,
    /// A view of the cart lacked an item, or showed one that had been removed or bought.
    WrongView,
    /// A step took four seconds or more, and went well.
    Waited,
}

/// A visit that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hurt {
    /// The visit.
    pub visit: Visit,
    /// When it ended.
    pub ended: Instant,
    /// What went wrong; the worst, if several things did.
    pub how: HurtBy,
}

/// From a step's intended start to its final answer: what every user notices.
const LONG_WAIT: Span = Span::from_secs(4);

/// How many visits of each kind are remembered, in addition to those of the favourite user.
const REMEMBERED: u32 = 4;

/// Visits by their ending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::Visits")]
pub struct VisitCounts {
    pub begun: u64,
    pub finished: u64,
    pub abandoned_refused: u64,
    pub abandoned_unknown: u64,
    pub abandoned_logged_out: u64,
}

/// The recorder of a run.
#[derive(Clone, Debug)]
pub struct Observer {
    /// Verdicts.
    pub checker: Checker,
    /// Causes.
    pub post_mortem: PostMortem,
    /// Measures.
    pub meter: Meter,
    /// The cost of deploys and of changes of the pool's size.
    pub operations: OperationCosts,
    /// Visits by their ending.
    pub visits: VisitCounts,
    /// When which server came back after a fault.
    pub comebacks: Vec<(Instant, u32)>,
    /// Recovery from faults that kill servers.
    pub recovery: Recovery,
    /// By fault: when a cart that had lost an item to it was last charged.
    pub last_losses: BTreeMap<u32, Instant>,
    hurt: Vec<Hurt>,
    /// Visits in progress that have already gone wrong.
    suffering: BTreeMap<u32, HurtBy>,
    remembered: BTreeMap<HurtBy, u32>,
    favourite: UserId,
}

impl Observer {
    /// A recorder for a run of this scenario. It remembers all visits of the favourite user that go wrong.
    #[must_use]
    pub fn new(scenario: &Scenario, heavy: Option<HeavyUsers>, favourite: UserId) -> Observer {
        Observer {
            checker: checker(scenario),
            post_mortem: PostMortem::new(),
            meter: Meter::new(scenario, heavy),
            operations: OperationCosts::new(scenario.servers.count.index()),
            visits: VisitCounts::default(),
            comebacks: Vec::new(),
            recovery: Recovery::new(scenario.balancer.health.timeout.get()),
            last_losses: BTreeMap::new(),
            hurt: Vec::new(),
            suffering: BTreeMap::new(),
            remembered: BTreeMap::new(),
            favourite,
        }
    }

    /// Visits that went wrong: the first of each kind, and those of the favourite user.
    #[must_use]
    pub fn hurt(&self) -> &[Hurt] {
        &self.hurt
    }

    /// The number of carts that are open now.
    #[must_use]
    pub fn open_carts(&self) -> u64 {
        self.checker.counts().opened - self.checker.counts().ended()
    }

    #[inline(always)]
    fn seen(&mut self, at: Instant, visit: Visit, seen: &Seen) {
        match *seen {
            Seen::Began => self.visits.begun += 1,
            Seen::Sent(_) => self.meter.sent(at),
            Seen::Told { request, sent, meant, outcome, settled } => {
                let told = Told { sent, meant, outcome, settled };
                self.meter.told(at, &told);
                if let Some(regions) = &mut self.meter.regions {
                    regions.told(at, visit, request, &told);
                }
                if is_bad(outcome) {
                    self.recovery.trouble(at);
                } else if at - meant >= LONG_WAIT {
                    self.suffer(visit, HurtBy::Waited);
                }
            }
            Seen::Left(ending) => self.count_visit(ending),
            Seen::Billed(_) => {}
        }
        let double_charges = self.checker.counts().double_charges;
        if let Some(finding) = self.checker.observe(visit, seen) {
            self.found(at, visit, finding);
        }
        if self.checker.counts().double_charges > double_charges {
            self.suffer(visit, HurtBy::ChargedAgain);
        }
        if let Seen::Left(ending) = *seen {
            self.left(at, visit, ending);
        }
    }

    fn count_visit(&mut self, ending: Ending) {
        let count = match ending {
            Ending::Finished => &mut self.visits.finished,
            Ending::GaveUp(AbandonReason::Refused) => &mut self.visits.abandoned_refused,
            Ending::GaveUp(AbandonReason::Unknown) => &mut self.visits.abandoned_unknown,
            Ending::GaveUp(AbandonReason::LoggedOut) => &mut self.visits.abandoned_logged_out,
        };
        *count += 1;
    }

    fn found(&mut self, at: Instant, visit: Visit, finding: Finding) {
        let open_carts = self.open_carts();
        let window = self.meter.window(at);
        window.open_carts = open_carts;
        match finding {
            Finding::Cart(CartVerdict::Intact) => window.intact_carts += 1,
            Finding::Cart(CartVerdict::Lost(missing)) => {
                window.lost_carts += 1;
                let cause = self.post_mortem.lost(visit, missing);
                if let (Cause::Wiped, Some(fault)) = (cause, self.post_mortem.killer(visit)) {
                    self.recovery.wiped(at, fault);
                    self.last_losses.insert(fault, at);
                }
                self.suffer(visit, HurtBy::Lost(cause));
            }
            Finding::Cart(CartVerdict::Overcharged(_)) => self.suffer(visit, HurtBy::Overcharged),
            Finding::LoggedOut => {
                window.logged_out += 1;
                self.recovery.trouble(at);
                self.suffer(visit, HurtBy::LoggedOut);
            }
            Finding::Impostor => self.suffer(visit, HurtBy::Impostor),
            Finding::MissingFile => {
                self.post_mortem.missed(visit);
                self.suffer(visit, HurtBy::MissingFile);
            }
            Finding::Zombie => self.suffer(visit, HurtBy::Zombie),
            Finding::Forbidden => self.suffer(visit, HurtBy::Forbidden),
            Finding::StalePage => self.suffer(visit, HurtBy::StalePage),
            Finding::WrongView => self.suffer(visit, HurtBy::WrongView),
            Finding::Opened | Finding::Cart(CartVerdict::Abandoned(_) | CartVerdict::Unknown) => {}
        }
    }

    fn suffer(&mut self, visit: Visit, how: HurtBy) {
        let full = self.remembered.get(&how).is_some_and(|n| *n >= REMEMBERED);
        if !full || visit.user == self.favourite {
            let worst = self.suffering.entry(visit.client.0).or_insert(how);
            *worst = how.min(*worst);
        }
    }

    #[inline]
    fn left(&mut self, at: Instant, visit: Visit, ending: Ending) {
        self.post_mortem.left(visit);
        if matches!(ending, Ending::GaveUp(_)) {
            self.suffer(visit, HurtBy::Abandoned);
        }
        if !self.suffering.is_empty()
            && let Some(how) = self.suffering.remove(&visit.client.0)
        {
            *self.remembered.entry(how).or_default() += 1;
            self.hurt.push(Hurt { visit, ended: at, how });
        }
    }

    fn pool(&mut self, at: Instant, event: PoolEvent) {
        self.operations.hear(at, event);
        match event {
            // A fault that lasts may also affect carts that are opened later.
            PoolEvent::Struck { fault, server: None, memory_lost: true } => {
                self.post_mortem.struck_for_a_while(fault, self.checker.clients_with_open_carts());
            }
            PoolEvent::Struck { fault, server, memory_lost } => {
                let open = self.open_carts();
                self.post_mortem.struck(fault, open);
                if let (Some(server), true) = (server, memory_lost) {
                    self.meter.killed(at, server);
                    self.recovery.killed(at, fault, server);
                }
            }
            PoolEvent::Ready { server } => {
                self.comebacks.push((at, server.0));
                self.meter.ready(at, server);
                self.recovery.ready(at, server);
            }
            PoolEvent::Believed { server, up } => self.recovery.believed(at, server, up),
            PoolEvent::Turned { server, state } => self.meter.turned(at, server, state),
            PoolEvent::Ejected { .. } => self.meter.ejections += 1,
            PoolEvent::Audited { user, found } => self.checker.audited(user, found),
            PoolEvent::Readmitted { .. } | PoolEvent::Stopped { .. } | PoolEvent::Finished { .. } => {}
        }
    }
}

/// Whether a request failed for its user. A 401 may be right or wrong; the checker decides that.
#[inline]
fn is_bad(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Ok(_) | Outcome::Refused(Refusal::Unauthorized))
}

/// A checker for a run of this scenario.
#[must_use]
pub fn checker(scenario: &Scenario) -> Checker {
    let allowance = Allowance {
        limit: scenario.hidden.rate.limit.get(),
        window_nanos: scenario.hidden.rate.window.get().as_nanos(),
        longest_nanos: scenario.users.timeout.get().as_nanos(),
    };
    match scenario.servers.hidden {
        HiddenState::None => Checker::new(),
        HiddenState::RateLimiter => Checker::of_hidden_state(Some(allowance)),
        _ => Checker::of_hidden_state(None),
    }
}

impl Recorder for Observer {
    // Where an event is created, its kind is known: when inlined, most of this disappears.
    #[inline(always)]
    fn record(&mut self, event: &Event) {
        match &event.what {
            EventKind::Seen(visit, seen) => self.seen(event.at, *visit, seen),
            EventKind::Inside(visit, Inside::Served(served)) => {
                self.meter.served(event.at, visit.user, served);
                if served.request.command == Command::Checkout {
                    self.post_mortem.checked_out(*visit, &served.evidence);
                } else if let (Command::Download(_), Some(false)) = (served.request.command, served.knew_cart) {
                    self.post_mortem.sought_in_vain(*visit, &served.evidence);
                }
            }
            EventKind::Inside(_, Inside::Retried { .. }) => self.meter.balancer_retries += 1,
            EventKind::Inside(_, Inside::Dropped { server: Some(server) }) => self.meter.dropped(event.at, *server),
            EventKind::Inside(_, Inside::Dropped { server: None }) => {}
            EventKind::Pool(pool) => self.pool(event.at, *pool),
        }
    }
}

impl Prefetch for Observer {
    #[inline]
    fn prefetch(&self, clients: impl Iterator<Item = ClientId>) {
        self.checker.prefetch(clients);
    }
}
