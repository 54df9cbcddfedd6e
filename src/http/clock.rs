//! The run's clock: scenario time, which runs at a fixed multiple of real time.

use std::future::Future;
use std::time::Duration;

use futures_timer::Delay;

use crate::base::time::{Instant, Span};

/// Scenario time, derived from the machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
    speed: f64,
}

impl Clock {
    /// Starts at 0 and runs `speed` scenario seconds per real second.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where real time is read")]
    pub fn start(speed: f64) -> Clock {
        Clock { start: std::time::Instant::now(), speed }
    }

    /// The current scenario time.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.played(self.start.elapsed())
    }

    /// How much scenario time passes in a span of real time.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturates")]
    pub fn played(&self, real: Duration) -> Span {
        Span::from_nanos((real.as_secs_f64() * self.speed * 1e9) as u64)
    }

    /// How much real time a span of scenario time takes.
    #[must_use]
    pub fn real(&self, span: Span) -> Duration {
        Duration::try_from_secs_f64(span.as_secs_f64() / self.speed).unwrap_or(A_DAY).min(A_DAY)
    }

    /// Sleeps until a moment of the scenario, to within a tenth of a millisecond. Tokio's own timers count whole
    /// milliseconds and round up, so a service of 3 ms would take a third longer.
    pub async fn sleep_until(&self, at: Instant) {
        let ahead = at - self.now();
        if ahead > Span::ZERO {
            Delay::new(self.real(ahead)).await;
        }
    }

    /// The output of a future, or `None` if the moment comes first. Accurate to a millisecond, and cheap: for timeouts,
    /// which rarely fire.
    pub async fn before<T>(&self, at: Instant, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.real(at - self.now()), future).await.ok()
    }
}

/// Longer than any run.
const A_DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_the_scenario_is_shorter_by_the_speed() {
        let clock = Clock::start(8.0);
        assert_eq!(clock.real(Span::from_secs(2)), Duration::from_millis(250));
        assert_eq!(clock.played(Duration::from_millis(250)), Span::from_secs(2));
        assert_eq!(clock.real(Span::MAX), A_DAY);
    }
}
