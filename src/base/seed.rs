//! Keyed randomness: every draw is a function of the root seed and of its purpose and key.
//!
//! No generator is shared, so adding a user, a server or a fault does not change any other draw, and every variant of
//! a scenario has the same users. A key is mixed into a 64-bit state (two rounds of a 64x64->128 multiply, as in
//! wyhash). The state then serves as a small generator (wyrand) for samplers that need more than one word.

mod ziggurat;

use std::convert::Infallible;

use rand::{Rng as _, RngExt as _, TryRng};

use crate::base::time::Span;

/// The root seed of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

/// What a draw is for. Draws for different purposes are independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// How long a user thinks after a step.
    Think = 1,
    /// How much work a request causes for a server.
    Service,
    /// How long the shared store takes.
    Store,
    /// The random part of the balancer's pick.
    Pick,
    /// When a user first arrives, or the next new visitor does.
    Arrival,
    /// The phase of a server's health checks.
    HealthPhase,
    /// The points of a hash ring.
    Ring,
    /// The seed of the n-th of several runs.
    Run,
    /// Which of their files users download.
    File,
    /// How long the object store takes.
    Objects,
    /// The server of a user by modulo.
    Modulo,
    /// A server's bid for a user.
    Rendezvous,
    /// A server's permutation of the Maglev table.
    Maglev,
    /// When and where a random fault strikes, and how long the repair takes.
    Breakdown,
    /// When and where a user travels during a visit.
    Travel,
    /// When an instance is evicted.
    Eviction,
    /// How old a server's copy of the catalogue is when the shop opens.
    Cache,
    /// Whether a failing server fails a request.
    Failing,
    /// The order in which the answers to a question are offered.
    Choices,
}

/// What a draw belongs to, besides its purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// A user (with the tab in bits 32 to 47) or a server.
    pub entity: u64,
    /// The visit, counted per client.
    pub visit: u32,
    /// The step within the journey.
    pub step: u16,
    /// The request within the step, counted from 0.
    pub attempt: u16,
}

impl Key {
    /// The key of the draws for the balancer's `retries`-th retry of a request, so that each has its own luck. It uses the
    /// upper byte of the attempt, which users never reach.
    #[inline]
    #[must_use]
    pub fn of_retry(self, retries: u8) -> Key {
        Key { attempt: self.attempt | u16::from(retries) << 8, ..self }
    }
}

const MIX_A: u64 = 0xa076_1d64_78bd_642f;
const MIX_B: u64 = 0xe703_7ed1_a0b4_28db;
const MIX_C: u64 = 0x8ebc_6af0_9c88_c6e3;

/// The high and low half of the full product, folded: the mixing step of wyhash.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
const fn fold(a: u64, b: u64) -> u64 {
    let wide = (a as u128).wrapping_mul(b as u128);
    (wide >> 64) as u64 ^ wide as u64
}

impl Seed {
    /// The generator for one purpose and key.
    ///
    /// A factor of zero would erase the other factor. No factor can be zero: seeds and visits lack the top bit that is
    /// set in `MIX_A` and `MIX_C`, and entities lack bits 48 to 55, which are set in `MIX_B`.
    #[inline(always)]
    #[must_use]
    pub fn draw(self, purpose: Purpose, key: Key) -> Draw {
        let whose = key.entity ^ (purpose as u64) << 56;
        let place = u64::from(key.visit) << 32 | u64::from(key.step) << 16 | u64::from(key.attempt);
        let half = fold(self.0 ^ MIX_A, whose ^ MIX_B);
        Draw(fold(half ^ MIX_A, place ^ MIX_C))
    }

    /// The seed of run `index` of several; run 0 is the plain run.
    #[must_use]
    pub fn of_run(self, index: u32) -> Seed {
        if index == 0 {
            return self;
        }
        Seed(self.draw(Purpose::Run, Key { entity: u64::from(index), ..Key::default() }).bits() >> 1)
    }
}

/// A small random generator for one key.
#[derive(Clone, Copy, Debug)]
pub struct Draw(u64);

impl Draw {
    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(MIX_A);
        fold(self.0, self.0 ^ MIX_B)
    }

    /// A whole number from 0 to `bound - 1`, by multiply and shift; `bound` must not be 0.
    ///
    /// The bias is below `bound / 2^32`.
    #[inline]
    pub fn below(&mut self, bound: u32) -> u32 {
        debug_assert!(bound > 0, "there is no number below 0");
        (((self.bits() >> 32) * u64::from(bound)) >> 32) as u32
    }
}

impl TryRng for Draw {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.bits() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.bits())
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A memoryless time with this mean in nanoseconds, rounded down to whole ones. The mean need not be whole.
#[inline]
#[must_use]
pub fn exponential(mean: f64, draw: &mut Draw) -> Span {
    nanos(ziggurat::exponential(draw) * mean)
}

/// A distribution of durations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampler {
    /// Always the same.
    Constant(Span),
    /// Memoryless, with this mean.
    Exponential(Span),
    /// `median * exp(sigma * z)` with z standard normal.
    Lognormal {
        /// Half of the draws are below this.
        median: Span,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Uniform between two bounds.
    Uniform {
        /// The lower bound.
        from: Span,
        /// The upper bound.
        to: Span,
    },
}

impl Sampler {
    /// One draw, rounded down to whole nanoseconds.
    #[inline]
    #[must_use]
    pub fn sample(&self, draw: &mut Draw) -> Span {
        match *self {
            Sampler::Constant(span) => span,
            Sampler::Exponential(mean) => exponential(float(mean), draw),
            Sampler::Lognormal { median, sigma } => nanos(libm::exp(sigma * normal(draw)) * float(median)),
            Sampler::Uniform { from, to } => {
                let width = (to - from).as_nanos().saturating_add(1);
                let offset = (u128::from(draw.bits()) * u128::from(width)) >> 64;
                from + Span::from_nanos(u64::try_from(offset).unwrap_or(u64::MAX))
            }
        }
    }

