//! Concurrent steps of a journey, each in its own tab.

use super::client::{Client, Next};
use super::workload::Workload;
use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::base::{Command, Outcome};
use crate::history::{Ending, Request};

/// The concurrent steps of one moment while they are in progress. Each step has its own patience and its own draws;
/// the moment is over when all steps are. A user who gives up at one step sends nothing more, waits for the
/// outstanding responses, and leaves.
#[derive(Clone, Debug)]
pub struct ConcurrentSteps {
    first: u16,
    parts: Vec<Part>,
    gave_up: Option<Ending>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    /// The client, as if it did only this step.
    client: Client,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Pausing,
    Over,
}

/// What becomes of one of several concurrent steps once its request has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepProgress {
    /// It is sent again immediately.
    Again,
    /// It is sent again after the pause.
    Pause,
    /// It is done, or given up.
    Over,
}

impl StepProgress {
    /// Whether the step is over, as [`Next::settles_the_step`].
    #[must_use]
    pub const fn settles_the_step(self) -> bool {
        matches!(self, StepProgress::Over)
    }
}

impl ConcurrentSteps {
    /// Begins the moment that a client has reached, if it has several steps.
    #[must_use]
    pub fn begin(client: &Client, workload: &Workload) -> Option<ConcurrentSteps> {
        let steps = workload.concurrent_steps.get(usize::from(client.step)).copied().filter(|steps| *steps > 1)?;
        if client.attempt > 0 || client.is_away() {
            return None;
        }
        let part = |i| {
            let mut alone = *client;
            alone.step += i;
            Part { client: alone, state: State::Pausing }
        };
        Some(ConcurrentSteps { first: client.step, parts: (0..steps).map(part).collect(), gave_up: None })
    }

    /// The steps.
    pub fn steps(&self) -> impl Iterator<Item = u16> + use<> {
        let first = self.first;
        (0u16..).take(self.parts.len()).map(move |i| first + i)
    }

    fn part(&mut self, step: u16) -> Option<&mut Part> {
        self.parts.get_mut(usize::from(step.checked_sub(self.first)?))
    }

    /// The request for a step, and the key of its draws. `None` if the user has given up in the meantime.
    pub fn request(&mut self, step: u16, workload: &Workload, now: Instant) -> Option<(Request, Key)> {
        if self.gave_up.is_some() {
            return None;
        }
        let part = self.part(step).filter(|part| part.state == State::Pausing)?;
        part.state = State::Waiting;
        let request = part.client.request(workload, now);
        Some((request, part.client.key()))
    }

