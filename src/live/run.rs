//! The state of a run, which is what a checkpoint copies.

use super::diary::Diary;
use super::marks::Marks;
use super::{Input, Slices};
use crate::base::UserId;
use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::history::{Event, Recorder};
use crate::judging::observer::Observer;
use crate::scenario::Scenario;
use crate::sim::{Sim, Stuck};

/// A simulation and what was recorded of it.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub sim: Sim,
    pub observer: Observer,
    /// How many of the inputs have taken effect.
    pub applied: usize,
    /// How many events have happened.
    pub told: u64,
}

/// The recorders besides the observer.
pub(super) struct Ears<'a> {
    pub diary: &'a mut Diary,
    pub other: &'a mut dyn Recorder,
}

/// All recorders.
struct All<'a, 'b> {
    observer: &'a mut Observer,
    ears: &'a mut Ears<'b>,
}

impl Recorder for All<'_, '_> {
    #[inline]
    fn record(&mut self, event: &Event) {
        self.observer.record(event);
        self.ears.diary.record(event);
        self.ears.other.record(event);
    }
}

impl Run {
    /// A run that has processed the events of time 0.
    pub fn begin(scenario: &Scenario, seed: Seed, favourite: UserId, diary: &mut Diary) -> Run {
        let sim = Sim::new(scenario, seed);
        let observer = Observer::new(scenario, sim.heavy(), favourite);
        let mut run = Run { sim, observer, applied: 0, told: 0 };
        run.step(Instant::ZERO, &mut Ears { diary, other: &mut () });
        run
    }

    /// Whether everybody has left, as of the end of a slice, or the end has come.
    pub fn is_over(&self, slices: Slices) -> bool {
        let now = self.sim.now();
        now >= slices.end() || (slices.is_end(now) && self.sim.is_over())
    }

    /// Advances up to and including `until`, applies the inputs that are due on the way, and takes checkpoints.
    pub fn play(
        &mut self,
        until: Instant,
        inputs: &[Input],
        slices: Slices,
        ears: &mut Ears<'_>,
        mut marks: Option<&mut Marks<Run>>,
    ) -> Result<(), Stuck> {
        loop {
            self.take_in(inputs, ears);
            let now = self.sim.now();
            if now >= until || self.is_over(slices) {
                return Ok(());
            }
            let mut stop = until.min(slices.next_after(now));
            if let Some(input) = inputs.get(self.applied) {
                stop = stop.min(input.given);
            }
            if let Some(marks) = &marks {
                stop = stop.min(marks.next_after(now));
            }
            self.step(stop, ears);
            if let Some(stuck) = self.sim.stuck() {
                return Err(stuck);
            }
            if let Some(marks) = &mut marks {
                marks.pass(self.sim.now(), self);
            }
        }
    }

    /// Applies the inputs that are due. A fault that strikes now is processed at once.
    fn take_in(&mut self, inputs: &[Input], ears: &mut Ears<'_>) {
        let now = self.sim.now();
        while let Some(input) = inputs.get(self.applied).filter(|input| input.given <= now) {
            input.change.apply(&mut self.sim);
            self.applied += 1;
            self.step(now, ears);
        }
    }

    fn step(&mut self, until: Instant, ears: &mut Ears<'_>) {
        let Run { sim, observer, told, .. } = self;
        ears.diary.told = *told;
        sim.advance(until, &mut All { observer, ears });
        *told = ears.diary.told;
    }
}
