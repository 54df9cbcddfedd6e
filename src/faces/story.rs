//! The story of one user who was let down by a design, told from the history of that visit.

mod concurrent_group;
mod deploys;
mod draw;
mod in_force;
mod lines;
mod newest_cart;
mod shortening;

use super::timeline::deed;
use crate::base::time::Instant;
use crate::base::words::count;
use crate::base::{Items, ServerId, UserId};
use crate::history::{EventKind, PoolEvent};
use crate::operations::faults::{self, FaultKind};
use crate::results::{Figures, HurtBy, Report, RunReport, Tape, VariantReport};
use crate::scenario::{CartHome, Target};

pub use crate::results::Hurt;
pub use lines::{film, tell};

/// The user whose story is told by default.
pub const FAVOURITE: UserId = UserId(42);

/// A story: what happened to one user in one design, and to the same user in a better one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// `User 42, design 2`.
    pub title: String,
    /// Where the carts are, if it is about carts. If so, it has a column for what is in the cart.
    pub carts: Option<CartHome>,
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// `The same user in design 4`, and how it ended there.
    pub better: Option<(String, Vec<Line>)>,
}

/// One user's visit in one design, to be told.
#[derive(Clone, Debug)]
pub struct Tale {
    /// The index of the design in its report.
    pub design: usize,
    /// The user.
    pub user: UserId,
    /// What happened.
    pub tape: Tape,
}

/// A line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Something the user did, and the answer.
    Did(Deed),
    /// A fault.
    Broke(Instant, String),
    /// Lines that were left out.
    Skipped(String),
}

/// Something the user did, and the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// When the answer came.
    pub at: Instant,
    /// `adds mug`.
    pub action: String,
    /// The number of its group of concurrent requests; `None` if it was alone.
    pub concurrent: Option<u32>,
    /// The server that answered; empty if none did.
    pub server: String,
    /// The same server.
    pub by: Option<ServerId>,
    /// Servers where the balancer's earlier attempts failed.
    pub tried: Vec<ServerId>,
    /// Calls to the shared store.
    pub store_calls: u32,
    /// What the user was told: `ok`.
    pub answer: String,
    /// The content of the cart on that server afterwards; `None` if the server did not look at the cart.
    pub cart: Option<Items>,
    /// What the user had added and not removed so far.
    pub added: Items,
    /// For the checkout: what was missing from the charge.
    pub missing: Option<Items>,
    /// Whether something went wrong.
    pub wrong: bool,
    /// How much it contributes to the story, from 0 (nothing) to 3 (the point).
    pub weight: u8,
    /// A role that other lines depend on.
    pub mark: Option<Mark>,
}

/// The role of a deed in its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The checkout was sent.
    CheckedOut,
    /// An order appeared on the statement that the user had not been told about.
    Billed,
    /// Somebody else was refused, not the user.
    TurnedAway(Stranger),
}

/// Somebody who uses the user's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// With a forged one.
    Impostor,
    /// With a copy of it.
    Thief,
}

/// Chooses the story that a report should tell: the index of the variant, and the visit.
///
/// The design is the one that the scenario names; or else the first that lost most of its carts to faults; or else the first that lost some to faults; or, if
/// none did, the first that hurt anybody. The user is number 42, if hurt the way most users were, or else the first
/// such user.
#[must_use]
pub fn choose(report: &Report) -> Option<(usize, Hurt)> {
    let first = |variant: &VariantReport| variant.runs.first().is_some_and(|run| !run.hurt.is_empty());
    let by_fault = |variant: &VariantReport, share: u64| {
        let taken = |figures: &Figures| taken_by_faults(figures) > figures.carts.lost * share / 100;
        variant.runs.first().is_some_and(|run| taken(&run.figures))
    };
    let named = |variant: &VariantReport| report.scenario.story.as_ref() == Some(&variant.name);
    let at = report
        .variants
        .iter()
        .position(|variant| first(variant) && named(variant))
        .or_else(|| report.variants.iter().position(|variant| first(variant) && by_fault(variant, 50)))
        .or_else(|| report.variants.iter().position(|variant| first(variant) && by_fault(variant, 0)))
        .or_else(|| report.variants.iter().position(first))?;
    let variant = &report.variants[at];
    Some((at, hurt_of(variant.runs.first()?, named(variant))?))
}

/// The index of the design whose story the scenario wants told.
#[must_use]
pub fn wanted(report: &Report) -> Option<usize> {
    let name = report.scenario.story.as_ref()?;
    report.variants.iter().position(|variant| variant.name == *name)
}

/// How many carts were lost for a reason that involves a fault.
fn taken_by_faults(figures: &Figures) -> u64 {
    if figures.faults.values().all(|fault| fault.strikes == Some(0)) {
        0
    } else {
        figures.lost_by.wiped + figures.lost_by.rolled_back + figures.lost_by.stale
    }
}

/// The visit that best shows what went wrong in a run.
fn hurt_of(run: &RunReport, named: bool) -> Option<Hurt> {
    let main = main_hurt(run, named)?;
    let like_most = || run.hurt.iter().filter(|hurt| hurt.how == main);
    like_most().find(|hurt| hurt.visit.user == FAVOURITE).or_else(|| like_most().next()).copied()
}

/// The kind of harm that is most telling about a run: loss by a fault if there is one, or else the most frequent kind.
/// A design that the scenario names is known to tell what matters, so there it is always the most frequent kind.
fn main_hurt(run: &RunReport, named: bool) -> Option<HurtBy> {
    let by_faults = [crate::results::Cause::Wiped, crate::results::Cause::RolledBack].map(HurtBy::Lost);
    let has = |how: &HurtBy| run.hurt.iter().any(|hurt| hurt.how == *how);
    if let (false, 1.., Some(how)) = (named, taken_by_faults(&run.figures), by_faults.into_iter().find(has)) {
        return Some(how);
    }
    run.hurt.iter().map(|hurt| hurt.how).max_by_key(|how| (often(&run.figures, *how), std::cmp::Reverse(*how)))
}

