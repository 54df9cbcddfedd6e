//! A run under interactive control: it can be advanced, disturbed, rewound and forked.
//!
//! A [`Session`] is one design of a scenario with one seed, together with the faults that were injected or cancelled by
//! hand. It has no clock: its caller says how far to run. Whatever it is asked for (a snapshot, figures, a story)
//! refers to the moment it has reached, and is computed by the same code as for reports. So at the end a session shows
//! what a report says about the same run.
//!
//! Manual changes are kept in an input log. Scenario, design, seed and log identify a run: replaying them gives the
//! same events. To rewind, a session restores an earlier checkpoint and replays from there. It keeps at most
//! [`MOST_MARKS`] checkpoints.

mod diary;
mod marks;
mod playthrough;
mod run;
mod slices;

use thiserror::Error;

use crate::base::seed::Seed;
use crate::base::time::Instant;
use crate::base::{ClientId, ServerId, UserId};
use crate::faces::story::{self, Line, Story};
use crate::history::{Evidence, Recorder};
use crate::judging::observer::Observer;
use crate::operations::faults::{self, Fault, FaultKind, in_words};
use crate::results::{Figures, Moment, RunReport, Series, Tape, VariantReport, figures, series, strikes};
use crate::scenario::{Loaded, Scenario, Target, Variant};
use crate::sim::snapshot::{Holder, Memory, Snapshot};
use crate::sim::{Stuck, View};

use diary::Diary;
pub use marks::MOST_MARKS;
use marks::Marks;
pub use playthrough::Playthrough;
use run::Run;
pub use slices::Slices;

/// Why a session refuses a request. It is left unchanged, unless the run is [stuck](Error::Stuck).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// The scenario has no design with this number.
    #[error("there is no design {wanted}: the scenario has {there}")]
    UnknownDesign {
        /// The number asked for, counted from 1.
        wanted: usize,
        /// How many designs there are.
        there: usize,
    },
    /// The time lies after the end of the run.
    #[error("{} lies beyond the end of the run, {}", asked.since_start(), end.since_start())]
    BeyondTheEnd {
        /// The time asked for.
        asked: Instant,
        /// The end of the run.
        end: Instant,
    },
    /// The run cannot be advanced to a time that has passed; that needs a rewind.
    #[error("{} has passed: the run is at {}", asked.since_start(), now.since_start())]
    Passed {
        /// The time asked for.
        asked: Instant,
        /// The current time of the run.
        now: Instant,
    },
    /// The run cannot be rewound to a time that has not come yet.
    #[error("{} has not come yet: the run is at {}", asked.since_start(), now.since_start())]
    NotYet {
        /// The time asked for.
        asked: Instant,
        /// The current time of the run.
        now: Instant,
    },
    /// A fault was injected after the end of the run.
    #[error("the run is over: nothing can break any more")]
    Over,
    /// The fault names a server that does not exist.
    #[error("there is no {0}")]
    UnknownServer(ServerId),
    /// Migrations and autoscalers belong to the scenario.
    #[error("`{0}` is part of a design: it can neither be injected nor be spared")]
    PartOfTheDesign(String),
    /// Only a fault of the scenario that has not struck yet can be cancelled.
    #[error("fault {0} is none of the scenario's that lies ahead")]
    NotAhead(u32),
    /// A bug in the simulator: from here on the run cannot be trusted.
    #[error("{0}. This is a defect of whatcart: please report it")]
    Stuck(Stuck),
}

/// A manual change to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The time at which the change was made, after all events of that time.
    pub given: Instant,
    /// The change.
    pub change: Change,
}

/// The kinds of manual change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Injects a fault. If its own time has passed, it strikes when it is injected.
    Inject(Fault),
    /// Cancels a fault of the scenario, given by its index.
    Spare(u32),
}

/// A fault of a run, as an entry of its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultMark {
    /// Its index among the faults of the run.
    pub index: u32,
    /// Its name in reports.
    pub name: String,
    /// A description of its effect: `server-2 crashes`.
    pub words: String,
    /// The server it affects, if it affects a single one.
    pub server: Option<ServerId>,
    /// When it is due, or would have been.
    pub at: Instant,
    /// When it struck, if it did. A fault that finds nothing to break never strikes.
    pub struck: Option<Instant>,
    /// Whether it takes at once what a server, a region or the store remembers.
    pub takes_memory: bool,
    /// Whether it was injected, rather than part of the scenario.
    pub injected: bool,
    /// Whether it was cancelled, and so never strikes.
    pub spared: bool,
}

/// A run under interactive control. A clone is a [fork](Session::fork).
#[derive(Clone, Debug)]
pub struct Session {
    variant: Variant,
    seed: Seed,
    slices: Slices,
    /// How many faults come from the scenario.
    written: usize,
    inputs: Vec<Input>,
    run: Run,
    marks: Marks<Run>,
    diary: Diary,
}

