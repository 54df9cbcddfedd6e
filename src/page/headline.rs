//! The few figures over a design, as finished texts.

use serde::Serialize;

use super::tally::Tally;
use crate::base::words::{count, thousands};
use crate::live::Session;
use crate::results::Figures;
use crate::scenario::{CartHome, SessionHome};

/// The few figures over a design.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// Carts that are lost or gone.
    lost: Entry,
    /// As a share of those opened.
    share: Entry,
    /// What the design costs.
    price: Entry,
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
            share: Entry::new(format!("of {} opened", thousands(tally.opened)), tally.share()),
            price: price(session, figures),
        }
    }
}

/// Bytes where carts or logins travel, else calls of the store.
fn price(session: &Session, figures: &Figures) -> Entry {
    let homes = session.scenario().homes;
    let price = &figures.price;
    let told = |price: Option<f64>| price.map_or("–".into(), count);
    if homes.cart == CartHome::SharedStore || homes.session == SessionHome::SharedStore {
        return Entry::new("store calls / request", told(price.store_calls_per_request));
    }
    if homes.cart.travels() {
        return Entry::new("bytes / request", told(price.bytes_carried_per_request.map(f64::round)));
    }
    Entry::new("store calls / request", "–")
}
