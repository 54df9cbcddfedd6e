//! What requests do to files, in every home.

use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::job::Job;
use crate::base::seed::Purpose;
use crate::base::{Command, File};
use crate::http::failure::Failure;
use crate::http::files::FileName;
use crate::state::file_locations::{self, FileLocation};

/// The most files of guests that all servers together take.
const MOST_FILES: u32 = 1_000;

/// The effect of one request on a file.
#[derive(Clone, Debug)]
pub struct FileEffect {
    /// The file.
    pub file: File,
    /// Where it was stored or looked for.
    pub place: FileLocation,
    /// Whether it was already there.
    pub knew: bool,
    /// The outcome.
    pub what: FileOutcome,
}

impl FileEffect {
    /// Whether the request succeeded.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.what, FileOutcome::Stored | FileOutcome::Found(_))
    }
}

/// The outcome of a request about a file.
#[derive(Clone, Debug)]
pub enum FileOutcome {
    /// It is stored.
    Stored,
    /// The contents of the file.
    Found(Bytes),
    /// The server does not have it.
    NotFound,
    /// There is no room for another guest's file.
    Full,
}

/// Waits as long as the object store takes.
pub async fn wait_for_objects(job: &Job<'_>) {
    let mut luck = job.shop.workload.seed.draw(Purpose::Objects, job.key);
    let clock = job.shop.clock;
    clock.sleep_until(clock.now() + job.shop.depot.latency.sample(&mut luck)).await;
}

/// Really stores or fetches a file. `None` if the request is not about a file.
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
        _ if file_locations::is_missing(job.command, knew) => FileOutcome::NotFound,
        (Command::Download(_), Some(bytes)) => FileOutcome::Found(bytes),
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

/// Whether there is room for another file: always for users of the run, for guests up to a limit.
fn has_room(job: &Job) -> bool {
    job.request.id.is_some() || job.shop.guest_files.fetch_add(1, Ordering::Relaxed) < MOST_FILES
}
