//! Sessions in the store: numbers, given out in order of time. What a failover forgets is then a range of numbers, and a
//! session costs nothing.

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::time::{Instant, Span};
use crate::scenario::Forgets;
use crate::state::store::is_forgotten;

/// Sessions that the store keeps, and those that it has forgotten.
#[derive(Clone, Debug)]
pub struct Logins {
    window: Option<Span>,
    next: u32,
    /// Those of the durability window, from the oldest on.
    recent: VecDeque<(Instant, u32)>,
    forgotten: Vec<Range<u32>>,
    /// When the store has forgotten something, and what.
    forgettings: Vec<(Instant, Forgets)>,
}

impl Logins {
    /// None yet.
    #[must_use]
    pub fn new(window: Option<Span>) -> Logins {
        Logins { window, next: 0, recent: VecDeque::new(), forgotten: Vec::new(), forgettings: Vec::new() }
    }

    /// Keeps a session, and gives it a number.
    pub fn log_in(&mut self, now: Instant) -> u32 {
        let number = self.next;
        self.next += 1;
        if let Some(window) = self.window {
            self.recent.push_back((now, number));
            while self.recent.front().is_some_and(|(at, _)| !is_forgotten(*at, now, Forgets::Last(window))) {
                self.recent.pop_front();
            }
        }
        number
    }

    /// Whether it still knows this session.
    #[inline]
    #[must_use]
    pub fn knows(&self, login: u32) -> bool {
        !self.forgotten.iter().any(|range| range.contains(&login))
    }

    /// Whether it has forgotten what was written then.
    #[must_use]
    pub fn has_forgotten(&self, written: Instant) -> bool {
        self.forgettings.iter().any(|(at, forgets)| written < *at && is_forgotten(written, *at, *forgets))
    }

    /// The store's process ends now: what it had not made durable is gone.
    pub fn forget(&mut self, now: Instant, forgets: Forgets) {
        let from = match forgets {
            Forgets::Everything => 0,
            Forgets::Last(_) => {
                let mut recent = self.recent.iter().filter(|(at, _)| is_forgotten(*at, now, forgets));
                recent.next().map_or(self.next, |(_, login)| *login)
            }
        };
        self.forgotten.push(from..self.next);
        self.forgettings.push((now, forgets));
        self.recent.clear();
    }
}
