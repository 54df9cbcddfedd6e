//! What all users have in common: who visits when, what they do, and how much work it causes.

use super::heavy_users::HeavyUsers;
use crate::base::seed::{Key, Purpose, Sampler, Seed, exponential};
use crate::base::time::{Instant, Span};
use crate::base::{Command, File, Item, Step, UserId};
use crate::scenario::{HashOn, Join, Journey, Scenario};

/// How users arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loop {
    /// A fixed number of users keep visiting; their first visits begin within the ramp.
    Closed {
        /// The number of users.
        users: u32,
        /// The time over which their first visits begin.
        ramp: Span,
    },
    /// New visitors arrive, each for one visit, with this mean time between two of them.
    Open {
        /// So many a second, on average.
        rate: f64,
    },
}

/// What all users have in common.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The root seed.
    pub seed: Seed,
    /// How users arrive.
    pub arrivals: Loop,
    /// No visit begins at this time or later.
    pub closes: Instant,
    /// The commands of the steps of a journey.
    pub commands: Vec<Command>,
    /// For each step: how many steps of the journey begin concurrently there. Empty if there are no concurrent steps.
    pub(super) concurrent_steps: Vec<u16>,
    /// Whether visits log in at all; otherwise they need no session.
    pub logs_in: bool,
    /// Whether a thief keeps a copy of sessions, to present them after logout.
    pub replays: bool,
    /// How long a user waits before retrying a failed step.
    pub pause: Span,
    /// How long a user waits for a response.
    pub timeout: Span,
    /// The number of users, including those who have joined (closed loop).
    people: u32,
    /// The last change of the rate, if any (open loop).
    rise: Option<RateChange>,
    pub(super) think: Sampler,
    pub(super) patience: u32,
    heavy: Option<HeavyUsers>,
    hash_on: HashOn,
    nat: u32,
}

/// Users who join together (closed loop).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wave {
    /// The first of them.
    pub first: UserId,
    /// The last of them.
    pub last: UserId,
    /// When they begin to arrive.
    pub from: Instant,
    /// The time over which they arrive.
    pub over: Span,
}

impl Wave {
    /// All these users, in order.
    pub fn users(self) -> impl Iterator<Item = UserId> {
        (self.first.0..=self.last.0).map(UserId)
    }
}

/// A change of the arrival rate (open loop).
#[derive(Clone, Copy, Debug, PartialEq)]
struct RateChange {
    from: Instant,
    over: Span,
    /// Visitors a second, before and after.
    rates: [f64; 2],
}

impl RateChange {
    fn rate(self, now: Instant) -> f64 {
        let [before, after] = self.rates;
        let gone = now - self.from;
        if gone >= self.over {
            return after;
        }
        before + (after - before) * (gone.as_secs_f64() / self.over.as_secs_f64())
    }
}

