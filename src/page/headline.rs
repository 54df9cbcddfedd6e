//! The few figures over a design, as finished texts.

use serde::Serialize;

use super::tally::Tally;
use crate::base::Step;
use crate::base::words::{clock, count, percent, thousands};
use crate::faces::text::clean;
use crate::judging::post_mortem::FaultImpact;
use crate::live::Session;
use crate::results::{Figures, FileFigures, HiddenFigures};
use crate::scenario::{CartHome, SessionHome, UploadHome};

/// The few figures over a design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// Carts that are lost or gone.
    lost: Entry,
    /// As a share of those opened; once a fault has taken memory, its share of those open then.
    share: Entry,
    /// What the design costs.
    price: Entry,
    /// What else went wrong, if anything: each a label and a count.
    also: Vec<Entry>,
}

/// A label and a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Entry {
    label: String,
    value: String,
}

impl Entry {
    fn new(label: impl Into<String>, value: impl Into<String>) -> Entry {
        Entry { label: label.into(), value: value.into() }
    }
}

impl Headline {
    pub fn of(session: &Session, figures: &Figures, tally: &Tally) -> Headline {
        Headline {
            lost: Entry::new("carts lost", thousands(tally.lost_or_gone)),
            share: last_crash(session, tally).unwrap_or_else(|| {
                let label = format!("of {} opened", thousands(tally.opened));
                Entry::new(label, share(tally.lost_or_gone, tally.opened))
            }),
            price: price(session, figures),
            also: also(figures),
        }
    }
}

/// Everything that is counted against a design besides lost carts, and is not zero.
fn also(figures: &Figures) -> Vec<Entry> {
    let Figures { visits, requests, files, hidden, .. } = figures;
    let abandoned = visits.abandoned_refused + visits.abandoned_unknown + visits.abandoned_logged_out;
    let of_files = |count: fn(&FileFigures) -> u64| files.as_ref().map_or(0, count);
    let of_hidden = |count: fn(&HiddenFigures) -> u64| hidden.as_ref().map_or(0, count);
    let counts = [
        ("files not found", of_files(|files| files.missing_downloads)),
        ("files destroyed", of_files(|files| files.destroyed)),
        ("times logged out", figures.logged_out),
        ("zombie logins", figures.zombie_logins),
        ("impostors let in", figures.impostors_accepted),
        ("forms refused", of_hidden(|hidden| hidden.forbidden)),
        ("over the limit", of_hidden(|hidden| hidden.over_limit)),
        ("stale pages", of_hidden(|hidden| hidden.stale_pages)),
        ("charged twice", figures.double_charges),
        ("visits abandoned", abandoned),
        ("requests failed", requests.failed),
        ("timed out", requests.timed_out),
        ("wrong views", figures.wrong_views),
    ];
    let found = counts.into_iter().filter(|(_, count)| *count > 0);
    found.map(|(label, count)| Entry::new(label, thousands(count))).collect()
}

/// What the last fault that took memory cost of the carts that were open then, as in the column of the report.
fn last_crash(session: &Session, tally: &Tally) -> Option<Entry> {
    let faults = session.faults();
    let fault = faults.iter().filter(|fault| fault.takes_memory && fault.struck.is_some()).max_by_key(|f| f.struck)?;
    let FaultImpact { open_carts, lost_of_open } = session.observer().post_mortem.impact(fault.index)?;
    let named = session.scenario().faults.iter().any(|written| written.name.as_ref() == Some(&fault.name));
    let when = if named { clean(&fault.name) } else { clock(fault.struck?.since_start()) };
    let cost = lost_of_open + tally.gone_with.get(&fault.index).copied().unwrap_or(0);
    Some(Entry::new(format!("of {} open at {when}", thousands(open_carts)), share(cost, open_carts)))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of carts")]
fn share(part: u64, whole: u64) -> String {
    let share = percent(part as f64, whole as f64);
    if share.is_empty() { "0 %".into() } else { share }
}

/// Bytes where carts or logins travel, else calls of the store.
fn price(session: &Session, figures: &Figures) -> Entry {
    let homes = session.scenario().homes;
    let price = &figures.price;
    let told = |price: Option<f64>| price.map_or("–".into(), count);
    let adds = session.scenario().users.journey.contains(&Step::Add);
    if (homes.cart == CartHome::SharedStore && adds) || homes.session == SessionHome::SharedStore {
        return Entry::new("store calls / request", told(price.store_calls_per_request));
    }
    if homes.upload == UploadHome::ObjectStore && session.scenario().users.upload() {
        return Entry::new("object calls / request", told(price.object_calls_per_request));
    }
    if homes.cart == CartHome::ReplicatedMemory {
        return Entry::new("copies / request", told(price.replicas_written_per_request));
    }
    if homes.cart.travels() {
        return Entry::new("bytes / request", told(price.bytes_carried_per_request.map(f64::round)));
    }
    Entry::new("store calls / request", "–")
}
