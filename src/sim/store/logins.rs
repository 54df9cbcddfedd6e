//! Sessions in the store: serial numbers in order of time. What a failover loses is then a range of numbers, and a
//! session needs no memory.

use std::collections::VecDeque;
use std::ops::Range;

use crate::base::time::{Instant, Span};
use crate::scenario::Forgets;
use crate::state::store::is_forgotten;

/// The sessions that the store has issued, and those that it has lost.
#[derive(Clone, Debug)]
pub struct Logins {
    window: Option<Span>,
    next: u32,
    /// Sessions within the durability window, oldest first.
    recent: VecDeque<(Instant, u32)>,
    forgotten: Vec<Range<u32>>,
    /// When the store lost data, and how much.
    forgettings: Vec<(Instant, Forgets)>,
}

impl Logins {
    /// Creates a store without sessions.
    #[must_use]
    pub fn new(window: Option<Span>) -> Logins {
        Logins { window, next: 0, recent: VecDeque::new(), forgotten: Vec::new(), forgettings: Vec::new() }
    }

    /// Issues a session, and returns its number.
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

    /// Whether the store still knows this session.
    #[inline]
    #[must_use]
    pub fn knows(&self, login: u32) -> bool {
        !self.forgotten.iter().any(|range| range.contains(&login))
    }

    /// Whether the store has lost what was written at this time.
    #[must_use]
    pub fn has_forgotten(&self, written: Instant) -> bool {
        self.forgettings.iter().any(|(at, forgets)| written < *at && is_forgotten(written, *at, *forgets))
    }

    /// The store's process ends now, and loses whatever was not durable.
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
