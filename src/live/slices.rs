//! The slices into which a run is divided. Whether a run is over is only checked between slices.

use crate::base::time::{Instant, Span};
use crate::scenario::Scenario;

/// The number of slices.
const SLICES: u64 = 500;

/// The slices of a run. Everything that runs a simulation to its end must check at the same moments, because they
/// determine whether a fault that strikes after everybody has left still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    whole: Span,
}

impl Slices {
    /// The number of slices.
    pub const COUNT: u64 = SLICES;

    /// The slices of a run of this scenario.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Slices {
        Slices { whole: scenario.ends().since_start() }
    }

    /// The end of the last slice.
    #[must_use]
    pub fn end(self) -> Instant {
        Instant::ZERO + self.whole
    }

    fn end_of(self, number: u64) -> Instant {
        let nanos = u128::from(self.whole.as_nanos()) * u128::from(number) / u128::from(SLICES);
        Instant::from_nanos(u64::try_from(nanos).expect("at most the whole"))
    }

    /// The number of the first slice that ends after `now`.
    fn number_after(self, now: Instant) -> u64 {
        let later = (u128::from(now.as_nanos()) + 1) * u128::from(SLICES);
        let number = later.div_ceil(u128::from(self.whole.as_nanos()).max(1));
        u64::try_from(number).unwrap_or(SLICES).clamp(1, SLICES)
    }

    /// The end of the first slice that ends after `now`.
    #[must_use]
    pub fn next_after(self, now: Instant) -> Instant {
        self.end_of(self.number_after(now))
    }

    /// Whether a slice ends at this moment.
    #[must_use]
    pub fn is_end(self, now: Instant) -> bool {
        now >= self.end() || (now > Instant::ZERO && self.end_of(self.number_after(now) - 1) == now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_end_where_they_end() {
        for whole in [1, 7, 499, 500, 501, 180_000_000_000, 77_777_777_777] {
            let slices = Slices { whole: Span::from_nanos(whole) };
            let ends: Vec<Instant> = (1..=SLICES).map(|number| slices.end_of(number)).collect();
            assert_eq!((ends.len(), ends.last()), (500, Some(&slices.end())));
            for now in (0..whole.min(1_000)).chain(whole.saturating_sub(1_000)..whole).map(Instant::from_nanos) {
                assert_eq!(
                    Some(slices.next_after(now)),
                    ends.iter().copied().find(|end| *end > now),
                    "{whole} {now:?}"
                );
                let is_end = now > Instant::ZERO && ends.contains(&now);
                assert_eq!(slices.is_end(now), is_end, "{whole} {now:?}");
            }
            assert!(slices.is_end(slices.end()));
        }
    }
}