    /// The mean, rounded down to whole nanoseconds.
    #[must_use]
    pub fn mean(&self) -> Span {
        match *self {
            Sampler::Constant(span) | Sampler::Exponential(span) => span,
            Sampler::Lognormal { median, sigma } => nanos(libm::exp(sigma * sigma / 2.0) * float(median)),
            Sampler::Uniform { from, to } => Span::from_nanos(u64::midpoint(from.as_nanos(), to.as_nanos())),
        }
    }
}

/// A standard normal draw (Box and Muller, 1958).
fn normal(draw: &mut Draw) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - draw.random::<f64>())).sqrt();
    radius * libm::cos(2.0 * std::f64::consts::PI * draw.random::<f64>())
}

/// Nanoseconds as a float: exact below 104 days. Signed, because processors convert signed integers in one step.
#[inline]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "as said")]
fn float(span: Span) -> f64 {
    span.as_nanos() as i64 as f64
}

/// A float that is not negative as whole nanoseconds; saturates after 292 years.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is never negative")]
fn nanos(x: f64) -> Span {
    Span::from_nanos(x as i64 as u64)
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
mod tests {
    use super::*;

    fn mean_and_deviation(sampler: Sampler) -> (f64, f64) {
        let n = 200_000;
        let draws = (0..n).map(|i| {
            let key = Key { entity: i / 100, visit: (i % 100) as u32, step: 3, attempt: 0 };
            sampler.sample(&mut Seed(7).draw(Purpose::Think, key)).as_secs_f64()
        });
        let (sum, squares) = draws.fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
        let mean = sum / n as f64;
        (mean, (squares / n as f64 - mean * mean).sqrt())
    }

    #[test]
    fn samplers_have_their_moments() {
        let second = Span::from_secs(1);
        let close = |(mean, deviation): (f64, f64), want_mean: f64, want_deviation: f64| {
            assert!((mean - want_mean).abs() < 0.01 * want_mean.max(1.0), "mean {mean}, not {want_mean}");
            assert!((deviation - want_deviation).abs() < 0.02, "deviation {deviation}, not {want_deviation}");
        };
        close(mean_and_deviation(Sampler::Constant(second)), 1.0, 0.0);
        close(mean_and_deviation(Sampler::Exponential(second)), 1.0, 1.0);
        close(mean_and_deviation(Sampler::Uniform { from: second, to: second * 3 }), 2.0, (1.0f64 / 3.0).sqrt());
        let sigma = 0.5f64;
        let mean = libm::exp(sigma * sigma / 2.0);
        let deviation = mean * (libm::exp(sigma * sigma) - 1.0).sqrt();
        let lognormal = Sampler::Lognormal { median: second, sigma };
        close(mean_and_deviation(lognormal), mean, deviation);
        assert!((lognormal.mean().as_secs_f64() - mean).abs() < 1e-6);
    }

    #[test]
    fn neighbouring_keys_are_unrelated() {
        let bits =
            |purpose, entity, visit, step, attempt| Seed(1).draw(purpose, Key { entity, visit, step, attempt }).bits();
        let base = bits(Purpose::Think, 5, 5, 5, 5);
        for other in [
            bits(Purpose::Service, 5, 5, 5, 5),
            bits(Purpose::Think, 6, 5, 5, 5),
            bits(Purpose::Think, 5, 6, 5, 5),
            bits(Purpose::Think, 5, 5, 6, 5),
            bits(Purpose::Think, 5, 5, 5, 6),
            Seed(2).draw(Purpose::Think, Key { entity: 5, visit: 5, step: 5, attempt: 5 }).bits(),
        ] {
            let differing = (base ^ other).count_ones();
            assert!((12..=52).contains(&differing), "only {differing} of 64 bits differ");
        }
    }

    #[test]
    fn no_key_is_forgotten() {
        use Purpose::{
            Arrival, Breakdown, Failing, File, HealthPhase, Maglev, Modulo, Objects, Pick, Rendezvous, Ring, Run,
            Service, Store, Think,
        };
        let others =
            [Think, Service, Store, Pick, Arrival, HealthPhase, Ring, Run, File, Objects, Modulo, Rendezvous, Maglev];
        let purposes = [&others[..], &[Breakdown, Failing]].concat();
        let mut all = std::collections::BTreeSet::new();
        for purpose in purposes.iter().copied() {
            for entity in 0..100 {
                for (visit, step) in [(0, 0), (1, 0), (0, 1)] {
                    all.insert(Seed(0).draw(purpose, Key { entity, visit, step, attempt: 0 }).bits());
                }
            }
        }
        assert_eq!(all.len(), purposes.len() * 100 * 3);
    }

    #[test]
    fn draws_are_the_same_for_ever() {
        // A change here changes every figure that anybody has printed; the changelog must say so.
        let mut draw = Seed(1).draw(Purpose::Think, Key { entity: 42, visit: 1, step: 2, attempt: 0 });
        let words = [draw.bits(), draw.bits()];
        let sampler = Sampler::Exponential(Span::from_secs(2));
        let think = sampler.sample(&mut Seed(1).draw(Purpose::Think, Key { entity: 42, ..Key::default() }));
        assert_eq!(words, [12_639_466_883_040_171_404, 15_276_622_363_433_654_546]);
        assert_eq!(think, Span::from_nanos(1_225_187_376));
    }
}
