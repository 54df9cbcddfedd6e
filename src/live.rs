//! A run that somebody drives: it goes on, breaks, goes back and forks as its face likes.
//!
//! A [`Session`] is one design of a scenario with one seed, and what was injected or spared by hand. It knows no clock:
//! who drives it says up to which moment it plays. Everything that can be asked of it (a snapshot, figures, a story) is about
//! the moment it has reached, and is computed by those who compute it for reports: what a session shows at its end is what a
//! report says of the same run.
//!
//! What was done by hand is kept in a log, which together with scenario, design and seed is the run's identity: playing it again
//! gives the same events. So going back is a copy of an earlier state, and what follows it is played again. Some such copies
//! are kept, never more than [`MOST_MARKS`].

mod diary;
mod marks;
mod run;
mod slices;

use thiserror::Error;

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{ServerId, UserId};
use crate::faces::story::{Story, tell};
use crate::history::Recorder;
use crate::judging::observer::Observer;
use crate::operations::faults::{self, Fault, FaultKind, in_words};
use crate::results::{Figures, RunReport, Series, Tape, VariantReport, figures, series, strikes};
use crate::scenario::{Loaded, Scenario, Variant};
use crate::sim::snapshot::{Holder, Memory, Snapshot};
use crate::sim::{Stuck, View};

use diary::Diary;
pub use marks::MOST_MARKS;
use marks::Marks;
use run::Run;
pub use slices::Slices;

/// Why a session does not do what it was asked for. It is then as it was before, unless the run is [stuck](Error::Stuck).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The scenario has no design of this number.
    #[error("there is no design {wanted}: the scenario has {there}")]
    UnknownDesign {
        /// Counted from 1.
        wanted: usize,
        /// How many there are.
        there: usize,
    },
    /// A time at which the run is over in any case.
    #[error("{} lies beyond the end of the run, {}", asked.since_start(), end.since_start())]
    BeyondTheEnd {
        /// The time in question.
        asked: Instant,
        /// The end of the run.
        end: Instant,
    },
    /// To play up to a time that has passed: going back is another request.
    #[error("{} has passed: the run is at {}", asked.since_start(), now.since_start())]
    Passed {
        /// The time in question.
        asked: Instant,
        /// The time that was reached.
        now: Instant,
    },
    /// To go back to a time that has not come yet.
    #[error("{} has not come yet: the run is at {}", asked.since_start(), now.since_start())]
    NotYet {
        /// The time in question.
        asked: Instant,
        /// The time that was reached.
        now: Instant,
    },
    /// To break something after the end.
    #[error("the run is over: nothing can break any more")]
    Over,
    /// To break a server that there is not.
    #[error("there is no {0}")]
    UnknownServer(ServerId),
    /// Migrations and autoscalers belong to a scenario.
    #[error("`{0}` is part of a design: it can neither be injected nor be spared")]
    PartOfTheDesign(String),
    /// To spare a fault that has struck, that was injected, or that there is not.
    #[error("fault {0} is none of the scenario's that lies ahead")]
    NotAhead(u32),
    /// A defect of the simulator: from here on the run cannot be trusted.
    #[error("{0}. This is a defect of whatcart: please report it")]
    Stuck(Stuck),
}

/// Something that was done to a run by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// When the run had come to this moment, and had played it.
    pub given: Instant,
    /// What was done.
    pub change: Change,
}

/// What can be done to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something breaks that the scenario knows nothing of. A fault whose time had passed strikes at that moment.
    Inject(Fault),
    /// A fault of the scenario, by its index, does not strike.
    Spare(u32),
}

/// A fault of a run, as a line of its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultMark {
    /// Its index among the faults of the run.
    pub index: u32,
    /// What reports call it.
    pub name: String,
    /// What it does, in words: `server-2 crashes`.
    pub words: String,
    /// The server it is about, if it is about one.
    pub server: Option<ServerId>,
    /// When it is due, or would have been.
    pub at: Instant,
    /// When it struck, if it has. One that finds nothing to break never does.
    pub struck: Option<Instant>,
    /// Whether it was injected, and is not the scenario's.
    pub injected: bool,
    /// Whether it was spared, and never strikes.
    pub spared: bool,
}

/// A run that is driven. A clone is a [fork](Session::fork).
#[derive(Clone, Debug)]
pub struct Session {
    variant: Variant,
    /// The index of the design.
    design: usize,
    seed: Seed,
    slices: Slices,
    /// How many faults are the scenario's own.
    written: usize,
    inputs: Vec<Input>,
    run: Run,
    marks: Marks<Run>,
    diary: Diary,
}

/// Whether a fault is one only for the sake of what it may take.
fn is_part_of_the_design(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Autoscale | FaultKind::Migrate { .. })
}

