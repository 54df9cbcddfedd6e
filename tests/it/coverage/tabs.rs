//! Users who do several steps at the same time.

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Step};
use whatcart::history::{Event, EventKind, Seen};
use whatcart::results::Figures;
use whatcart::scenario::{Affinity, CartHome, CookieLife, Journey, Scenario, StoreUpdate};
use whatcart::sim::Sim;

use super::base;
use super::copies::play;
use crate::support::worlds::end;

/// Two concurrent adds, a view, and the checkout.
fn two_tabs(cart: CartHome) -> Scenario {
    let mut scenario = base();
    let mut journey = Journey::from(vec![Step::Login]);
    journey.push_at_once(&[Step::Add, Step::Add]);
    journey.push(Step::View);
    journey.push(Step::Checkout);
    scenario.users.journey = journey;
    scenario.homes.cart = cart;
    scenario
}

fn lost_share(figures: &Figures) -> f64 {
    assert_eq!(figures.carts.lost, figures.lost_by.overwritten, "{figures:#?}");
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = figures.carts.lost as f64 / figures.carts.opened as f64;
    share
}

/// Both are sent at the same time, and the next step waits for both.
#[test]
fn a_moment_is_over_when_all_is_answered() {
    let scenario = two_tabs(CartHome::SharedStore);
    let mut events: Vec<Event> = Vec::new();
    Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
    let mut out = std::collections::BTreeMap::new();
    let mut pairs = 0;
    for event in events {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(request)) => {
                let waiting: &mut Vec<_> = out.entry(visit).or_default();
                let together = |(at, command): &(_, Command)| {
                    *at == event.at && matches!((command, request.command), (Command::Add(_), Command::Add(_)))
                };
                assert!(waiting.iter().all(together), "{request:?} while {waiting:?} are out");
                pairs += waiting.len();
                waiting.push((event.at, request.command));
            }
            EventKind::Seen(visit, Seen::Told { request, .. }) => {
                out.get_mut(&visit).expect("sent").retain(|(_, command)| *command != request.command);
            }
            _ => {}
        }
    }
    assert!(pairs > 100);
}

#[test]
fn what_is_copied_is_overwritten_and_what_is_changed_in_place_is_not() {
    let token = play(&two_tabs(CartHome::SignedToken));
    assert!(lost_share(&token) > 0.99, "both answers carry a whole cart: {token:#?}");
    let mut scenario = two_tabs(CartHome::SharedStore);
    assert_eq!(play(&scenario).carts.lost, 0, "one call changes what is there");
    scenario.store.update = StoreUpdate::ReadModifyWrite;
    let rewritten = lost_share(&play(&scenario));
    assert!(rewritten > 0.9, "{rewritten}");
    let mut scenario = two_tabs(CartHome::ServerMemory);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    // A first-time visitor is unbound only until the login is answered.
    assert_eq!(play(&scenario).carts.lost, 0);
}

/// A view that is in flight during the checkout brings the old token back, if it is answered later.
#[test]
fn an_old_token_comes_back_after_the_checkout() {
    let mut scenario = base();
    let mut journey = Journey::from(vec![Step::Login, Step::Add, Step::Add]);
    journey.push_at_once(&[Step::Checkout, Step::View]);
    journey.push(Step::View);
    scenario.users.journey = journey;
    scenario.homes.cart = CartHome::SignedToken;
    let figures = play(&scenario);
    let share = figures.ghosts * 100 / (2 * figures.carts.opened);
    assert!((35..65).contains(&share), "{share} % of the items, {figures:#?}");
    assert_eq!((figures.carts.lost, figures.double_charges), (0, 0));
    scenario.homes.cart = CartHome::SharedStore;
    assert_eq!(play(&scenario).ghosts, 0);
}
