//! The workload: who visits when, what they do, and how much work it causes.
//!
//! [`Workload`] is what all users have in common; [`Client`] is one tab, which walks through its journey. Neither
//! knows a clock or an engine: an engine asks a client what it sends, tells it the outcome, and does what the client
//! decides.

mod concurrent_steps;
mod folder;

use crate::balancing::affinity::Pin;
use crate::base::seed::{Key, Purpose, Sampler, Seed, exponential};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, File, Item, Outcome, ProcessId, Refusal, Step, UserId, Visit};
use crate::history::{AbandonReason, Ending, Request};
use crate::scenario::{HashOn, Heavy, Join, Journey, Scenario};

pub use concurrent_steps::ConcurrentSteps;
pub use folder::Folder;

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
    concurrent_steps: Vec<u16>,
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
    think: Sampler,
    patience: u32,
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

/// Which users are heavy, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeavyUsers {
    which: HeavyRule,
    activity: u64,
    cost: u64,
    parallel: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeavyRule {
    /// This many of this many users, spread evenly.
    Of(u64, u64),
    OneIn(u32),
}

impl HeavyUsers {
    fn new(heavy: &Heavy, users: u32) -> HeavyUsers {
        let which = match (heavy.count, heavy.one_in) {
            (Some(count), _) => HeavyRule::Of(count.get(), u64::from(users)),
            (None, Some(n)) => HeavyRule::OneIn(n.get32()),
            (None, None) => HeavyRule::Of(0, 1),
        };
        let parallel = u16::try_from(heavy.parallel.get()).expect("limited to 10,000");
        HeavyUsers { which, activity: heavy.activity.get(), cost: heavy.cost.get(), parallel }
    }

    /// How many tabs each of them has.
    #[must_use]
    pub fn tabs(self) -> u64 {
        u64::from(self.parallel)
    }

    /// Whether this user is a heavy user.
    #[inline]
    #[must_use]
    pub fn include(self, user: UserId) -> bool {
        let number = u64::from(user.0);
        match self.which {
            HeavyRule::Of(heavy, users) => number * heavy / users > (number - 1) * heavy / users,
            HeavyRule::OneIn(n) => user.0.is_multiple_of(n),
        }
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
            closes: Instant::ZERO + scenario.duration.get(),
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
        self.heavy_user(user).map_or(1, |heavy| heavy.parallel)
    }

    #[inline]
    fn heavy_user(&self, user: UserId) -> Option<HeavyUsers> {
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

    /// When the first visit of a tab begins (closed loop): at a random time in the ramp, which begins at `from`, plus
    /// a normal think time.
    #[must_use]
    pub fn first_visit(&self, client: &Client, from: Instant, ramp: Span) -> Instant {
        let mut draw = self.seed.draw(Purpose::Arrival, client.key());
        let offset = Sampler::Uniform { from: Span::ZERO, to: ramp }.sample(&mut draw);
        from + offset + self.think(client)
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

    /// How long a client thinks after the step that it has just finished.
    #[inline(always)]
    #[must_use]
    pub fn think(&self, client: &Client) -> Span {
        let think = self.think.sample(&mut self.seed.draw(Purpose::Think, client.key()));
        match self.heavy_user(client.user) {
            None => think,
            Some(heavy) => Span::from_nanos(think.as_nanos() / heavy.activity),
        }
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
        self.heavy_user(user).map_or(1, |heavy| heavy.cost)
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
/// [`Client::name_file`].
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
    step: u16,
    attempt: u16,
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
    fn advance(&mut self, workload: &Workload) -> Next {
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

/// What a user's browser stores, shared by all tabs. The response that arrives last wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jar {
    /// The affinity cookie.
    pub pin: Pin,
    /// The session, if logged in.
    pub session: Option<Session>,
    /// Visits that are open in any tab.
    pub open_visits: u16,
}

/// A session as its user carries it, by which servers accept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Only the process that logged the user in, which has it in memory.
    Memory(ProcessId),
    /// Every server, before this moment: a signed token. If it does not expire, the moment is [never](Instant::NEVER).
    Until(Instant),
    /// Every server, as long as the shared store has the login with this number.
    Stored(u32),
    /// Every server before this moment, and later as long as the shared store has the login with this number.
    Renewable {
        /// When the token expires and is renewed.
        until: Instant,
        /// Its refresh session in the store.
        login: u32,
    },
    /// Only the process that signed it with its own key, before this moment.
    Signed(ProcessId, Instant),
}

impl Jar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Jar {
        Jar { pin: Pin::default(), session: None, open_visits: 0 }
    }

    /// A visit ended. After the last open visit the browser is closed: the session is deleted, and so is the affinity
    /// cookie if it lives as long as a visit.
    #[inline]
    pub fn visit_ended(&mut self, affinity: crate::scenario::Affinity) {
        self.open_visits -= 1;
        if self.open_visits == 0 {
            self.session = None;
            self.pin.visits_ended(affinity);
        }
    }
}

impl Default for Jar {
    fn default() -> Self {
        Jar::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Reply;

    const OK: Outcome = Outcome::Ok(Reply::Done);
    const UNAUTHORIZED: Outcome = Outcome::Refused(Refusal::Unauthorized);

    fn workload(patience: u64) -> Workload {
        let mut scenario = crate::scenario::Scenario::house();
        scenario.users.patience = crate::scenario::Whole::of(patience);
        Workload::new(&scenario, Seed(1))
    }

    fn send(client: &mut Client, workload: &Workload) -> Command {
        client.request(workload, Instant::ZERO).command
    }

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
    fn heavy_users_are_as_many_as_asked_for() {
        let heavy = |count, one_in| Heavy {
            count,
            one_in,
            activity: crate::scenario::Whole::of(1),
            cost: crate::scenario::Whole::of(1),
            parallel: crate::scenario::Whole::of(1),
        };
        for (users, count) in [(301, 1), (300, 7), (10, 10), (1_000_003, 333)] {
            let rule = HeavyUsers::new(&heavy(Some(crate::scenario::Whole::of(count)), None), users);
            let n = (1..=users).filter(|u| rule.include(UserId(*u))).count();
            assert_eq!(n as u64, count);
        }
        let rule = HeavyUsers::new(&heavy(None, Some(crate::scenario::Whole::of(20))), 1);
        assert_eq!((1..=100).filter(|u| rule.include(UserId(*u))).count(), 5);
    }

    /// However many come a second, as many come as should.
    #[test]
    fn crowds_come_at_their_rate() {
        const VISITORS: u32 = 400_000;
        for rate in [0.3, 45.0, 1_000.0, 30_000.0, 70_000.0] {
            let mut scenario = crate::scenario::Scenario::house();
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

    #[test]
    fn a_client_stays_small() {
        assert!(size_of::<Client>() <= 32, "{} bytes", size_of::<Client>());
        assert!(size_of::<Jar>() <= 32, "{} bytes", size_of::<Jar>());
    }
}
