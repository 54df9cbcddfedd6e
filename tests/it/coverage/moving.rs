//! Carts that move to the store while users shop.

use whatcart::results::Figures;
use whatcart::scenario::{Affinity, CartHome, CookieLife, Migration, MigrationWay, Scenario, Whole};

use super::base;
use super::copies::play;
use crate::support::worlds::time;

fn moving(how: MigrationWay, from: Option<u64>) -> Scenario {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(150));
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    let to = CartHome::SharedStore;
    scenario.migration = Some(Migration { at: time(30_000), to, how, from: from.map(time) });
    scenario
}

pub fn big_bang() -> Scenario {
    moving(MigrationWay::BigBang, None)
}

pub fn read_through() -> Scenario {
    moving(MigrationWay::ReadThrough, None)
}

fn calls(figures: &Figures) -> f64 {
    figures.price.store_calls_per_second
}

#[test]
fn each_way_loses_what_it_must() {
    let big_bang = play(&big_bang());
    let met = &big_bang.faults[0];
    assert!(met.open_carts > 30 && met.lost_of_open + 3 >= met.open_carts, "all that were open: {met:?}");
    assert_eq!(big_bang.carts.lost, big_bang.lost_by.wiped);
    assert!(met.losses_lasted_s.is_some_and(|s| (2.0..30.0).contains(&s)), "{met:?}");
    let late = play(&moving(MigrationWay::DualWrite, Some(29_000)));
    let early = play(&moving(MigrationWay::DualWrite, Some(5_000)));
    assert!(late.carts.lost > 3 && late.carts.lost < big_bang.carts.lost, "{late:#?}");
    assert_eq!((early.carts.lost, early.faults[0].losses_lasted_s), (0, Some(0.0)));
    let through = play(&read_through());
    assert_eq!((through.carts.lost, through.wrong_views), (0, 0));
    assert!(calls(&early) > calls(&late) && calls(&through) > calls(&big_bang), "the gain has a price");
}
