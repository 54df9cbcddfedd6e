//! Measurements: latency histograms, load and imbalance, price.

mod fairness;
mod lifetime;
mod region_meters;

use hdrhistogram::Histogram;

use crate::base::time::{Instant, Span};
use crate::base::{Outcome, ServerId, ServerState, UserId};
use crate::history::Served;
use crate::regions::RegionMap;
use crate::scenario::{Pause, Scenario, UploadHome};
use crate::traffic::HeavyUsers;

pub use fairness::Evenness;
use fairness::Fairness;
pub use lifetime::ServerLifetime;
pub use region_meters::{RegionMeter, RegionMeters};

/// Longer latencies are recorded as this value: one day.
const LONGEST_MICROS: u64 = 86_400_000_000;

/// Latencies: quantiles to two significant digits, the mean exactly.
#[derive(Clone, Debug)]
pub struct LatencyMeter {
    micros: Histogram<u64>,
    sum: u128,
    count: u64,
    max: Span,
}

impl Default for LatencyMeter {
    fn default() -> Self {
        let micros = Histogram::new_with_bounds(1, LONGEST_MICROS, 2).expect("bounds are in order");
        LatencyMeter { micros, sum: 0, count: 0, max: Span::ZERO }
    }
}

impl LatencyMeter {
    /// Records one latency.
    #[inline]
    pub fn record(&mut self, latency: Span) {
        self.micros.saturating_record(latency.as_nanos() / 1_000);
        self.sum += u128::from(latency.as_nanos());
        self.count += 1;
        self.max = self.max.max(latency);
    }

    /// The sum of two meters.
    #[must_use]
    pub fn with(&self, other: &LatencyMeter) -> LatencyMeter {
        let mut both = self.clone();
        both.micros.add(&other.micros).expect("both have the same bounds");
        both.sum += other.sum;
        both.count += other.count;
        both.max = both.max.max(other.max);
        both
    }

    /// The number of recorded latencies.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean in milliseconds; 0 if nothing was recorded.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    pub fn mean_ms(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 / 1e6 }
    }

    /// A quantile in milliseconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "two significant digits")]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        (self.micros.value_at_quantile(quantile) as f64 / 1e3).min(self.max.as_millis_f64())
    }

    /// The maximum in milliseconds, exactly.
    #[must_use]
    pub fn max_ms(&self) -> f64 {
        self.max.as_millis_f64()
    }
}

/// Users' requests by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::Requests")]
pub struct RequestCounts {
    pub sent: u64,
    pub ok: u64,
    pub refused: u64,
    pub failed: u64,
    pub timed_out: u64,
}

/// One window of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::SeriesRow")]
pub struct Window {
    pub requests: RequestCounts,
    pub logged_out: u64,
    pub lost_carts: u64,
    pub intact_carts: u64,
    pub open_carts: u64,
    pub served: Vec<u32>,
}

/// The work of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Requests served.
    pub requests: u64,
    /// Requests that ended here without being served.
    pub dropped: u64,
    /// How long workers were busy, for requests that ended while the shop was open.
    pub busy_while_open: Span,
    /// The part of that after the warm-up and while the server was in the pool and alive.
    pub busy_there: Span,
    /// Whether it is in the pool and alive now.
    pub is_there: bool,
}

/// The streaming meter.
#[derive(Clone, Debug)]
pub struct Meter {
    /// Requests that were the only one of their step, so that both have the same latency.
    direct: LatencyMeter,
    /// Other requests, from when they were sent until they ended.
    indirect_requests: LatencyMeter,
    /// Other steps, from their intended start until the final response.
    indirect_steps: LatencyMeter,
    /// The neighbours of heavy users, if there are heavy users.
    pub neighbours: Option<Neighbours>,
    /// By region, if there are regions.
    pub regions: Option<Box<RegionMeters>>,
    /// The balancer's attempts beyond the first one of each request.
    pub balancer_retries: u64,
    /// How often the balancer ejected a server.
    pub ejections: u64,
    /// By server.
    pub work: Vec<Work>,
    /// By server: when it was in the pool.
    pub lifetimes: Vec<ServerLifetime>,
    fairness: Fairness,
    /// Calls to the shared store.
    pub store_calls: u64,
    /// Those among them that were made while the shop was open.
    pub store_calls_while_open: u64,
    /// Calls to the object store.
    pub object_calls: u64,
    /// Bytes of state in tokens, in both directions.
    pub carried_bytes: u64,
    /// Copies of carts sent to other servers.
    pub copies: u64,
    /// The run in windows of [`Meter::window`].
    pub windows: Vec<Window>,
    /// The length of a window.
    pub window: Span,
    /// The length of a window for load imbalance.
    pub load_window: Span,
    closes: Instant,
    window_ends: Instant,
    /// When the warm-up ends and the measurement of latency and load begins.
    pub warm_until: Instant,
    /// By server: its work up to then. `None` during the warm-up.
    cold: Option<Vec<Work>>,
    /// The next time at which a window or the warm-up ends.
    next_stop: Instant,
    /// Whether uploads live in an object store.
    has_objects: bool,
}

