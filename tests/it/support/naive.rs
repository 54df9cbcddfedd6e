//! A second checker: naive, slow, and a literal translation of the definitions.
//!
//! It keeps every visit's whole history and examines it afterwards. A request is an interval from `sent` to `told`,
//! both positions in that history. A judgement at one position uses what was known there: a request that was answered
//! later was still in flight.

mod inconsistencies;
mod missing_files;

use std::collections::{BTreeMap, BTreeSet};

use whatcart::base::{Command, Item, Items, Outcome, Refusal, Reply, UserId, Visit};
use whatcart::history::{AbandonReason, Ending, Event, EventKind, Recorder, Request, Seen};
use whatcart::judging::checker::{Allowance, CartVerdict, Counts, Finding};

/// Keeps everything that users saw.
#[derive(Clone, Debug, Default)]
pub struct Naive {
    visits: BTreeMap<Visit, Vec<Seen>>,
    /// Everything about files in all visits, and the files that existed at the end.
    files: missing_files::Files,
    /// Everything about hidden state.
    hidden: inconsistencies::Hidden,
}

/// The judgement of the whole history.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    pub counts: Counts,
    pub open_carts: u64,
    /// Users who wait for an answer, and whom nothing else has hurt.
    pub without_answer: u64,
    /// By visit, in the order of its events.
    pub findings: BTreeMap<Visit, Vec<Finding>>,
}

impl Recorder for Naive {
    fn record(&mut self, event: &Event) {
        if let EventKind::Seen(visit, seen) = event.what {
            self.visits.entry(visit).or_default().push(seen);
        }
        self.files.record(event);
        self.hidden.record(event);
    }
}

impl Naive {
    /// A checker that knows what a rate limiter should allow.
    pub fn knowing(allowance: Option<Allowance>) -> Naive {
        let mut naive = Naive::default();
        naive.hidden.allowance = allowance;
        naive
    }

    pub fn judge(&self) -> Judgement {
        let mut all = Judgement::default();
        let mut users = BTreeSet::new();
        let mut hurt = BTreeSet::new();
        let mut waiting = BTreeSet::new();
        let stale = self.hidden.stale();
        for (visit, seen) in &self.visits {
            users.insert(visit.user);
            let history = History::new(seen);
            let findings = history.findings(&|request| stale.contains(&(*visit, request.step, request.attempt)));
            if history.is_waiting() {
                waiting.insert(visit.user);
            }
            count(&mut all, &history, &findings, visit.user, &mut hurt);
            if !findings.is_empty() {
                all.findings.insert(*visit, findings);
            }
        }
        all.counts.files = self.files.counts();
        all.counts.hidden = self.hidden.counts();
        hurt.extend(self.files.hurt());
        all.counts.users = users.len() as u64;
        all.counts.users_hurt = hurt.len() as u64;
        all.without_answer = waiting.difference(&hurt).count() as u64;
        all
    }
}

fn count(all: &mut Judgement, history: &History, findings: &[Finding], user: UserId, hurt: &mut BTreeSet<UserId>) {
    let counts = &mut all.counts;
    for finding in findings {
        match finding {
            Finding::Opened => counts.opened += 1,
            Finding::Cart(CartVerdict::Intact) => counts.intact += 1,
            Finding::Cart(CartVerdict::Lost(_)) => counts.lost += 1,
            Finding::Cart(CartVerdict::Overcharged(_)) => counts.overcharged += 1,
            Finding::Cart(CartVerdict::Abandoned(_)) => counts.abandoned += 1,
            Finding::Cart(CartVerdict::Unknown) => counts.unknown += 1,
            Finding::WrongView => counts.wrong_views += 1,
            Finding::LoggedOut => counts.logged_out += 1,
            Finding::Impostor => counts.impostors_accepted += 1,
            // These are counted over all visits of a user.
            Finding::MissingFile | Finding::Forbidden | Finding::StalePage => {}
            Finding::Zombie => counts.zombie_logins += 1,
        }
    }
    let opened = findings.contains(&Finding::Opened);
    let ended = findings.iter().any(|finding| matches!(finding, Finding::Cart(_)));
    all.open_carts += u64::from(opened && !ended);
    counts.views += history.calls.iter().filter(|call| call.shown().is_some()).count() as u64;
    let forged = |call: &&Call| call.command == Command::ForgeSession && call.told.is_some();
    counts.impostors += history.calls.iter().filter(forged).count() as u64;
    let replayed = |call: &&Call| call.command == Command::ReplayToken && call.told.is_some();
    counts.replays += history.calls.iter().filter(replayed).count() as u64;
    counts.ghosts += u64::from(history.ghosts().len());
    let billed_twice = history.seen.iter().filter(|seen| matches!(seen, Seen::Billed(_))).count() > 1;
    counts.double_charges += u64::from(billed_twice);
    counts.retried_checkouts += u64::from(history.retried_checkout());
    let gave_up = history.seen.iter().any(|seen| matches!(seen, Seen::Left(Ending::GaveUp(_))));
    let harm = |finding: &Finding| {
        matches!(finding, Finding::WrongView | Finding::LoggedOut | Finding::Forbidden)
            || matches!(finding, Finding::Cart(CartVerdict::Lost(_) | CartVerdict::Overcharged(_)))
    };
    if gave_up || billed_twice || findings.iter().any(harm) {
        hurt.insert(user);
    }
}

