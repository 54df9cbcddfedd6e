//! The scenario as written in TOML: data types, defaults and limits.
//!
//! These types are one resolved variant; the file's `variants` are patches that [`load()`] merges before this shape is
//! read. Limits that concern one value live in its type ([`Whole`], [`Time`]); those that concern several are checked
//! by [`check`].

mod args;
pub mod check;
mod decode;
#[cfg(feature = "cli")]
mod draw;
pub mod error;
pub mod library;
pub mod limits;
mod load;
pub mod nearest;
mod patch;
#[cfg(feature = "cli")]
pub mod read;
#[cfg(feature = "cli")]
pub mod schema;
mod tree;

pub use error::ScenarioError;
pub use limits::{Duration, Pause, Positive, RunTime, Time, Whole, thousands};
pub use load::{AS_WRITTEN, load};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::model::Step;
use crate::seed::Sampler;
use crate::time::{Instant, Span};

/// One variant of a scenario, with its patches merged in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line: what happens here.
    pub title: String,
    /// What a class should predict before it looks.
    #[serde(default)]
    pub question: String,
    /// The one thing that differs between the variants.
    #[serde(default)]
    pub varies: String,
    /// What the figures teach, in plain words.
    #[serde(default)]
    pub lesson: String,
    /// The scenario that asks the next question.
    #[serde(default)]
    pub next: Option<String>,
    /// Columns of the table, as paths into the summary, when the usual ones would not show the point.
    #[serde(default)]
    pub columns: Vec<String>,
    /// The root of all randomness.
    #[serde(default = "default_seed")]
    pub seed: Whole<0, { i64::MAX as u64 }>,
    /// How long the shop is open.
    pub duration: RunTime,
    /// How long those inside may take to finish after that.
    #[serde(default = "default_closing")]
    pub closing: Pause,
    /// Who visits, when, doing what.
    #[serde(default)]
    pub users: Users,
    /// Who answers.
    #[serde(default)]
    pub servers: Servers,
    /// Who chooses the server.
    #[serde(default)]
    pub balancer: Balancer,
    /// Where each kind of state lives.
    #[serde(default)]
    pub homes: Homes,
    /// The database that every server can reach.
    #[serde(default)]
    pub store: Store,
    /// Carts and logins that travel with the user.
    #[serde(default)]
    pub tokens: Tokens,
    /// What breaks, and when.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Left out by the engine over real sockets: it is more than one machine can hold.
    #[serde(default)]
    pub sim_only: bool,
    /// What must come out, for `whatcart check`.
    #[serde(default)]
    pub expect: Vec<Expect>,
}

fn default_seed() -> Whole<0, { i64::MAX as u64 }> {
    Whole::of(1)
}

fn default_closing() -> Pause {
    Time::of(Span::from_secs(60))
}

impl Scenario {
    /// The house settings, for those who build a scenario in code: 300 users, 3 servers, open for two minutes.
    #[must_use]
    pub fn house() -> Scenario {
        Scenario {
            title: "The house settings".into(),
            question: String::new(),
            varies: String::new(),
            lesson: String::new(),
            next: None,
            columns: Vec::new(),
            seed: default_seed(),
            duration: Time::of(Span::from_secs(120)),
            closing: default_closing(),
            users: Users::default(),
            servers: Servers::default(),
            balancer: Balancer::default(),
            homes: Homes::default(),
            store: Store::default(),
            tokens: Tokens::default(),
            faults: Vec::new(),
            sim_only: false,
            expect: Vec::new(),
        }
    }
}

