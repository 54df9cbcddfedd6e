//! The exponential distribution by the ziggurat method (Marsaglia and Tsang, "The Ziggurat Method for Generating Random
//! Variables", 2000): 256 layers of equal area under e^-x. Nearly every draw is one multiplication and one comparison.
//!
//! The tables are computed with the `libm` crate, so they are the same on every platform.

use std::sync::LazyLock;

use rand::RngExt as _;

use super::Draw;

const LAYERS: usize = 256;
/// Where the tail begins.
const R: f64 = 7.697_117_470_131_05;
/// The area of each layer, the tail included in the lowest.
const AREA: f64 = 0.003_949_659_822_581_557;

struct Tables {
    /// Right edges of the layers, from the lowest to the top, which ends at 0.
    x: [f64; LAYERS + 1],
    /// e^-x of these.
    y: [f64; LAYERS + 1],
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut x = [0.0; LAYERS + 1];
    x[0] = AREA / libm::exp(-R);
    x[1] = R;
    for i in 2..LAYERS {
        x[i] = -libm::log(libm::exp(-x[i - 1]) + AREA / x[i - 1]);
    }
    Tables { x, y: x.map(|x| libm::exp(-x)) }
});

/// An exponential draw with mean 1.
#[inline]
pub fn exponential(draw: &mut Draw) -> f64 {
    let tables = &*TABLES;
    let bits = draw.bits();
    // The lowest bits select the layer, the 53 highest the position in it.
    let layer = (bits & 0xff) as usize;
    let x = unit(bits) * tables.x[layer];
    if x < tables.x[layer + 1] { x } else { outside(draw, tables, layer, x) }
}

/// A number in [0, 1) from the 53 highest bits.
#[inline]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "53 bits are exact, and positive")]
fn unit(bits: u64) -> f64 {
    // Signed integers convert to floats in one step.
    (bits >> 11) as i64 as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A point that the layer above does not cover: it may be under the curve, or in the tail.
#[cold]
fn outside(draw: &mut Draw, tables: &Tables, layer: usize, x: f64) -> f64 {
    if layer == 0 {
        return R - libm::log(1.0 - draw.random::<f64>());
    }
    let height = tables.y[layer] + draw.random::<f64>() * (tables.y[layer + 1] - tables.y[layer]);
    if height < libm::exp(-x) { x } else { exponential(draw) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::seed::{Key, Purpose, Seed};

    /// The share of draws beyond x is e^-x, within the layers, at their edges and in the tail.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "statistics")]
    fn the_whole_distribution_is_right() {
        let n = 2_000_000u32;
        let mut draw = Seed(3).draw(Purpose::Think, Key::default());
        let draws: Vec<f64> = (0..n).map(|_| exponential(&mut draw)).collect();
        for x in [0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, R, 8.5] {
            let share = draws.iter().filter(|draw| **draw > x).count() as f64 / f64::from(n);
            let want = libm::exp(-x);
            let deviation = (want * (1.0 - want) / f64::from(n)).sqrt();
            assert!((share - want).abs() < 4.5 * deviation, "beyond {x}: {share}, not {want}");
        }
    }

    #[test]
    fn layers_have_equal_areas() {
        let tables = &*TABLES;
        for layer in 1..LAYERS {
            let area = tables.x[layer] * (tables.y[layer + 1] - tables.y[layer]);
            assert!((area / AREA - 1.0).abs() < 1e-9, "layer {layer}: {area}");
        }
    }
}
