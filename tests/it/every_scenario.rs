//! Laws that every scenario of the library keeps, whatever is changed, and what the library covers as a whole.

mod patches;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use whatcart::base::seed::Seed;
use whatcart::experiment::survey;
use whatcart::judging::post_mortem::Cause;
use whatcart::operations::faults;
use whatcart::results::Figures;
use whatcart::results::expectations::{Observed, verdicts};
use whatcart::results::tree::Tree;
use whatcart::scenario::{Loaded, library, load};

use crate::coverage::{cause, fault_kind};

/// A scenario of the library with fewer users, so that a run of it is quick.
fn small(entry: &library::Entry, users: u32, more: &[String]) -> Option<Loaded> {
    let crowd = |key: &str| load(entry.name, entry.name, entry.text, &with(more, key), &[]).ok();
    let base = &load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name).base;
    match base.users.rate {
        None => crowd(&format!("users.count={users}")),
        Some(_) => crowd(&format!("users.rate={}", f64::from(users) / 16.0)),
    }
}

fn with(more: &[String], one: &str) -> Vec<String> {
    more.iter().cloned().chain([one.to_owned()]).collect()
}

fn played(scenarios: &[Loaded], seeds: u32) -> Vec<Vec<(u64, Vec<Figures>)>> {
    let surveys = survey(scenarios, seeds, &AtomicBool::new(false), &|_| ()).expect("they go on");
    surveys.into_iter().map(|survey| survey.seeds).collect()
}

/// What is impossible stays impossible over a hundred seeds: claims of the form `figure == 0`. (The release build
/// checks all claims, with all users, over many seeds.)
#[test]
fn the_impossible_never_happens() {
    for entry in library::all() {
        let Some(mut loaded) = small(entry, 20, &[]) else { continue };
        loaded.base.expect.retain(|expect| expect.that.trim_end().ends_with("== 0"));
        let about = |name: &str| {
            loaded.base.expect.iter().any(|expect| expect.variant.as_deref().is_none_or(|about| about == name))
        };
        let keep: Vec<bool> = loaded.variants.iter().map(|variant| about(&variant.name)).collect();
        let mut keep = keep.into_iter();
        loaded.variants.retain(|_| keep.next().expect("as many"));
        // With more than one user it would be another design.
        loaded.variants.retain(|variant| !variant.name.ends_with("one user"));
        for (seed, runs) in &played(std::slice::from_ref(&loaded), 100)[0] {
            let observed: Vec<Observed> =
                loaded.variants.iter().zip(runs).map(|(variant, run)| Observed::of(&variant.name, run)).collect();
            for verdict in verdicts(&loaded.base.expect, &observed).expect("claims") {
                assert!(verdict.passed, "{}, seed {seed}: {verdict:?}", entry.name);
            }
        }
    }
}

/// Causes of loss that no scenario may ever have.
const NOT_YET: [&str; 1] = ["unexplained"];

/// Kinds of faults that no scenario has: one in which nothing comes back teaches nothing more, and servers are revived by
/// hand only.
const NEVER: [&str; 9] = [
    "a revival",
    "a crash for good",
    "a vanishing for good",
    "slow for good",
    "failing for good",
    "slow for a while",
    "a store outage for good",
    "cut off for good",
    "a region dark for good",
];

/// One `check` of the library covers every cause of loss and every kind of fault.
#[test]
fn the_library_shows_every_cause_and_every_fault() {
    let scenarios: Vec<Loaded> = library::all().iter().filter_map(|entry| small(entry, 300, &[])).collect();
    let mut met: BTreeMap<&str, u64> = crate::coverage::causes_and_faults().into_iter().map(|name| (name, 0)).collect();
    for scenario in scenarios.iter().flat_map(|loaded| &loaded.variants).map(|variant| &variant.scenario) {
        for fault in faults::of_run(scenario, Seed(1)) {
            *met.entry(fault_kind(&fault.kind)).or_default() += 1;
        }
    }
    for (_, runs) in played(&scenarios, 1).iter().flatten() {
        for (path, count) in runs.iter().flat_map(|figures| Tree::of(&figures.lost_by).by_path()) {
            let found = Cause::ALL.iter().find(|cause| format!("{cause:?}").to_lowercase() == path.replace('_', ""));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of carts")]
            {
                *met.entry(cause(found.expect("a cause for each figure"))).or_default() += count as u64;
            }
        }
    }
    let wanted = |name: &&str| !NEVER.contains(name) && !NOT_YET.contains(name);
    let missing: Vec<&str> = met.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).filter(wanted).collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}; met: {met:#?}");
}
