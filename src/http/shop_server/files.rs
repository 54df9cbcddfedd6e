//! Files, wherever they live.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::job::Job;
use crate::base::seed::Purpose;
use crate::base::{Command, File};
use crate::http::failure::Failure;
use crate::http::files::FileName;
use crate::state::file_locations::FileLocation;

/// Files of guests that all servers together take.
const MOST_FILES: u32 = 1_000;

/// What one request did to a file.
#[derive(Clone, Debug)]
pub struct FileEffect {
    /// Which.
    pub file: File,
    /// Where it was put or looked for.
    pub place: FileLocation,
    /// Whether it was there.
    pub knew: bool,
    /// What came of it.
    pub what: FileOutcome,
}

impl FileEffect {
    /// Whether the user got what was asked for.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.what, FileOutcome::Stored | FileOutcome::Found(_))
    }
}

/// What came of a request about a file.
#[derive(Clone, Debug)]
pub enum FileOutcome {
    /// It is stored.
    Stored,
    /// It is there: its contents.
    Found(Bytes),
    /// It is not there.
    NotFound,
    /// There is no room for a guest's file.
    Full,
}

/// Waits for the object store.
pub async fn wait_for_objects(job: &Job<'_>) {
    let mut luck = job.shop.workload.seed.draw(Purpose::Objects, job.key);
    let clock = job.shop.clock;
    clock.sleep_until(clock.now() + job.shop.depot.latency.sample(&mut luck)).await;
}

/// Stores or fetches a file, for real. `None` for a request about no file.
pub fn here(job: &Job) -> Option<FileEffect> {
    let file = job.command.file()?;
    let name = match job.request.id {
        Some(id) => FileName::of_user(id.visit().user, file),
        None => FileName::of_guest(job.cart, file),
    };
    let process = job.process;
    let place = FileLocation::of(job.shop.depot.home, process.slot.id, process.process, process.slot.host());
    let before = fetch(job, place, &name).unwrap_or_else(|failure| {
        job.shop.fail(failure);
        None
    });
    let knew = before.is_some();
    let what = match (job.command, before) {
        (Command::Download(_), Some(bytes)) => FileOutcome::Found(bytes),
        (Command::Download(_), None) => FileOutcome::NotFound,
        _ if !knew && !has_room(job) => FileOutcome::Full,
        _ => {
            keep(job, place, name);
            FileOutcome::Stored
        }
    };
    Some(FileEffect { file, place, knew, what })
}

fn fetch(job: &Job, place: FileLocation, name: &FileName) -> Result<Option<Bytes>, Failure> {
    match place {
        FileLocation::Memory(_) => Ok(job.process.memory.files.get(name).map(|file| file.clone())),
        FileLocation::Disk(..) | FileLocation::Objects => job.shop.depot.get(place, name),
    }
}

fn keep(job: &Job, place: FileLocation, name: FileName) {
    let bytes = job.request.body.clone();
    if let FileLocation::Memory(_) = place {
        job.process.memory.files.insert(name, bytes);
    } else if let Err(failure) = job.shop.depot.put(place, &name, &bytes) {
        job.shop.fail(failure);
    }
}

/// Users of the run always find room; guests as long as they are few.
fn has_room(job: &Job) -> bool {
    job.request.id.is_some() || job.shop.guest_files.fetch_add(1, Ordering::Relaxed) < MOST_FILES
}
