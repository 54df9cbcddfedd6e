//! Runs many scenarios at once and keeps only their figures.

use std::sync::atomic::{AtomicBool, Ordering};

use super::jobs::{Job, work_through};
use super::{FAVOURITE, NoProgress, Options, one};
use crate::base::seed::Seed;
use crate::results::Figures;
use crate::scenario::Loaded;

/// The figures of one scenario, for several seeds.
#[derive(Clone, Debug)]
pub struct Survey {
    /// For each seed, the figures of each variant. Empty if the survey was interrupted.
    pub seeds: Vec<(u64, Vec<Figures>)>,
}

/// Simulates every variant of these scenarios with several seeds each. The seeds are derived from the scenario's own,
/// like those of several runs.
///
/// # Errors
///
/// A simulation cannot go on.
pub fn survey(
    scenarios: &[Loaded],
    seeds: u32,
    interrupt: &AtomicBool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Vec<Survey>, NoProgress> {
    let options = Options { seed: None, runs: seeds, played: 0, favourite: FAVOURITE, interrupt, progress };
    let of = |loaded: &Loaded| (0..seeds).map(move |run| Seed(loaded.base.seed.get()).of_run(run)).collect::<Vec<_>>();
    let mut jobs: Vec<Job> = Vec::new();
    for loaded in scenarios {
        for seed in of(loaded) {
            jobs.extend(loaded.variants.iter().map(|variant| Job { variant, seed }));
        }
    }
    let played = work_through(&jobs, progress, |job, tick| {
        let run = one(job, &options, tick)?;
        Ok((!interrupt.load(Ordering::Relaxed)).then_some(run.figures))
    });
    let mut played = played.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut of_one = |loaded: &Loaded| {
        let each = loaded.variants.len();
        let all: Vec<Option<Figures>> = played.by_ref().take(each * seeds as usize).collect();
        let all: Option<Vec<Figures>> = all.into_iter().collect();
        let mut all = all.unwrap_or_default().into_iter();
        let with = |seed: Seed| (seed.0, all.by_ref().take(each).collect());
        Survey {
            seeds: of(loaded)
                .into_iter()
                .map(with)
                .filter(|(_, runs): &(u64, Vec<Figures>)| runs.len() == each)
                .collect(),
        }
    };
    Ok(scenarios.iter().map(&mut of_one).collect())
}
