//! Makes as many runs as are needed for a given precision.

use std::sync::atomic::Ordering;

use super::{NoProgress, Options, run};
use crate::results::statistics::{Estimate, Summary};
use crate::results::{Report, VariantReport};
use crate::scenario::Loaded;

/// The search for precision ends after this many runs, whether it succeeded or not.
pub const MOST_RUNS: u32 = 1_000;
/// Fewer runs do not give a reliable estimate of their spread.
const FEWEST_RUNS: u32 = 10;

/// The precision that was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Precision {
    /// The precision that was requested: half of the 95 % interval divided by the mean, from 0 to 1.
    pub wanted: f64,
    /// The precision that was reached, in the design where it is worst.
    pub reached: f64,
    /// The figure that it is about.
    pub figure: &'static str,
    /// The number of runs.
    pub runs: u32,
}

impl Precision {
    /// Whether the requested precision was reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.reached <= self.wanted
    }
}

/// Runs a scenario repeatedly, until half of the 95 % interval of each design's lost carts is at most `wanted` times
/// their mean, or until [`MOST_RUNS`] runs have been made. If no design loses any carts, the mean latency of a step
/// takes their place. It begins with `options.runs` runs.
///
/// # Errors
///
/// A run cannot go on.
pub fn until_precise(loaded: &Loaded, options: &Options, wanted: f64) -> Result<(Report, Precision), NoProgress> {
    let mut runs = options.runs.max(FEWEST_RUNS);
    let mut report = run(loaded, &Options { runs, ..*options })?;
    loop {
        let precision = precision(&report, wanted);
        let stopped = options.interrupt.load(Ordering::Relaxed);
        if precision.is_reached() || runs >= MOST_RUNS || stopped {
            report.runs = runs;
            report.interrupted = stopped && !precision.is_reached();
            return Ok((report, precision));
        }
        let more = (next(&precision).min(MOST_RUNS)).max(runs + 1);
        let further = run(loaded, &Options { runs: more, played: runs, ..*options })?;
        for (variant, new) in report.variants.iter_mut().zip(further.variants) {
            variant.take_in(new.runs.into_iter().chain(new.cut_short));
        }
        runs = more;
    }
}

/// The worst precision of any design.
fn precision(report: &Report, wanted: f64) -> Precision {
    let runs = report.variants.iter().map(VariantReport::complete).min().unwrap_or(0);
    let runs = u32::try_from(runs).unwrap_or(u32::MAX);
    let summaries = Summary::all(&report.variants);
    let loses = summaries.iter().any(|summary| summary.mean("carts.lost") > 0.0);
    let figure = if loses { "carts.lost" } else { "step_latency_ms.mean" };
    let reached = summaries.iter().filter_map(|summary| summary.get(figure)).map(relative).fold(0.0, f64::max);
    Precision { wanted, reached, figure, runs }
}

/// Half of the interval divided by the mean; a figure that is 0 in all runs is known exactly.
fn relative(estimate: Estimate) -> f64 {
    match estimate.half {
        Some(half) if half > 0.0 => half / estimate.mean,
        Some(_) => 0.0,
        None => f64::INFINITY,
    }
}

/// How many runs will probably suffice: the interval shrinks with the square root of their number. At most four times
/// as many at once, because the spread is itself an estimate.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most four times the runs there were")]
fn next(precision: &Precision) -> u32 {
    let ratio = (precision.reached / precision.wanted).min(2.0);
    (f64::from(precision.runs) * ratio * ratio).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::UserId;
    use crate::scenario::{library, load};
    use std::sync::atomic::AtomicBool;

    fn played(wanted: f64, set: &[&str]) -> (Report, Precision) {
        let entry = library::find("sticky-crash").expect("it comes with the program");
        let set: Vec<String> = set.iter().map(ToString::to_string).collect();
        let loaded = load(entry.name, entry.name, entry.text, &set, &[]).expect("a sound scenario");
        let interrupt = AtomicBool::new(false);
        let options = Options {
            seed: Some(1),
            runs: 1,
            played: 0,
            favourite: UserId(1),
            interrupt: &interrupt,
            progress: &|_| (),
        };
        until_precise(&loaded, &options, wanted).expect("it goes on")
    }

    const SMALL: &[&str] = &["users.count=60", "duration=40s"];

    #[test]
    fn runs_go_on_until_the_interval_is_narrow() {
        let (rough, few) = played(0.5, SMALL);
        let (fine, many) = played(0.08, SMALL);
        assert!(few.is_reached() && many.is_reached(), "{few:?} {many:?}");
        assert!(few.runs < many.runs, "{few:?} {many:?}");
        assert_eq!(fine.variants[0].runs.len(), many.runs as usize);
        // A longer search begins with the same runs as a shorter one.
        assert_eq!(fine.variants[1].runs[3].figures, rough.variants[1].runs[3].figures);
        let seeds: std::collections::BTreeSet<u64> = fine.variants[0].runs.iter().map(|run| run.seed).collect();
        assert_eq!(seeds.len(), many.runs as usize, "every run has a seed of its own");
    }

    #[test]
    fn what_is_never_reached_ends_at_a_limit() {
        let (report, precision) = played(1e-6, &["users.count=10", "duration=35s"]);
        assert_eq!((precision.runs, precision.is_reached()), (MOST_RUNS, false));
        assert_eq!(report.variants[3].runs.len(), MOST_RUNS as usize);
    }

    #[test]
    fn where_nothing_is_lost_latency_is_what_counts() {
        let entry = library::find("shared-cart").expect("it comes with the program");
        let set = ["duration=5s".into(), "users.count=20".into()];
        let loaded = load(entry.name, entry.name, entry.text, &set, &[]).expect("a sound scenario");
        let options = Options {
            seed: Some(1),
            runs: 1,
            played: 0,
            favourite: UserId(1),
            interrupt: &AtomicBool::new(false),
            progress: &|_| (),
        };
        assert_eq!(until_precise(&loaded, &options, 0.5).expect("it goes on").1.figure, "step_latency_ms.mean");
    }
}