/// The approximate maximum number of windows in a run.
const WINDOWS: u64 = 240;

/// The window for load imbalance is at least this long, to average out chance.
const LOAD_WINDOW: Span = Span::from_secs(10);

impl Meter {
    /// A meter for a run of this scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, heavy: Option<HeavyUsers>) -> Meter {
        let whole = scenario.ends().as_nanos();
        let second = Span::from_secs(1);
        let window = second * whole.div_ceil(WINDOWS * second.as_nanos()).max(1);
        let servers = scenario.servers_at_first() as usize;
        let warm_up = scenario.warm_up.map_or(Span::ZERO, Pause::get);
        let load_window = window * LOAD_WINDOW.as_nanos().div_ceil(window.as_nanos());
        let closes = scenario.closes();
        Meter {
            direct: LatencyMeter::default(),
            indirect_requests: LatencyMeter::default(),
            indirect_steps: LatencyMeter::default(),
            neighbours: heavy.map(|heavy| Neighbours::new(heavy, servers)),
            regions: RegionMap::new(scenario).map(|map| Box::new(RegionMeters::new(map))),
            balancer_retries: 0,
            ejections: 0,
            work: vec![Work { is_there: true, ..Work::default() }; servers],
            lifetimes: vec![ServerLifetime::from_the_start(); servers],
            fairness: Fairness::new(servers, load_window, closes),
            store_calls: 0,
            store_calls_while_open: 0,
            object_calls: 0,
            carried_bytes: 0,
            copies: 0,
            windows: vec![Window { served: vec![0; servers], ..Window::default() }],
            window,
            load_window,
            closes,
            window_ends: Instant::ZERO + window,
            warm_until: Instant::ZERO + warm_up,
            cold: None,
            next_stop: Instant::ZERO,
            has_objects: scenario.homes.upload == UploadHome::ObjectStore,
        }
    }

    /// The window that contains `now`. Events arrive in order of time, so it is the last one.
    #[inline]
    pub fn window(&mut self, now: Instant) -> &mut Window {
        if now >= self.next_stop {
            self.stop(now);
        }
        self.windows.last_mut().expect("there is always one")
    }

    #[cold]
    fn stop(&mut self, now: Instant) {
        if self.cold.is_none() && now >= self.warm_until {
            self.begin_to_measure();
        }
        while now >= self.fairness.window_ends() && self.cold.is_some() {
            self.fairness.end_window(&self.work);
        }
        while now >= self.window_ends {
            let open_carts = self.windows.last().map_or(0, |w| w.open_carts);
            self.windows.push(Window { open_carts, served: vec![0; self.work.len()], ..Window::default() });
            self.window_ends = self.window_ends + self.window;
        }
        let other = if self.cold.is_some() { self.fairness.window_ends() } else { self.warm_until };
        self.next_stop = self.window_ends.min(other);
    }

    /// Discards what was measured during the warm-up.
    fn begin_to_measure(&mut self) {
        self.direct = LatencyMeter::default();
        self.indirect_requests = LatencyMeter::default();
        self.indirect_steps = LatencyMeter::default();
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.latency = LatencyMeter::default();
        }
        if let Some(regions) = &mut self.regions {
            regions.begin_to_measure();
        }
        self.fairness.begin(self.warm_until, &mut self.work);
        self.cold = Some(self.work.clone());
    }

    /// The work of each server since the warm-up.
    pub fn measured_work(&self) -> impl Iterator<Item = Work> + '_ {
        let cold = self.cold.iter().flatten().copied().chain(std::iter::repeat(Work::default()));
        self.work.iter().zip(cold).map(|(work, cold)| Work {
            requests: work.requests - cold.requests,
            dropped: work.dropped - cold.dropped,
            busy_while_open: work.busy_while_open - cold.busy_while_open,
            ..*work
        })
    }

    /// The operator added a server, or changed its state.
    pub fn turned(&mut self, now: Instant, server: ServerId, state: ServerState) {
        self.window(now);
        if server.index() == self.work.len() {
            self.work.push(Work::default());
            self.lifetimes.push(ServerLifetime::default());
            let servers = self.work.len();
            self.window(now).served.resize(servers, 0);
            if let Some(neighbours) = &mut self.neighbours {
                neighbours.last_heavy.resize(servers, None);
            }
        }
        self.lifetimes[server.index()].turned(now, state);
        let work = &mut self.work[server.index()];
        match state {
            ServerState::Up => self.fairness.comes(now, server.index(), work),
            _ => self.fairness.goes(now, server.index(), work),
        }
    }

    /// A fault killed a server.
    pub fn killed(&mut self, now: Instant, server: ServerId) {
        self.window(now);
        self.fairness.goes(now, server.index(), &mut self.work[server.index()]);
    }

    /// A server that was dead is ready.
    pub fn ready(&mut self, now: Instant, server: ServerId) {
        self.window(now);
        if self.lifetimes[server.index()].is_up() {
            self.fairness.comes(now, server.index(), &mut self.work[server.index()]);
        }
    }

    /// How evenly the servers were loaded after the warm-up and until `now`, each over the time it was there; `None` if
    /// nothing was served.
    #[must_use]
    pub fn evenness(&self, now: Instant) -> Option<Evenness> {
        self.fairness.evenness(now, &self.work)
    }

    /// Whether servers were added, removed or stopped by plan.
    #[must_use]
    pub fn pool_changed(&self) -> bool {
        self.lifetimes.iter().any(ServerLifetime::changed)
    }

    /// A user sent a request.
    #[inline(always)]
    pub fn sent(&mut self, now: Instant) {
        self.window(now).requests.sent += 1;
    }

    /// A user learned the result of a request.
    #[inline(always)]
    pub fn told(&mut self, now: Instant, told: &Told) {
        let counts = &mut self.window(now).requests;
        match told.outcome {
            Outcome::Ok(_) => counts.ok += 1,
            Outcome::Refused(_) => counts.refused += 1,
            Outcome::Failed => counts.failed += 1,
            Outcome::TimedOut => counts.timed_out += 1,
        }
        if told.settled && told.sent == told.meant {
            self.direct.record(now - told.sent);
        } else {
            self.told_indirectly(now, told);
        }
    }

    #[cold]
    fn told_indirectly(&mut self, now: Instant, told: &Told) {
        self.indirect_requests.record(now - told.sent);
        if told.settled {
            self.indirect_steps.record(now - told.meant);
        }
    }

    /// From sending a request to its end.
    #[must_use]
    pub fn latency(&self) -> LatencyMeter {
        self.direct.with(&self.indirect_requests)
    }

    /// From a step's intended start to its final response.
    #[must_use]
    pub fn step_latency(&self) -> LatencyMeter {
        self.direct.with(&self.indirect_steps)
    }

    /// A server finished a request.
    #[inline(always)]
    pub fn served(&mut self, now: Instant, user: UserId, served: &Served) {
        self.window(now).served[served.server.index()] += 1;
        let work = &mut self.work[served.server.index()];
        work.requests += 1;
        self.store_calls += u64::from(served.store_calls);
        self.carried_bytes += u64::from(served.carried_bytes);
        if self.has_objects && served.request.command.file().is_some() && served.knew_cart.is_some() {
            self.object_calls += 1;
        }
        self.copies += u64::from(served.copies);
        if now <= self.closes {
            work.busy_while_open += served.busy;
            if work.is_there {
                work.busy_there += served.busy;
                self.fairness.unshared += served.busy;
            }
            self.store_calls_while_open += u64::from(served.store_calls);
        }
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.served(now, user, served);
        }
    }

    /// A server ended a request without serving it.
    pub fn dropped(&mut self, now: Instant, server: ServerId) {
        self.window(now);
        self.work[server.index()].dropped += 1;
    }

    /// Requests by outcome, over all windows.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.windows.iter().fold(RequestCounts::default(), |sum, window| {
            let add = window.requests;
            RequestCounts {
                sent: sum.sent + add.sent,
                ok: sum.ok + add.ok,
                refused: sum.refused + add.refused,
                failed: sum.failed + add.failed,
                timed_out: sum.timed_out + add.timed_out,
            }
        })
    }
}

