//! One tab, which walks through its journey.
//!
//! A client knows neither a clock nor an engine: an engine asks it what it sends, tells it the outcome, and does what
//! the client decides.

use super::folder::Folder;
use super::workload::Workload;
use crate::base::seed::{Key, Purpose, Sampler};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, File, Outcome, Refusal, UserId, Visit};
use crate::history::{AbandonReason, Ending, Request};

/// One tab of one user, on its journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The user.
    pub user: UserId,
    /// The cookie jar of the user, which all tabs of the user share.
    pub jar: u32,
    /// When the user first intended to do the current step.
    pub meant: Instant,
    visit: u32,
    pub(super) step: u16,
    pub(super) attempt: u16,
    tab: u16,
    tries: u8,
    state: ClientState,
    /// The file of the current step, if it has one.
    file: Option<File>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientState {
    Away,
    Shopping,
    LoggingIn,
}

/// What a client does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Thinks, then does the next step.
    Think,
    /// Waits for the pause, then sends again.
    Pause,
    /// Sends again immediately.
    Again,
    /// Ends this visit.
    Leave(Ending),
}

impl Next {
    /// Whether the step is over: done, or given up. Otherwise it is tried again.
    #[inline]
    #[must_use]
    pub const fn settles_the_step(self) -> bool {
        matches!(self, Next::Think | Next::Leave(_))
    }
}

impl Client {
    /// A tab that has not made a visit yet.
    #[must_use]
    pub fn new(user: UserId, tab: u16, jar: u32) -> Client {
        let (meant, state) = (Instant::ZERO, ClientState::Away);
        Client { user, jar, meant, visit: 0, step: 0, attempt: 0, tab, tries: 0, state, file: None }
    }

    /// The key for draws about the current step.
    #[inline]
    #[must_use]
    pub fn key(&self) -> Key {
        let entity = u64::from(self.tab) << 32 | u64::from(self.user.0);
        Key { entity, visit: self.visit, step: self.step, attempt: self.attempt }
    }

    /// The current visit.
    #[inline]
    #[must_use]
    pub fn visit(&self, id: ClientId) -> Visit {
        Visit { user: self.user, client: id, number: self.visit }
    }

    /// Whether the tab is between two visits.
    #[inline]
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.state == ClientState::Away
    }

    /// Begins the next visit.
    #[inline]
    pub fn begin(&mut self) {
        self.visit += 1;
        self.step = 0;
        self.attempt = 0;
        self.tries = 0;
        self.state = ClientState::Shopping;
    }

    /// Ends the visit before its journey does.
    pub(super) fn leave(&mut self) {
        self.state = ClientState::Away;
    }

    /// What it sends now.
    #[inline]
    #[must_use]
    pub fn request(&mut self, workload: &Workload, now: Instant) -> Request {
        if self.attempt == 0 {
            self.meant = now;
        }
        let command = match self.state {
            ClientState::LoggingIn => Command::Login,
            ClientState::Away | ClientState::Shopping => workload.commands[usize::from(self.step)],
        };
        Request { step: self.step, attempt: self.attempt, command }
    }

    /// The command of a request about a file: it names the file that was chosen at the first attempt. A user who has
    /// no file to download, or no room for another one, browses instead.
    #[must_use]
    pub fn name_file(&mut self, workload: &Workload, folder: &mut Folder, command: Command) -> Command {
        if command.file().is_none() {
            return command;
        }
        if self.attempt == 0 {
            self.file = folder.choose(command, &mut workload.seed.draw(Purpose::File, self.key()));
        }
        match (command, self.file) {
            (Command::Upload(_), Some(file)) => Command::Upload(file),
            (Command::Download(_), Some(file)) => Command::Download(file),
            _ => Command::Browse,
        }
    }

    /// Records the outcome of a request, and decides what to do next.
    #[inline(always)]
    pub fn told(&mut self, workload: &Workload, command: Command, outcome: Outcome) -> Next {
        self.attempt = self.attempt.saturating_add(1);
        match outcome {
            Outcome::Ok(_) if self.state == ClientState::LoggingIn => {
                self.state = ClientState::Shopping;
                Next::Again
            }
            // A missing file will not appear if the user tries again.
            Outcome::Ok(_) | Outcome::Refused(Refusal::NotFound) => self.advance(workload),
            // A thief does not retry.
            Outcome::Refused(Refusal::Unauthorized) if command.is_a_thief_s() => self.advance(workload),
            Outcome::Refused(Refusal::Unauthorized) => {
                let next = self.endure(workload, AbandonReason::LoggedOut, Next::Again);
                if next == Next::Again {
                    self.state = ClientState::LoggingIn;
                }
                next
            }
            Outcome::Refused(_) => self.endure(workload, AbandonReason::Refused, Next::Pause),
            Outcome::Failed | Outcome::TimedOut => self.endure(workload, AbandonReason::Unknown, Next::Pause),
        }
    }

    #[inline(always)]
    pub(super) fn advance(&mut self, workload: &Workload) -> Next {
        self.step += 1;
        self.attempt = 0;
        self.tries = 0;
        if usize::from(self.step) < workload.commands.len() {
            return Next::Think;
        }
        self.state = ClientState::Away;
        Next::Leave(Ending::Finished)
    }

    #[cold]
    fn endure(&mut self, workload: &Workload, trouble: AbandonReason, next: Next) -> Next {
        if u32::from(self.tries) >= workload.patience {
            self.state = ClientState::Away;
            return Next::Leave(Ending::GaveUp(trouble));
        }
        self.tries += 1;
        next
    }
}

