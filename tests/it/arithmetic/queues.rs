//! Mean response times against queueing theory. The mean service time is 10 ms.

use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{Step, UserId};
use whatcart::history::{Event, EventKind, Prefetch, Recorder, Seen};
use whatcart::judging::observer::Observer;
use whatcart::scenario::{PolicyName, Scenario, Whole};
use whatcart::sim::Sim;

use super::{assert_agrees, mean_latency};
use crate::support::worlds::{at_ms, end, exponential, rate, time};

const SERVICE_MICROS: u64 = 10_000;
const SERVICE_MS: f64 = 10.0;
/// The maximum half-width of an interval, relative to its mean.
const NARROW: f64 = 0.03;

/// Requests of one step, exponential service, no refusals.
fn queue(servers: u64, workers: u64, seconds: u64) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = time(seconds * 1_000);
    scenario.users.journey = vec![Step::Browse].into();
    scenario.servers.count = Whole::of(servers);
    scenario.servers.workers = Whole::of(workers);
    scenario.servers.queue = Whole::of(1_000_000);
    scenario.servers.service = exponential(SERVICE_MICROS);
    scenario
}

/// The same with Poisson arrivals that keep servers busy for a given share of the time.
fn open(servers: u64, workers: u64, busy: f64, seconds: u64) -> Scenario {
    let mut scenario = queue(servers, workers, seconds);
    let all = f64::from(u32::try_from(servers * workers).expect("few"));
    scenario.users.rate = Some(rate(busy * all * 1e3 / SERVICE_MS));
    scenario
}

/// The same with users who think for an exponential time before each request.
fn closed(users: u64, think_micros: u64, servers: u64, workers: u64, seconds: u64) -> Scenario {
    let mut scenario = queue(servers, workers, seconds);
    scenario.users.count = Some(Whole::of(users));
    scenario.users.think = exponential(think_micros);
    scenario
}

#[test]
fn one_server_is_m_m_1() {
    for (busy, seconds) in [(0.3, 2_000), (0.7, 3_000)] {
        let got = mean_latency(&open(1, 1, busy, seconds), 10, at_ms(20_000));
        assert_agrees(&format!("M/M/1 at {busy}"), got, SERVICE_MS / (1.0 - busy), 0.0, NARROW);
    }
}

/// Erlang's C: the probability that all of `c` workers are busy.
fn erlang_c(c: u32, busy: f64) -> f64 {
    let offered = busy * f64::from(c);
    let blocked = (1..=c).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    blocked / (1.0 - busy * (1.0 - blocked))
}

#[test]
fn workers_that_share_a_queue_are_m_m_c() {
    let waits = erlang_c(5, 0.8);
    assert!((waits - 0.554_113).abs() < 1e-6, "{waits}");
    let theory = SERVICE_MS * (1.0 + waits / (5.0 * 0.2));
    let got = mean_latency(&open(1, 5, 0.8, 600), 10, at_ms(10_000));
    assert_agrees("M/M/5 at 0.8", got, theory, 0.0, NARROW);
}

/// The mean response of `E_n`/M/1: sigma by iteration.
fn erlang_arrivals(n: u32, busy: f64) -> f64 {
    let rate = f64::from(n) * busy;
    let sigma = (0..2_000).fold(0.5, |s: f64, _| (rate / (rate + 1.0 - s)).powi(i32::try_from(n).expect("few")));
    SERVICE_MS / (1.0 - sigma)
}

#[test]
fn round_robin_smooths_arrivals() {
    for (busy, reference, seconds) in [(0.8, 29.223, 200), (0.9, 56.603, 800)] {
        let theory = erlang_arrivals(10, busy);
        assert!((theory - reference).abs() < 0.001, "{theory}");
        let got = mean_latency(&open(10, 1, busy, seconds), 10, at_ms(20_000));
        assert_agrees(&format!("round robin over 10 at {busy}"), got, theory, 0.0, NARROW);
    }
}

/// The limit for infinitely many servers, with two choices.
fn two_choices(busy: f64) -> f64 {
    (1..40).map(|i| libm::pow(busy, 2f64.powi(i) - 2.0)).sum::<f64>() * SERVICE_MS
}

#[test]
fn two_choices_do_almost_as_well_as_all() {
    for (busy, with_100_servers, seconds) in [(0.5, 12.70, 20), (0.9, 26.37, 40)] {
        let mut scenario = open(100, 1, busy, seconds);
        scenario.balancer.policy = PolicyName::PowerOfTwo;
        let got = mean_latency(&scenario, 10, at_ms(5_000));
        let what = format!("power of two over 100 at {busy}");
        // The reference is itself a simulation, known to three digits.
        assert_agrees(&what, got, with_100_servers, 0.005 * with_100_servers, 0.01);
        let limit = two_choices(busy);
        assert!(got.mean + got.half > limit, "{what}: {got:?} is below the limit {limit:.3}");
        assert!(got.mean - got.half < limit * 1.02, "{what}: {got:?} is far above the limit {limit:.3}");
    }
}