/// The effect of sharing a server with a heavy user: requests of other users, served by a server that served a heavy
/// user's request less than a second before.
#[derive(Clone, Debug)]
pub struct Neighbours {
    /// From when they were sent to the end of service.
    pub latency: LatencyMeter,
    heavy: HeavyUsers,
    /// By server: when it last served a request of a heavy user.
    last_heavy: Vec<Option<Instant>>,
}

impl Neighbours {
    fn new(heavy: HeavyUsers, servers: usize) -> Neighbours {
        Neighbours { latency: LatencyMeter::default(), heavy, last_heavy: vec![None; servers] }
    }

    fn served(&mut self, now: Instant, user: UserId, served: &Served) {
        let last = &mut self.last_heavy[served.server.index()];
        if self.heavy.include(user) {
            *last = Some(now);
        } else if last.is_some_and(|last| now - last < Span::from_secs(1)) {
            self.latency.record(served.waited + served.busy);
        }
    }
}

/// The measured properties of a finished request.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "as in history::Seen::Told")]
pub struct Told {
    pub sent: Instant,
    pub meant: Instant,
    pub outcome: Outcome,
    pub settled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_to_two_digits_and_an_exact_mean() {
        let mut meter = LatencyMeter::default();
        for ms in 1..=1_000 {
            meter.record(Span::from_millis(ms));
        }
        assert!((meter.mean_ms() - 500.5).abs() < 1e-9);
        for (quantile, want) in [(0.5, 500.0), (0.9, 900.0), (0.99, 990.0)] {
            let got = meter.quantile_ms(quantile);
            assert!((got / want - 1.0).abs() < 0.01, "{got}, not {want}");
        }
        assert!((meter.max_ms() - 1_000.0).abs() < 1e-9);
        meter.record(Span::MAX);
        assert!(meter.quantile_ms(1.0) > 8e7);
    }
}
