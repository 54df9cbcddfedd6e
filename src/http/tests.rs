//! The engine's sockets: what curl sees of a server, what a user sees of the balancer, and what happens when the other
//! end misbehaves.

mod balancer;
mod copies;
mod endings;
mod guests;
mod homes;
mod process_local;
mod runs;
mod servers;
mod stores;
pub(super) mod support;
mod users;

use crate::base::time::Span;
use crate::scenario::{Dist, Scenario, Time};

#[test]
fn the_speed_leaves_enough_real_time_to_measure() {
    let millis = Span::from_millis;
    let mut scenario = Scenario::house();
    scenario.duration = Time::of(millis(400_000));
    scenario.servers.service = Dist::Constant(Time::of(millis(1_000)));
    let faster = |scenario: &Scenario| format!("{:.0}x", super::default_speed(scenario));
    assert_eq!(faster(&scenario), "20x", "the run takes 20 s");
    scenario.servers.service = Dist::Constant(Time::of(millis(24)));
    assert_eq!(faster(&scenario), "12x", "service takes 2 ms");
    scenario.users.timeout = Time::of(millis(500));
    assert_eq!(faster(&scenario), "10x", "users wait for 50 ms");
    scenario.balancer.answer_timeout = Some(Time::of(millis(250)));
    assert_eq!(faster(&scenario), "5x", "the balancer waits for 50 ms");
    scenario.users.timeout = Time::of(millis(20));
    assert_eq!(faster(&scenario), "1x", "never slower than the scenario");
}