/// The machine-repairman formula, M/M/c//K: the mean response.
fn repairman(users: u32, workers: u32, think_ms: f64) -> f64 {
    let mut weights = vec![1.0];
    for n in 1..=users {
        let arrivals = f64::from(users - n + 1) / think_ms;
        let departures = f64::from(n.min(workers)) / SERVICE_MS;
        weights.push(weights.last().expect("not empty") * arrivals / departures);
    }
    let sum = |of: &dyn Fn(u32) -> f64| (0..=users).zip(&weights).map(|(n, w)| of(n) * w).sum::<f64>();
    sum(&f64::from) / sum(&|n| f64::from(n.min(workers)) / SERVICE_MS)
}

#[test]
fn few_users_are_a_machine_repairman() {
    let think_micros = 50 * SERVICE_MICROS * 10 / (8 * 4);
    let theory = repairman(50, 4, 156.25);
    assert!((theory - 13.359).abs() < 0.001, "{theory}");
    let got = mean_latency(&closed(50, think_micros, 1, 4, 400), 16, at_ms(5_000));
    assert_agrees("machine repairman", got, theory, 0.0, 0.01);
}

/// Mean-value analysis: the response time of a closed network of equal servers chosen at random, and users who think.
fn mean_value(users: u32, servers: u32, think_ms: f64) -> f64 {
    let mut queued = 0.0;
    let mut response = SERVICE_MS;
    for n in 1..=users {
        response = SERVICE_MS * (1.0 + queued);
        queued = f64::from(n) / (think_ms + response) * response / f64::from(servers);
    }
    response
}

#[test]
fn a_closed_loop_is_a_network_of_queues() {
    for (users, seconds) in [(1, 900), (6, 500), (20, 200), (45, 200)] {
        let mut scenario = closed(users, 60_000, 3, 1, seconds);
        scenario.balancer.policy = PolicyName::Random;
        let theory = mean_value(u32::try_from(users).expect("few"), 3, 60.0);
        let got = mean_latency(&scenario, 10, at_ms(3_000));
        assert_agrees(&format!("closed loop of {users}"), got, theory, 0.0, NARROW);
    }
}

/// Requests in flight over time, according to the events.
struct InFlight {
    now: u64,
    since: Instant,
    area: u128,
    observer: Observer,
}

impl Prefetch for InFlight {}

impl Recorder for InFlight {
    fn record(&mut self, event: &Event) {
        self.area += u128::from(self.now) * u128::from((event.at - self.since).as_nanos());
        self.since = event.at;
        match event.what {
            EventKind::Seen(_, Seen::Sent(_)) => self.now += 1,
            EventKind::Seen(_, Seen::Told { .. }) => self.now -= 1,
            _ => {}
        }
        self.observer.record(event);
    }
}

/// Little's law: mean in flight = throughput x mean latency. It holds exactly, because nobody is inside at the end.
#[test]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
fn little_holds_and_the_meter_agrees_with_the_engine() {
    let scenario = closed(80, 30_000, 3, 4, 30);
    let mut sim = Sim::new(&scenario, Seed(1));
    let observer = Observer::new(&scenario, None, UserId(1));
    let mut counted = InFlight { now: 0, since: Instant::ZERO, area: 0, observer };
    let whole = end(&scenario).since_start();
    let mut seen = 0.0;
    let slices = 5_000;
    for slice in 1..=slices {
        let at = Instant::ZERO + Span::from_nanos(whole.as_nanos() / slices * slice);
        sim.advance(at, &mut counted);
        assert_eq!(sim.view().awaited, counted.now, "in flight, by the engine and by the events");
        let in_flight: u32 = sim.view().servers.iter().map(|server| server.in_flight).sum();
        assert_eq!(u64::from(in_flight), counted.now, "in flight, by the balancer");
        seen += counted.now as f64 / slices as f64;
    }
    assert!(sim.is_over());
    let meter = &counted.observer.meter;
    let seconds = whole.as_secs_f64();
    let law = meter.latency().count() as f64 / seconds * meter.latency().mean_ms() / 1e3;
    let area = counted.area as f64 / 1e9 / seconds;
    assert!((law / area - 1.0).abs() < 1e-9, "{law} by Little's law, {area} by the events");
    assert!((seen / area - 1.0).abs() < 0.05, "{seen} by looking, {area} by the events");
}
