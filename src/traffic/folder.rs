//! What users know about their own files.

use crate::base::seed::Draw;
use crate::base::{Command, File, Items, MAX_ITEMS, Outcome};

/// The list of one user's files. All tabs share it, and it outlives visits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// How many files have been given a number.
    numbered: u8,
    /// Files that the shop has acknowledged.
    acknowledged: Items,
}

impl Folder {
    /// The file for a new step: the next number for an upload, one of the acknowledged files for a download. `None` if
    /// the folder is full, or has no file yet.
    pub fn choose(&mut self, command: Command, luck: &mut Draw) -> Option<File> {
        match command {
            Command::Upload(_) if usize::from(self.numbered) < MAX_ITEMS => {
                self.numbered += 1;
                File::new(self.numbered)
            }
            Command::Download(_) if !self.acknowledged.is_empty() => {
                let nth = luck.below(self.acknowledged.len()) as usize;
                self.acknowledged.iter().nth(nth).and_then(|place| File::new(place.number()))
            }
            _ => None,
        }
    }

    /// Records the outcome of a request.
    pub fn told(&mut self, command: Command, outcome: Outcome) {
        if let (Command::Upload(file), Outcome::Ok(_)) = (command, outcome) {
            self.acknowledged = self.acknowledged.with(file.place());
        }
    }
}
