//! Files: acknowledged uploads that are missing at a download, or at the end.

use std::collections::BTreeMap;

use crate::base::{Command, File, Items, Outcome, Refusal, UserId};

/// Counts about files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in report::FileFigures")]
pub struct FileCounts {
    pub uploaded: u64,
    pub downloads: u64,
    pub missing_downloads: u64,
    /// Files that were missing at least once, or at the end of the run.
    pub missing: u64,
    pub destroyed: u64,
}

/// What is known about one user's files.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    acknowledged: Items,
    /// Files that were not found, or are gone at the end.
    missing: Items,
}

/// The files of all users.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    users: BTreeMap<UserId, Known>,
    counts: FileCounts,
}

impl Files {
    pub(super) fn counts(&self) -> FileCounts {
        self.counts
    }

    /// Records the outcome of a request about a file. True if the file was not found.
    pub(super) fn told(&mut self, user: UserId, command: Command, outcome: Outcome) -> bool {
        match (command, outcome) {
            (Command::Upload(file), Outcome::Ok(_)) => {
                let known = self.users.entry(user).or_default();
                self.counts.uploaded += u64::from(!known.acknowledged.contains(file.place()));
                known.acknowledged = known.acknowledged.with(file.place());
                false
            }
            (Command::Download(_), Outcome::Ok(_)) => {
                self.counts.downloads += 1;
                false
            }
            (Command::Download(file), Outcome::Refused(Refusal::NotFound)) => {
                self.counts.downloads += 1;
                self.counts.missing_downloads += 1;
                self.miss(user, of(file));
                true
            }
            _ => false,
        }
    }

    /// All files that a user still has anywhere. True if an acknowledged one is not among them.
    pub(super) fn audited(&mut self, user: UserId, found: Items) -> bool {
        let gone = self.users.get(&user).map_or(Items::NONE, |known| known.acknowledged.minus(found));
        self.counts.destroyed += u64::from(gone.len());
        self.miss(user, gone);
        !gone.is_empty()
    }

    fn miss(&mut self, user: UserId, files: Items) {
        let known = self.users.entry(user).or_default();
        self.counts.missing += u64::from(files.minus(known.missing).len());
        known.missing = known.missing.union(files);
    }
}

fn of(file: File) -> Items {
    Items::of(file.place())
}
