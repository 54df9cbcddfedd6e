//! Do two engines agree? Compares real runs with what many simulations of the same scenario predict.
//!
//! A *kind* of event is predicted to be *impossible* (in no simulation), *certain* (at least [`CERTAIN`] times in each)
//! or *possible*. The impossible must not have happened and the certain must have. The possible is shown but not
//! judged.
//!
//! A *rate* must lie in the prediction interval of one more simulation. The confidence level of 99.9 % is joint over
//! all rates of one invocation: each rate is allotted an equal part of the 0.1 % (Bonferroni).
//!
//! The split between refused and unknown is not compared, because it depends on the instant at which a socket breaks.
//! So visits given up after either are one kind, which includes checkouts that were never answered.
//!
//! An event that occurs in one seed in a hundred, or fewer, may look impossible after a hundred simulations. A real run
//! can still show it, with a probability of at most 0.4 % for such a kind.

mod kinds;
mod rates;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{Figures, Report};
use crate::scenario::DesignNumber;

/// An event is certain if every simulation has at least this many of it.
pub const CERTAIN: u64 = 10;

/// The probability that at least one rate differs although the engines are alike.
const FALSE_ALARM: f64 = 0.001;

/// The mean service time of a request, in real milliseconds, below which latency and load are not compared: timer and
/// socket delays would be a good part of what is measured.
pub const SERVICE_AT_LEAST_MS: f64 = 10.0;

/// One variant in both engines, as plain figures.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// One entry per simulation.
    pub predicted: &'a [Figures],
    /// One entry per real run.
    pub executed: Vec<&'a Figures>,
    /// The mean service time of a request, in milliseconds of scenario time.
    pub service_ms: f64,
    /// Scenario seconds per real second.
    pub speed: f64,
}

/// The result of the comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// How many simulations of each variant it is based on.
    pub simulations: usize,
    /// One entry per variant.
    pub variants: Vec<Vec<Judgement>>,
    /// The number of each.
    pub numbers: Vec<DesignNumber>,
    /// The shortest mean service time of any variant, in real milliseconds.
    pub service_ms: f64,
}

/// One figure, predicted and observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Its path or formula: `lost_by.wiped`, `carts.lost / carts.opened`.
    pub figure: String,
    /// A description in words.
    pub what: String,
    /// What it measures.
    pub unit: Unit,
    /// What the simulations predict.
    pub predicted: Predicted,
    /// The mean of the simulations.
    pub mean: f64,
    /// For a kind, the minimum over the simulations; for a rate, the lower end of its interval.
    pub low: f64,
    /// For a kind, the maximum over the simulations; for a rate, the upper end of its interval.
    pub high: f64,
    /// The mean over the real runs.
    pub observed: f64,
    /// Whether it is as predicted.
    pub verdict: Conformity,
}

/// What a figure measures, which determines how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of losses.
    Losses,
    /// What losses are a share of: a number of carts, views, ….
    Cases,
    /// A share, 0 to 1.
    Share,
    /// Any other number.
    Number,
    /// Milliseconds.
    Millis,
}

/// What simulations predict about a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Predicted {
    /// It happened in no simulation.
    Impossible,
    /// It happened at least [`CERTAIN`] times in every simulation.
    Certain,
    /// Neither.
    Possible,
    /// A rate: it has a prediction interval.
    Interval,
}

/// Whether a figure is as predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// As predicted.
    Agrees,
    /// Not as predicted.
    Differs,
    /// The simulations do not determine the outcome.
    NotJudged,
}

impl Conformity {
    fn of(as_predicted: bool) -> Conformity {
        if as_predicted { Conformity::Agrees } else { Conformity::Differs }
    }
}

impl Judgement {
    /// Whether it was predicted to be impossible and did not happen.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.predicted == Predicted::Impossible && self.verdict == Conformity::Agrees
    }

    /// Whether it is zero in every simulation and in the real runs.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.low <= 0.0 && self.high <= 0.0 && self.observed <= 0.0
    }
}

impl Agreement {
    /// Whether nothing differs.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differing().next().is_none()
    }

    /// How many figures were judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.variants.iter().flatten().filter(|one| one.verdict != Conformity::NotJudged).count()
    }

    /// The figures that differ, each with the index of its variant.
    pub fn differing(&self) -> impl Iterator<Item = (usize, &Judgement)> {
        let numbered = self.variants.iter().enumerate().flat_map(|(i, all)| all.iter().map(move |one| (i, one)));
        numbered.filter(|(_, one)| one.verdict == Conformity::Differs)
    }

    /// Whether service took long enough for latency and load to be compared.
    #[must_use]
    pub fn timed(&self) -> bool {
        self.service_ms >= SERVICE_AT_LEAST_MS
    }
}

/// Compares all variants of one invocation.
#[must_use]
pub fn judge(trials: &[Trial]) -> Agreement {
    let service_ms = trials.iter().map(|trial| trial.service_ms / trial.speed).fold(f64::MAX, f64::min);
    let timed = service_ms >= SERVICE_AT_LEAST_MS;
    let rates: Vec<Vec<rates::Compared>> = trials.iter().map(|trial| rates::compared(trial, timed)).collect();
    let uncertain = rates.iter().flatten().filter(|rate| rate.spreads()).count();
    #[expect(clippy::cast_precision_loss, reason = "a number of rates")]
    let tail = FALSE_ALARM / uncertain.max(1) as f64 / 2.0;
    let variants = trials.iter().zip(&rates).map(|(trial, rates)| {
        let kinds = kinds::judged(trial);
        let rates = rates.iter().map(|rate| rate.judged(tail));
        rates.chain(kinds).collect()
    });
    Agreement {
        simulations: trials.iter().map(|trial| trial.predicted.len()).min().unwrap_or(0),
        variants: variants.collect(),
        numbers: (1..=trials.len()).map(DesignNumber::of).collect(),
        service_ms,
    }
}

/// Applies [`judge`] to all variants of a report of real runs, in the order of `predicted`. Neither side may have been
/// interrupted.
#[must_use]
pub fn compare(report: &Report, predicted: &[Vec<Figures>]) -> Agreement {
    let trials = report.variants.iter().zip(predicted).map(|(variant, predicted)| {
        let executed: Vec<&Figures> = variant.runs.iter().map(|run| &run.figures).collect();
        let speed = executed.iter().find_map(|figures| figures.pace.as_ref()).map_or(1.0, |pace| pace.speed);
        let service_ms = 1e3 * variant.scenario.servers.service.sampler().mean().as_secs_f64();
        Trial { predicted, executed, service_ms, speed }
    });
    let numbers = report.variants.iter().map(|variant| variant.number).take(predicted.len()).collect();
    Agreement { numbers, ..judge(&trials.collect::<Vec<_>>()) }
}
