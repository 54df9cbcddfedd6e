//! Uploaded files, really stored: in the memory of a process, on a disk per host, or in an object store.
//!
//! Disks and the object store are directories in one temporary directory, which is deleted when the run is over.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use tempfile::TempDir;

use super::failure::{self, Failure};
use super::wire::CartId;
use crate::base::seed::Sampler;
use crate::base::{File, ServerId, UserId};
use crate::scenario::{Scenario, UploadHome};
use crate::state::file_locations::FileLocation;

/// Names a file by its owner and its number. A guest's files belong to the cart they came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileName {
    owner: CartId,
    file: File,
}

impl FileName {
    /// A file of a user of the run, shared by all visits and tabs.
    #[must_use]
    pub fn of_user(user: UserId, file: File) -> FileName {
        FileName { owner: CartId { user: user.0, tab: 0, visit: 0 }, file }
    }

    /// A file of a guest.
    #[must_use]
    pub fn of_guest(owner: CartId, file: File) -> FileName {
        FileName { owner, file }
    }
}

/// `000042-0000.file-3`
impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.file-{}", self.owner, self.file.number())
    }
}

/// All disks, and the object store.
pub struct Depot {
    /// Where files live.
    pub home: UploadHome,
    /// How long the object store takes per file.
    pub latency: Sampler,
    /// `None` when files live in memory.
    root: Option<TempDir>,
}

impl Depot {
    /// Empty disks.
    ///
    /// # Errors
    ///
    /// When the operating system cannot create their directory.
    pub fn new(scenario: &Scenario) -> Result<Depot, Failure> {
        let home = scenario.homes.upload;
        let root = match home {
            UploadHome::ServerMemory => None,
            UploadHome::LocalDisk | UploadHome::ObjectStore => Some(tempfile::tempdir().map_err(|e| trouble(&e))?),
        };
        Ok(Depot { home, latency: scenario.objects.latency.sampler(), root })
    }

    /// Stores a file, replacing any older one.
    ///
    /// # Errors
    ///
    /// When writing to the machine's disk fails.
    pub fn put(&self, place: FileLocation, name: &FileName, bytes: &Bytes) -> Result<(), Failure> {
        let Some(folder) = self.folder(place) else { return Ok(()) };
        let put = || {
            std::fs::create_dir_all(&folder)?;
            std::fs::write(folder.join(name.to_string()), bytes)
        };
        put().map_err(|e: io::Error| trouble(&e))
    }

    /// A file, if it exists.
    ///
    /// # Errors
    ///
    /// When reading from the machine's disk fails.
    pub fn get(&self, place: FileLocation, name: &FileName) -> Result<Option<Bytes>, Failure> {
        let Some(folder) = self.folder(place) else { return Ok(None) };
        match std::fs::read(folder.join(name.to_string())) {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// Deletes the disk of a host that is gone.
    ///
    /// # Errors
    ///
    /// When deleting from the machine's disk fails.
    pub fn discard(&self, server: ServerId, host: u32) -> Result<(), Failure> {
        let Some(folder) = self.folder(FileLocation::Disk(server, host)) else { return Ok(()) };
        match std::fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(trouble(&error)),
            _ => Ok(()),
        }
    }

    fn folder(&self, place: FileLocation) -> Option<PathBuf> {
        let root = self.root.as_ref()?.path();
        match place {
            FileLocation::Memory(_) => None,
            FileLocation::Disk(server, host) => Some(root.join(server.to_string()).join(format!("host-{host}"))),
            FileLocation::Objects => Some(root.join("objects")),
        }
    }
}

fn trouble(error: &io::Error) -> Failure {
    failure::of_io("no room for files".into(), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_goes_with_its_host_and_the_object_store_stays() {
        let mut scenario = Scenario::house();
        scenario.homes.upload = UploadHome::LocalDisk;
        let depot = Depot::new(&scenario).expect("a disk");
        let file = File::new(3).expect("in range");
        let name = FileName::of_user(UserId(42), file);
        let other = FileName::of_guest(CartId { user: 42, tab: 0, visit: 1 }, file);
        let (disk, next) = (FileLocation::Disk(ServerId(1), 1), FileLocation::Disk(ServerId(1), 2));
        let there = |place, name: &FileName| depot.get(place, name).expect("readable");
        for place in [disk, FileLocation::Objects] {
            assert_eq!(there(place, &name), None);
            depot.put(place, &name, &Bytes::from_static(b"a cat")).expect("room");
            assert_eq!(there(place, &name), Some(Bytes::from_static(b"a cat")));
            assert_eq!(there(place, &other), None);
        }
        assert_eq!(there(next, &name), None);
        depot.discard(ServerId(1), 1).expect("gone");
        depot.discard(ServerId(1), 1).expect("gone already");
        assert_eq!((there(disk, &name), there(FileLocation::Objects, &name).is_some()), (None, true));
        let root = depot.root.as_ref().expect("a directory").path().to_owned();
        drop(depot);
        assert!(!root.exists(), "nothing is left behind");
    }
}
