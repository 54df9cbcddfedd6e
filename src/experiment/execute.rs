//! Runs a scenario over real sockets: variants and runs one after another, so that they do not disturb each other.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use super::Options;
use crate::base::ServerId;
use crate::base::seed::Seed;
use crate::history::{Event, Recorder};
use crate::http::{self, Addresses, Failure, Played, Progress};
use crate::judging::observer::Observer;
use crate::results::{Latency, Moment, Pace, Report, RunReport, VariantReport, figures, latency, series, strikes};
use crate::scenario::{Loaded, Variant};
use crate::traffic::Workload;

/// Options for a run over real sockets, in addition to [`Options`].
pub struct HttpOptions<'a> {
    /// Scenario seconds per real second; chosen for each variant when absent.
    pub speed: Option<f64>,
    /// Whether people can shop through the balancer while it runs.
    pub for_guests: bool,
    /// Called with news about the run.
    pub news: &'a dyn Fn(&News),
}

/// News about a run in progress.
pub enum News<'a> {
    /// The servers of a variant have started.
    Started {
        /// The variant.
        variant: &'a Variant,
        /// Whose turn it is.
        turn: Turn,
        /// Scenario seconds per real second.
        speed: f64,
        /// Where the balancer and the servers can be reached.
        addresses: &'a Addresses,
    },
    /// A variant is running.
    Goes {
        /// The variant.
        variant: &'a Variant,
        /// Whose turn it is.
        turn: Turn,
        /// Its progress.
        progress: &'a Progress,
        /// Carts lost so far.
        lost: u64,
    },
    /// The run was ended by its `closing` while users were waiting for a response.
    EndedWaiting {
        /// The variant.
        variant: &'a Variant,
        /// How many users were waiting.
        users: u64,
        /// Servers that had not answered the balancer, with the number of their requests.
        holders: &'a [(ServerId, u32)],
    },
}

/// Which run of which variant is running. All are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The variant.
    pub design: usize,
    /// How many variants there are.
    pub designs: usize,
    /// The run of this variant.
    pub run: u32,
    /// How many runs each variant has.
    pub runs: u32,
}

impl Turn {
    /// How many of all runs have ended before this one, and how many there are.
    #[must_use]
    pub fn before(self) -> (u64, u64) {
        let (designs, runs) = (self.designs as u64, u64::from(self.runs));
        (u64::from(self.run - 1) * designs + self.design as u64 - 1, designs * runs)
    }
}

/// Removes the variants that only a simulation can run, and returns their names.
pub fn take_out_sim_only(loaded: &mut Loaded) -> Vec<String> {
    let (sim_only, real): (Vec<Variant>, Vec<Variant>) =
        std::mem::take(&mut loaded.variants).into_iter().partition(|variant| variant.scenario.needs_simulation());
    loaded.variants = real;
    sim_only.into_iter().map(|variant| variant.name).collect()
}

/// Runs every variant of a scenario over real sockets. The report evaluates the expectations later.
///
/// # Errors
///
/// A run failed. The measurements made before that are discarded.
pub fn execute(loaded: &Loaded, options: &Options, http: &HttpOptions) -> Result<Report, Failure> {
    let seed = options.seed.unwrap_or(loaded.base.seed.get());
    let mut variants: Vec<VariantReport> = loaded.variants.iter().map(VariantReport::of).collect();
    // The first run of every design comes before the second of any: an interrupted series can still be compared.
    for index in 0..options.runs {
        for (at, variant) in loaded.variants.iter().enumerate() {
            if options.interrupt.load(Ordering::Relaxed) {
                break;
            }
            let turn = Turn { design: at + 1, designs: loaded.variants.len(), run: index + 1, runs: options.runs };
            let mut run = one(variant, turn, Seed(seed).of_run(index).0, options, http)?;
            if index > 0 {
                // Only the first run has stories.
                run.tape = Some(Vec::new());
            }
            variants[at].take_in([run]);
        }
    }
    Ok(Report::of(loaded, "http", seed, options.runs, variants))
}

/// Events that a tape keeps at most, some 100 MB: beyond that there is no story to tell.
const LONGEST_TAPE: usize = 500_000;

/// What is taken down of a run: it cannot be played again.
struct Recording<'a> {
    /// Verdicts, causes and measures.
    observer: Observer,
    /// Everything that happened, in order. Empty when it would be too long.
    tape: Vec<Event>,
    too_long: bool,
    /// Carts lost so far.
    lost: &'a Cell<u64>,
}

impl Recorder for Recording<'_> {
    fn record(&mut self, event: &Event) {
        self.observer.record(event);
        self.lost.set(self.observer.checker.counts().lost);
        if self.tape.len() == LONGEST_TAPE {
            self.tape = Vec::new();
            self.too_long = true;
        }
        if !self.too_long {
            self.tape.push(*event);
        }
    }
}

/// Runs one variant with one seed.
fn one(variant: &Variant, turn: Turn, seed: u64, options: &Options, http: &HttpOptions) -> Result<RunReport, Failure> {
    let scenario = &variant.scenario;
    let speed = http.speed.unwrap_or_else(|| http::default_speed(scenario));
    let heavy = Workload::new(scenario, Seed(seed)).heavy();
    let lost = Cell::new(0);
    let observer = Observer::new(scenario, heavy, options.favourite);
    let mut recording = Recording { observer, tape: Vec::new(), too_long: false, lost: &lost };
    let Played { late, awaited, holders, faults, now, cut_short, .. } = http::play(
        scenario,
        Seed(seed),
        &http::Options {
            speed,
            interrupt: options.interrupt,
            for_guests: http.for_guests,
            progress: &|progress| (http.news)(&News::Goes { variant, turn, progress, lost: lost.get() }),
            started: &|addresses| (http.news)(&News::Started { variant, turn, speed, addresses }),
        },
        &mut recording,
    )?;
    let Recording { observer, tape, .. } = recording;
    if awaited > 0 && !cut_short {
        (http.news)(&News::EndedWaiting { variant, users: awaited, holders: &holders });
    }
    let late_ms = latency(&late).unwrap_or_default();
    let mut figures = figures(&observer, scenario, Moment { now, awaited }, &faults);
    figures.pace = Some(Pace {
        speed,
        kept_up: kept_up(&late_ms, http::shortest_wait(scenario).as_millis_f64() / speed),
        late_ms,
    });
    Ok(RunReport {
        seed,
        cut_at: cut_short.then_some(now),
        figures,
        series: series(&observer.meter),
        strikes: strikes(&observer, &faults),
        hurt: observer.hurt().to_vec(),
        tape: Some(tape),
    })
}

/// 99 of 100 requests must be sent less than this late, in real milliseconds, or the machine has not kept up.
const LATEST_MS: f64 = 5.0;

/// Whether requests were sent in time. If the machine stalls for longer than a user waits for a response, users give
/// up because of the machine, not because of the design.
fn kept_up(late_ms: &Latency, shortest_wait_ms: f64) -> bool {
    late_ms.p99 <= LATEST_MS && late_ms.max <= shortest_wait_ms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_that_stands_still_longer_than_users_wait_has_not_kept_up() {
        let late = |p99, max| Latency { p99, max, ..Latency::default() };
        assert!(kept_up(&late(4.9, 49.9), 50.0));
        assert!(!kept_up(&late(5.1, 49.9), 50.0));
        assert!(!kept_up(&late(0.1, 50.1), 50.0));
    }
}
