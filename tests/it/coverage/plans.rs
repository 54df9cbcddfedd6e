//! Deploys, changes of the pool's size, an autoscaler, users who join.

use whatcart::scenario::{
    Affinity, Autoscaler, CookieLife, Deploy, Fault, First, Join, Positive, Scale, ScaleTo, Scenario, Strategy, Whole,
};

use super::base;
use crate::support::worlds::{exponential, fault, time};

/// A fault that is a plan.
pub fn plan(at: u64) -> Fault {
    Fault { crash: None, ..fault("crash", 1, at, None) }
}

pub fn deploy(at: u64, strategy: Strategy, drain: u64, surge: Option<u64>) -> Fault {
    let surge = surge.map(Whole::of);
    Fault {
        deploy: Some(Deploy { strategy, drain: time(drain), surge, unavailable: None, in_place: false }),
        ..plan(at)
    }
}

pub fn scale(at: u64, to: u64, drain: u64, first: First) -> Fault {
    Fault { scale: Some(ScaleTo(Scale { to: Whole::of(to), drain: time(drain), first })), ..plan(at) }
}

pub fn join(at: u64, to: u64, over: u64) -> Fault {
    Fault { join: Some(Join { to: Some(Whole::of(to)), rate_to: None, over: time(over) }), ..plan(at) }
}

/// A shop where everything is planned.
pub fn busy() -> Scenario {
    let mut scenario = base();
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario.servers.service = exponential(60_000);
    scenario.servers.boot = time(2_000);
    scenario.autoscaler = Some(Autoscaler {
        target: Positive::of(0.5),
        min: Whole::of(2),
        max: Whole::of(6),
        interval: time(3_000),
        cool_down: time(5_000),
        drain: time(1_000),
        first: First::Oldest,
    });
    scenario.faults = vec![
        deploy(10_000, Strategy::Rolling, 500, Some(1)),
        scale(12_000, 5, 0, First::Newest),
        join(35_000, 120, 3_000),
        deploy(40_000, Strategy::AllAtOnce, 0, None),
    ];
    scenario
}
