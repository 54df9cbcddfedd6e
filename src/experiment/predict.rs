//! The prediction of the sim engine for a scenario: the same users, with many seeds.

use std::sync::atomic::AtomicBool;

use super::{FAVOURITE, NoProgress, Options, run};
use crate::results::{Figures, RunReport};
use crate::scenario::Loaded;

/// The number of simulations of each variant in a prediction.
pub const PREDICTION_SEEDS: u32 = 100;

/// Simulates every variant with several seeds, derived from `seed` like those of several runs. The result is ordered
/// by variant, then by run.
///
/// If a prediction is interrupted, some of its figures are from truncated runs, and nothing may be compared with it.
///
/// # Errors
///
/// A simulation cannot go on.
pub fn predict(
    loaded: &Loaded,
    seed: u64,
    seeds: u32,
    interrupt: &AtomicBool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Vec<Figures>>, NoProgress> {
    let options = Options { seed: Some(seed), runs: seeds, played: 0, favourite: FAVOURITE, interrupt, progress };
    let figures = |run: RunReport| run.figures;
    let report = run(loaded, &options)?;
    Ok(report.variants.into_iter().map(|variant| variant.runs.into_iter().map(figures).collect()).collect())
}