/// Whether this is not a fault in itself, but a part of the design that may cause losses.
fn is_part_of_the_design(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Autoscale | FaultKind::Migrate { .. })
}

/// About how many clients a run has in memory. Visitors who come once share places in the shop.
#[must_use]
pub fn clients(scenario: &Scenario) -> u64 {
    /// How long a visitor stays at most, in seconds, as a rule.
    const STAY: f64 = 60.0;
    let users = &scenario.users;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "limits keep it small")]
    let visitors = users.rate.map(|rate| (rate.get() * STAY) as u64);
    let people = users.people().unwrap_or(0);
    visitors
        .unwrap_or(people + users.heavy.as_ref().map_or(0, |heavy| heavy.people(people) * (heavy.parallel.get() - 1)))
}

impl Session {
    /// Opens a design of a scenario, by its index, at time 0. Without a `seed` the scenario's own is used. All visits
    /// in which the `favourite` user is hurt are remembered.
    ///
    /// # Errors
    ///
    /// If there is no such design.
    pub fn load(loaded: &Loaded, design: usize, seed: Option<u64>, favourite: UserId) -> Result<Session, Error> {
        let unknown = Error::UnknownDesign { wanted: design + 1, there: loaded.variants.len() };
        let variant = loaded.variants.get(design).ok_or(unknown)?.clone();
        let seed = Seed(seed.unwrap_or(loaded.base.seed.get()));
        Ok(Session::begin(variant, seed, favourite))
    }

    /// Opens a design, which must have passed validation, as the only one of its scenario.
    #[must_use]
    pub fn begin(variant: Variant, seed: Seed, favourite: UserId) -> Session {
        let slices = Slices::of(&variant.scenario);
        let mut diary = Diary::default();
        let run = Run::begin(&variant.scenario, seed, favourite, &mut diary);
        let written = run.sim.faults().len();
        let marks = Marks::beginning_with(&run, clients(&variant.scenario));
        Session { variant, seed, slices, written, inputs: Vec::new(), run, marks, diary }
    }

    /// Advances up to and including `until`. If the run is over earlier, it stops there.
    ///
    /// # Errors
    ///
    /// If `until` has passed or lies after the end, or if the simulation is stuck.
    pub fn advance(&mut self, until: Instant) -> Result<(), Error> {
        self.advance_telling(until, &mut ())
    }

    /// Like [`Session::advance`], and passes all events to a recorder.
    ///
    /// # Errors
    ///
    /// As for [`Session::advance`].
    pub fn advance_telling(&mut self, until: Instant, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let now = self.now();
        if until < now {
            return Err(Error::Passed { asked: until, now });
        }
        self.within(until)?;
        self.play(until, recorder)
    }

    /// Injects a fault, which strikes now or, if it lies ahead, at the fault's own time. A fault that strikes now is
    /// processed at once. Returns its index among the faults of the run.
    ///
    /// # Errors
    ///
    /// If the run is over, the fault lies after its end, or faults of its kind cannot be injected.
    pub fn inject(&mut self, fault: Fault) -> Result<u32, Error> {
        self.inject_telling(fault, &mut ())
    }