impl Workload {
    /// The workload of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: Seed) -> Workload {
        let users = &scenario.users;
        let think = users.think.sampler();
        let count = users.people().map_or(0, |n| u32::try_from(n).expect("limited to 10 million"));
        let visit = (think.mean() + scenario.servers.service.sampler().mean()) * users.journey.len() as u64;
        let arrivals = match users.rate {
            Some(rate) => Loop::Open { rate: rate.get() },
            None => Loop::Closed { users: count, ramp: users.ramp.map_or(visit, crate::scenario::Time::get) },
        };
        Workload {
            seed,
            arrivals,
            closes: scenario.closes(),
            commands: commands(&users.journey),
            concurrent_steps: concurrent_steps(&users.journey),
            logs_in: users.journey.contains(&Step::Login),
            replays: users.journey.contains(&Step::ReplayToken),
            pause: users.pause.get(),
            timeout: users.timeout.get(),
            people: count,
            rise: None,
            think,
            patience: users.patience.get32(),
            heavy: users.heavy.as_ref().map(|heavy| HeavyUsers::new(heavy, count)),
            hash_on: scenario.balancer.hash_on,
            nat: users.nat.get32(),
        }
    }

    /// Whether journeys have concurrent steps.
    #[inline]
    #[must_use]
    pub fn is_simultaneous(&self) -> bool {
        !self.concurrent_steps.is_empty()
    }

    /// Steps that a client does at the same moment, at most.
    #[must_use]
    pub fn most_steps_at_once(&self) -> u64 {
        self.concurrent_steps.iter().copied().max().unwrap_or(1).max(1).into()
    }

    /// The heavy users, if there are any.
    #[must_use]
    pub fn heavy(&self) -> Option<HeavyUsers> {
        self.heavy
    }

    /// How many tabs a user has.
    #[must_use]
    pub fn tabs(&self, user: UserId) -> u16 {
        self.heavy_user(user).map_or(1, HeavyUsers::tabs_each)
    }

    #[inline]
    pub(super) fn heavy_user(&self, user: UserId) -> Option<HeavyUsers> {
        self.heavy.filter(|heavy| heavy.include(user))
    }

    /// More users arrive from now on. In a closed loop, returns who they are.
    pub fn join(&mut self, now: Instant, join: &Join) -> Option<Wave> {
        match (self.arrivals, join.to, join.rate_to) {
            (Loop::Closed { .. }, Some(to), _) if to.get32() > self.people => {
                let first = UserId(self.people + 1);
                self.people = to.get32();
                Some(Wave { first, last: UserId(self.people), from: now, over: join.over.get() })
            }
            (Loop::Open { rate }, _, Some(rate_to)) => {
                let before = self.rise.map_or(1.0 / (mean_between(rate) / 1e9), |rise| rise.rate(now));
                self.rise = Some(RateChange { from: now, over: join.over.get(), rates: [before, rate_to.get()] });
                None
            }
            _ => None,
        }
    }

    /// The number of users, including those who have joined (closed loop).
    #[must_use]
    pub fn people(&self) -> u32 {
        self.people
    }

    /// The time from the arrival of this visitor until the next one (open loop). `between` is the mean time at the
    /// initial rate.
    #[must_use]
    pub fn until_visitor(&self, user: UserId, now: Instant, rate: f64) -> Span {
        let rate = self.rise.map_or(rate, |rise| rise.rate(now));
        let key = Key { entity: u64::from(user.0), ..Key::default() };
        exponential(mean_between(rate), &mut self.seed.draw(Purpose::Arrival, key))
    }

    /// How many visitors there are at once when so many a second come, by Little's law: as long as nobody waits.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    pub fn visitors_at_once(&self, rate: f64) -> u64 {
        let visit = self.mean_think() * self.commands.len() as u64;
        (visit.as_secs_f64() * rate) as u64
    }

    /// The mean think time, for sizing a queue.
    #[must_use]
    pub fn mean_think(&self) -> Span {
        self.think.mean()
    }

    /// How many times more work the requests of this user take.
    #[inline]
    #[must_use]
    pub fn cost(&self, user: UserId) -> u64 {
        self.heavy_user(user).map_or(1, HeavyUsers::cost)
    }

    /// How long a worker is busy with a request, without the store: what it takes by itself (drawn from `service`), times
    /// the user's cost, times how many times slower than usual the server is. A guest (`None`) costs as much as anybody.
    #[inline(always)]
    #[must_use]
    pub fn service_time(&self, service: Sampler, key: Key, user: Option<UserId>, slow: u32) -> Span {
        let cost = user.map_or(1, |user| self.cost(user));
        service.sample(&mut self.seed.draw(Purpose::Service, key)) * (cost * u64::from(slow))
    }

    /// Whether a thief copies the session with which a user sends this: the last one that a visit has, as it logs out.
    #[inline]
    #[must_use]
    pub fn thief_copies(&self, command: Command) -> bool {
        self.replays && command == Command::Logout
    }

    /// What hash policies hash for a user.
    #[inline]
    #[must_use]
    pub fn hash_key(&self, user: UserId) -> u64 {
        match self.hash_on {
            HashOn::User => u64::from(user.0),
            HashOn::Address => u64::from((user.0 - 1) / self.nat),
        }
    }
}

/// The mean time between visitors who come `rate` times a second, in nanoseconds. It is whole where that changes it by
/// less than one in a million: then a run has the same visitors at the same moments as in earlier versions.
fn mean_between(rate: f64) -> f64 {
    let nanos = 1e9 / rate;
    if nanos >= 1e6 { nanos.floor() } else { nanos }
}

