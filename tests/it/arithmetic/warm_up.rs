//! What a warm-up excludes from a run's figures, and what it does not.

use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::history::{Event, EventKind, Inside, Prefetch, Recorder, Seen};
use whatcart::judging::meter::LatencyMeter;
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{Scenario, Time};
use whatcart::sim::Sim;

use crate::support::worlds::end;

const FROM: Instant = Instant::from_nanos(30_000_000_000);

/// Latency and load from a moment on, added up in the plainest way.
struct Plain {
    latency: LatencyMeter,
    steps: LatencyMeter,
    served: [u64; 3],
    busy: [Span; 3],
    closes: Instant,
}

impl Prefetch for Plain {}

impl Recorder for Plain {
    fn record(&mut self, event: &Event) {
        if event.at < FROM {
            return;
        }
        match event.what {
            EventKind::Seen(_, Seen::Told { sent, meant, settled, .. }) => {
                self.latency.record(event.at - sent);
                if settled {
                    self.steps.record(event.at - meant);
                }
            }
            EventKind::Inside(_, Inside::Served(served)) => {
                self.served[served.server.index()] += 1;
                if event.at <= self.closes {
                    self.busy[served.server.index()] = self.busy[served.server.index()] + served.busy;
                }
            }
            _ => {}
        }
    }
}

fn measured(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(7));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(42));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

#[test]
fn latency_and_load_begin_later_and_losses_do_not() {
    let scenario = Scenario::house();
    let whole = measured(&scenario);
    let cut = measured(&Scenario { warm_up: Some(Time::of(FROM - Instant::ZERO)), ..scenario.clone() });
    let closes = Instant::ZERO + scenario.duration.get();
    let (latency, steps) = (LatencyMeter::default(), LatencyMeter::default());
    let mut plain = Plain { latency, steps, served: [0; 3], busy: [Span::ZERO; 3], closes };
    Sim::new(&scenario, Seed(7)).advance(end(&scenario), &mut plain);

    for (figure, meter) in [(&cut.latency_ms, &plain.latency), (&cut.step_latency_ms, &plain.steps)] {
        let figure = figure.as_ref().expect("requests");
        let by_hand = [meter.mean_ms(), meter.quantile_ms(0.5), meter.quantile_ms(0.99), meter.max_ms()];
        assert_eq!([figure.mean, figure.p50, figure.p99, figure.max].map(f64::to_bits), by_hand.map(f64::to_bits));
    }
    let workers_time = (closes - FROM).as_secs_f64() * 4.0;
    for (server, load) in cut.load.per_server.iter().enumerate() {
        assert_eq!(load.requests, plain.served[server]);
        assert!((load.busy - plain.busy[server].as_secs_f64() / workers_time).abs() < 1e-12);
    }
    assert_ne!(whole.latency_ms, cut.latency_ms);
    assert!(whole.load.per_server[0].requests > cut.load.per_server[0].requests);

    assert_eq!((&whole.carts, &whole.lost_by, &whole.visits), (&cut.carts, &cut.lost_by, &cut.visits));
    assert_eq!((whole.requests, whole.price), (cut.requests, cut.price));
}

/// One moment that is not the end of a window, and one that is.
#[test]
fn any_moment_will_do() {
    let scenario = Scenario::house();
    let requests = |warm_up: u64| {
        let scenario = Scenario { warm_up: Some(Time::of(Span::from_millis(warm_up))), ..scenario.clone() };
        measured(&scenario).load.per_server.iter().map(|server| server.requests).sum::<u64>()
    };
    let counts: Vec<u64> = [0, 1, 29_400, 30_000, 30_001, 119_999].map(requests).into();
    assert!(counts.is_sorted_by(|a, b| a >= b) && counts[1] > counts[2] && counts[2] > counts[3], "{counts:?}");
}
