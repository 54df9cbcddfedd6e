//! Distributes simulations over all cores.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::seed::Seed;
use crate::live::Slices;
use crate::scenario::{Scenario, Variant};

/// One simulation: a variant with a seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job<'a> {
    /// The variant.
    pub variant: &'a Variant,
    /// Which run of the variant it is, from 0.
    pub index: u32,
    /// The seed of the run.
    pub seed: Seed,
}

impl Job<'_> {
    /// The approximate number of requests, as the cost relative to other jobs.
    #[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
    fn requests(&self) -> f64 {
        let Scenario { users, servers, duration, .. } = &self.variant.scenario;
        let open = duration.get().as_secs_f64();
        let think = users.think.sampler().mean() + servers.service.sampler().mean();
        match (users.rate, users.people()) {
            (None, Some(people)) => people as f64 * open / think.as_secs_f64().max(1e-3),
            (rate, _) => rate.map_or(0.0, crate::scenario::Positive::get) * open * users.journey.len() as f64,
        }
    }
}

/// Works through all jobs: the first run of everything, then the second, so that whenever this is interrupted, all
/// variants have about as many runs. Among the runs with one index the longest go first, so that no core is left with a
/// long job at the end. The results are in the order of the jobs. `work` ticks after each slice of its job; `progress` is called with the overall progress in
/// thousandths.
pub(super) fn work_through<R: Send>(
    jobs: &[Job],
    progress: &(dyn Fn(u64) + Sync),
    work: impl Fn(&Job, &dyn Fn()) -> R + Sync + Send,
) -> Vec<R> {
    let total = jobs.len() as u64 * Slices::COUNT;
    let ticks = AtomicU64::new(0);
    let tick = || {
        let done = ticks.fetch_add(1, Ordering::Relaxed) + 1;
        progress(done * 1_000 / total.max(1));
    };
    let mut in_turn: Vec<usize> = (0..jobs.len()).collect();
    in_turn.sort_by(|a, b| {
        let (a, b) = (&jobs[*a], &jobs[*b]);
        a.index.cmp(&b.index).then(b.requests().total_cmp(&a.requests()))
    });
    let mut done = in_parallel(in_turn, |at| (at, work(&jobs[at], &tick)));
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Jobs start in this order, and finish in any order.
#[cfg(feature = "cli")]
fn in_parallel<R: Send>(order: Vec<usize>, work: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    use rayon::prelude::*;
    order.into_iter().par_bridge().map(work).collect()
}

#[cfg(not(feature = "cli"))]
fn in_parallel<R>(order: Vec<usize>, work: impl Fn(usize) -> R) -> Vec<R> {
    order.into_iter().map(work).collect()
}
