//! Detection of runs that cannot go on, with a diagnosis of what waits for what.
//!
//! In every open visit the user will wake, or pauses before a retry of a concurrent step, or waits for an answer and
//! will stop waiting at a timeout. If none of these is true, or if time stands still, the simulator has a bug: the run
//! ends with an error instead of figures.

use std::collections::BTreeMap;
use std::fmt;

use super::Sim;
use super::requests::{InFlight, Phase, RequestState};
use crate::base::ServerId;
use crate::base::time::Instant;

/// The default number of events that may happen before time must advance. All users of the largest shop may act at the
/// same moment, a few times each.
pub(super) const AT_ONE_MOMENT: u64 = 1 << 27;

/// Why a run cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The time at which it stopped.
    pub at: Instant,
    /// Whether events keep happening but time does not advance.
    pub stands_still: bool,
    /// How many events may happen before time must advance.
    pub at_one_moment: u64,
    /// The number of requests that users wait for, by what holds them.
    pub waiting: Vec<(Holder, u64)>,
    /// Users within a visit who wait for nothing.
    pub idle: u64,
}

/// What holds a request that a user waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The balancer, which has not sent it on.
    Balancer,
    /// A connection attempt to a server.
    Connection(ServerId),
    /// The queue of a server.
    Queue(ServerId),
    /// A worker of a server.
    Worker(ServerId),
    /// A worker that waits in line for the store.
    Store(ServerId),
    /// A server that fell silent.
    Silence(ServerId),
    /// The network between two regions.
    Way,
}

impl Sim {
    /// Why this run cannot go on; `None` if it can.
    #[must_use]
    pub fn stuck(&self) -> Option<Stuck> {
        // No user, worker, timeout or message will ever continue an open visit.
        let (service, timer, _) = self.next_events();
        let nothing_under_way = self.events.wakes.is_empty() && !self.events.moves_visits();
        let nobody_will_act = service == Instant::NEVER && timer == Instant::NEVER && nothing_under_way;
        (self.stands_still || self.users.open_visits > 0 && nobody_will_act).then(|| Stuck::of(self))
    }
}

impl Stuck {
    fn of(sim: &Sim) -> Stuck {
        let mut waiting: BTreeMap<Holder, u64> = BTreeMap::new();
        for request in sim.requests.awaited_ones() {
            *waiting.entry(holder(request)).or_default() += 1;
        }
        Stuck {
            at: sim.events.now,
            stands_still: sim.stands_still,
            at_one_moment: sim.at_one_moment,
            idle: sim.users.open_visits.saturating_sub(waiting.values().sum()),
            waiting: waiting.into_iter().collect(),
        }
    }
}

