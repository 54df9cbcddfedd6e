//! Files, by the definitions: sets of (user, file), built from all answers.

use std::collections::BTreeSet;

use whatcart::base::{Command, File, Items, Outcome, Refusal, UserId};
use whatcart::history::{Event, EventKind, PoolEvent, Seen};
use whatcart::judging::checker::FileCounts;

type Named = (UserId, File);

/// Everything about files.
#[derive(Clone, Debug, Default)]
pub struct Files {
    told: Vec<(UserId, Command, Outcome)>,
    audits: Vec<(UserId, Items)>,
}

impl Files {
    pub fn record(&mut self, event: &Event) {
        match event.what {
            EventKind::Seen(visit, Seen::Told { request, outcome, .. }) => {
                self.told.push((visit.user, request.command, outcome));
            }
            EventKind::Pool(PoolEvent::Audited { user, found }) => self.audits.push((user, found)),
            _ => {}
        }
    }

    fn acknowledged(&self) -> BTreeSet<Named> {
        let uploaded = |(user, command, outcome): &(UserId, Command, Outcome)| match (command, outcome) {
            (Command::Upload(file), Outcome::Ok(_)) => Some((*user, *file)),
            _ => None,
        };
        self.told.iter().filter_map(uploaded).collect()
    }

    /// Every download that was answered, and whether the file was there.
    fn downloads(&self) -> Vec<(Named, bool)> {
        let answered = |(user, command, outcome): &(UserId, Command, Outcome)| match (command, outcome) {
            (Command::Download(file), Outcome::Ok(_)) => Some(((*user, *file), true)),
            (Command::Download(file), Outcome::Refused(Refusal::NotFound)) => Some(((*user, *file), false)),
            _ => None,
        };
        self.told.iter().filter_map(answered).collect()
    }

    fn destroyed(&self) -> BTreeSet<Named> {
        let audited = |user: UserId| self.audits.iter().find(|(of, _)| *of == user).map(|(_, found)| *found);
        let gone = |(user, file): &Named| audited(*user).is_some_and(|found| !found.contains(file.place()));
        self.acknowledged().into_iter().filter(gone).collect()
    }

    fn missing(&self) -> BTreeSet<Named> {
        let not_found = self.downloads().into_iter().filter(|(_, found)| !found).map(|(file, _)| file);
        not_found.chain(self.destroyed()).collect()
    }

    pub fn counts(&self) -> FileCounts {
        let downloads = self.downloads();
        FileCounts {
            uploaded: self.acknowledged().len() as u64,
            downloads: downloads.len() as u64,
            missing_downloads: downloads.iter().filter(|(_, found)| !found).count() as u64,
            missing: self.missing().len() as u64,
            destroyed: self.destroyed().len() as u64,
        }
    }

    pub fn hurt(&self) -> BTreeSet<UserId> {
        self.missing().into_iter().map(|(user, _)| user).collect()
    }
}
