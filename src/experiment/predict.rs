//! What the sim engine predicts of a scenario: the same users in many seeds.

use std::sync::atomic::AtomicBool;

use super::{FAVOURITE, NoProgress, Options, run};
use crate::results::{Figures, RunReport};
use crate::scenario::Loaded;

/// How many simulations of each variant a prediction rests on.
pub const PREDICTION_SEEDS: u32 = 100;

/// Simulates every variant in so many seeds, derived from `seed` as those of several runs are. Variant by variant, run
/// by run.
///
/// An interrupted prediction has figures of runs that were cut short: nothing may be compared with it.
///
/// # Errors
///
/// When one of them cannot go on.
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
