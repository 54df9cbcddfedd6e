//! The run's clock: scenario time, a fixed number of times as fast as the wall's.

use std::future::Future;
use std::time::Duration;

use futures_timer::Delay;

use crate::base::time::{Instant, Span};

/// Scenario time, read off the machine's steady clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: std::time::Instant,
    speed: f64,
}

impl Clock {
    /// Starts at 0 and runs `speed` scenario seconds a second.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where real time is read")]
    pub fn start(speed: f64) -> Clock {
        Clock { start: std::time::Instant::now(), speed }
    }

    /// Scenario time now.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.played(self.start.elapsed())
    }

    /// The scenario's time that goes by meanwhile.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturates")]
    pub fn played(&self, real: Duration) -> Span {
        Span::from_nanos((real.as_secs_f64() * self.speed * 1e9) as u64)
    }

    /// How long a span of the scenario really takes.
    #[must_use]
    pub fn real(&self, span: Span) -> Duration {
        Duration::try_from_secs_f64(span.as_secs_f64() / self.speed).unwrap_or(A_DAY).min(A_DAY)
    }

    /// Waits until a moment of the scenario, to a tenth of a millisecond. Tokio's own timers, which go by whole
    /// milliseconds and round up, would make a service of 3 ms a third longer.
    pub async fn sleep_until(&self, at: Instant) {
        let ahead = at - self.now();
        if ahead > Span::ZERO {
            Delay::new(self.real(ahead)).await;
        }
    }

    /// What comes of a future, unless the moment comes first. To a millisecond, and cheap: for timeouts, which seldom
    /// end.
    pub async fn before<T>(&self, at: Instant, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.real(at - self.now()), future).await.ok()
    }
}

/// Longer than anybody waits for a run.
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
