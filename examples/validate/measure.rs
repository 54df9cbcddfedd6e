//! Means over seeds, with their intervals; seeds on all cores.

use rayon::prelude::*;
use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, Moment, figures};
use whatcart::scenario::{Scenario, Time};
use whatcart::sim::Sim;

use crate::Estimate;

/// Quantiles of Student's t for a two-sided 99.9 %, by degrees of freedom from 1.
const STUDENT: [f64; 30] = [
    636.62, 31.60, 12.92, 8.610, 6.869, 5.959, 5.408, 5.041, 4.781, 4.587, 4.437, 4.318, 4.221, 4.140, 4.073, 4.015,
    3.965, 3.922, 3.883, 3.850, 3.819, 3.792, 3.768, 3.745, 3.725, 3.707, 3.690, 3.674, 3.659, 3.646,
];

/// The mean of a figure over so many seeds.
pub fn over(seeds: u64, of: impl Fn(u64) -> f64 + Sync + Send) -> Estimate {
    let samples: Vec<f64> = (1..=seeds).into_par_iter().map(of).collect();
    estimate(&samples)
}

#[expect(clippy::cast_precision_loss, reason = "a number of seeds")]
fn estimate(samples: &[f64]) -> Estimate {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let student = STUDENT[(samples.len() - 2).min(STUDENT.len() - 1)];
    Estimate { mean, half: student * (variance / n).sqrt() }
}

/// When everybody has left.
pub fn end(scenario: &Scenario) -> Instant {
    Instant::ZERO + scenario.duration.get() + scenario.closing.get()
}

/// The figures of one run.
pub fn run(scenario: &Scenario, seed: u64) -> Figures {
    let mut sim = Sim::new(scenario, Seed(seed));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(42));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, Moment { now: sim.now(), awaited: sim.view().awaited }, sim.faults())
}

/// The mean latency of requests sent after `warm_up`, in milliseconds.
pub fn latency_ms(scenario: &Scenario, seed: u64, warm_up: Span) -> f64 {
    let scenario = Scenario { warm_up: Some(Time::of(warm_up)), ..scenario.clone() };
    run(&scenario, seed).latency_ms.expect("requests").mean
}
