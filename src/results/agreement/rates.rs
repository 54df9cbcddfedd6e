//! Shares, means and prices, which must lie in their prediction intervals.
//!
//! The interval follows from Student's t for one more simulation: `mean ± t * s * sqrt(1 + 1/n)`. Several corrections
//! are needed:
//!
//! - Rates are compared on scales on which sampling error is roughly normal and the interval cannot leave the possible
//!   range: shares as the arcsine of their square root, events per visit as their square root (both with Anscombe's
//!   correction for small numbers), latency as its logarithm, busiest x mean as the square root of its excess over 1.
//! - The interval is widened to the range of the simulations themselves, and by [`GRACE`] further cases: events that
//!   occur in few seeds, a few times, have a longer tail than any normal distribution.
//! - A rate that is the same in every simulation must have that value in the real run too. It takes no share of the
//!   false-alarm probability.
//! - A difference that prints as 0.0 % does not count.
//! - A rate whose denominator is zero (no fault struck, nobody looked) is not judged. The zero is, as a kind.
//! - A real request takes a little longer than its service, on every attempt. So the upper ends of latency and busy
//!   time are raised by [`DELAY_MS`] per attempt, and latency quantiles are widened by the width of a bin of their
//!   histogram.

use super::{Conformity, Judgement, Predicted, Trial, Unit};
use crate::results::path;
use crate::results::statistics::prediction;
use crate::results::{FaultFigures, Figures, Requests};

/// How many cases a count may lie outside the prediction.
const GRACE: f64 = 3.0;

/// What timers and sockets may add to a request, in real milliseconds.
const DELAY_MS: f64 = 1.0;

/// The relative width of a bin of the latency histograms: two significant digits.
const BIN: f64 = 0.01;

/// Values closer than this, relative to their size, only differ by rounding.
const ROUNDING: f64 = 1e-9;

/// Relative differences below this print as 0.0 %.
const VISIBLE: f64 = 5e-4;

/// The scale on which the sampling error of a rate is roughly normal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// The arcsine of the square root of a share.
    Share,
    /// The square root of a number of events per case.
    Events,
    /// The logarithm of a time.
    Time,
    /// The square root of the excess over 1.
    Above1,
    /// The value itself.
    Plain,
}

/// Shorter times, in milliseconds, are treated as this long, so that they have a logarithm.
const INSTANT_MS: f64 = 1e-6;

/// How real time affects a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delay {
    /// Not at all.
    None,
    /// Each request is delayed.
    Latency,
    /// Each request is delayed, and its service takes longer.
    Busy,
    /// Only compared if service takes long enough, and not widened.
    Load,
}

type Of = Box<dyn Fn(&Figures) -> (f64, f64)>;

struct Rate {
    figure: String,
    what: String,
    unit: Unit,
    scale: Scale,
    delay: Delay,
    /// The part and the whole; the whole is 1 if the figure is not a share.
    of: Of,
    /// How many cases more or fewer may be chance.
    grace: f64,
}

impl Rate {
    fn new(figure: &str, what: &str, scale: Scale, of: impl Fn(&Figures) -> (f64, f64) + 'static) -> Rate {
        let unit = if scale == Scale::Share { Unit::Share } else { Unit::Number };
        Rate {
            figure: figure.into(),
            what: what.into(),
            unit,
            scale,
            delay: Delay::None,
            of: Box::new(of),
            grace: GRACE,
        }
    }

    /// A mean over so many requests that a single request does not matter.
    fn mean(figure: &str, what: &str, of: fn(&Figures) -> Option<f64>) -> Rate {
        let of = move |figures: &Figures| of(figures).map_or((0.0, 0.0), |mean| (mean, 1.0));
        Rate { grace: 0.0, ..Rate::new(figure, what, Scale::Plain, of) }
    }

    /// A figure that depends on timing.
    fn timed(figure: &str, what: &str, delay: Delay, of: fn(&Figures) -> Option<f64>) -> Rate {
        Rate { delay, ..Rate::mean(figure, what, of) }
    }

