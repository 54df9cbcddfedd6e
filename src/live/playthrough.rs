//! A run from its start to its end, without a way back: what reports are made of.

use super::{Change, Input, Slices};
use crate::base::UserId;
use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::judging::observer::Observer;
use crate::results::{Moment, RunReport, figures, series, strikes};
use crate::scenario::Scenario;
use crate::sim::{Sim, Stuck};

/// A run of one design that goes on slice by slice, and takes in manual changes on the way.
#[derive(Debug)]
pub struct Playthrough {
    scenario: Scenario,
    seed: Seed,
    inputs: Vec<Input>,
    applied: usize,
    slices: Slices,
    sim: Sim,
    observer: Observer,
}

impl Playthrough {
    /// A run at its start. All visits in which the `favourite` user is hurt are remembered. `inputs` are in order of
    /// time, as those of a [`Session`](super::Session).
    #[must_use]
    pub fn begin(scenario: &Scenario, seed: Seed, favourite: UserId, inputs: Vec<Input>) -> Playthrough {
        let sim = Sim::new(scenario, seed);
        let observer = Observer::new(scenario, sim.heavy(), favourite);
        let (scenario, slices) = (scenario.clone(), Slices::of(scenario));
        Playthrough { scenario, seed, inputs, applied: 0, slices, sim, observer }
    }

    /// Whether everybody has left, or the end has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.sim.is_over() || self.sim.now() >= self.slices.end()
    }

    /// The share of its time that has passed, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        if self.is_over() {
            return 1.0;
        }
        let seconds = |moment: Instant| moment.since_start().as_secs_f64();
        seconds(self.sim.now()) / seconds(self.slices.end())
    }

    /// How many requests users have sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.observer.meter.windows.iter().map(|window| window.requests.sent).sum()
    }

    /// Goes on to the end of the slice.
    ///
    /// # Errors
    ///
    /// The simulation cannot go on: a defect of the simulator.
    pub fn advance(&mut self) -> Result<(), Stuck> {
        let end = self.slices.next_after(self.sim.now());
        while let Some(Input { given, change }) = self.inputs.get(self.applied).filter(|input| input.given <= end) {
            advance(&mut self.sim, *given, &mut self.observer);
            change.apply(&mut self.sim);
            self.applied += 1;
        }
        advance(&mut self.sim, end, &mut self.observer);
        self.sim.stuck().map_or(Ok(()), Err)
    }

    /// What was measured. It is judged as complete only if the run is over.
    #[must_use]
    pub fn report(mut self) -> RunReport {
        let complete = self.is_over();
        if complete {
            self.sim.audit(&mut self.observer);
        }
        let Playthrough { scenario, seed, sim, observer, .. } = self;
        RunReport {
            seed: seed.0,
            cut_at: (!complete).then(|| sim.now()),
            figures: figures(
                &observer,
                &scenario,
                Moment { now: sim.now(), awaited: sim.view().awaited },
                sim.faults(),
            ),
            series: series(&observer.meter),
            strikes: strikes(&observer, sim.faults()),
            hurt: observer.hurt().to_vec(),
            tape: None,
        }
    }
}

/// In a browser a second copy of the loop would cost more than it saves.
fn advance(sim: &mut Sim, until: Instant, observer: &mut Observer) {
    if cfg!(target_family = "wasm") { sim.advance(until, observer) } else { sim.advance_fast(until, observer) }
}

impl Change {
    /// Makes this change in a simulation that has reached its time.
    pub(super) fn apply(&self, sim: &mut Sim) {
        match self {
            Change::Inject(fault) => sim.inject(fault.clone()),
            Change::Spare(fault) => drop(sim.spare(*fault)),
        }
    }
}
