//! What a session writes down of its run: what happened to the pool, and to the one user who is followed.

use crate::base::time::Instant;
use crate::base::{UserId, Visit};
use crate::history::{Event, EventKind, PoolEvent, Recorder, Seen};

/// Events with their numbers, counted from the beginning of the run: played again, an event has the same number.
#[derive(Clone, Debug, Default)]
pub(super) struct Diary {
    /// How many events have happened so far.
    pub told: u64,
    followed: Option<UserId>,
    events: Vec<(u64, Event)>,
}

impl Diary {
    /// One that follows a user from the beginning on.
    pub fn of(user: UserId) -> Diary {
        Diary { followed: Some(user), ..Diary::default() }
    }

    /// Takes over from another one what happened before anybody came.
    pub fn keep_beginning(&mut self, other: &Diary) {
        let told = self.told;
        self.events.extend(other.events.iter().take_while(|(number, _)| *number <= told));
    }

    /// Whether it is this user who is followed.
    pub fn follows(&self, user: UserId) -> bool {
        self.followed == Some(user)
    }

    /// The run is where only so many events have happened.
    pub fn truncate(&mut self, told: u64) {
        self.told = told;
        self.events.truncate(self.events.partition_point(|(number, _)| *number <= told));
    }

    /// When a fault struck first.
    pub fn struck(&self, wanted: u32) -> Option<Instant> {
        let of =
            |event: &Event| matches!(event.what, EventKind::Pool(PoolEvent::Struck { fault, .. }) if fault == wanted);
        self.events.iter().map(|(_, event)| event).find(|event| of(event)).map(|event| event.at)
    }

    /// The followed user's last visit, with what happened to the pool before and meanwhile.
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