impl Session {
    /// Opens a design of a scenario, by its index, at time 0. `seed`: the scenario's own when absent. `favourite`: the user
    /// whose hurt visits are all remembered.
    ///
    /// # Errors
    ///
    /// When there is no such design.
    pub fn load(loaded: &Loaded, design: usize, seed: Option<u64>, favourite: UserId) -> Result<Session, Error> {
        let unknown = Error::UnknownDesign { wanted: design + 1, there: loaded.variants.len() };
        let variant = loaded.variants.get(design).ok_or(unknown)?.clone();
        let seed = Seed(seed.unwrap_or(loaded.base.seed.get()));
        Ok(Session { design, ..Session::begin(variant, seed, favourite) })
    }

    /// Opens a design that must have passed validation, as the only one of its scenario.
    #[must_use]
    pub fn begin(variant: Variant, seed: Seed, favourite: UserId) -> Session {
        let slices = Slices::of(&variant.scenario);
        let mut diary = Diary::default();
        let run = Run::begin(&variant.scenario, seed, favourite, &mut diary);
        let written = run.sim.faults().len();
        let marks = Marks::beginning_with(&run);
        Session { variant, design: 0, seed, slices, written, inputs: Vec::new(), run, marks, diary }
    }

    /// Plays up to and including a moment. A run that is over before stays where it is.
    ///
    /// # Errors
    ///
    /// When the moment has passed or lies beyond the end, or when the simulation is stuck.
    pub fn advance(&mut self, until: Instant) -> Result<(), Error> {
        self.advance_telling(until, &mut ())
    }

    /// The same, and tells a recorder what happens.
    ///
    /// # Errors
    ///
    /// As [`Session::advance`].
    pub fn advance_telling(&mut self, until: Instant, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let now = self.now();
        if until < now {
            return Err(Error::Passed { asked: until, now });
        }
        self.within(until)?;
        self.play(until, recorder)
    }

    /// Breaks something now, or at the fault's own time if that lies ahead. What strikes now is played at once. Returns the
    /// fault's index among those of the run.
    ///
    /// # Errors
    ///
    /// When the run is over, the fault comes after its end, or it is none that can be injected.
    pub fn inject(&mut self, fault: Fault) -> Result<u32, Error> {
        self.inject_telling(fault, &mut ())
    }

    /// The same, and tells a recorder what happens at once.
    ///
    /// # Errors
    ///
    /// As [`Session::inject`].
    pub fn inject_telling(&mut self, fault: Fault, recorder: &mut dyn Recorder) -> Result<u32, Error> {
        if self.is_over() {
            return Err(Error::Over);
        }
        self.within(fault.at)?;
        if is_part_of_the_design(&fault) {
            return Err(Error::PartOfTheDesign(fault.name));
        }
        if let Some(server) = fault.server().filter(|server| server.index() >= self.run.sim.view().servers.len()) {
            return Err(Error::UnknownServer(server));
        }
        let index = u32::try_from(self.run.sim.faults().len()).expect("fewer than 2^32 faults");
        self.change(Change::Inject(fault), recorder)?;
        Ok(index)
    }

    /// Lets a fault of the scenario that lies ahead never strike, by its index.
    ///
    /// # Errors
    ///
    /// When it has struck, or is none of the scenario's, or is a part of the design.
    pub fn spare(&mut self, fault: u32) -> Result<(), Error> {
        let known = self.run.sim.faults().get(fault as usize).filter(|_| (fault as usize) < self.written);
        match known.filter(|known| known.at > self.now() && known.at < Instant::NEVER) {
            None => Err(Error::NotAhead(fault)),
            Some(part) if is_part_of_the_design(part) => Err(Error::PartOfTheDesign(part.name.clone())),
            Some(_) => self.change(Change::Spare(fault), &mut ()),
        }
    }

    /// What comes after now will be different.
    fn change(&mut self, change: Change, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let now = self.now();
        self.marks.forget_after(now);
        self.inputs.insert(self.run.applied, Input { given: now, change });
        self.play(now, recorder)
    }

    /// Goes back to a moment. What was injected later stays in the log, and happens again when its time comes: see
    /// [`Session::forget_later_inputs`].
    ///
    /// # Errors
    ///
    /// When the moment has not come yet.
    pub fn rewind(&mut self, to: Instant) -> Result<(), Error> {
        let now = self.now();
        if to > now {
            return Err(Error::NotYet { asked: to, now });
        }
        self.run = self.marks.latest_until(to).clone();
        self.diary.truncate(self.run.told);
        self.play(to, &mut ())
    }

    /// Goes to a moment, be it earlier or later.
    ///
    /// # Errors
    ///
    /// When it lies beyond the end, or when the simulation is stuck.
    pub fn seek(&mut self, to: Instant) -> Result<(), Error> {
        if to < self.now() { self.rewind(to) } else { self.advance(to) }
    }

