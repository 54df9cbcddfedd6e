//! The events that a session keeps: those of the pool, and those of the one user it follows.

use crate::base::time::Instant;
use crate::base::{UserId, Visit};
use crate::history::{Event, EventKind, PoolEvent, Recorder, Seen};

/// Numbered events. The numbers count all events of the run, so that a replayed event has the same number again.
#[derive(Clone, Debug, Default)]
pub(super) struct Diary {
    /// How many events have happened so far.
    pub told: u64,
    followed: Option<UserId>,
    events: Vec<(u64, Event)>,
}

impl Diary {
    /// A diary that follows this user from the start.
    pub fn of(user: UserId) -> Diary {
        Diary { followed: Some(user), ..Diary::default() }
    }

    /// Copies from another diary the events before the point at which this one starts.
    pub fn keep_beginning(&mut self, other: &Diary) {
        let told = self.told;
        self.events.extend(other.events.iter().take_while(|(number, _)| *number <= told));
    }

    /// Whether this is the user being followed.
    pub fn follows(&self, user: UserId) -> bool {
        self.followed == Some(user)
    }

    /// Drops all events after the first `told` of the run.
    pub fn truncate(&mut self, told: u64) {
        self.told = told;
        self.events.truncate(self.events.partition_point(|(number, _)| *number <= told));
    }

    /// When a fault first struck.
    pub fn struck(&self, wanted: u32) -> Option<Instant> {
        let of =
            |event: &Event| matches!(event.what, EventKind::Pool(PoolEvent::Struck { fault, .. }) if fault == wanted);
        self.events.iter().map(|(_, event)| event).find(|event| of(event)).map(|event| event.at)
    }

    /// The followed user's last visit, with the events of the pool before and during it.
    pub fn last_visit(&self) -> Option<Vec<Event>> {
        let began = |event: &Event| match event.what {
            EventKind::Seen(visit, Seen::Began) => Some(visit),
            _ => None,
        };
        let visit = self.events.iter().rev().find_map(|(_, event)| began(event))?;
        let left = |event: &&Event| matches!(event.what, EventKind::Seen(of, Seen::Left(_)) if of == visit);
        let all = || self.events.iter().map(|(_, event)| event);
        let until = all().find(left).map_or(Instant::NEVER, |event| event.at);
        Some(all().filter(|event| event.at <= until && is_about(event, visit)).copied().collect())
    }
}

/// Whether an event belongs to the story of a visit.
fn is_about(event: &Event, visit: Visit) -> bool {
    match event.what {
        EventKind::Seen(of, _) | EventKind::Inside(of, _) => of == visit,
        EventKind::Pool(_) => true,
    }
}

impl Recorder for Diary {
    #[inline]
    fn record(&mut self, event: &Event) {
        self.told += 1;
        let wanted = match event.what {
            EventKind::Seen(visit, _) | EventKind::Inside(visit, _) => self.followed == Some(visit.user),
            EventKind::Pool(_) => true,
        };
        if wanted {
            self.events.push((self.told, *event));
        }
    }
}