/// The commands of the steps: the k-th add adds item k, and a remove removes the item that was added last and is still
/// in the cart. Items added by a concurrent step do not count yet. Files are chosen when their step begins: see
/// [`Client::name_file`](super::Client::name_file).
fn commands(journey: &Journey) -> Vec<Command> {
    let mut added = 0;
    let mut inside: Vec<Item> = Vec::new();
    let mut commands = Vec::with_capacity(journey.len());
    for moment in journey.moments() {
        let mut new = Vec::new();
        for step in &journey[moment] {
            let command = match step {
                Step::Login => Command::Login,
                Step::Browse => Command::Browse,
                Step::Add => {
                    added += 1;
                    let Some(item) = Item::new(added) else { return commands };
                    new.push(item);
                    Command::Add(item)
                }
                Step::Remove => {
                    let Some(item) = inside.pop() else { return commands };
                    Command::Remove(item)
                }
                Step::View => Command::View,
                Step::Checkout => Command::Checkout,
                Step::Logout => Command::Logout,
                Step::ForgeSession => Command::ForgeSession,
                Step::ReplayToken => Command::ReplayToken,
                Step::Upload | Step::Download => {
                    let Some(file) = File::new(1) else { return commands };
                    if *step == Step::Upload { Command::Upload(file) } else { Command::Download(file) }
                }
            };
            commands.push(command);
        }
        inside.append(&mut new);
    }
    commands
}

/// How many steps begin concurrently at each step; 0 for the other steps of such a group.
fn concurrent_steps(journey: &Journey) -> Vec<u16> {
    if !journey.is_simultaneous() {
        return Vec::new();
    }
    let mut sizes = vec![0; journey.len()];
    for moment in journey.moments() {
        sizes[moment.start] = u16::try_from(moment.len()).expect("a few");
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journey_numbers_its_items_and_removes_the_last() {
        use Step::{Add, Checkout, Remove};
        let item = |n| Item::new(n).expect("in range");
        assert_eq!(
            commands(&vec![Add, Add, Remove, Add, Remove, Remove, Checkout].into()),
            [
                Command::Add(item(1)),
                Command::Add(item(2)),
                Command::Remove(item(2)),
                Command::Add(item(3)),
                Command::Remove(item(3)),
                Command::Remove(item(1)),
                Command::Checkout,
            ]
        );
    }

    #[test]
    fn what_is_added_at_the_same_moment_is_not_removed_yet() {
        use Step::{Add, Checkout, Remove};
        let item = |n| Item::new(n).expect("in range");
        let mut journey = Journey::from(vec![Add]);
        journey.push_at_once(&[Add, Remove]);
        journey.push_at_once(&[Remove, Add, Checkout]);
        let [mug, lamp, pen] = [1, 2, 3].map(item);
        let asked = [
            Command::Add(mug),
            Command::Add(lamp),
            Command::Remove(mug),
            Command::Remove(lamp),
            Command::Add(pen),
            Command::Checkout,
        ];
        assert_eq!(commands(&journey), asked);
        assert_eq!(concurrent_steps(&journey), [1, 2, 0, 3, 0, 0]);
    }

    /// However many come a second, as many come as should.
    #[test]
    fn crowds_come_at_their_rate() {
        const VISITORS: u32 = 400_000;
        for rate in [0.3, 45.0, 1_000.0, 30_000.0, 70_000.0] {
            let mut scenario = Scenario::house();
            scenario.users.rate = Some(crate::scenario::Positive::of(rate));
            let workload = Workload::new(&scenario, Seed(1));
            let Loop::Open { rate } = workload.arrivals else { panic!("an open loop") };
            let last =
                (1..=VISITORS).map(UserId).fold(Instant::ZERO, |at, user| at + workload.until_visitor(user, at, rate));
            let took = last.since_start().as_secs_f64() * rate / f64::from(VISITORS);
            // Four standard deviations of a mean of so many.
            assert!((took - 1.0).abs() < 4.0 / f64::from(VISITORS).sqrt(), "{rate} a second took {took} times as long");
        }
        for rate in [0.7, 45.0, 999.9, 1_000.1, 30_000.0, 70_000.0, 700_000.0, 1e6] {
            let kept = 1e9 / mean_between(rate);
            assert!((kept / rate - 1.0).abs() <= 1e-6, "{rate} becomes {kept}");
        }
    }
}
