//! The designs that a page plays side by side.

use serde::Serialize;

use super::design::{DesignInfo, TimelineEntry};
use super::happening::Happening;
use super::headline::Headline;
use super::keyframe::Keyframe;
use super::moment::Moment;
use super::problem::Problem;
use super::size::{MOST_RUNS, clients_per_seat};
use super::units::Seconds;
use super::watch::Watch;
use super::words;
use crate::base::UserId;
use crate::base::time::{Instant, Span};
use crate::history::{Event, EventKind, Recorder};
use crate::live::{self, Session};
use crate::operations::faults::Fault;

/// A keyframe is taken at every multiple of this.
const KEYFRAME: Span = Span::from_secs(1);
/// Changes that no event tells are dated to a multiple of this.
const GRAIN: Span = Span::from_millis(50);
/// How many events an advance passes at most unless told otherwise; some 30 ms of work.
pub const MOST_EVENTS: usize = 20_000;

/// One design on the stage, or another future of one.
#[derive(Clone, Debug)]
pub struct Run {
    /// The index of the design.
    pub design: usize,
    pub session: Session,
    watch: Watch,
    followed: UserId,
    /// Whether every client has a seat.
    single: bool,
    /// What happened since the last look.
    heard: Heard,
}

/// The events of a slice. Of a crowd only those of the pool are kept.
#[derive(Clone, Debug, Default)]
struct Heard {
    events: Vec<Event>,
    pool_only: bool,
    count: usize,
}

impl Recorder for Heard {
    fn record(&mut self, event: &Event) {
        self.count += 1;
        if !self.pool_only || matches!(event.what, EventKind::Pool(_)) {
            self.events.push(*event);
        }
    }
}

/// What an advance brought.
#[derive(Debug, Serialize)]
pub struct Batch {
    /// The time reached; less than asked for when there was too much to do, or everybody has left.
    now: Seconds,
    over: bool,
    keyframes: Vec<Keyframe>,
    events: Vec<Happening>,
}

impl Run {
    pub fn new(design: usize, session: Session, followed: UserId) -> Run {
        let watch = Watch::begin(&session);
        let single = clients_per_seat(watch.moment().snapshot.clients.len()) == 1;
        let heard = Heard { pool_only: !single, ..Heard::default() };
        Run { design, session, watch, followed, single, heard }
    }

    /// Advances until this moment, or until this many events have happened.
    pub fn advance(&mut self, until: Instant, most_events: usize) -> Result<Batch, Problem> {
        let now = self.session.now();
        if until < now {
            return Err(live::Error::Passed { asked: until, now }.into());
        }
        let until = until.min(self.session.end());
        let mut batch = Batch { now: Seconds(until), over: false, keyframes: Vec::new(), events: Vec::new() };
        self.heard.count = 0;
        while self.session.now() < until && !self.session.is_over() && self.heard.count < most_events.max(1) {
            let stop = next_multiple(self.session.now(), GRAIN).min(until);
            self.session.advance_telling(stop, &mut self.heard)?;
            let now = self.session.now();
            let whole = is_multiple(now, KEYFRAME) || self.session.is_over();
            // A crowd is counted once a second: whoever cannot wait so long is told nothing until then.
            if self.single || whole || now == until {
                self.look(&mut batch.events);
            }
            if whole {
                batch.keyframes.push(self.keyframe());
            }
        }
        (batch.now, batch.over) = (Seconds(self.session.now()), self.session.is_over());
        Ok(batch)
    }

    /// Tells what has happened since the last look.
    fn look(&mut self, events: &mut Vec<Happening>) {
        let crowd = self.session.view().open_visits;
        self.single &= usize::try_from(crowd).is_ok_and(|crowd| clients_per_seat(crowd) == 1);
        let slice = std::mem::take(&mut self.heard.events);
        events.extend(self.watch.look(&mut self.session, &slice, self.followed, self.single));
        self.heard.pool_only = !self.single;
    }

    /// A fault, now or later. Returns its number, and what happens at once.
    pub fn inject(&mut self, fault: Fault) -> Result<(u32, Batch), Problem> {
        let number = self.session.inject_telling(fault, &mut self.heard)?;
        let mut events = Vec::new();
        self.look(&mut events);
        let (now, over) = (Seconds(self.session.now()), self.session.is_over());
        Ok((number, Batch { now, over, keyframes: vec![self.keyframe()], events }))
    }

    /// Goes back. What was injected later takes effect again, unless it is to be forgotten.
    pub fn rewind(&mut self, to: Instant, forget: bool) -> Result<Keyframe, Problem> {
        self.session.rewind(to)?;
        if forget {
            self.session.forget_later_inputs();
        }
        self.watch = Watch::begin(&self.session);
        self.heard.events.clear();
        Ok(self.keyframe())
    }

    /// Everything that can be drawn of this moment.
    pub fn keyframe(&self) -> Keyframe {
        let tally = self.watch.tally().clone();
        let headline = Headline::of(&self.session, &self.session.figures(), &tally);
        Keyframe::of(self.watch.moment(), tally, headline)
    }

    /// About how many clients it has in memory.
    pub fn clients(&self) -> u64 {
        live::clients(self.session.scenario())
    }

    /// This moment, as far as it was looked at.
    pub fn moment(&self) -> &Moment {
        self.watch.moment()
    }

    /// The user whose deeds are told.
    pub fn followed(&self) -> UserId {
        self.followed
    }

    pub fn follow(&mut self, user: UserId) {
        self.followed = user;
    }

    pub fn timeline(&self) -> Vec<TimelineEntry> {
        self.session.faults().into_iter().map(TimelineEntry::of).collect()
    }

    /// What was done by hand, in words.
    pub fn by_hand(&self) -> Vec<String> {
        self.session.faults().iter().filter_map(words::by_hand).collect()
    }

    pub fn info(&self, name: &str) -> DesignInfo {
        DesignInfo::of(self.design, name, &self.session)
    }
}

fn next_multiple(now: Instant, of: Span) -> Instant {
    Instant::ZERO + of * (now.as_nanos() / of.as_nanos() + 1)
}

fn is_multiple(now: Instant, of: Span) -> bool {
    now.as_nanos().is_multiple_of(of.as_nanos())
}

/// Whether another run may be opened.
pub fn room_for_one(runs: usize) -> Result<(), Problem> {
    if runs < MOST_RUNS {
        return Ok(());
    }
    let help = Some("close one first".to_owned());
    Err(Problem::request(format!("there are {MOST_RUNS} runs already, the most that are kept"), help))
}
