//! Where uploaded files are kept. Files belong to users and outlive visits.

use crate::base::{Command, File, Items, ProcessId, ServerId, UserId};
use crate::scenario::UploadHome;

/// A place that can hold a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLocation {
    /// The memory of one process.
    Memory(ProcessId),
    /// The disk of a host: the slot, and the host's sequence number within the slot.
    Disk(ServerId, u32),
    /// The object store.
    Objects,
}

impl FileLocation {
    /// Where a server keeps its files: process `process` on host number `host` of its slot.
    #[must_use]
    pub fn of(home: UploadHome, server: ServerId, process: ProcessId, host: u32) -> FileLocation {
        match home {
            UploadHome::ServerMemory => FileLocation::Memory(process),
            UploadHome::LocalDisk => FileLocation::Disk(server, host),
            UploadHome::ObjectStore => FileLocation::Objects,
        }
    }

    /// Whether the place still has its contents: memory while its process lives, a disk while its host is in use.
    #[must_use]
    pub fn lasts(self, lives: impl Fn(ProcessId) -> bool, host_of: impl Fn(ServerId) -> u32) -> bool {
        match self {
            FileLocation::Memory(process) => lives(process),
            FileLocation::Disk(server, host) => host_of(server) == host,
            FileLocation::Objects => true,
        }
    }
}

/// Whether a request about a file asks for one that is not where its server looked: 404. `knew`: whether it is there.
#[inline]
#[must_use]
pub fn is_missing(command: Command, knew: bool) -> bool {
    matches!(command, Command::Download(_)) && !knew
}

/// All copies of all users' files, including copies that were lost with their place.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    /// Indexed by user.
    users: Vec<Vec<(FileLocation, Items)>>,
}

impl Whereabouts {
    /// A file is stored in a place.
    pub fn keep(&mut self, user: UserId, place: FileLocation, file: File) {
        let index = user.0 as usize;
        if index >= self.users.len() {
            self.users.resize_with(index + 1, Vec::new);
        }
        let copies = &mut self.users[index];
        match copies.iter_mut().find(|(known, _)| *known == place) {
            Some((_, files)) => *files = files.with(file.place()),
            None => copies.push((place, Items::of(file.place()))),
        }
    }

    /// Whether a file was ever stored in a place.
    #[must_use]
    pub fn holds(&self, user: UserId, place: FileLocation, file: File) -> bool {
        self.copies(user).iter().any(|(known, files)| *known == place && files.contains(file.place()))
    }

    /// The files of a user that still exist anywhere; `lasts` says whether a place still has its contents.
    #[must_use]
    pub fn there(&self, user: UserId, lasts: impl Fn(FileLocation) -> bool) -> Items {
        let there = self.copies(user).iter().filter(|(place, _)| lasts(*place));
        there.fold(Items::NONE, |all, (_, files)| all.union(*files))
    }

    /// All users who ever stored a file.
    pub fn owners(&self) -> impl Iterator<Item = UserId> {
        (0..).map(UserId).zip(&self.users).filter(|(_, copies)| !copies.is_empty()).map(|(user, _)| user)
    }

    /// Every file ever stored: owner, place and files.
    pub fn all(&self) -> impl Iterator<Item = (UserId, FileLocation, Items)> + '_ {
        let users = (0..).map(UserId).zip(&self.users);
        users.flat_map(|(user, copies)| copies.iter().map(move |(place, files)| (user, *place, *files)))
    }

    fn copies(&self, user: UserId) -> &[(FileLocation, Items)] {
        self.users.get(user.0 as usize).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_download_can_miss_a_file() {
        let file = File::new(1).expect("in range");
        let asked = [(Command::Download(file), false), (Command::Download(file), true), (Command::Upload(file), false)];
        assert_eq!(asked.map(|(command, knew)| is_missing(command, knew)), [true, false, false]);
    }
}
