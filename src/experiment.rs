//! Runs all variants of a scenario, on all cores.
//!
//! Every (variant, run) is a separate simulation. They share nothing, so the number of threads does not change a byte
//! of the output.

#[cfg(feature = "http")]
mod execute;
mod jobs;
mod precise;
mod survey;

use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{UserId, Visit};
use crate::history::{Event, EventKind, Recorder, Seen};
use crate::judging::observer::Observer;
use crate::live::Playthrough;
use crate::results::{Figures, Report, RunReport, Tape, VariantReport};
use crate::scenario::{Loaded, Variant};
use crate::sim::{Sim, Stuck};
use crate::traffic::Workload;

use self::jobs::{Job, work_through};
pub use self::precise::{MOST_RUNS, Precision, until_precise};
pub use self::survey::{Survey, survey};
pub use crate::faces::story::FAVOURITE;
#[cfg(feature = "http")]
pub use execute::{HttpOptions, News, Turn, execute, take_out_sim_only};

/// How to run a scenario.
pub struct Options<'a> {
    /// The root seed; by default the scenario's own.
    pub seed: Option<u64>,
    /// The number of runs; their seeds are derived from the root seed.
    pub runs: u32,
    /// How many of these runs have already been made.
    pub played: u32,
    /// All visits of this user that go wrong are remembered.
    pub favourite: UserId,
    /// Set by the caller to stop early.
    pub interrupt: &'a AtomicBool,
    /// Called with the overall progress, in thousandths.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// A simulation that cannot go on: a defect of the simulator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("design `{variant}`, seed {seed}: {stuck}. This is a defect of whatcart: please report this command")]
pub struct NoProgress {
    /// The name of the variant.
    pub variant: String,
    /// Its seed.
    pub seed: u64,
    /// What is waiting, and for what.
    pub stuck: Stuck,
}

/// Runs every variant of a scenario. The report evaluates the expectations later.
///
/// # Errors
///
/// A simulation cannot go on. Then no figure of any variant may be shown.
pub fn run(loaded: &Loaded, options: &Options) -> Result<Report, NoProgress> {
    let seed = options.seed.unwrap_or(loaded.base.seed.get());
    let of = |variant| {
        (options.played..options.runs).map(move |index| Job { variant, index, seed: Seed(seed).of_run(index) })
    };
    let jobs: Vec<Job> = loaded.variants.iter().flat_map(of).collect();
    let runs = work_through(&jobs, options.progress, |job, tick| one(job, options, tick));
    let mut runs = runs.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter();
    let variants = loaded.variants.iter().map(|variant| {
        let mut report = VariantReport::of(variant);
        report.take_in(runs.by_ref().take((options.runs - options.played) as usize).flatten());
        report
    });
    Ok(Report::of(loaded, "sim", seed, options.runs - options.played, variants.collect()))
}

/// Runs one variant with one seed; `None` if it was interrupted before it began.
fn one(job: &Job, options: &Options, tick: &dyn Fn()) -> Result<Option<RunReport>, NoProgress> {
    let Job { variant, seed, .. } = *job;
    let interrupted = || options.interrupt.load(Ordering::Relaxed);
    if interrupted() {
        return Ok(None);
    }
    let mut run = Playthrough::begin(&variant.scenario, seed, options.favourite, Vec::new());
    // Between two slices it can be interrupted and its progress seen.
    while !run.is_over() && !interrupted() {
        run.advance().map_err(|stuck| NoProgress { variant: variant.name.clone(), seed: seed.0, stuck })?;
        tick();
    }
    Ok(Some(run.report()))
}

/// The events of one visit, and of the pool, up to a moment: from the run's tape or, if there is none, by simulating
/// the run again.
#[must_use]
pub fn replay(variant: &Variant, run: &RunReport, visit: Visit, until: Instant) -> Tape {
    struct Filter {
        visit: Visit,
        /// Whether every visitor comes once. Their clients are reused, so that one visitor may have another client in
        /// another design.
        once: bool,
        events: Vec<Event>,
    }
    impl Recorder for Filter {
        fn record(&mut self, event: &Event) {
            let wanted = match event.what {
                EventKind::Seen(visit, _) | EventKind::Inside(visit, _) if self.once => visit.user == self.visit.user,
                EventKind::Seen(visit, _) | EventKind::Inside(visit, _) => visit == self.visit,
                EventKind::Pool(_) => true,
            };
            if wanted {
                self.events.push(*event);
            }
        }
    }
    let mut filter = Filter { visit, once: variant.scenario.users.rate.is_some(), events: Vec::new() };
    hear(variant, run, until, &mut filter);
    Tape { events: filter.events, injected: Vec::new() }
}

/// The events of a run up to a moment, for another recorder: from its tape or, if there is none, by simulating it again.
pub fn hear(variant: &Variant, run: &RunReport, until: Instant, recorder: &mut dyn Recorder) {
    match &run.tape {
        Some(tape) => tape.iter().take_while(|event| event.at <= until).for_each(|event| recorder.record(event)),
        None => Sim::new(&variant.scenario, Seed(run.seed)).advance(until, recorder),
    }
}

/// The visit of a user that a story should tell, and when it ended: the first visit that went wrong or else the first
/// that was finished. `None` if this user did not finish a visit in this run.
#[must_use]
pub fn follow(variant: &Variant, run: &RunReport, user: UserId) -> Option<(Visit, Instant)> {
    struct Visits {
        observer: Observer,
        user: UserId,
        finished: Option<(Visit, Instant)>,
    }
    impl Recorder for Visits {
        fn record(&mut self, event: &Event) {
            if let EventKind::Seen(visit, Seen::Left(_)) = event.what
                && visit.user == self.user
            {
                self.finished.get_or_insert((visit, event.at));
            }
            self.observer.record(event);
        }
    }
    let scenario = &variant.scenario;
    let heavy = Workload::new(scenario, Seed(run.seed)).heavy();
    let observer = Observer::new(scenario, heavy, user);
    let mut visits = Visits { observer, user, finished: None };
    hear(variant, run, scenario.ends(), &mut visits);
    let hurt = visits.observer.hurt().iter().find(|hurt| hurt.visit.user == user);
    hurt.map(|hurt| (hurt.visit, hurt.ended)).or(visits.finished)
}

/// The number of simulations of each variant in a prediction.
pub const PREDICTION_SEEDS: u32 = 100;

/// Simulates every variant with several seeds, derived from `seed` like those of several runs. The result is ordered
/// by variant, then by run.
///
/// If a prediction is interrupted, it has fewer simulations, and nothing may be compared with it.
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
    let complete = |run: RunReport| run.cut_at.is_none().then_some(run.figures);
    let report = run(loaded, &options)?;
    Ok(report.variants.into_iter().map(|variant| variant.runs.into_iter().filter_map(complete).collect()).collect())
}
