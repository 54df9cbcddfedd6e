//! A policy that measures how fast servers answer.

use super::least_loaded::two_choices;
use super::{Policy, PoolView, RequestView};
use crate::base::seed::Draw;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ServerId};

/// The time after which a latency has lost all but 1/e of its weight: the default of Finagle and linkerd2-proxy.
const TAU: Span = Span::from_secs(10);

/// The assumed latency of a server that has not answered yet: the default of linkerd2-proxy.
const DEFAULT_RTT: Span = Span::from_millis(30);

/// Peak EWMA, as in Finagle and linkerd: of two servers drawn at random, the one with the smaller `latency x (requests
/// in flight + 1)`. A latency above the average replaces the average at once; lower ones reduce it slowly. No bad
/// average lasts forever: it also decays while there are no responses.
///
/// A fast failure counts as a fast response, as in the originals, which leave failing servers to other mechanisms.
#[derive(Clone, Debug, Default)]
pub struct PeakEwma {
    /// Indexed by server; servers beyond the end have not answered yet.
    averages: Vec<Average>,
}

/// A moving average of latencies that jumps to peaks at once.
#[derive(Clone, Copy, Debug)]
struct Average {
    nanos: f64,
    at: Instant,
}

impl Average {
    const UNKNOWN: Average = Average { nanos: nanos(DEFAULT_RTT), at: Instant::ZERO };

    /// How much of it is left at this time.
    fn faded(self, now: Instant) -> f64 {
        self.nanos * fading(now - self.at)
    }

    fn observe(&mut self, now: Instant, latency: Span) {
        let latency = nanos(latency);
        let left = fading(now - self.at);
        self.nanos = if latency > self.nanos { latency } else { self.nanos * left + latency * (1.0 - left) };
        self.at = now;
    }
}

/// The weight of an observation of this age.
fn fading(ago: Span) -> f64 {
    libm::exp(-nanos(ago) / nanos(TAU))
}

#[expect(clippy::cast_precision_loss, reason = "a time below 104 days is exact in f64")]
const fn nanos(span: Span) -> f64 {
    span.as_nanos() as f64
}

impl PeakEwma {
    /// No server has answered yet.
    #[must_use]
    pub fn new() -> PeakEwma {
        PeakEwma::default()
    }

    fn cost(&self, now: Instant, server: ServerId, pool: &PoolView) -> f64 {
        let average = self.averages.get(server.index()).copied().unwrap_or(Average::UNKNOWN);
        average.faded(now) * (f64::from(pool.in_flight[server.index()]) + 1.0)
    }
}

impl Policy for PeakEwma {
    fn pick(&mut self, now: Instant, request: &RequestView, pool: &PoolView, draw: Draw) -> Option<ServerId> {
        two_choices(request, pool, draw, |a, b| self.cost(now, a, pool) < self.cost(now, b, pool))
    }

    fn on_complete(&mut self, now: Instant, server: ServerId, latency: Span, _: Outcome) {
        if server.index() >= self.averages.len() {
            self.averages.resize(server.index() + 1, Average::UNKNOWN);
        }
        self.averages[server.index()].observe(now, latency);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancing::policy::Random;
    use crate::base::Reply;
    use crate::base::seed::{Key, Purpose, Seed};

    const OK: Outcome = Outcome::Ok(Reply::Done);

    fn at_ms(millis: u64) -> Instant {
        Instant::ZERO + Span::from_millis(millis)
    }

    fn average_ms(policy: &PeakEwma, server: usize, now: Instant) -> f64 {
        policy.averages[server].faded(now) / 1e6
    }

    #[test]
    fn peaks_count_at_once_and_fade_slowly() {
        let mut policy = PeakEwma::new();
        let server = ServerId(1);
        policy.on_complete(at_ms(0), server, Span::from_millis(100), OK);
        assert!((average_ms(&policy, 1, at_ms(0)) - 100.0).abs() < 1e-9);
        // After one tau: 100 / e + 20 (1 - 1/e).
        policy.on_complete(at_ms(10_000), server, Span::from_millis(20), OK);
        assert!((average_ms(&policy, 1, at_ms(10_000)) - 49.430_355).abs() < 1e-5);
        policy.on_complete(at_ms(10_001), server, Span::from_millis(300), OK);
        assert!((average_ms(&policy, 1, at_ms(10_001)) - 300.0).abs() < 1e-9);
        assert!((average_ms(&policy, 1, at_ms(20_001)) - 110.363_832).abs() < 1e-5);
    }

    #[test]
    fn of_two_the_cheaper_one_wins() {
        let mut pool = PoolView::new(vec![1; 3]);
        let mut policy = PeakEwma::new();
        // The initial assumption has decayed by then.
        let later = at_ms(200_000);
        for (server, millis) in (0..).map(ServerId).zip([10, 100, 20]) {
            policy.on_complete(later, server, Span::from_millis(millis), OK);
        }
        let request = RequestView { hash_key: 0, excluded: &[] };
        let mut counts = |pool: &PoolView| {
            let mut counts = [0; 3];
            for i in 0..30_000 {
                let draw = Seed(1).draw(Purpose::Pick, Key { entity: i, ..Key::default() });
                counts[policy.pick(later, &request, pool, draw).expect("all are up").index()] += 1;
            }
            counts
        };
        let idle = counts(&pool);
        assert_eq!(idle[1], 0, "the slowest loses to both: {idle:?}");
        assert!((19_600..20_400).contains(&idle[0]), "the fastest wins two pairs of three: {idle:?}");
        // 10 ms x 3 is more than 20 ms x 1 and less than 100 ms x 1.
        pool.in_flight = vec![2, 0, 0];
        let busy = counts(&pool);
        assert_eq!(busy[1], 0, "{busy:?}");
        assert!((19_600..20_400).contains(&busy[2]), "{busy:?}");
    }

    #[test]
    fn who_has_not_answered_yet_is_taken_to_be_ordinary() {
        let pool = PoolView::new(vec![1; 2]);
        let policy = PeakEwma::new();
        assert!((policy.cost(at_ms(0), ServerId(1), &pool) - 30e6).abs() < 1e-6);
    }

    #[test]
    fn of_two_alike_the_first_one_drawn_is_taken() {
        let pool = PoolView::new(vec![1; 3]);
        let request = RequestView { hash_key: 0, excluded: &[] };
        for i in 0..100 {
            let draw = Seed(1).draw(Purpose::Pick, Key { entity: i, ..Key::default() });
            let first = Random.pick(at_ms(0), &request, &pool, draw);
            assert_eq!(PeakEwma::new().pick(at_ms(0), &request, &pool, draw), first);
        }
    }
}