    fn latency(figure: &str, what: &str, of: fn(&Figures) -> Option<f64>) -> Rate {
        Rate { unit: Unit::Millis, scale: Scale::Time, ..Rate::timed(figure, what, Delay::Latency, of) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of carts")]
fn counts(part: u64, whole: u64) -> (f64, f64) {
    (part as f64, whole as f64)
}

/// The rates of a variant with these faults.
fn rates(faults: &[&str]) -> Vec<Rate> {
    let share = |figure, what, of: fn(&Figures) -> (f64, f64)| Rate::new(figure, what, Scale::Share, of);
    let mut rates =
        vec![share("carts.lost / carts.opened", "carts lost, of opened", |f| counts(f.carts.lost, f.carts.opened))];
    rates.extend(at_faults(faults));
    rates.extend([
        share("wrong_views / views", "wrong views, of all views", |f| counts(f.wrong_views, f.views)),
        share("visits abandoned / visits.begun", "visits given up, of all visits", |f| {
            let visits = &f.visits;
            let abandoned = visits.abandoned_refused + visits.abandoned_unknown + visits.abandoned_logged_out;
            counts(abandoned, visits.begun)
        }),
        Rate::new("logged_out / visits.begun", "logouts per visit", Scale::Events, |f| {
            counts(f.logged_out, f.visits.begun)
        }),
        share("zombie_logins / replays", "zombie logins, of all replays", |f| {
            counts(f.zombie_logins, f.replays.unwrap_or(0))
        }),
        share("impostors_accepted / impostors", "impostors let in, of all", |f| {
            counts(f.impostors_accepted, f.impostors)
        }),
        Rate::new("requests.sent / visits.begun", "requests per visit", Scale::Plain, |f| {
            counts(f.requests.sent, f.visits.begun)
        }),
        Rate::mean("price.store_calls_per_request", "store calls per request", |f| f.price.store_calls_per_request),
        Rate::mean("price.bytes_carried_per_request", "bytes carried per request", |f| {
            f.price.bytes_carried_per_request
        }),
        Rate::new("hidden.forbidden / visits.begun", "refused forms per visit", Scale::Events, |f| {
            f.hidden.as_ref().map_or((0.0, 0.0), |hidden| counts(hidden.forbidden, f.visits.begun))
        }),
        share("hidden.stale_pages / hidden.pages", "stale pages, of all", |f| {
            f.hidden.as_ref().map_or((0.0, 0.0), |hidden| counts(hidden.stale_pages, hidden.pages))
        }),
        share("files.missing_downloads / files.downloads", "downloads answered 404", |f| {
            f.files.as_ref().map_or((0.0, 0.0), |files| counts(files.missing_downloads, files.downloads))
        }),
        share("files.destroyed / files.uploaded", "files destroyed, of all", |f| {
            f.files.as_ref().map_or((0.0, 0.0), |files| counts(files.destroyed, files.uploaded))
        }),
        Rate::mean("price.object_calls_per_request", "object calls per request", |f| f.price.object_calls_per_request),
        #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
        Rate::timed("requests.sent", "requests", Delay::Load, |f| Some(f.requests.sent as f64)),
        Rate::latency("latency_ms.mean", "mean latency", |f| Some(f.latency_ms.as_ref()?.mean)),
        Rate::latency("latency_ms.p50", "median latency", |f| Some(f.latency_ms.as_ref()?.p50)),
        Rate {
            scale: Scale::Above1,
            ..Rate::timed("load.peak_to_mean", "busiest x mean", Delay::Load, |f| f.load.peak_to_mean)
        },
        Rate {
            unit: Unit::Share,
            ..Rate::timed("mean of load.per_server.busy", "busy share of servers", Delay::Busy, busy)
        },
    ]);
    rates
}

/// Carts lost of those open at a fault: one rate for each of one or two faults, a common one for more.
fn at_faults(names: &[&str]) -> Vec<Rate> {
    if names.len() > 2 {
        let sum = |f: &Figures, of: fn(&FaultFigures) -> u64| f.faults.values().map(of).sum();
        let of = move |f: &Figures| counts(sum(f, |one| one.lost_of_open), sum(f, |one| one.open_carts));
        return vec![Rate::new("faults lost_of_open / open_carts", "lost, of those open at a fault", Scale::Share, of)];
    }
    let one = |name: &&str| {
        let figure = format!("{} / open_carts", path::join(["faults", name, "lost_of_open"]));
        let what = format!("lost, of open at {name}");
        let name = (*name).to_owned();
        let of =
            move |f: &Figures| f.faults.get(&name).map_or((0.0, 0.0), |one| counts(one.lost_of_open, one.open_carts));
        Rate::new(&figure, &what, Scale::Share, of)
    };
    names.iter().map(one).collect()
}

/// The mean busy share of the servers.
#[expect(clippy::cast_precision_loss, reason = "a number of servers")]
fn busy(figures: &Figures) -> Option<f64> {
    let servers = &figures.load.per_server;
    let sum: f64 = servers.iter().map(|server| server.busy).sum();
    (!servers.is_empty()).then(|| sum / servers.len() as f64)
}

/// A rate in both engines.
pub(super) struct Compared {
    rate: Rate,
    /// The part and the whole in each simulation.
    simulated: Vec<(f64, f64)>,
    /// The part and the whole of all real runs together, per run.
    executed: (f64, f64),
    runs: usize,
    service_ms: f64,
    speed: f64,
    /// How many attempts a request takes.
    attempts: f64,
}

/// The rates that can be compared.
#[expect(clippy::cast_precision_loss, reason = "a number of runs")]
pub(super) fn compared(trial: &Trial, timed: bool) -> Vec<Compared> {
    let mut faults: Vec<&str> = Vec::new();
    for name in trial.predicted.iter().flat_map(|figures| figures.faults.names()) {
        if !faults.contains(&name) {
            faults.push(name);
        }
    }
    let all = rates(&faults).into_iter().filter(|rate| timed || rate.delay == Delay::None);
    let count = |of: fn(&Requests) -> u64| trial.executed.iter().map(|figures| of(&figures.requests)).sum::<u64>();
    let attempts = 1.0 + count(|all| all.balancer_retries) as f64 / count(|all| all.sent).max(1) as f64;
    let compared = all.map(|rate| {
        let simulated = trial.predicted.iter().map(&rate.of).filter(|(_, whole)| *whole > 0.0).collect();
        let runs = trial.executed.len();
        let sum =
            trial.executed.iter().map(|figures| (rate.of)(figures)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        let executed = (sum.0 / runs.max(1) as f64, sum.1 / runs.max(1) as f64);
        let (service_ms, speed) = (trial.service_ms, trial.speed);
        Compared { rate, simulated, executed, runs, service_ms, speed, attempts }
    });
    compared.filter(|one| one.simulated.len() > 1 && one.executed.1 > 0.0).collect()
}

impl Compared {
    fn each(&self) -> impl Iterator<Item = f64> {
        self.simulated.iter().map(|(part, whole)| part / whole)
    }

    /// The minimum and the maximum of the simulations.
    fn range(&self) -> (f64, f64) {
        self.each().fold((f64::MAX, f64::MIN), |(least, most), x| (least.min(x), most.max(x)))
    }

    /// Whether it differs between simulations.
    pub(super) fn spreads(&self) -> bool {
        let (least, most) = self.range();
        most - least > ROUNDING * most.abs()
    }

    /// Judges whether the observed rate lies in the prediction interval, which a rate like the simulated ones leaves
    /// with probability `tail` at each end.
    pub(super) fn judged(&self, tail: f64) -> Judgement {
        let (low, high) = self.widened(if self.spreads() { self.interval(tail) } else { self.range() });
        let observed = self.executed.0 / self.executed.1;
        let invisible = VISIBLE * observed.abs().max(high.abs());
        #[expect(clippy::cast_precision_loss, reason = "a number of simulations")]
        let mean = self.each().sum::<f64>() / self.simulated.len() as f64;
        Judgement {
            figure: self.rate.figure.clone(),
            what: self.rate.what.clone(),
            unit: self.rate.unit,
            predicted: Predicted::Interval,
            mean,
            low,
            high,
            observed,
            verdict: Conformity::of(low - invisible <= observed && observed <= high + invisible),
        }
    }

    fn interval(&self, tail: f64) -> (f64, f64) {
        let scale = self.rate.scale;
        let (least, most) = self.range();
        let scaled: Vec<f64> = self.simulated.iter().map(|(part, whole)| scale.of(*part, *whole)).collect();
        let Some((low, high)) = prediction(&scaled, self.runs, tail) else { return (least, most) };
        let whole = self.executed.1;
        let grace = self.rate.grace / whole;
        let (low, high) = (scale.back(low, whole).min(least) - grace, scale.back(high, whole).max(most) + grace);
        match scale {
            Scale::Share => (low.max(0.0), high.min(1.0)),
            Scale::Events => (low.max(0.0), high),
            Scale::Time | Scale::Above1 | Scale::Plain => (low, high),
        }
    }

    /// Widens the interval by what real time adds.
    fn widened(&self, (low, high): (f64, f64)) -> (f64, f64) {
        match self.rate.delay {
            Delay::None | Delay::Load => (low, high),
            Delay::Latency => (low * (1.0 - BIN), high * (1.0 + BIN) + DELAY_MS * self.attempts * self.speed),
            Delay::Busy => (low, (high * (1.0 + DELAY_MS * self.speed / self.service_ms)).min(1.0)),
        }
    }
}

impl Scale {
    fn of(self, part: f64, whole: f64) -> f64 {
        match self {
            Scale::Share => libm::asin(((part + 0.375) / (whole + 0.75)).sqrt()),
            Scale::Events => ((part + 0.375) / whole).sqrt(),
            Scale::Time => libm::log((part / whole).max(INSTANT_MS)),
            Scale::Above1 => (part / whole - 1.0).max(0.0).sqrt(),
            Scale::Plain => part / whole,
        }
    }

    /// Converts a value on the scale back to a rate with this whole.
    fn back(self, value: f64, whole: f64) -> f64 {
        match self {
            Scale::Share => {
                let root = libm::sin(value.clamp(0.0, std::f64::consts::FRAC_PI_2));
                (root * root * (whole + 0.75) - 0.375) / whole
            }
            Scale::Events => value.max(0.0) * value.max(0.0) - 0.375 / whole,
            Scale::Time => libm::exp(value),
            Scale::Above1 => 1.0 + value.max(0.0) * value.max(0.0),
            Scale::Plain => value,
        }
    }
}
