//! Student's t distribution.

use std::f64::consts::FRAC_2_PI;

/// Enough bisection steps for the precision of a float.
const HALVINGS: usize = 70;

/// The value that Student's t with this many degrees of freedom exceeds with probability `tail`, which is between 0 and
/// 0.5. A 95 % interval has a tail of 0.025 at each end.
///
/// Computed by bisection on the closed form of the distribution for integer degrees of freedom. Every step gives the
/// same result on every machine.
#[must_use]
pub(super) fn quantile(freedom: usize, tail: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while beyond(high, freedom) > tail {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if beyond(middle, freedom) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The probability of exceeding `t`: Abramowitz and Stegun, 26.7.3 and 26.7.4.
#[expect(clippy::cast_precision_loss, reason = "degrees of freedom")]
fn beyond(t: f64, freedom: usize) -> f64 {
    let v = freedom as f64;
    let cos2 = v / (v + t * t);
    let sin = t / (v + t * t).sqrt();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cos2.sqrt() } else { 1.0 };
    let mut sum = 0.0;
    for i in 1..=freedom / 2 {
        sum += term;
        let i = 2.0 * i as f64;
        term *= cos2 * if odd { i / (i + 1.0) } else { (i - 1.0) / i };
    }
    let within = if odd { FRAC_2_PI * (libm::atan(t / v.sqrt()) + sin * sum) } else { sin * sum };
    0.5 * (1.0 - within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64) {
        assert!((found / wanted - 1.0).abs() < 2e-4, "{found}, not {wanted}");
    }

    /// The values in every textbook's table: 95 %, 99 %, 99.9 %, two-sided.
    #[test]
    fn it_meets_the_tables() {
        for (freedom, t) in
            [(1, 12.706), (2, 4.3027), (9, 2.2622), (30, 2.0423), (31, 2.0395), (60, 2.0003), (120, 1.9799)]
        {
            near(quantile(freedom, 0.025), t);
        }
        for (freedom, t) in [(1, 63.657), (2, 9.9248), (5, 4.0321), (10, 3.1693), (30, 2.7500), (120, 2.6174)] {
            near(quantile(freedom, 0.005), t);
        }
        for (freedom, t) in [(1, 636.619), (2, 31.5991), (5, 6.8688), (10, 4.5869), (30, 3.6460), (120, 3.3735)] {
            near(quantile(freedom, 0.0005), t);
        }
    }

    /// Far out in the tail, where corrections for many comparisons lead: with two degrees of freedom the quantile has a
    /// closed form, and with many it approaches the normal quantile.
    #[test]
    fn it_holds_far_out() {
        for tail in [1e-4, 1e-6, 1e-8] {
            let part: f64 = 1.0 - 2.0 * tail;
            near(quantile(2, tail), part * (2.0 / (1.0 - part * part)).sqrt());
        }
        near(quantile(1, 1e-6), 318_309.886);
        near(quantile(100_000, 1e-5), 4.26489 * (1.0 + (4.26489 * 4.26489 + 1.0) / 4e5));
    }
}
