//! What a class predicts by mental arithmetic, beside what the scenarios print.

use whatcart::scenario::{library, load};

use crate::measure::{over, run};
use crate::{Row, Section};

const SEEDS: u64 = 12;

type Figure = fn(&whatcart::report::Figures) -> f64;

#[expect(clippy::cast_precision_loss, reason = "shares and counts")]
pub fn section() -> Section {
    let lost: Figure = |f| f.carts.lost as f64 / f.carts.opened as f64;
    let open: Figure = |f| f.faults[0].open_carts as f64;
    let taken: Figure = |f| f.faults[0].lost_of_open as f64 / f.faults[0].open_carts as f64;
    let wrong: Figure = |f| f.wrong_views as f64 / f.views as f64;
    let calls: Figure = |f| f.price.store_calls_per_request;
    // The slack is what mental arithmetic leaves out: requests take time, and round robin is not chance.
    let rows = [
        ("what-cart", 1, "carts lost behind round robin: 1 − 3⁻³", 0.963, 0.02, lost),
        ("what-cart", 1, "wrong views: 2 of 3", 0.667, 0.03, wrong),
        ("what-cart", 3, "store calls a request: 5 of 8 steps", 0.625, 0.01, calls),
        ("grow", 1, "carts lost with 2 servers: 1 − 2⁻³", 0.875, 0.03, lost),
        ("grow", 3, "carts lost with 10 servers: 1 − 10⁻³", 0.999, 0.003, lost),
        ("sticky-crash", 1, "carts open at the crash: 300 x 4/8", 150.0, 10.0, open),
        ("sticky-crash", 1, "of those lost, sticky: 1 of 3 servers", 0.333, 0.02, taken),
        ("sticky-crash", 0, "of those lost, scattered: about half", 0.49, 0.03, taken),
        ("sticky-crash", 3, "carts lost with a shared store", 0.0, 0.0, lost),
    ]
    .map(|(name, variant, what, predicted, slack, figure)| {
        let entry = library::find(name).expect(name);
        let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect(name);
        let scenario = &loaded.variants[variant].scenario;
        Row { what: format!("{name}: {what}"), predicted, slack, got: over(SEEDS, |seed| figure(&run(scenario, seed))) }
    });
    let words = "What the lessons let a class predict. The slack is what such arithmetic leaves out.";
    Section { title: "Mental arithmetic", words, rows: rows.into() }
}