fn holder(request: &InFlight) -> Holder {
    match request.place {
        RequestState::Balancer => Holder::Balancer,
        RequestState::Connecting => Holder::Connection(request.server),
        RequestState::Queued => Holder::Queue(request.server),
        RequestState::Running(Phase::StoreLine(_)) => Holder::Store(request.server),
        RequestState::Running(Phase::Store(_) | Phase::Work | Phase::Refused(_) | Phase::BrokenOff)
        | RequestState::Failing => Holder::Worker(request.server),
        RequestState::Swallowed => Holder::Silence(request.server),
        RequestState::Travelling => Holder::Way,
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Balancer => f.write_str("the balancer, which has not sent their requests on"),
            Holder::Connection(server) => write!(f, "a connection to {server}"),
            Holder::Queue(server) => write!(f, "their turn in the queue of {server}"),
            Holder::Worker(server) => write!(f, "an answer from a worker of {server}"),
            Holder::Store(server) => write!(f, "a connection of {server} to the store"),
            Holder::Silence(server) => write!(f, "an answer from {server}, which is silent"),
            Holder::Way => f.write_str("what is on its way between regions"),
        }
    }
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.at.since_start();
        if self.stands_still {
            let events = self.at_one_moment;
            write!(f, "time stands still {after} after the start, with more than {events} events")?;
        } else {
            write!(f, "nothing can happen any more {after} after the start")?;
        }
        for (i, (holder, users)) in self.waiting.iter().enumerate() {
            let (who, verb) = if *users == 1 { ("user", "waits") } else { ("users", "wait") };
            write!(f, "{} {users} {who} {verb} for {holder}", if i == 0 { ":" } else { "," })?;
        }
        if self.idle > 0 {
            let (who, verb) = if self.idle == 1 { ("user", "is") } else { ("users", "are") };
            let gap = if self.waiting.is_empty() { ":" } else { ", and" };
            write!(f, "{gap} {} {who} {verb} within a visit and will not go on with it", self.idle)?;
        }
        if self.stands_still { Ok(()) } else { f.write_str("; and nothing will end that") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Step;
    use crate::base::seed::Seed;
    use crate::base::time::Span;
    use crate::scenario::{Dist, Fault, Journey, Scenario, Time, Whole};
    use crate::sim::events::{Due, Events};

    const SECOND: Span = Span::from_secs(1);

    fn breaks(verb: &str, server: u32) -> Fault {
        toml::from_str(&format!("at = '10s'\n{verb} = 'server-{server}'")).expect("a fault")
    }

    fn played(scenario: &Scenario, seconds: u64) -> Sim {
        let mut sim = Sim::new(scenario, Seed(1));
        sim.at_one_moment = 1 << 14;
        sim.advance(Instant::ZERO + SECOND * seconds, &mut ());
        sim
    }

    #[test]
    fn sound_runs_go_on() {
        let mut scenario = Scenario::house();
        scenario.faults = vec![breaks("vanish", 2)];
        for seconds in [0, 5, 11, 30, 119, 125, 180] {
            assert_eq!(played(&scenario, seconds).stuck(), None, "after {seconds} s");
        }
    }

    /// The only pending event is the end of a pause before a concurrent step is retried.
    #[test]
    fn users_who_pause_between_simultaneous_steps_go_on() {
        let mut scenario = Scenario::house();
        scenario.users.count = Some(Whole::of(1));
        scenario.users.journey = Journey::default();
        scenario.users.journey.push_at_once(&[Step::Add, Step::Add]);
        scenario.users.patience = Whole::of(10);
        scenario.users.timeout = Time::of(SECOND);
        scenario.users.pause = Time::of(SECOND * 5);
        scenario.faults = (1..=3).map(|server| breaks("crash", server)).collect();
        let mut pausing = 0;
        for seconds in 0..120 {
            let sim = played(&scenario, seconds);
            let pauses = sim.events.agenda().any(|(_, due)| matches!(due, Due::Again { .. }));
            pausing += u32::from(pauses && sim.events.wakes.is_empty() && sim.view().awaited == 0);
            assert_eq!(sim.stuck(), None, "after {seconds} s");
        }
        assert!(pausing > 10, "{pausing}");
    }

    /// A planted bug: timeouts and wake-ups are forgotten.
    #[test]
    fn who_waits_for_ever_is_told() {
        let mut scenario = Scenario::house();
        scenario.faults = vec![breaks("vanish", 2)];
        let mut sim = played(&scenario, 12);
        let now = sim.events.now;
        sim.events = Events::new(&sim.users.workload);
        sim.events.now = now;
        (0..sim.servers.held.len()).for_each(|worker| sim.servers.busy.set(worker, Instant::NEVER));
        let stuck = sim.stuck().expect("nobody will wake");
        assert!(stuck.waiting.iter().any(|(holder, _)| *holder == Holder::Connection(ServerId(1))), "{stuck:?}");
        assert_eq!(stuck.waiting.iter().map(|(_, users)| users).sum::<u64>(), sim.view().awaited);
        let told = stuck.to_string();
        for part in
            ["nothing can happen any more 12s after", "users wait for a connection to server-2", "within a visit"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
    }

    /// A planted bug: a scenario that validation would refuse, in which users retry without a pause.
    #[test]
    fn time_that_stands_still_is_told() {
        let mut scenario = Scenario::house();
        scenario.users.think = Dist::Constant(Time::of(Span::ZERO));
        scenario.users.pause = Time::of(Span::ZERO);
        scenario.servers.service = Dist::Constant(Time::of(SECOND));
        scenario.faults = (1..=3).map(|server| breaks("crash", server)).collect();
        let mut sim = played(&scenario, 60);
        let stuck = sim.stuck().expect("time stands still");
        assert_eq!((stuck.at, stuck.stands_still), (Instant::ZERO + SECOND * 10, true));
        assert!(stuck.to_string().starts_with("time stands still 10s after the start"), "{stuck}");
        sim.advance(Instant::ZERO + SECOND * 90, &mut ());
        assert_eq!(sim.now(), stuck.at, "it goes no further");
    }
}