impl Workload {
    /// When the first visit of a tab begins (closed loop): at a random time in the ramp, which begins at `from`, plus
    /// a normal think time.
    #[must_use]
    pub fn first_visit(&self, client: &Client, from: Instant, ramp: Span) -> Instant {
        let mut draw = self.seed.draw(Purpose::Arrival, client.key());
        let offset = Sampler::Uniform { from: Span::ZERO, to: ramp }.sample(&mut draw);
        from + offset + self.think(client)
    }

    /// How long a client thinks after the step that it has just finished.
    #[inline(always)]
    #[must_use]
    pub fn think(&self, client: &Client) -> Span {
        let think = self.think.sample(&mut self.seed.draw(Purpose::Think, client.key()));
        match self.heavy_user(client.user) {
            None => think,
            Some(heavy) => heavy.think(think),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Reply;
    use crate::base::seed::Seed;
    use crate::scenario::{Scenario, Whole};

    const OK: Outcome = Outcome::Ok(Reply::Done);
    const UNAUTHORIZED: Outcome = Outcome::Refused(Refusal::Unauthorized);

    fn workload(patience: u64) -> Workload {
        let mut scenario = Scenario::house();
        scenario.users.patience = Whole::of(patience);
        Workload::new(&scenario, Seed(1))
    }

    fn send(client: &mut Client, workload: &Workload) -> Command {
        client.request(workload, Instant::ZERO).command
    }

    #[test]
    fn a_user_who_is_logged_out_logs_in_and_repeats_the_step() {
        let workload = workload(2);
        let mut client = Client::new(UserId(1), 0, 0);
        client.begin();
        assert_eq!(send(&mut client, &workload), Command::Login);
        assert_eq!(client.told(&workload, Command::Login, OK), Next::Think);
        for _ in 0..2 {
            assert_eq!(send(&mut client, &workload), Command::Browse);
            assert_eq!(client.told(&workload, Command::Browse, UNAUTHORIZED), Next::Again);
            assert_eq!(send(&mut client, &workload), Command::Login);
            assert_eq!(client.told(&workload, Command::Login, OK), Next::Again);
        }
        assert_eq!(send(&mut client, &workload), Command::Browse);
        let gave_up = Next::Leave(Ending::GaveUp(AbandonReason::LoggedOut));
        let settles = [Next::Think, gave_up, Next::Pause, Next::Again].map(Next::settles_the_step);
        assert_eq!(settles, [true, true, false, false]);
        assert_eq!(client.told(&workload, Command::Browse, UNAUTHORIZED), gave_up);
        assert!(client.is_away());
    }

    #[test]
    fn a_failed_step_is_tried_again_patience_times() {
        let workload = workload(3);
        let mut client = Client::new(UserId(1), 0, 0);
        client.begin();
        for attempt in 0..3 {
            assert_eq!(client.request(&workload, Instant::ZERO).attempt, attempt);
            assert_eq!(client.told(&workload, Command::Login, Outcome::TimedOut), Next::Pause);
        }
        let gave_up = Next::Leave(Ending::GaveUp(AbandonReason::Unknown));
        assert_eq!(client.told(&workload, Command::Login, Outcome::Failed), gave_up);
    }

    #[test]
    fn a_client_stays_small() {
        assert!(size_of::<Client>() <= 32, "{} bytes", size_of::<Client>());
    }
}