/// How many times a run hurt somebody in this way.
fn often(figures: &Figures, how: HurtBy) -> u64 {
    use crate::results::Cause;
    let (lost, visits) = (&figures.lost_by, &figures.visits);
    match how {
        HurtBy::Lost(Cause::RolledBack) => lost.rolled_back,
        HurtBy::Lost(Cause::Evicted) => lost.evicted,
        HurtBy::Lost(Cause::Expired) => lost.expired,
        HurtBy::Lost(Cause::Overwritten) => lost.overwritten,
        HurtBy::Lost(Cause::Wiped) => lost.wiped,
        HurtBy::Lost(Cause::Stale) => lost.stale,
        HurtBy::Lost(Cause::Split) => lost.split,
        HurtBy::Lost(Cause::Unexplained) => lost.unexplained,
        HurtBy::Overcharged => figures.carts.overcharged,
        // An abandoned visit weighs more than a lost login.
        HurtBy::Abandoned => 10 * (visits.abandoned_refused + visits.abandoned_unknown + visits.abandoned_logged_out),
        HurtBy::LoggedOut => figures.logged_out,
        HurtBy::Impostor => figures.impostors_accepted,
        HurtBy::ChargedAgain => 10 * figures.double_charges,
        HurtBy::Forbidden => figures.hidden.as_ref().map_or(0, |hidden| hidden.forbidden),
        HurtBy::StalePage => figures.hidden.as_ref().map_or(0, |hidden| hidden.stale_pages),
        HurtBy::MissingFile => figures.files.as_ref().map_or(0, |files| files.missing_downloads),
        HurtBy::Zombie => figures.zombie_logins,
        // It is the point only where nothing worse happened.
        HurtBy::WrongView => figures.wrong_views.min(1),
        HurtBy::Waited => 0,
    }
}

/// The other design that hurt the fewest users; of equals, the last, since scenarios build up to their best design. If
/// none hurt fewer, one in which users waited much less. Where something breaks in the story's design, a control in which
/// nothing breaks mends nothing.
#[must_use]
pub fn best_other(report: &Report, than: usize) -> Option<usize> {
    let told = report.variants.get(than)?;
    let breaks = |variant: &VariantReport| !faults::kinds(&variant.scenario).is_empty();
    let others = report.variants.iter().enumerate().filter(|(i, other)| *i != than && (breaks(other) || !breaks(told)));
    let (best, variant) = others.clone().rev().min_by_key(|(_, variant)| users_hurt(variant))?;
    if users_hurt(variant) < users_hurt(told) {
        return Some(best);
    }
    let equals = others.filter(|(_, variant)| users_hurt(variant) == users_hurt(told));
    let (best, variant) = equals.min_by(|(_, a), (_, b)| mean_step(a).total_cmp(&mean_step(b)))?;
    (mean_step(variant) < mean_step(told) / 2.0).then_some(best)
}

fn users_hurt(variant: &VariantReport) -> u64 {
    variant.runs.first().map_or(u64::MAX, |run| {
        let figures = &run.figures;
        figures.users_hurt + figures.logged_out + figures.impostors_accepted + figures.zombie_logins
    })
}

/// The mean latency of a step, ms.
fn mean_step(variant: &VariantReport) -> f64 {
    let latency = variant.runs.first().and_then(|run| run.figures.step_latency_ms.as_ref());
    latency.map_or(f64::MAX, |latency| latency.mean)
}

/// A line for a fault that struck: what it did, how many open carts lost something because of it, and whether this one
/// did.
fn broke(event: PoolEvent, at: Instant, variant: &VariantReport, tape: &Tape) -> Option<Line> {
    let PoolEvent::Struck { fault, server, memory_lost } = event else { return None };
    let known = deploys::known(fault, variant, tape);
    match known.as_ref().map(FaultKind::target) {
        Some(Target::Pool | Target::Users) => return Some(deploys::begins(fault, at, variant, tape)),
        None if server.is_none() => return Some(deploys::begins(fault, at, variant, tape)),
        None | Some(Target::Server(_) | Target::Region(_) | Target::Store | Target::Carts) => {}
    }
    let strike = variant.runs.first().and_then(|run| run.strike(fault));
    let whom = || server.map_or_else(|| "the pool".into(), |server| server.to_string());
    let deed = known.as_ref().map_or_else(|| format!("{} breaks", whom()), deed);
    let gone = strike.map_or(0, |strike| strike.lost_of_open);
    if !memory_lost || gone == 0 {
        return Some(Line::Broke(at, deed));
    }
    let killed = |what: &EventKind| {
        let EventKind::Inside(_, crate::history::Inside::Served(served)) = what else { return false };
        served.evidence.killed_by == Some(fault)
    };
    let this_too = if tape.events.iter().any(|event| killed(&event.what)) { ", this one too" } else { "" };
    #[expect(clippy::cast_precision_loss, reason = "a number of carts")]
    let carts = count(gone as f64);
    let word = if gone == 1 { "cart" } else { "carts" };
    // What a store loses need not be whole carts.
    let fate = match (known.is_some_and(|known| known.target() == Target::Store), gone) {
        (false, _) => "gone",
        (true, 1) => "loses items",
        (true, _) => "lose items",
    };
    Some(Line::Broke(at, format!("{deed}: {carts} open {word} {fate}{this_too}")))
}

#[cfg(test)]
mod tests;