    /// Forgets what was injected later than now: then going back has undone it.
    pub fn forget_later_inputs(&mut self) {
        if self.inputs.len() > self.run.applied {
            self.inputs.truncate(self.run.applied);
            self.marks.forget_after(self.now());
        }
    }

    /// Another session from here on: both have the same past, and what happens to one does not concern the other.
    #[must_use]
    pub fn fork(&self) -> Session {
        self.clone()
    }

    /// The moment that was reached.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.run.sim.now()
    }

    /// The moment at which the run is over in any case.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.slices.end()
    }

    /// Whether everybody has left, or the end has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.is_over(self.slices)
    }

    /// The design that runs.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.variant.scenario
    }

    /// The root of all its randomness.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// What was done to it, in the order of time; also what lies ahead after a rewind.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// Servers and counts, as seen from outside.
    #[must_use]
    pub fn view(&self) -> View {
        self.run.sim.view()
    }

    /// Fills a snapshot with this moment; its buffers are used again.
    pub fn snapshot(&self, into: &mut Snapshot) {
        self.run.sim.snapshot(into);
    }

    /// Fills in everything that servers, stores and tokens remember.
    pub fn memory(&self, into: &mut Memory) {
        self.run.sim.memory(into);
    }

    /// The same of one of them.
    pub fn memory_of(&self, holder: Holder, into: &mut Memory) {
        self.run.sim.memory_of(holder, into);
    }

    /// Verdicts, causes and measures so far.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        &self.run.observer
    }

    /// The figures so far; at the end those of a report. What is still under way counts as open or in flight.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Run { sim, observer, .. } = &self.run;
        let of = |observer| figures(observer, &self.variant.scenario, sim.view().awaited, sim.faults());
        if !self.is_over() {
            return of(observer);
        }
        let mut audited = observer.clone();
        sim.audit(&mut audited);
        of(&audited)
    }

    /// The figures over time, so far.
    #[must_use]
    pub fn series(&self) -> Series {
        series(&self.run.observer.meter)
    }

    /// The faults of the run, those that have struck and those to come.
    #[must_use]
    pub fn faults(&self) -> Vec<FaultMark> {
        let written = faults::of_run(&self.variant.scenario, self.seed);
        let faults = (0u32..).zip(self.run.sim.faults());
        let mark = |(index, fault): (u32, &Fault)| FaultMark {
            index,
            name: fault.name.clone(),
            words: in_words(fault.kind, &self.variant.scenario).to_string(),
            server: fault.server(),
            at: written.get(index as usize).map_or(fault.at, |written| written.at),
            struck: self.diary.struck(index),
            injected: index as usize >= self.written,
            spared: fault.at == Instant::NEVER,
        };
        faults.map(mark).collect()
    }

    /// The story of a user's present visit, or of the last one, as far as it has come: at most so many lines. `None` when
    /// the user has not visited yet.
    ///
    /// Whoever asks for another user than the last time lets the run be played again from its beginning.
    pub fn story(&mut self, user: UserId, most: usize) -> Option<Story> {
        self.follow(user);
        let injected = (0u32..).zip(self.run.sim.faults()).skip(self.written);
        let injected = injected.map(|(index, fault)| (index, fault.clone())).collect();
        let tape = Tape { events: self.diary.last_visit()?, injected };
        let strikes = strikes(&self.run.observer, self.run.sim.faults());
        let run = RunReport { seed: self.seed.0, figures: self.figures(), strikes, ..RunReport::default() };
        let Variant { name, scenario } = self.variant.clone();
        let report = VariantReport { name, scenario, runs: vec![run] };
        Some(tell(&report, self.design + 1, &tape, most))
    }

    /// From now on the events of this user are kept, and those that there were.
    fn follow(&mut self, user: UserId) {
        if self.diary.follows(user) {
            return;
        }
        let mut diary = Diary::of(user);
        let mut again = self.marks.first().clone();
        diary.told = again.told;
        let now = self.now();
        diary.keep_beginning(&self.diary);
        let played =
            again.play(now, &self.inputs, self.slices, &mut run::Ears { diary: &mut diary, other: &mut () }, None);
        debug_assert!(played.is_ok(), "it has been played before: {played:?}");
        self.diary = diary;
    }

    fn within(&self, asked: Instant) -> Result<(), Error> {
        let end = self.end();
        if asked > end { Err(Error::BeyondTheEnd { asked, end }) } else { Ok(()) }
    }

    fn play(&mut self, until: Instant, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let mut ears = run::Ears { diary: &mut self.diary, other: recorder };
        self.run.play(until, &self.inputs, self.slices, &mut ears, Some(&mut self.marks)).map_err(Error::Stuck)
    }
}
