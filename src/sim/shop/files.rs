//! Uploaded files in the simulation. They belong to users and outlive visits.

use crate::balancing::pool::Pool;
use crate::base::seed::{Purpose, Sampler, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{Command, Items, Outcome, Refusal, Reply, ServerId, UserId};
use crate::history::{Event, Evidence, PoolEvent, Recorder};
use crate::scenario::{Scenario, UploadHome};
use crate::sim::requests::InFlight;
use crate::state::evidence;
use crate::state::file_locations::{self, FileLocation, Whereabouts};
use crate::state::plan::Stage;

/// The files of all users.
#[derive(Clone, Debug)]
pub struct Files {
    home: UploadHome,
    latency: Sampler,
    whereabouts: Whereabouts,
}

impl Files {
    /// Creates an empty set of files; `None` if the scenario's users never upload any.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Option<Box<Files>> {
        let files = Files {
            home: scenario.homes.upload,
            latency: scenario.objects.latency.sampler(),
            whereabouts: Whereabouts::default(),
        };
        scenario.users.upload().then(|| Box::new(files))
    }

    /// Stores or fetches a file: the answer, and whether the file was already there. `None` if the request is not about
    /// a file.
    pub fn serve(&mut self, request: &InFlight, pool: &Pool) -> Option<(Outcome, bool)> {
        let knew = self.apply(request.visit().user, request.command, request.server, pool)?;
        let missing = file_locations::is_missing(request.command, knew);
        let outcome = if missing { Outcome::Refused(Refusal::NotFound) } else { Outcome::Ok(Reply::Done) };
        Some((outcome, knew))
    }

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

    /// How long the object store takes for a request; zero if it is not called.
    #[must_use]
    pub fn object_time(&self, request: &InFlight, seed: Seed) -> Span {
        if request.plan.has(Stage::CallObjectStore) {
            self.latency.sample(&mut seed.draw(Purpose::Objects, request.key))
        } else {
            Span::ZERO
        }
    }

    /// Where else a file is that a download did not find.
    #[must_use]
    pub fn evidence(&self, request: &InFlight, knew: Option<bool>, pool: &Pool) -> Evidence {
        let missing = knew.is_some_and(|knew| file_locations::is_missing(request.command, knew));
        let Some(file) = request.command.file().filter(|_| missing) else { return Evidence::default() };
        evidence::of_file(file, self.there(request.visit().user, pool))
    }

    /// Searches every server and store for every user's files.
    pub fn audit(&self, recorder: &mut impl Recorder, pool: &Pool, now: Instant) {
        for user in self.whereabouts.owners() {
            recorder.record(&Event::pool(now, PoolEvent::Audited { user, found: self.there(user, pool) }));
        }
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
