//! Uploaded files in the simulation. They belong to users and outlive visits.

use crate::balancing::pool::Pool;
use crate::base::seed::{Purpose, Sampler};
use crate::base::time::Span;
use crate::base::{Command, Items, Outcome, Refusal, Reply, ServerId, UserId};
use crate::history::{Event, EventKind, Evidence, PoolEvent, Recorder};
use crate::scenario::{Scenario, UploadHome};
use crate::sim::Sim;
use crate::sim::requests::{InFlight, RequestId};
use crate::state::evidence;
use crate::state::file_locations::{FileLocation, Whereabouts};
use crate::state::plan::Stage;
use crate::traffic::Folder;

/// The files of all users.
#[derive(Clone, Debug)]
pub struct Files {
    home: UploadHome,
    latency: Sampler,
    /// By user: which files they have uploaded, as far as they know.
    folders: Vec<Folder>,
    whereabouts: Whereabouts,
}

impl Files {
    /// Creates an empty set of files; `None` if the scenario's users never upload any.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<Box<Files>> {
        let files = Files {
            home: scenario.homes.upload,
            latency: scenario.objects.latency.sampler(),
            folders: Vec::new(),
            whereabouts: Whereabouts::default(),
        };
        scenario.users.upload().then(|| Box::new(files))
    }

    /// What a user knows about their own files.
    pub fn folder(&mut self, user: UserId) -> &mut Folder {
        let index = user.0 as usize;
        if index >= self.folders.len() {
            self.folders.resize_with(index + 1, Folder::default);
        }
        &mut self.folders[index]
    }

    /// Stores or fetches a file, and returns whether it was already there. `None` if the request is not about a file.
    fn apply(&mut self, user: UserId, command: Command, server: ServerId, pool: &Pool) -> Option<bool> {
        let file = command.file()?;
        let member = &pool.members[server.index()];
        let here = FileLocation::of(self.home, server, member.process, member.host);
        let knew = self.whereabouts.holds(user, here, file);
        if matches!(command, Command::Upload(_)) {
            self.whereabouts.keep(user, here, file);
        }
        Some(knew)
    }

    /// Which of a user's files still exist somewhere.
    fn there(&self, user: UserId, pool: &Pool) -> Items {
        self.whereabouts.there(user, |place| lasts(place, pool))
    }

    /// Every location that still has files, with their owner and numbers.
    pub fn copies<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = (UserId, FileLocation, Items)> + 'a {
        self.whereabouts.all().filter(|(_, place, _)| lasts(*place, pool))
    }
}

fn lasts(place: FileLocation, pool: &Pool) -> bool {
    place.lasts(|process| pool.lives_on(process), |server| pool.members[server.index()].host)
}

impl Sim {
    /// The answer to a request about a file, and whether the file was there. `None` for any other request.
    pub(in crate::sim) fn file_effect(&mut self, request: &InFlight) -> Option<(Outcome, bool)> {
        let files = self.shop.files.as_mut()?;
        let knew = files.apply(request.visit().user, request.command, request.server, &self.balancer.pool)?;
        let found = knew || matches!(request.command, Command::Upload(_));
        let outcome = if found { Outcome::Ok(Reply::Done) } else { Outcome::Refused(Refusal::NotFound) };
        Some((outcome, knew))
    }

    /// How long the object store takes for a request; zero if it is not called.
    #[inline]
    pub(in crate::sim) fn object_time(&self, id: RequestId) -> Span {
        let request = &self.requests[id];
        match &self.shop.files {
            Some(files) if request.plan.has(Stage::CallObjectStore) => {
                files.latency.sample(&mut self.workload.seed.draw(Purpose::Objects, request.key))
            }
            _ => Span::ZERO,
        }
    }

    /// Where else a file is that a download did not find.
    #[inline]
    pub(in crate::sim) fn file_evidence(&self, request: &InFlight, knew: Option<bool>) -> Evidence {
        let (Some(files), Command::Download(file), Some(false)) = (&self.shop.files, request.command, knew) else {
            return Evidence::default();
        };
        evidence::of_file(file, files.there(request.visit().user, &self.balancer.pool))
    }
}

impl Sim {
    /// Searches every server and store for every user's files. Called when the run is over.
    pub fn audit(&self, recorder: &mut impl Recorder) {
        let Some(files) = &self.shop.files else { return };
        for user in files.whereabouts.owners() {
            let found = files.there(user, &self.balancer.pool);
            recorder.record(&Event { at: self.now, what: EventKind::Pool(PoolEvent::Audited { user, found }) });
        }
    }
}
