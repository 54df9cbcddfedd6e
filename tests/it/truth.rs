//! No figure claims more than was measured.

use std::sync::atomic::AtomicBool;

use whatcart::experiment::{FAVOURITE, Options, run};
use whatcart::faces::table::{Look, render};
use whatcart::results::{Figures, Report};
use whatcart::scenario::load;

/// The report of a scenario, and what is printed of it.
fn printed(text: &str, details: bool) -> (Report, String) {
    let loaded = load("mine", "mine.toml", text, &[], &[]).expect("a sound scenario");
    let options = Options {
        seed: Some(1),
        runs: 1,
        played: 0,
        favourite: FAVOURITE,
        interrupt: &AtomicBool::new(false),
        progress: &|_| (),
    };
    let report = run(&loaded, &options).expect("it goes on");
    let text = anstream::adapter::strip_str(&render(&report, &Look { details, ..Look::default() })).to_string();
    (report, text)
}

fn figures(report: &Report, variant: usize) -> &Figures {
    &report.variants[variant].runs[0].figures
}

/// A herd that a shop cannot serve: most of its users never get an answer.
#[test]
fn survivors_do_not_speak_for_the_others() {
    let (report, text) = printed(
        "title = 'a herd'\nduration = '2m'\nclosing = '30s'\n\
         users = { count = 1, ramp = '0s', think = { constant = '60s' }, journey = ['login'], patience = 100, \
         pause = '1750ms', timeout = '1s' }\n\
         servers = { count = 1, workers = 100, queue = 10_000, service = { exponential = '60ms' } }\n\
         homes = { cart = 'shared-store', session = 'shared-store' }\n\
         faults = [{ name = 'herd', at = '40s', join = { to = 1_000, over = '0s' } }]\n\
         variants = [{ name = 'few' }, { name = 'many', faults.herd.join.to = 8_000 }]\n",
        false,
    );
    let (few, many) = (figures(&report, 0), figures(&report, 1));
    assert_eq!((few.visits.open, few.users_hurt), (0, 0), "{:?}", few.visits);
    assert!(many.visits.open > 1_000, "{:?}", many.visits);
    assert!(many.users_hurt > many.visits.open * 9 / 10, "{} hurt of {}", many.users_hurt, many.visits.open);
    assert!(many.users_hurt <= many.users);
    for part in ["unfinished", "answered step", "Still open at the end: ", " visits in design 2. "] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let price = |figures: &Figures| figures.price.bytes_carried_per_request.expect("some are served");
    assert!(price(many) >= price(few), "who serves few well is not cheap");
}

/// Who sends one request and never hears of it is hurt, too, even if nothing has failed yet.
#[test]
fn who_still_waits_at_the_end_is_hurt() {
    let (report, _) = printed(
        "title = 'a stall'\nduration = '10s'\nclosing = '1s'\n\
         users = { count = 5, ramp = '0s', think = { constant = '1s' }, timeout = '60s' }\n\
         servers = { count = 1, service = { constant = '30s' } }\n\
         variants = [{ name = 'stalled' }, { name = 'served', servers.service = { constant = '1ms' } }]\n",
        false,
    );
    let stalled = figures(&report, 0);
    assert_eq!((stalled.requests.failed, stalled.requests.timed_out, stalled.requests.in_flight), (0, 0, 5));
    assert_eq!((stalled.users_hurt, figures(&report, 1).users_hurt), (5, 0));
}

/// Every price is a price of success: when nobody is served well, there is none.
#[test]
fn a_shop_that_serves_nobody_well_is_not_cheap() {
    let (report, text) = printed(
        "title = 'broken'\nduration = '20s'\nusers = { count = 5, patience = 0, timeout = '50ms' }\n\
         servers.service = { constant = '60ms' }\nhomes.cart = 'shared-store'\ncolumns = ['price', 'lost']\n",
        false,
    );
    let broken = figures(&report, 0);
    assert_eq!((broken.requests.ok, broken.price.store_calls_per_request), (0, None), "{:?}", broken.requests);
    assert!(broken.users_hurt > 0 && text.contains("none served well"), "{text}");
}

#[test]
fn a_pool_that_grows_is_as_even_as_one_that_does_not() {
    let (report, _) = printed(
        "title = 'grows'\nduration = '4m'\n\
         users = { rate = 40, journey = ['browse'], think = { constant = '1s' } }\n\
         servers = { count = 1, workers = 8, service = { constant = '20ms' }, boot = '1s' }\n\
         homes.cart = 'shared-store'\nfaults = [{ at = '2m', scale = 10 }]\n\
         variants = [{ name = 'grows' }, { name = 'always 10', servers.count = 10, faults = [] }]\n",
        false,
    );
    for variant in 0..2 {
        let load = &figures(&report, variant).load;
        let (whole, worst) = (load.peak_to_mean.expect("served"), load.worst_window_peak_to_mean.expect("served"));
        assert!((1.0..1.02).contains(&whole), "{load:?}");
        assert!(worst >= whole, "{load:?}");
        assert!(load.jain > Some(0.999), "{load:?}");
    }
}

/// A server that was dead for half of the time did all it could in the other half.
#[test]
fn a_dead_server_makes_the_others_no_busier_than_even() {
    let (report, _) = printed(
        "title = 'dies'\nduration = '2m'\n\
         users = { rate = 40, journey = ['browse'], think = { constant = '1s' } }\n\
         servers = { count = 2, workers = 8, service = { constant = '20ms' } }\nhomes.cart = 'shared-store'\n\
         faults = [{ at = '1m', crash = 'server-1' }]\n",
        false,
    );
    let load = &figures(&report, 0).load;
    assert!(load.peak_to_mean < Some(1.02), "{load:?}");
}

#[test]
fn where_nothing_was_measured_nothing_is_printed() {
    let (report, text) = printed(
        "title = 'nobody'\nduration = '4m'\n\
         users = { count = 10, ramp = '0s', journey = ['login'], think = { constant = '10m' } }\n\
         columns = ['lost', 'latency', 'busiest', 'load.cv', 'price', 'fair-share']\nvariants = [{ name = 'a' }]\n",
        true,
    );
    let nobody = figures(&report, 0);
    if nobody.requests.sent == 0 {
        assert_eq!((&nobody.latency_ms, nobody.load.peak_to_mean), (&None, None));
    }
    assert!(!text.contains("0.0 ms") && !text.contains("0.00"), "{text}");
    let row = text.lines().find(|line| line.starts_with("1  a")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().skip(2).collect();
    assert!(cells.starts_with(&["–"]), "no carts were opened: {row}");
}

#[test]
fn a_region_without_adds_has_no_latency_of_adds() {
    let (report, text) = printed(
        "title = 'travel'\nduration = '1m'\n\
         users = { rate = 10, journey = ['browse', 'browse'], patience = 0, think = { constant = '1s' } }\n\
         servers = { count = 2, workers = 8 }\nhomes.cart = 'shared-store'\n\
         regions = { names = ['a', 'b'], round_trip = { others = '80ms' } }\ncolumns = ['add-by-region']\n",
        false,
    );
    assert!(!text.contains("0 / 0"), "{text}");
    let regions = figures(&report, 0).regions.as_ref().expect("by region");
    assert!(regions.values().all(|region| region.add_ms.is_none() && region.step_latency_ms.is_some()));
}
