//! The streaming checker and a naive one agree, on histories of real simulations and on random ones.

use std::collections::BTreeMap;

use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::history::{Event, EventKind, PoolEvent, Prefetch, Recorder};
use whatcart::judging::checker::{Allowance, CartVerdict, Checker, Finding};
use whatcart::judging::observer::Observer;
use whatcart::results::figures;
use whatcart::scenario::{HiddenState, Scenario};
use whatcart::sim::Sim;

use crate::support::histories::{Rules, moves, play};
use crate::support::naive::{Judgement, Naive};
use crate::support::worlds::{any_world, end, show};
use crate::support::{for_all, told_as_lines};

/// The streaming checker's judgement of a history.
pub fn streaming(events: &[Event]) -> Judgement {
    judged_by(Checker::of_hidden_state(None), events)
}

fn judged_by(mut checker: Checker, events: &[Event]) -> Judgement {
    let mut findings: BTreeMap<_, Vec<Finding>> = BTreeMap::new();
    for event in events {
        if let EventKind::Pool(PoolEvent::Audited { user, found }) = event.what {
            checker.audited(user, found);
        }
        let EventKind::Seen(visit, seen) = event.what else { continue };
        if let Some(finding) = checker.observe(visit, &seen) {
            findings.entry(visit).or_default().push(finding);
        }
    }
    let (open_carts, without_answer) = (checker.open_carts(), checker.users_without_answer());
    Judgement { counts: checker.counts().clone(), open_carts, without_answer, findings }
}

/// The naive checker's judgement.
fn naive(events: &[Event]) -> Judgement {
    naively(Naive::default(), events)
}

fn naively(mut naive: Naive, events: &[Event]) -> Judgement {
    for event in events {
        naive.record(event);
    }
    naive.judge()
}

/// The first visit that they judge differently, or else the counts.
fn difference(streaming: &Judgement, naive: &Judgement) -> Option<String> {
    let visits = streaming.findings.keys().chain(naive.findings.keys());
    for visit in visits {
        let (this, that) = (streaming.findings.get(visit), naive.findings.get(visit));
        if this != that {
            return Some(format!("of {visit:?} the streaming checker says {this:?}, the naive one {that:?}"));
        }
    }
    (streaming != naive).then(|| format!("the streaming checker counts {streaming:#?}, the naive one {naive:#?}"))
}

/// Checks that both judge a history alike.
pub fn agree(events: &[Event]) -> Result<(), String> {
    difference(&streaming(events), &naive(events)).map_or(Ok(()), Err)
}

#[test]
fn they_agree_on_made_up_histories() {
    let rules = Rules { tangled: false, lies: true };
    let show = |moves: &Vec<_>| told_as_lines(&play(moves, rules));
    for_all(3_000, &moves(120), show, |moves| agree(&play(moves, rules)));
}

/// If requests for the same item, or several views or checkouts, are in flight at once, the streaming checker may
/// overlook what the naive one finds. It never finds more.
#[test]
fn the_streaming_one_never_accuses_alone() {
    let rules = Rules { tangled: true, lies: true };
    let show = |moves: &Vec<_>| told_as_lines(&play(moves, rules));
    for_all(3_000, &moves(120), show, |moves| {
        let events = play(moves, rules);
        no_more_severe(&streaming(&events), &naive(&events))
    });
}