/// Who visits the shop, when, doing what.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Users {
    /// Closed loop: this many people keep visiting. 300 when neither this nor `rate` is given.
    pub count: Option<Whole<1, 10_000_000>>,
    /// Open loop: this many new visitors a second (Poisson), who come once.
    pub rate: Option<Positive>,
    /// The steps of a visit.
    pub journey: Vec<Step>,
    /// How long a user thinks after each step.
    pub think: Dist,
    /// Closed loop: first visits begin spread over this long. By default the length of one visit without waiting.
    pub ramp: Option<Pause>,
    /// How often a user tries a step again before giving up the visit.
    pub patience: Whole<0, 100>,
    /// How long a user waits before trying a failed step again.
    pub pause: Pause,
    /// How long a user waits for an answer. (Envoy's default route timeout is 15 s.)
    pub timeout: Duration,
    /// How many users share one virtual address (NAT).
    pub nat: Whole<1, 1_000_000>,
    /// Some people are busier than others.
    pub heavy: Option<Heavy>,
}

impl Default for Users {
    fn default() -> Self {
        use Step::{Add, Browse, Checkout, Login, View};
        Users {
            count: None,
            rate: None,
            journey: vec![Login, Browse, Browse, Add, View, Add, Add, Checkout],
            think: Dist::Exponential(Time::of(Span::from_secs(2))),
            ramp: None,
            patience: Whole::of(3),
            pause: Time::of(Span::from_secs(1)),
            timeout: Time::of(Span::from_secs(15)),
            nat: Whole::of(1),
            heavy: None,
        }
    }
}

impl Users {
    /// Closed loop: how many people keep visiting. `None` in an open loop.
    #[must_use]
    pub fn people(&self) -> Option<u64> {
        match (self.count, self.rate) {
            (Some(count), _) => Some(count.get()),
            (None, Some(_)) => None,
            (None, None) => Some(300),
        }
    }
}

/// Heavy users: spread evenly among the others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Heavy {
    /// How many of the users are heavy (closed loop).
    pub count: Option<Whole<1, 10_000_000>>,
    /// One in so many users is heavy (either loop).
    pub one_in: Option<Whole<1, 10_000_000>>,
    /// How many times shorter they think.
    #[serde(default = "one")]
    pub activity: Whole<1, 10_000>,
    /// How many times more work each of their requests is.
    #[serde(default = "one")]
    pub cost: Whole<1, 10_000>,
    /// How many tabs each has open at once. All share one cookie jar; every tab makes visits of its own.
    #[serde(default = "one")]
    pub parallel: Whole<1, 10_000>,
}

impl Heavy {
    /// How many of so many people are heavy.
    #[must_use]
    pub fn people(&self, among: u64) -> u64 {
        match (self.count, self.one_in) {
            (Some(count), _) => count.get().min(among),
            (None, Some(one_in)) => among.div_ceil(one_in.get()),
            (None, None) => 0,
        }
    }
}

fn one() -> Whole<1, 10_000> {
    Whole::of(1)
}

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Dist {
    /// Always the same.
    Constant(Pause),
    /// Memoryless, with this mean.
    Exponential(Pause),
    /// Skewed to the right, as times of people are.
    Lognormal(Lognormal),
    /// Anything between two bounds.
    Uniform(Uniform),
}

/// A lognormal distribution.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lognormal {
    /// Half are shorter.
    pub median: Pause,
    /// Standard deviation of the logarithm; at most 5.
    pub sigma: Positive,
}

/// A uniform distribution.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// The shortest.
    pub from: Pause,
    /// The longest.
    pub to: Pause,
}

impl Dist {
    /// What draws from it.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        match *self {
            Dist::Constant(span) => Sampler::Constant(span.get()),
            Dist::Exponential(mean) => Sampler::Exponential(mean.get()),
            Dist::Lognormal(l) => Sampler::Lognormal { median: l.median.get(), sigma: l.sigma.get() },
            Dist::Uniform(u) => Sampler::Uniform { from: u.from.get(), to: u.to.get() },
        }
    }
}

/// The pool of servers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Servers {
    /// How many.
    pub count: Whole<1, 10_000>,
    /// How many requests each works on at once.
    pub workers: Whole<1, 1_024>,
    /// How many more may wait; one more is refused with 503.
    pub queue: Whole<0, 1_000_000>,
    /// Time of work for one request, without the store.
    pub service: Dist,
    /// Weights for policies that heed them, server by server; those not named have 1.
    pub weights: Vec<Whole<1, 256>>,
    /// From the start of a process to its first answer.
    pub boot: Pause,
}

