//! Hidden state: invisible with one server, while with three each kind has its own symptom.

use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, HiddenFigures, figures};
use whatcart::scenario::{
    CartHome, Dist, Heavy, HiddenState, Lognormal, Positive, Scenario, StoreUpdate, Whole, library, load,
};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{end, fault, time};

/// A pool that is stateless except for one thing; its users are impatient, and one of them is greedy.
pub fn hiding(hidden: HiddenState) -> Scenario {
    let mut scenario = base();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.users.timeout = time(300);
    scenario.servers.service = Dist::Lognormal(Lognormal { median: time(20), sigma: Positive::of(1.2) });
    scenario.servers.workers = Whole::of(8);
    scenario.servers.hidden = hidden;
    let one = Whole::of(1);
    let heavy = Heavy { count: Some(Whole::of(1)), one_in: None, activity: Whole::of(100), cost: one, parallel: one };
    scenario.users.heavy = Some(heavy);
    scenario.hidden.cache.changes = time(5_000);
    scenario
}

/// A scenario for each kind.
pub fn all() -> impl Iterator<Item = Scenario> {
    ALL.into_iter().map(hiding)
}

fn played(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

fn of(hidden: HiddenState) -> (Figures, HiddenFigures) {
    let run = played(&hiding(hidden));
    let found = run.hidden.clone().expect("something is hidden");
    (run, found)
}

fn share(part: u64, whole: u64) -> f64 {
    let small = |n: u64| f64::from(u32::try_from(n).expect("few"));
    small(part) / small(whole)
}

const ALL: [HiddenState; 5] = [
    HiddenState::RateLimiter,
    HiddenState::CsrfToken,
    HiddenState::SigningKey,
    HiddenState::IdempotencyKey,
    HiddenState::Cache,
];

#[test]
fn one_server_hides_it_well() {
    for hidden in ALL {
        let mut scenario = hiding(hidden);
        scenario.servers.count = Whole::of(1);
        scenario.servers.workers = Whole::of(24);
        let run = played(&scenario);
        let found = run.hidden.expect("something is hidden");
        assert_eq!((found.forbidden, run.logged_out, run.double_charges), (0, 0, 0), "{hidden:?}");
        assert_eq!((found.over_limit, found.stale_pages, run.carts.lost), (0, 0, 0), "{hidden:?}");
        assert_eq!(found.too_many > 0, hidden == HiddenState::RateLimiter, "{hidden:?}");
        assert!(found.retried_checkouts > 0, "{hidden:?}");
    }
}

#[test]
fn each_kind_has_its_own_symptom() {
    for hidden in ALL {
        let (run, found) = of(hidden);
        let symptoms = [found.over_limit, found.forbidden, run.logged_out, run.double_charges, found.stale_pages];
        for (kind, symptom) in ALL.iter().zip(symptoms) {
            assert_eq!(symptom > 0, *kind == hidden, "{hidden:?}: {symptoms:?}");
        }
        assert_eq!(run.carts.lost, 0, "{hidden:?}");
    }
}

#[test]
fn nothing_hidden_nothing_counted() {
    assert_eq!(played(&hiding(HiddenState::None)).hidden, None);
}

#[test]
fn two_of_three_servers_do_not_know_the_form() {
    let (run, found) = of(HiddenState::CsrfToken);
    let posts = found.forbidden + run.carts.opened * 3;
    assert!((0.55..0.8).contains(&share(found.forbidden, posts)), "{found:?} of about {posts}");
    assert!(run.visits.abandoned_refused > 0);
}

/// After a crash the server does not know its own form either.
#[test]
fn a_crash_forgets_forms_and_keys() {
    use whatcart::scenario::{Affinity, CookieLife};
    for hidden in [HiddenState::CsrfToken, HiddenState::SigningKey] {
        let mut scenario = hiding(hidden);
        scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
        let symptom = |run: Figures| run.logged_out + run.hidden.map_or(0, |found| found.forbidden);
        assert_eq!(symptom(played(&scenario)), 0, "{hidden:?}");
        scenario.faults = vec![fault("crash", 2, 30_000, Some(1_000))];
        assert!(symptom(played(&scenario)) > 0, "{hidden:?}");
    }
}

#[test]
fn two_of_three_retried_checkouts_are_charged_twice() {
    for update in [StoreUpdate::Atomic, StoreUpdate::ReadModifyWrite] {
        let mut scenario = hiding(HiddenState::IdempotencyKey);
        scenario.duration = time(300_000);
        scenario.store.update = update;
        let run = played(&scenario);
        let retried = run.hidden.as_ref().expect("something is hidden").retried_checkouts;
        assert!(retried > 30 && (0.5..0.8).contains(&share(run.double_charges, retried)), "{retried}: {run:?}");
        assert_eq!((run.carts.lost, run.carts.overcharged), (0, 0));
    }
}

#[test]
fn a_limit_is_three_times_too_generous() {
    let accepted = |servers: u64| {
        let mut scenario = hiding(HiddenState::RateLimiter);
        scenario.servers.count = Whole::of(servers);
        scenario.servers.workers = Whole::of(24);
        scenario.hidden.rate.limit = Whole::of(2);
        let found = played(&scenario).hidden.expect("something is hidden");
        (found.over_limit, found.too_many)
    };
    let (one, three) = (accepted(1), accepted(3));
    assert_eq!(one.0, 0);
    assert!(three.0 > 60 && three.1 < one.1, "{one:?} {three:?}");
}

/// As the notes of the shipped scenario say: in staging, with one server, all designs are perfect.
#[test]
fn the_shipped_designs_are_perfect_with_one_server() {
    let entry = library::find("hidden-state").expect("it is shipped");
    let one = ["servers.count=1".to_owned(), "servers.workers=24".to_owned()];
    let loaded = load(entry.name, "hidden-state.toml", entry.text, &one, &[]).expect("a sound scenario");
    for variant in &loaded.variants {
        let run = played(&variant.scenario);
        let found = run.hidden.unwrap_or_default();
        let symptoms = [found.over_limit, found.forbidden, run.logged_out, run.double_charges, found.stale_pages];
        assert_eq!(symptoms, [0; 5], "{}", variant.name);
    }
}
