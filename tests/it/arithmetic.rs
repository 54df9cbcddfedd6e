//! Figures agree with arithmetic: queueing theory, shares of lost carts, and Little's law.
//!
//! Each figure is measured with several seeds. The theoretical value must lie in the 99.9 % interval of their mean, and
//! that interval must be narrow enough to be meaningful.

mod hashing;
mod loss;
mod queues;
mod warm_up;

use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::base::time::Instant;
use whatcart::judging::observer::Observer;
use whatcart::scenario::{Scenario, Time};
use whatcart::sim::Sim;

use crate::support::worlds::end;

/// A mean over several seeds, and half of its 99.9 % interval.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    mean: f64,
    half: f64,
}

/// Two-sided 99.9 % quantiles of Student's t, by degrees of freedom from 1.
const STUDENT: [f64; 30] = [
    636.62, 31.60, 12.92, 8.610, 6.869, 5.959, 5.408, 5.041, 4.781, 4.587, 4.437, 4.318, 4.221, 4.140, 4.073, 4.015,
    3.965, 3.922, 3.883, 3.850, 3.819, 3.792, 3.768, 3.745, 3.725, 3.707, 3.690, 3.674, 3.659, 3.646,
];

#[expect(clippy::cast_precision_loss, reason = "statistics")]
fn estimate(samples: &[f64]) -> Estimate {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let student = STUDENT[(samples.len() - 2).min(STUDENT.len() - 1)];
    Estimate { mean, half: student * (variance / n).sqrt() }
}

/// Asserts that theory lies in the interval, widened by the rounding of the reference, and that the interval is narrow.
fn assert_agrees(what: &str, got: Estimate, theory: f64, rounded: f64, narrow: f64) {
    println!("{what}: theory {theory:.4}, measured {:.4} ± {:.4}", got.mean, got.half);
    assert!((got.mean - theory).abs() <= got.half + rounded, "{what}: {theory:.4} is not in {got:?}");
    assert!(got.half <= narrow * theory, "{what}: {got:?} says too little about {theory:.4}");
}

/// The mean latency in milliseconds over several seeds, without the first part of each run.
fn mean_latency(scenario: &Scenario, seeds: u64, from: Instant) -> Estimate {
    let scenario = Scenario { warm_up: Some(Time::of(from - Instant::ZERO)), ..scenario.clone() };
    let mean = |seed| {
        let mut sim = Sim::new(&scenario, Seed(seed));
        let mut observer = Observer::new(&scenario, None, UserId(42));
        sim.advance(end(&scenario), &mut observer);
        assert!(sim.is_over(), "everybody has left");
        let requests = observer.meter.requests();
        assert_eq!(requests.refused + requests.failed + requests.timed_out, 0, "{requests:?}");
        observer.meter.latency().mean_ms()
    };
    estimate(&(1..=seeds).map(mean).collect::<Vec<_>>())
}
