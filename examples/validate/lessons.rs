//! What a class predicts by mental arithmetic, beside what the scenarios print.

use whatcart::results::tree::Tree;
use whatcart::scenario::{library, load};

use crate::measure::{over, run};
use crate::{Row, Section};

const SEEDS: u64 = 12;

/// A scenario, one of its designs, what is predicted of it, the prediction, what such arithmetic leaves out (requests take
/// time, round robin is not chance), and the figure: a path into the summary, perhaps as a share of another one.
type Prediction = (&'static str, usize, &'static str, f64, f64, &'static str, &'static str);

#[rustfmt::skip]
const PREDICTIONS: &[Prediction] = &[
    ("what-cart", 1, "carts lost behind round robin: 1 − 3⁻³", 0.963, 0.02, "carts.lost", "carts.opened"),
    ("what-cart", 1, "wrong views: 2 of 3", 0.667, 0.03, "wrong_views", "views"),
    ("what-cart", 3, "store calls a request: 5 of 8 steps", 0.625, 0.01, "price.store_calls_per_request", ""),
    ("grow", 1, "carts lost with 2 servers: 1 − 2⁻³", 0.875, 0.03, "carts.lost", "carts.opened"),
    ("grow", 3, "carts lost with 10 servers: 1 − 10⁻³", 0.999, 0.003, "carts.lost", "carts.opened"),
    ("sticky-crash", 1, "carts open at the crash: 300 x 4/8", 150.0, 10.0, "faults.\"the crash\".open_carts", ""),
    ("sticky-crash", 1, "of those lost, sticky: 1 of 3 servers", 0.333, 0.02, "faults.\"the crash\".lost_of_open", "faults.\"the crash\".open_carts"),
    ("sticky-crash", 0, "of those lost, scattered: about half", 0.49, 0.03, "faults.\"the crash\".lost_of_open", "faults.\"the crash\".open_carts"),
    ("sticky-crash", 3, "carts lost with a shared store", 0.0, 0.0, "carts.lost", "carts.opened"),
    ("deploy-drain", 0, "carts lost without a drain: all open ones, 300 x 4/8, and some that are started again", 165.0, 15.0, "carts.lost", ""),
    ("heavy-user", 2, "busy share of server-1: (150 + 300) requests/s x 20 ms over 12 workers, less the time that the importer waits", 0.61, 0.02, "load.per_server.0.busy", ""),
    ("login-sessions", 0, "visits abandoned: logged out at two steps of three, three tries each", 0.9, 0.05, "visits.abandoned_logged_out", "visits.begun"),
    ("uploads", 1, "downloads that fail: 2 of 3, and files lost with their server", 0.667, 0.03, "files.missing_downloads", "files.downloads"),
    ("regions", 0, "an add in frankfurt, all in us-east: 10 + 80 + 5 + 3 ms", 98.0, 0.5, "regions.frankfurt.add_ms.mean", ""),
    ("regions", 0, "an add in tokyo, all in us-east: 10 + 160 + 5 + 3 ms", 178.0, 0.5, "regions.tokyo.add_ms.mean", ""),
    ("regions", 1, "an add in frankfurt, the store in us-east: 10 + 5 + 3 x 81 ms", 258.0, 0.5, "regions.frankfurt.add_ms.mean", ""),
    ("regions", 1, "an add in tokyo, the store in us-east: 10 + 5 + 3 x 161 ms", 498.0, 0.5, "regions.tokyo.add_ms.mean", ""),
    ("regions", 4, "an add anywhere with a token and no call: 10 + 5 ms", 15.0, 0.5, "regions.tokyo.add_ms.mean", ""),
    ("store-outage", 0, "carts lost to an outage", 0.0, 0.0, "carts.lost", ""),
    ("store-outage", 1, "carts rolled back by a failover 1 s behind: 150 requests/s x 3/8, some in the same cart", 50.0, 6.0, "lost_by.rolled_back", ""),
    ("volatile-store", 0, "of open carts lost when the store keeps them in memory only", 1.0, 0.01, "faults.\"the restart\".lost_of_open", "faults.\"the restart\".open_carts"),
    ("day-one", 1, "of open carts lost in a big bang", 1.0, 0.02, "faults.\"the migration\".lost_of_open", "faults.\"the migration\".open_carts"),
    ("session-replication", 1, "carts with one copy that the crash splits: half of 50", 25.0, 5.0, "lost_by.split", ""),
    ("hash-resize", 1, "carts left behind, modulo 4 and 5: 4/5 of 150", 120.0, 12.0, "lost_by.split", ""),
    ("hash-resize", 3, "carts left behind, rendezvous: 1/5 of 150", 30.0, 5.0, "lost_by.split", ""),
    ("big-pool", 1, "carts lost with one server of 1,000: 1,000,000 x 2/4 / 1,000", 500.0, 30.0, "lost_by.wiped", ""),
];

pub fn section() -> Section {
    let row = |&(name, variant, what, predicted, slack, part, whole): &Prediction| {
        let entry = library::find(name).expect(name);
        let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect(name);
        let scenario = &loaded.variants[variant].scenario;
        let figure = |seed| {
            let figures = Tree::of(&run(scenario, seed)).by_path();
            let of = |path: &str| *figures.get(path).unwrap_or_else(|| panic!("{name} has no figure {path}"));
            if whole.is_empty() { of(part) } else { of(part) / of(whole) }
        };
        Row { what: format!("{name}: {what}"), predicted, slack, got: over(SEEDS, figure) }
    };
    let words = "What a class can predict in the lessons. The slack covers what such arithmetic ignores.";
    Section { title: "Mental arithmetic", words, rows: PREDICTIONS.iter().map(row).collect() }
}