/// One request, as an interval.
struct Call {
    request: Request,
    command: Command,
    sent: usize,
    told: Option<(usize, Outcome)>,
}

impl Call {
    /// The outcome known at a position.
    fn known(&self, now: usize) -> Option<Outcome> {
        self.told.filter(|(at, _)| *at <= now).map(|(_, outcome)| outcome)
    }

    /// Whether, at this position, it had been sent and was not known to be without effect.
    fn may_have_happened(&self, now: usize) -> bool {
        self.sent < now && !matches!(self.known(now), Some(Outcome::Refused(_)))
    }

    /// Where it was acknowledged, if that was before a position.
    fn acknowledged(&self, before: usize) -> Option<usize> {
        self.told.filter(|(at, outcome)| *at < before && matches!(outcome, Outcome::Ok(_))).map(|(at, _)| at)
    }

    fn shown(&self) -> Option<(usize, Items)> {
        match self.told {
            Some((at, Outcome::Ok(Reply::Cart(items)))) => Some((at, items)),
            _ => None,
        }
    }

    fn charged(&self) -> Option<(usize, Items)> {
        match self.told {
            Some((at, Outcome::Ok(Reply::Charged(items)))) => Some((at, items)),
            _ => None,
        }
    }
}

/// One visit.
struct History<'a> {
    seen: &'a [Seen],
    calls: Vec<Call>,
}

