//! The shared store fails, loses data, is full, and lets carts expire; and logins that depend on it.

use whatcart::base::seed::Seed;
use whatcart::base::{Step, UserId};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{CartHome, Forgets, Scenario, SessionHome, StoreMemory, StoreUpdate, WhenFull, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{at_ms, end, exponential, fault, ms, time};

fn play(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

/// Carts and logins in a store whose calls take long enough to be interrupted.
fn stored() -> Scenario {
    let mut scenario = base();
    scenario.homes.cart = CartHome::SharedStore;
    scenario.homes.session = SessionHome::SharedStore;
    scenario.store.latency = exponential(40_000);
    scenario
}

fn broken(verb: &str, forgets: Forgets, lasting: Option<u64>) -> Scenario {
    let mut scenario = stored();
    scenario.store.durability_window = forgets;
    scenario.faults = vec![fault(verb, 1, 20_000, lasting)];
    scenario
}

fn crammed(when_full: WhenFull) -> Scenario {
    let mut scenario = stored();
    scenario.store.memory = Some(StoreMemory { carts: Whole::of(20), when_full });
    scenario
}

fn short_lived() -> Scenario {
    let mut scenario = stored();
    scenario.store.ttl = Some(time(2_000));
    scenario
}

/// Everybody logs out, and somebody replays a copy of the session three times.
fn haunted(session: SessionHome) -> Scenario {
    use Step::{Add, Browse, Checkout, Login, Logout, ReplayToken};
    let mut scenario = base();
    scenario.homes.session = session;
    scenario.users.journey =
        vec![Login, Browse, Browse, Browse, Add, Checkout, Logout, ReplayToken, ReplayToken, ReplayToken].into();
    scenario.tokens.lifetime = time(5_000);
    scenario.tokens.leeway = time(1_000);
    scenario
}

/// The scenarios that [`super::everything_is_met`] needs.
pub fn all() -> Vec<Scenario> {
    vec![
        broken("outage", Forgets::NOTHING, Some(3_000)),
        broken("outage", Forgets::NOTHING, None),
        broken("failover", Forgets::Last(ms(2_000)), Some(500)),
        broken("store restart", Forgets::Everything, None),
        crammed(WhenFull::Evict),
        crammed(WhenFull::Refuse),
        short_lived(),
        haunted(SessionHome::SignedToken),
    ]
}

/// An outage costs refusals and patience, but never an acknowledged cart.
#[test]
fn an_outage_loses_nothing_and_stops_everybody() {
    for connections in [None, Some(Whole::of(3))] {
        let mut scenario = broken("outage", Forgets::NOTHING, Some(8_000));
        scenario.store.connections = connections;
        let figures = play(&scenario);
        assert_eq!((figures.carts.lost, figures.carts.overcharged, figures.wrong_views, figures.ghosts), (0, 0, 0, 0));
        assert!(figures.visits.abandoned_refused > 30, "{:#?}", figures.visits);
        assert!(figures.requests.failed > 0, "some calls were under way");
        assert_eq!(figures.logged_out, 0, "a look-up that cannot be made says nothing about the session");
        assert_eq!(figures.requests.timed_out, 0, "calls are refused at once");
    }
}

/// A token needs no look-up: with logins in tokens, users who only browse do not notice an outage.
#[test]
fn whoever_needs_no_store_notices_no_outage() {
    let mut scenario = broken("outage", Forgets::NOTHING, None);
    scenario.users.journey = vec![Step::Login, Step::Browse, Step::Browse].into();
    assert!(play(&scenario).requests.refused > 50);
    scenario.homes.session = SessionHome::SignedToken;
    let figures = play(&scenario);
    assert_eq!((figures.requests.refused, figures.requests.failed), (0, 0));
}

/// What is lost was acknowledged during the window, and the loss is attributed to the fault.
#[test]
fn a_failover_takes_the_last_moment() {
    for update in [StoreUpdate::Atomic, StoreUpdate::ReadModifyWrite] {
        let figures = |forgets| {
            let mut scenario = broken("failover", forgets, None);
            scenario.store.update = update;
            play(&scenario)
        };
        let taken = figures(Forgets::Last(ms(1_000)));
        let longer = figures(Forgets::Last(ms(3_000)));
        let all = figures(Forgets::Everything);
        let durable = figures(Forgets::NOTHING);
        assert_eq!((durable.carts.lost, durable.logged_out), (0, 0));
        for one in [&taken, &longer, &all] {
            assert_eq!(one.carts.lost, one.lost_by.rolled_back);
            assert_eq!(one.carts.lost, one.faults[0].lost_of_open, "all of them were open then");
            assert!(one.logged_out > 0, "sessions are forgotten too");
        }
        assert!(0 < taken.carts.lost && taken.carts.lost < longer.carts.lost && longer.carts.lost < all.carts.lost);
    }
}

/// Carts are lost silently, or users are refused; or neither, if there is room.
#[test]
fn a_full_store_evicts_or_refuses() {
    let evicting = play(&crammed(WhenFull::Evict));
    assert!(evicting.lost_by.evicted > 20, "{:#?}", evicting.lost_by);
    assert_eq!((evicting.carts.lost, evicting.requests.refused), (evicting.lost_by.evicted, 0));
    let refusing = play(&crammed(WhenFull::Refuse));
    assert_eq!(refusing.carts.lost, 0);
    assert!(refusing.visits.abandoned_refused > 20, "{:#?}", refusing.visits);
    let mut scenario = crammed(WhenFull::Evict);
    for (carts, ttl) in [(60, None), (60, Some(time(120_000)))] {
        scenario.store.memory = Some(StoreMemory { carts: Whole::of(carts), when_full: WhenFull::Evict });
        scenario.store.ttl = ttl;
        assert_eq!(play(&scenario).carts.lost, 0, "at most one cart a user");
    }
}

/// Abandoned carts stay: they fill a store that refuses, until their TTL passes.
#[test]
fn abandoned_carts_take_room_until_they_expire() {
    let mut scenario = crammed(WhenFull::Refuse);
    scenario.duration = time(180_000);
    scenario.users.patience = Whole::of(0);
    scenario.users.timeout = time(150);
    scenario.store.memory = Some(StoreMemory { carts: Whole::of(80), when_full: WhenFull::Refuse });
    let filled = play(&scenario);
    scenario.store.ttl = Some(time(20_000));
    let cleared = play(&scenario);
    assert!(filled.carts.intact * 2 < cleared.carts.intact, "{:#?} {:#?}", filled.carts, cleared.carts);
}

#[test]
fn a_cart_expires_after_its_last_write() {
    let figures = play(&short_lived());
    assert!(figures.lost_by.expired > 20, "{:#?}", figures.lost_by);
    assert_eq!(figures.carts.lost, figures.lost_by.expired);
    let mut scenario = short_lived();
    scenario.store.ttl = Some(time(600_000));
    assert_eq!(play(&scenario).carts.lost, 0);
}

/// Zombie logins end if sessions are looked up, which has a price.
#[test]
fn zombies_end_where_logouts_are_looked_up() {
    let [memory, store, token, cookie] =
        [SessionHome::ServerMemory, SessionHome::SharedStore, SessionHome::SignedToken, SessionHome::UnsignedCookie]
            .map(haunted);
    let renewed = |deny_list| {
        let mut scenario = token.clone();
        scenario.tokens.refresh = true;
        scenario.tokens.deny_list = deny_list;
        scenario
    };
    let (refresh, both) = (renewed(false), renewed(true));
    let mut denied = token.clone();
    denied.tokens.lifetime = time(900_000);
    let long = denied.clone();
    denied.tokens.deny_list = true;
    let judged = [memory, store, token, cookie, refresh, both, denied, long].map(|scenario| {
        let figures = play(&scenario);
        let replays = figures.replays.expect("they are in the journey");
        assert!(replays > 100, "{replays}");
        (figures.zombie_logins, replays, figures)
    });
    let [memory, store, token, cookie, refresh, both, denied, long] = &judged;
    for none in [memory, store, both, denied] {
        assert_eq!(none.0, 0);
    }
    for some in [token, refresh] {
        assert!(0 < some.0 && some.0 < some.1, "{} of {}: until the token's time is over", some.0, some.1);
    }
    for all in [cookie, long] {
        assert_eq!(all.0, all.1);
    }
    assert!(token.2.logged_out > 0 && refresh.2.logged_out == 0, "a token that is renewed logs nobody out");
    let calls =
        [token, refresh, denied, store].map(|(.., figures)| figures.price.store_calls_per_request.expect("requests"));
    assert!(calls[0] < calls[1] && calls[1] < calls[2] && calls[2] <= calls[3], "{calls:?}");
}

/// A deny list that is lost denies nothing: replayed sessions are accepted again.
#[test]
fn a_store_that_forgets_wakes_the_dead() {
    let mut scenario = haunted(SessionHome::SignedToken);
    scenario.tokens.lifetime = time(900_000);
    scenario.tokens.deny_list = true;
    scenario.faults = vec![fault("store restart", 1, 30_000, None)];
    assert_eq!(play(&scenario).zombie_logins, 0);
    scenario.store.durability_window = Forgets::Everything;
    assert!(play(&scenario).zombie_logins > 0);
}

/// A fault that is injected later does what it would have done if it had been known from the start.
#[test]
fn an_outage_may_come_as_a_surprise() {
    let planned = broken("outage", Forgets::NOTHING, Some(3_000));
    let mut surprised = planned.clone();
    surprised.faults.clear();
    let (mut one, mut other) = (Sim::new(&planned, Seed(3)), Sim::new(&surprised, Seed(3)));
    let (mut seen, mut met) = (Vec::new(), Vec::new());
    one.advance(end(&planned), &mut seen);
    other.advance(at_ms(19_990), &mut met);
    let sudden = whatcart::operations::faults::timeline(&planned).remove(0);
    other.inject(sudden);
    other.advance(end(&planned), &mut met);
    assert!(seen == met, "{} and {} events", seen.len(), met.len());
}
