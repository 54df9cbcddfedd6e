//! Runs many scenarios at once and keeps only their figures.

use std::sync::atomic::AtomicBool;

use super::jobs::{Job, work_through};
use super::{FAVOURITE, NoProgress, Options, one};
use crate::base::seed::Seed;
use crate::results::Figures;
use crate::scenario::Loaded;

/// The figures of one scenario, for several seeds.
#[derive(Clone, Debug)]
pub struct Survey {
    /// For each seed, the figures of each variant. If the survey was interrupted, only the seeds with which all variants
    /// ran to their end.
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
        for (index, seed) in (0..).zip(of(loaded)) {
            jobs.extend(loaded.variants.iter().map(|variant| Job { variant, index, seed }));
        }
    }
    let played = work_through(&jobs, progress, |job, tick| {
        let run = one(job, &options, tick)?;
        Ok(run.filter(|run| run.cut_at.is_none()).map(|run| run.figures))
    });
    let mut played = played.into_iter().collect::<Result<Vec<Option<Figures>>, _>>()?.into_iter();
    let mut of_one = |loaded: &Loaded| {
        let mut with = |seed: Seed| {
            let runs: Vec<Option<Figures>> = played.by_ref().take(loaded.variants.len()).collect();
            Some((seed.0, runs.into_iter().collect::<Option<Vec<Figures>>>()?))
        };
        Survey { seeds: of(loaded).into_iter().filter_map(&mut with).collect() }
    };
    Ok(scenarios.iter().map(&mut of_one).collect())
}