    /// Like [`Session::inject`], and passes the immediate events to a recorder.
    ///
    /// # Errors
    ///
    /// As for [`Session::inject`].
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
        let name = faults::beside(&fault.name, self.run.sim.faults());
        self.change(Change::Inject(Fault { name, ..fault }), recorder)?;
        Ok(index)
    }

    /// Cancels a future fault of the scenario, given by its index.
    ///
    /// # Errors
    ///
    /// If it has struck, is not one of the scenario's, or is part of the design.
    pub fn spare(&mut self, fault: u32) -> Result<(), Error> {
        let known = self.run.sim.faults().get(fault as usize).filter(|_| (fault as usize) < self.written);
        match known.filter(|known| known.at > self.now() && known.at < Instant::NEVER) {
            None => Err(Error::NotAhead(fault)),
            Some(part) if is_part_of_the_design(part) => Err(Error::PartOfTheDesign(part.name.clone())),
            Some(_) => self.change(Change::Spare(fault), &mut ()),
        }
    }

    /// Records a change at the current time, which invalidates the checkpoints after it.
    fn change(&mut self, change: Change, recorder: &mut dyn Recorder) -> Result<(), Error> {
        let now = self.now();
        self.marks.forget_after(now);
        self.inputs.insert(self.run.applied, Input { given: now, change });
        self.play(now, recorder)
    }

    /// Rewinds to a moment. Later inputs stay in the log and take effect again when their time comes; see
    /// [`Session::forget_later_inputs`].
    ///
    /// # Errors
    ///
    /// If the moment has not come yet.
    pub fn rewind(&mut self, to: Instant) -> Result<(), Error> {
        let now = self.now();
        if to > now {
            return Err(Error::NotYet { asked: to, now });
        }
        self.run = self.marks.latest_until(to).clone();
        self.diary.truncate(self.run.told);
        self.play(to, &mut ())
    }

    /// Goes to a moment, whether earlier or later.
    ///
    /// # Errors
    ///
    /// If it lies after the end, or if the simulation is stuck.
    pub fn seek(&mut self, to: Instant) -> Result<(), Error> {
        if to < self.now() { self.rewind(to) } else { self.advance(to) }
    }

    /// Drops all inputs after the current time, so that a rewind has undone them.
    pub fn forget_later_inputs(&mut self) {
        if self.inputs.len() > self.run.applied {
            self.inputs.truncate(self.run.applied);
            self.marks.forget_after(self.now());
        }
    }

    /// An independent session with the same past.
    #[must_use]
    pub fn fork(&self) -> Session {
        self.clone()
    }

    /// The current time of the run.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.run.sim.now()
    }

    /// The latest possible end of the run.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.slices.end()
    }

    /// Whether everybody has left, or the end has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.run.is_over(self.slices)
    }

    /// The scenario of the design.
    #[must_use]
    pub fn scenario(&self) -> &Scenario {
        &self.variant.scenario
    }

    /// The root seed.
    #[must_use]
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The manual changes, in order of time, including those still ahead after a rewind.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// A summary of servers and counts.
    #[must_use]
    pub fn view(&self) -> View {
        self.run.sim.view()
    }

    /// Replaces the content of `into` with a snapshot of the current moment, reusing its buffers.
    pub fn snapshot(&self, into: &mut Snapshot) {
        self.run.sim.snapshot(into);
    }

    /// Replaces the content of `into` with everything that servers, stores and tokens remember.
    pub fn memory(&self, into: &mut Memory) {
        self.run.sim.memory(into);
    }

    /// Like [`Session::memory`], for a single holder.
    pub fn memory_of(&self, holder: Holder, into: &mut Memory) {
        self.run.sim.memory_of(holder, into);
    }

    /// What has happened to the items of a client's open cart so far.
    #[must_use]
    pub fn evidence_so_far(&self, client: ClientId) -> Evidence {
        self.run.sim.evidence_so_far(client)
    }

    /// Verdicts, causes and measures so far.
    #[must_use]
    pub fn observer(&self) -> &Observer {
        &self.run.observer
    }

    /// The figures so far; at the end, those of a report. Whatever is unfinished counts as open or in flight.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let Run { sim, observer, .. } = &self.run;
        let of = |observer| {
            figures(
                observer,
                &self.variant.scenario,
                Moment { now: sim.now(), awaited: sim.view().awaited },
                sim.faults(),
            )
        };
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

    /// All faults of the run, past and future.
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
            takes_memory: fault.kind.loses_memory() && !matches!(fault.kind.target(), Target::Pool | Target::Carts),
            injected: index as usize >= self.written,
            spared: fault.at == Instant::NEVER,
        };
        faults.map(mark).collect()
    }

    /// The story of a user's current or last visit so far, in at most `most` lines. `None` if the user has not visited
    /// yet.
    ///
    /// Asking for another user than the last time replays the run from the start.
    pub fn story(&mut self, user: UserId, most: usize) -> Option<Story> {
        let (report, tape) = self.last_visit(user)?;
        Some(story::tell(&report, &tape, most))
    }

    /// All lines of that story.
    pub fn film(&mut self, user: UserId) -> Option<Vec<Line>> {
        let (report, tape) = self.last_visit(user)?;
        Some(story::film(&report, &tape))
    }

    fn last_visit(&mut self, user: UserId) -> Option<(VariantReport, Tape)> {
        self.follow(user);
        let injected = (0u32..).zip(self.run.sim.faults()).skip(self.written);
        let injected = injected.map(|(index, fault)| (index, fault.clone())).collect();
        let tape = Tape { events: self.diary.last_visit()?, injected };
        // What a fault took is known when everybody has checked out; until then a figure would grow with time.
        let strikes = if self.is_over() { strikes(&self.run.observer, self.run.sim.faults()) } else { Vec::new() };
        let run = RunReport { seed: self.seed.0, figures: self.figures(), strikes, ..RunReport::default() };
        let report = VariantReport { runs: vec![run], ..VariantReport::of(&self.variant) };
        Some((report, tape))
    }

    /// Keeps this user's events from now on, and collects the earlier ones by a replay.
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
