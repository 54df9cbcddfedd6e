//! Do two engines agree? What really ran, beside what many simulations of the same scenario predict.
//!
//! A *kind* of event is predicted to be *impossible* (in no simulation), *certain* (at least [`CERTAIN`] times in each)
//! or *possible*. The impossible must not have happened, the certain must have, the possible is shown and not judged.
//!
//! A *rate* must lie in the interval where one more simulation would lie, with a certainty of 99.9 % for all rates of
//! one call together: each is allotted an equal part of the 0.1 % (Bonferroni).
//!
//! Not compared: the split between refused and unknown, which hangs on the instant at which a socket breaks. So visits
//! that were given up after either are one kind; a checkout that was never answered is among them.
//!
//! What happens once in a hundred seeds or less is impossible as far as a hundred simulations can tell. A real run may
//! meet it all the same, with a probability of at most 0.4 % for such a kind.

mod kinds;
mod rates;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::{Figures, Report};

/// What happens so often in each simulation must happen.
pub const CERTAIN: u64 = 10;

/// The probability of calling at least one of all rates different although the engines are alike.
const FALSE_ALARM: f64 = 0.001;

/// A request's mean service, in real milliseconds, from which on latency and load are compared. Below, the delays of
/// timers and sockets are a good part of what would be measured.
pub const SERVICE_AT_LEAST_MS: f64 = 10.0;

/// One variant in both engines, as plain figures.
#[derive(Clone, Debug)]
pub struct Trial<'a> {
    /// Simulation by simulation.
    pub predicted: &'a [Figures],
    /// Real run by real run.
    pub executed: Vec<&'a Figures>,
    /// Mean service of a request, in milliseconds of the scenario's time.
    pub service_ms: f64,
    /// Seconds of the scenario in one real second.
    pub speed: f64,
}

/// What the comparison came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// How many simulations of each variant it rests on.
    pub simulations: usize,
    /// Variant by variant.
    pub variants: Vec<Vec<Judgement>>,
    /// The shortest mean service of any variant, in real milliseconds.
    pub service_ms: f64,
}

/// One figure, predicted and executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Its path or formula: `lost_by.wiped`, `carts.lost / carts.opened`.
    pub figure: String,
    /// The same in words.
    pub what: String,
    /// What it measures.
    pub unit: Unit,
    /// What the simulations say.
    pub predicted: Predicted,
    /// Their mean.
    pub mean: f64,
    /// The least that was seen of a kind in a simulation; the lower end of a rate's interval.
    pub low: f64,
    /// The most that was seen of a kind in a simulation; the upper end of a rate's interval.
    pub high: f64,
    /// What happened: the mean over the real runs.
    pub observed: f64,
    /// Whether that is as predicted.
    pub verdict: Conformity,
}

/// What a figure measures, and so how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Losses, counted.
    Losses,
    /// What losses are counted among: carts, views.
    Cases,
    /// A share, 0 to 1.
    Share,
    /// Any other number.
    Number,
    /// Milliseconds.
    Millis,
}

/// What simulations say of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Predicted {
    /// It happened in none.
    Impossible,
    /// It happened [`CERTAIN`] times or more in each.
    Certain,
    /// Neither.
    Possible,
    /// A rate.
    Interval,
}

/// Whether it came as predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conformity {
    /// As predicted.
    Agrees,
    /// Not as predicted.
    Differs,
    /// Simulations do not tell what must be.
    NotJudged,
}

impl Conformity {
    fn of(as_predicted: bool) -> Conformity {
        if as_predicted { Conformity::Agrees } else { Conformity::Differs }
    }
}

impl Judgement {
    /// Whether it never happened, and nothing else was predicted.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.predicted == Predicted::Impossible && self.verdict == Conformity::Agrees
    }

    /// Nothing in every simulation, and nothing really.
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

    /// What differs, with the number of its variant, from 0.
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

/// The criterion. Trials are all variants of one call.
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
        service_ms,
    }
}

/// [`judge`], of all variants of a report whose runs were real, in the order of `predicted`. Neither may have been
/// interrupted.
#[must_use]
pub fn compare(report: &Report, predicted: &[Vec<Figures>]) -> Agreement {
    let trials = report.variants.iter().zip(predicted).map(|(variant, predicted)| {
        let executed: Vec<&Figures> = variant.runs.iter().map(|run| &run.figures).collect();
        let speed = executed.iter().find_map(|figures| figures.pace.as_ref()).map_or(1.0, |pace| pace.speed);
        let service_ms = 1e3 * variant.scenario.servers.service.sampler().mean().as_secs_f64();
        Trial { predicted, executed, service_ms, speed }
    });
    judge(&trials.collect::<Vec<_>>())
}