impl History<'_> {
    fn new(seen: &[Seen]) -> History<'_> {
        let mut calls: Vec<(Request, Call)> = Vec::new();
        for (place, seen) in seen.iter().enumerate() {
            match *seen {
                Seen::Sent(request) => {
                    calls.push((request, Call { request, command: request.command, sent: place, told: None }));
                }
                Seen::Told { request, outcome, .. } => {
                    let of_it = |(sent, call): &&mut (Request, Call)| *sent == request && call.told.is_none();
                    let call = calls.iter_mut().find(of_it).expect("what is told was sent");
                    call.1.told = Some((place, outcome));
                }
                Seen::Began | Seen::Billed(_) | Seen::Left(_) => {}
            }
        }
        History { seen, calls: calls.into_iter().map(|(_, call)| call).collect() }
    }

    /// Whether the user has begun a step, and neither done it nor given it up.
    fn is_waiting(&self) -> bool {
        let is_over = self.seen.iter().any(|seen| matches!(seen, Seen::Left(_)));
        let settles =
            |seen: &Seen, step: u16| matches!(seen, Seen::Told { request, settled: true, .. } if request.step == step);
        let done = |step| self.seen.iter().any(|seen| settles(seen, step));
        !is_over && self.calls.iter().any(|call| !done(call.request.step))
    }

    fn of(&self, wanted: Command) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.command == wanted)
    }

    /// Whether an add was acknowledged before `at`, and no remove can have come after it.
    fn must_hold(&self, item: Item, at: usize, now: usize) -> bool {
        self.of(Command::Add(item)).any(|add| {
            add.acknowledged(at).is_some()
                && self
                    .of(Command::Remove(item))
                    .filter(|remove| remove.may_have_happened(now))
                    .all(|remove| remove.acknowledged(now).is_some_and(|told| told < add.sent))
        })
    }

    /// Whether an add may have happened, and no later acknowledged request certainly removed the item before `at`.
    fn may_hold(&self, item: Item, at: usize, now: usize) -> bool {
        self.of(Command::Add(item)).filter(|add| add.may_have_happened(now)).any(|add| {
            let after = |sent: usize| add.acknowledged(now).is_some_and(|told| told < sent);
            let removed = self.of(Command::Remove(item)).any(|r| r.acknowledged(at).is_some() && after(r.sent));
            let bought = self.charge(at).is_some() && self.first_checkout(now).is_some_and(&after);
            !removed && !bought
        })
    }

    /// Where the first checkout that may have happened was sent.
    fn first_checkout(&self, now: usize) -> Option<usize> {
        self.of(Command::Checkout).filter(|call| call.may_have_happened(now)).map(|call| call.sent).min()
    }

    /// The first acknowledged charge, if that was before a position.
    fn charge(&self, before: usize) -> Option<(usize, Items)> {
        let first = self.of(Command::Checkout).filter_map(Call::charged).min_by_key(|(at, _)| *at);
        first.filter(|(at, _)| *at < before)
    }

    fn select(holds: impl Fn(Item) -> bool) -> Items {
        (1..=64).filter_map(Item::new).filter(|item| holds(*item)).fold(Items::NONE, Items::with)
    }

    /// What a view or a charge over this interval must and may contain.
    fn bounds(&self, at: usize, now: usize) -> (Items, Items) {
        let must = Self::select(|item| self.must_hold(item, at, now));
        (must, Self::select(|item| self.may_hold(item, at, now)))
    }

    /// What this view lacked, and what it showed although it cannot have been there.
    fn view_faults(&self, view: &Call) -> Option<(Items, Items)> {
        let (now, shown) = view.shown()?;
        let (must, may) = self.bounds(view.sent, now);
        let must = if self.first_checkout(now).is_some() { Items::NONE } else { must };
        Some((must.minus(shown), shown.minus(may)))
    }

    /// The same for the charge that decides the verdict.
    fn charge_faults(&self) -> Option<(usize, Items, Items)> {
        let (now, charged) = self.charge(usize::MAX)?;
        let (must, may) = self.bounds(self.first_checkout(now)?, now);
        Some((now, must.minus(charged), charged.minus(may)))
    }

    /// Whether a checkout was sent after an earlier one ended with an unknown outcome.
    fn retried_checkout(&self) -> bool {
        let unknown = |call: &Call, sent| call.told.is_some_and(|(at, outcome)| at < sent && outcome.is_unknown());
        self.of(Command::Checkout).any(|again| self.of(Command::Checkout).any(|first| unknown(first, again.sent)))
    }

    fn opened(&self) -> Option<usize> {
        self.calls.iter().filter(|call| matches!(call.command, Command::Add(_))).map(|call| call.sent).min()
    }

    fn verdict_of_charge(&self) -> Option<(usize, CartVerdict)> {
        let (now, missing, extra) = self.charge_faults()?;
        self.opened().filter(|opened| *opened < now)?;
        let verdict = match (missing.is_empty(), extra.is_empty()) {
            (false, _) => CartVerdict::Lost(missing),
            (true, false) => CartVerdict::Overcharged(extra),
            (true, true) => CartVerdict::Intact,
        };
        Some((now, verdict))
    }

    fn verdict_of_leaving(&self, ending: Ending) -> CartVerdict {
        let unanswered = |call: &Call| call.known(usize::MAX).is_none_or(Outcome::is_unknown);
        match ending {
            _ if self.of(Command::Checkout).any(unanswered) => CartVerdict::Unknown,
            Ending::GaveUp(trouble) => CartVerdict::Abandoned(trouble),
            Ending::Finished => CartVerdict::Abandoned(AbandonReason::Refused),
        }
    }

    fn findings(&self, stale: &dyn Fn(Request) -> bool) -> Vec<Finding> {
        let mut found: Vec<(usize, Finding)> = Vec::new();
        found.extend(self.opened().map(|at| (at, Finding::Opened)));
        let verdict = self.verdict_of_charge();
        found.extend(verdict.map(|(at, verdict)| (at, Finding::Cart(verdict))));
        for call in &self.calls {
            let Some((at, outcome)) = call.told else { continue };
            if self.view_faults(call).is_some_and(|(missing, extra)| !missing.is_empty() || !extra.is_empty()) {
                found.push((at, Finding::WrongView));
            }
            match (call.command, outcome) {
                (Command::ForgeSession, Outcome::Ok(_)) => found.push((at, Finding::Impostor)),
                (Command::ReplayToken, Outcome::Ok(_)) => found.push((at, Finding::Zombie)),
                (Command::ForgeSession | Command::ReplayToken, _) => {}
                (_, Outcome::Refused(Refusal::Unauthorized)) => found.push((at, Finding::LoggedOut)),
                (_, Outcome::Refused(Refusal::Forbidden)) => found.push((at, Finding::Forbidden)),
                (_, Outcome::Ok(Reply::Page(_))) if stale(call.request) => found.push((at, Finding::StalePage)),
                (_, Outcome::Refused(Refusal::NotFound)) => found.push((at, Finding::MissingFile)),
                _ => {}
            }
        }
        if let (Some(Seen::Left(ending)), Some(_), None) = (self.seen.last(), self.opened(), verdict) {
            found.push((self.seen.len(), Finding::Cart(self.verdict_of_leaving(*ending))));
        }
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Items that cannot have been where they were shown or charged, and that had been removed or bought before. If
    /// nothing was ever added, there is no cart, and nothing was bought.
    fn ghosts(&self) -> Items {
        let verdict = self.verdict_of_charge();
        let views = self.calls.iter().filter_map(|view| Some((view.told?.0, self.view_faults(view)?.1)));
        let charge = verdict.and_then(|_| self.charge_faults()).map(|(now, _, extra)| (now, extra));
        views.chain(charge).fold(Items::NONE, |ghosts, (now, impossible)| {
            let removed = Self::select(|item| self.of(Command::Remove(item)).any(|r| r.acknowledged(now).is_some()));
            let bought = verdict.and_then(|_| self.charge(now)).map_or(Items::NONE, |(_, charged)| charged);
            ghosts.union(impossible.intersection(removed.union(bought)))
        })
    }
}
