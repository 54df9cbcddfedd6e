//! What is judged beside carts: inconsistencies, files, and sessions that are forged or replayed.

use super::Checker;
use super::findings::Finding;
use crate::base::{Command, Items, Outcome, UserId, Visit};
use crate::history::Seen;

impl Checker {
    #[cold]
    pub(super) fn observe_hidden(&mut self, visit: Visit, seen: &Seen) -> Option<Finding> {
        let hidden = self.hidden.as_mut()?;
        let found = hidden.observe(visit, seen);
        self.counts.hidden = hidden.counts;
        if found == Some(Finding::Forbidden) {
            self.hurt(visit.user);
        }
        found
    }

    #[cold]
    pub(super) fn file_told(&mut self, user: UserId, command: Command, outcome: Outcome) -> Option<Finding> {
        let missing = self.files.told(user, command, outcome);
        self.counts.files = self.files.counts();
        if !missing {
            return None;
        }
        self.hurt(user);
        Some(Finding::MissingFile)
    }

    /// After the end of the run: all files of a user that still exist anywhere.
    pub fn audited(&mut self, user: UserId, found: Items) {
        let gone = self.files.audited(user, found);
        self.counts.files = self.files.counts();
        if gone {
            self.hurt(user);
        }
    }

    pub(super) fn forgery_told(&mut self, outcome: Outcome) -> Option<Finding> {
        self.counts.impostors += 1;
        if !matches!(outcome, Outcome::Ok(_)) {
            return None;
        }
        self.counts.impostors_accepted += 1;
        Some(Finding::Impostor)
    }

    /// A journey replays a session only after the logout was acknowledged.
    pub(super) fn replay_told(&mut self, outcome: Outcome) -> Option<Finding> {
        self.counts.replays += 1;
        if !matches!(outcome, Outcome::Ok(_)) {
            return None;
        }
        self.counts.zombie_logins += 1;
        Some(Finding::Zombie)
    }
}