fn no_more_severe(streaming: &Judgement, naive: &Judgement) -> Result<(), String> {
    let views = |findings: &[Finding]| findings.iter().filter(|f| **f == Finding::WrongView).count();
    for (visit, findings) in &streaming.findings {
        let against = naive.findings.get(visit).map_or(&[][..], Vec::as_slice);
        let verdict = |findings: &[Finding]| {
            findings.iter().find_map(|finding| match finding {
                Finding::Cart(verdict) => Some(*verdict),
                _ => None,
            })
        };
        let milder = match (verdict(findings), verdict(against)) {
            (Some(CartVerdict::Lost(some)), Some(CartVerdict::Lost(all)))
            | (Some(CartVerdict::Overcharged(some)), Some(CartVerdict::Overcharged(all))) => some.minus(all).is_empty(),
            (Some(CartVerdict::Overcharged(_)), Some(CartVerdict::Lost(_)))
            | (Some(CartVerdict::Intact), Some(CartVerdict::Lost(_) | CartVerdict::Overcharged(_))) => true,
            (this, that) => this == that,
        };
        if !milder || views(findings) > views(against) {
            return Err(format!("of {visit:?} the streaming checker says {findings:?}, the naive one {against:?}"));
        }
    }
    let (this, that) = (&streaming.counts, &naive.counts);
    let same = (this.opened, this.views, this.logged_out, this.double_charges, this.users);
    if same != (that.opened, that.views, that.logged_out, that.double_charges, that.users) || this.ghosts > that.ghosts
    {
        return Err(format!("the streaming checker counts {this:?}, the naive one {that:?}"));
    }
    Ok(())
}

/// All events of one run. Also checks the conservation laws: `figures` panics if one is broken.
fn record(scenario: &Scenario) -> Vec<Event> {
    struct Both {
        events: Vec<Event>,
        observer: Observer,
    }
    impl Prefetch for Both {}
    impl Recorder for Both {
        fn record(&mut self, event: &Event) {
            self.events.push(*event);
            self.observer.record(event);
        }
    }
    let mut sim = Sim::new(scenario, Seed(scenario.seed.get()));
    let mut both = Both { events: Vec::new(), observer: Observer::new(scenario, sim.heavy(), UserId(1)) };
    sim.advance(end(scenario), &mut both);
    sim.audit(&mut both);
    // This asserts that everything adds up.
    let _ = figures(&both.observer, scenario, crate::support::moment(&sim), sim.faults());
    both.events
}

#[test]
fn they_agree_on_random_simulations() {
    let total = std::cell::RefCell::new(whatcart::judging::checker::Counts::default());
    for_all(600, &any_world(), show, |scenario| {
        let events = record(scenario);
        let rate = scenario.hidden.rate;
        let allowance = (scenario.servers.hidden == HiddenState::RateLimiter).then(|| Allowance {
            limit: rate.limit.get(),
            window_nanos: rate.window.get().as_nanos(),
            longest_nanos: scenario.users.timeout.get().as_nanos(),
        });
        let judgement = judged_by(Checker::of_hidden_state(allowance), &events);
        let counts = &judgement.counts;
        let mut total = total.borrow_mut();
        total.intact += counts.intact;
        total.lost += counts.lost;
        total.abandoned += counts.abandoned;
        total.unknown += counts.unknown;
        total.wrong_views += counts.wrong_views;
        total.logged_out += counts.logged_out;
        total.ghosts += counts.ghosts;
        total.impostors_accepted += counts.impostors_accepted;
        total.zombie_logins += counts.zombie_logins;
        total.overcharged += counts.overcharged;
        total.double_charges += counts.double_charges;
        total.retried_checkouts += counts.retried_checkouts;
        total.hidden.forbidden += counts.hidden.forbidden;
        total.hidden.over_limit += counts.hidden.over_limit;
        total.hidden.stale_pages += counts.hidden.stale_pages;
        total.files.uploaded += counts.files.uploaded;
        total.files.missing_downloads += counts.files.missing_downloads;
        total.files.destroyed += counts.files.destroyed;
        difference(&judgement, &naively(Naive::knowing(allowance), &events)).map_or(Ok(()), Err)
    });
    let t = total.into_inner();
    let visits =
        [t.intact, t.lost, t.abandoned, t.unknown, t.wrong_views, t.logged_out, t.ghosts, t.impostors_accepted];
    let others = [t.zombie_logins, t.files.uploaded, t.files.missing_downloads, t.files.destroyed];
    let hidden = [t.double_charges, t.hidden.forbidden, t.hidden.over_limit, t.hidden.stale_pages];
    let met = [&visits[..], &others].concat();
    let tame = met.iter().any(|n| *n < 20) || hidden.contains(&0);
    assert!(!tame, "too tame to mean something: {t:?}");
}