impl Default for Servers {
    fn default() -> Self {
        Servers {
            count: Whole::of(3),
            workers: Whole::of(4),
            queue: Whole::of(1_000),
            service: Dist::Exponential(Time::of(Span::from_millis(20))),
            weights: Vec::new(),
            boot: Time::of(Span::from_secs(5)),
        }
    }
}

/// What chooses a server for each request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Balancer {
    /// How it chooses.
    pub policy: PolicyName,
    /// Whether a cookie sends users back to the server they used before.
    pub affinity: Affinity,
    /// What happens to a user whose server is believed down.
    pub pinned_down: PinnedDown,
    /// What hash policies hash.
    pub hash_on: HashOn,
    /// Ring hash: points of a server on the ring, times its weight. (nginx and ketama use 160.)
    pub points: Whole<1, 10_000>,
    /// How often a request is sent to another server, where that is allowed. (HAProxy's default is 3.)
    pub retries: Whole<0, 10>,
    /// How long a connection may take before the balancer tries elsewhere. (Envoy's default is 5 s.)
    pub connect_timeout: Duration,
    /// How the balancer finds out who is alive.
    pub health: Health,
}

impl Default for Balancer {
    fn default() -> Self {
        Balancer {
            policy: PolicyName::RoundRobin,
            affinity: Affinity::None,
            pinned_down: PinnedDown::Redispatch,
            hash_on: HashOn::User,
            points: Whole::of(160),
            retries: Whole::of(3),
            connect_timeout: Time::of(Span::from_secs(5)),
            health: Health::default(),
        }
    }
}

/// How a balancer chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PolicyName {
    /// Each in turn.
    RoundRobin,
    /// Each in turn, in proportion to its weight, smoothly.
    WeightedRoundRobin,
    /// Anyone.
    Random,
    /// Whoever has the fewest requests in flight for its weight.
    LeastRequests,
    /// The less loaded of two drawn at random.
    PowerOfTwo,
    /// Where the user's hash falls on a ring of servers.
    RingHash,
}

/// Session affinity: whether a cookie sends users back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Every request is chosen anew.
    None,
    /// A cookie names the server, for as long as its lifetime says.
    Cookie(CookieLife),
}

/// How long an affinity cookie lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieLife {
    /// Until the user's last open visit ends (a browser-session cookie).
    Visit,
    /// For ever.
    User,
    /// For so long after it was set.
    For(Span),
}

/// What happens to a user whose server is believed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PinnedDown {
    /// The policy chooses another.
    Redispatch,
    /// 503.
    Fail,
}

/// What hash policies hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HashOn {
    /// The user's id.
    User,
    /// The user's virtual address, which `users.nat` users share.
    Address,
}

/// Active health checks. The defaults are HAProxy's.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Between two checks of one server.
    pub interval: Duration,
    /// How long a check waits for its answer.
    pub timeout: Duration,
    /// So many failures in a row: down.
    pub fall: Whole<1, 100>,
    /// So many successes in a row: up.
    pub rise: Whole<1, 100>,
}

impl Default for Health {
    fn default() -> Self {
        Health {
            interval: Time::of(Span::from_secs(2)),
            timeout: Time::of(Span::from_secs(2)),
            fall: Whole::of(3),
            rise: Whole::of(2),
        }
    }
}

/// Where each kind of state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Homes {
    /// The cart.
    pub cart: CartHome,
    /// The login.
    pub session: SessionHome,
}

impl Default for Homes {
    fn default() -> Self {
        Homes { cart: CartHome::ServerMemory, session: SessionHome::SignedToken }
    }
}

/// Where a cart lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CartHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers.
    SignedToken,
}

/// Where a login lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SessionHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers (a JWT).
    SignedToken,
    /// With the user, and taken at its word: anybody can forge it.
    UnsignedCookie,
}