    /// The steps that the shop has acknowledged.
    pub fn acknowledged(&self) -> impl Iterator<Item = u16> + '_ {
        self.steps().zip(&self.parts).filter(|(step, part)| part.client.step > *step).map(|(step, _)| step)
    }

    /// When the user first intended to do a step.
    #[must_use]
    pub fn meant(&self, step: u16) -> Instant {
        let part = self.parts.get(usize::from(step - self.first));
        part.map_or(Instant::ZERO, |part| part.client.meant)
    }

    /// Records the outcome of a request.
    pub fn told(&mut self, step: u16, workload: &Workload, command: Command, outcome: Outcome) -> StepProgress {
        let gave_up = self.gave_up.is_some();
        let Some(part) = self.part(step) else { return StepProgress::Over };
        let next = part.client.told(workload, command, outcome);
        let progress = match next {
            Next::Again if !gave_up => StepProgress::Again,
            Next::Pause if !gave_up => StepProgress::Pause,
            _ => StepProgress::Over,
        };
        part.state = if progress.settles_the_step() { State::Over } else { State::Pausing };
        if let Next::Leave(ending @ Ending::GaveUp(_)) = next {
            self.gave_up.get_or_insert(ending);
        }
        progress
    }

    /// Whether all steps are over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.parts.iter().all(|part| match (part.state, self.gave_up) {
            (State::Waiting, _) | (State::Pausing, None) => false,
            (State::Pausing, Some(_)) | (State::Over, _) => true,
        })
    }

    /// What the client does when all steps are over: it continues, or gives up.
    pub fn end(&self, client: &mut Client, workload: &Workload) -> Option<Next> {
        if !self.is_over() {
            return None;
        }
        if let Some(ending) = self.gave_up {
            client.leave();
            return Some(Next::Leave(ending));
        }
        client.step = self.first + u16::try_from(self.parts.len() - 1).expect("a few");
        Some(client.advance(workload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Step::{Add, Checkout, View};
    use crate::base::seed::Seed;
    use crate::base::{Refusal, Reply, UserId};
    use crate::history::AbandonReason;
    use crate::scenario::{Journey, Scenario, Whole};

    const OK: Outcome = Outcome::Ok(Reply::Done);

    /// Two concurrent adds and a view, then the checkout; one retry.
    fn shop() -> (Workload, Client) {
        let mut journey = Journey::default();
        journey.push_at_once(&[Add, Add, View]);
        journey.push(Checkout);
        let mut scenario = Scenario::house();
        scenario.users.journey = journey;
        scenario.users.patience = Whole::of(1);
        let mut client = Client::new(UserId(1), 0, 0);
        client.begin();
        (Workload::new(&scenario, Seed(1)), client)
    }

    fn send(concurrent_steps: &mut ConcurrentSteps, workload: &Workload, step: u16) -> (Command, u16) {
        let (request, key) = concurrent_steps.request(step, workload, Instant::ZERO).expect("is sent");
        assert_eq!((request.step, request.attempt), (key.step, key.attempt));
        assert!(concurrent_steps.request(step, workload, Instant::ZERO).is_none(), "it is out already");
        (request.command, request.attempt)
    }

    #[test]
    fn each_step_has_luck_and_patience_of_its_own() {
        let (workload, mut client) = shop();
        let mut concurrent_steps = ConcurrentSteps::begin(&client, &workload).expect("three steps");
        let sent: Vec<_> = concurrent_steps.steps().map(|step| send(&mut concurrent_steps, &workload, step)).collect();
        let [mug, lamp] = [1, 2].map(|n| Command::Add(crate::base::Item::new(n).expect("in range")));
        assert_eq!(sent, [(mug, 0), (lamp, 0), (Command::View, 0)]);
        assert_eq!(concurrent_steps.told(1, &workload, lamp, Outcome::Failed), StepProgress::Pause);
        assert_eq!(concurrent_steps.told(0, &workload, mug, OK), StepProgress::Over);
        assert_eq!(concurrent_steps.told(2, &workload, Command::View, OK), StepProgress::Over);
        assert_eq!(concurrent_steps.end(&mut client, &workload), None, "the lamp is tried again");
        assert_eq!(send(&mut concurrent_steps, &workload, 1), (lamp, 1));
        assert_eq!(concurrent_steps.told(1, &workload, lamp, OK), StepProgress::Over);
        assert_eq!(concurrent_steps.end(&mut client, &workload), Some(Next::Think));
        assert!(ConcurrentSteps::begin(&client, &workload).is_none());
        assert_eq!(client.request(&workload, Instant::ZERO).command, Command::Checkout);
    }

    #[test]
    fn who_gives_up_hears_the_other_answers_and_leaves() {
        let (workload, mut client) = shop();
        let mut concurrent_steps = ConcurrentSteps::begin(&client, &workload).expect("three steps");
        let commands: Vec<Command> =
            concurrent_steps.steps().map(|step| send(&mut concurrent_steps, &workload, step).0).collect();
        let refused = Outcome::Refused(Refusal::QueueFull);
        assert_eq!(concurrent_steps.told(0, &workload, commands[0], refused), StepProgress::Pause);
        send(&mut concurrent_steps, &workload, 0);
        assert_eq!(concurrent_steps.told(1, &workload, commands[1], refused), StepProgress::Pause);
        assert_eq!(concurrent_steps.told(0, &workload, commands[0], refused), StepProgress::Over);
        assert!(concurrent_steps.request(1, &workload, Instant::ZERO).is_none(), "the pause ends, and nothing is sent");
        assert_eq!(concurrent_steps.end(&mut client, &workload), None, "the view is not answered yet");
        assert_eq!(concurrent_steps.told(2, &workload, commands[2], Outcome::TimedOut), StepProgress::Over);
        let gave_up = Next::Leave(Ending::GaveUp(AbandonReason::Refused));
        assert_eq!(concurrent_steps.end(&mut client, &workload), Some(gave_up));
        assert!(client.is_away());
    }
}