/// The database that every server can reach.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// One call, there and back, on a free connection.
    pub latency: Dist,
    /// How many calls it serves at once; others wait in line. No limit when absent.
    pub connections: Option<Whole<1, 100_000>>,
    /// How servers change a cart in it.
    pub update: StoreUpdate,
}

/// How servers change a cart in the shared store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreUpdate {
    /// One call after the work changes what is there then, as `SADD` does in Redis or a single `UPDATE` in SQL.
    Atomic,
    /// The cart is read before the work, and what was made of that copy is written after it: what others wrote in
    /// between is lost.
    ReadModifyWrite,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            latency: Dist::Constant(Time::of(Span::from_millis(1))),
            connections: None,
            update: StoreUpdate::Atomic,
        }
    }
}

/// Signed tokens: carts and logins that travel with the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long one is valid after it was issued. A login issues a session; every answer about the cart issues that anew.
    pub lifetime: Duration,
    /// How much longer servers accept it, because their clocks differ. (Common verifiers of JWTs allow 60 s.)
    pub leeway: Pause,
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens { lifetime: Time::of(Span::from_secs(900)), leeway: Time::of(Span::from_secs(60)) }
    }
}

impl Tokens {
    /// From when on servers refuse a token that is issued now.
    #[inline]
    #[must_use]
    pub fn end(&self, now: Instant) -> Instant {
        now + self.lifetime.get() + self.leeway.get()
    }
}

/// Something that breaks: one of `crash`, `restart`, `replace`, `vanish`, `slow`, each naming a server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What patches and reports call it.
    pub name: Option<String>,
    /// When.
    pub at: Pause,
    /// The process dies; connections are refused at once.
    pub crash: Option<String>,
    /// The process dies and boots again on the same host.
    pub restart: Option<String>,
    /// The host goes; a new one boots under the same name.
    pub replace: Option<String>,
    /// The host falls silent: nothing is refused and nothing is answered, until a timeout.
    pub vanish: Option<String>,
    /// The server works slower.
    pub slow: Option<String>,
    /// After a crash: the process is ready again on the same host after this long.
    pub restart_after: Option<Pause>,
    /// After a crash or a vanishing: an empty server is ready in its place after this long.
    pub replace_after: Option<Pause>,
    /// When slow: how many times slower.
    pub factor: Option<Whole<2, 10_000>>,
    /// When slow: for how long. Until the end when absent.
    #[serde(rename = "for")]
    pub lasting: Option<Duration>,
}

/// One claim about the figures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Of which variant; of every one when absent.
    pub variant: Option<String>,
    /// A comparison over the summary's paths, such as `lost_by.wiped > 0`.
    pub that: String,
}

impl<'de> Deserialize<'de> for Affinity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Shape {
            None,
            Cookie(CookieLife),
        }
        Ok(match Shape::deserialize(deserializer)? {
            Shape::None => Affinity::None,
            Shape::Cookie(life) => Affinity::Cookie(life),
        })
    }
}

impl<'de> Deserialize<'de> for CookieLife {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "visit" => Ok(CookieLife::Visit),
            "user" => Ok(CookieLife::User),
            other => match other.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(CookieLife::For(span)),
                _ => Err(D::Error::custom(format_args!(
                    "`{other}` is not the life of a cookie: write \"visit\", \"user\" or a time such as \"10m\""
                ))),
            },
        }
    }
}

/// A scenario that was read and found good: every variant resolved.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// `sticky-crash`, or the file's stem.
    pub name: String,
    /// The scenario without any variant's patch.
    pub base: Scenario,
    /// At least one; a scenario without variants is its own only one, named [`AS_WRITTEN`].
    pub variants: Vec<Variant>,
    /// Whether `--set` or `--vary` changed it: then what the file expects need not hold.
    pub patched: bool,
    tree: tree::Node,
    sources: tree::Sources,
}

/// One variant, resolved.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What tables call it.
    pub name: String,
    /// What runs.
    pub scenario: Scenario,
}
