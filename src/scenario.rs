//! The scenario as written in TOML: data types, defaults and limits.
//!
//! These types describe one resolved variant: [`load()`] first merges the patches of the file's `variants`, then reads
//! this shape. Limits on a single value live in its type ([`Whole`], [`Time`]); `check` enforces limits across
//! values.

mod affinity;
mod args;
mod balancer;
mod broken;
mod check;
mod decode;
mod deploy;
mod dist;
mod drain;
mod ending;
pub mod error;
mod faults;
mod health;
mod hidden;
mod homes;
mod journey;
pub mod library;
pub mod limits;
mod load;
mod migration;
mod mismatch;
pub mod nearest;
pub mod needs;
mod objects;
mod outlier;
mod patch;
mod pool_size;
mod predict;
pub mod prose;
mod random_faults;
#[cfg(feature = "cli")]
pub mod read;
#[cfg(feature = "cli")]
pub mod reference;
mod regions;
mod replication;
mod scaling;
#[cfg(feature = "cli")]
pub mod schema;
mod serverless;
mod servers;
mod store;
mod tokens;
mod tree;
mod users;
mod usual;
mod variants;
mod violation;
mod whose;
#[cfg(feature = "cli")]
mod written;

pub use affinity::{Affinity, CookieLife};
pub use balancer::{Balancer, HashOn, PinnedDown, PolicyName};
pub use check::check;
pub use deploy::{Deploy, Strategy};
pub use dist::{Dist, Lognormal, Uniform};
pub use drain::{Drain, DrainFor};
pub use error::ScenarioError;
pub use faults::{Affliction, Comeback, Fault, FaultKind, MIGRATION, StoreFault, Target, Unsaid};
pub use health::{Health, Preset};
pub use hidden::{Cache, Hidden, HiddenState, RateLimit};
pub use homes::{CartHome, Homes, SessionHome, UploadHome};
pub use journey::Journey;
pub use limits::{Duration, Pause, Positive, RunTime, Share, Time, Whole, percent};
pub use load::load;
pub use migration::{CartPath, Migration, MigrationWay};
pub use objects::Objects;
pub use outlier::Outlier;
pub use predict::Predict;
pub use random_faults::{How, RandomFaults};
pub use regions::{RegionRouting, RegionServers, RegionStore, Regions};
pub use replication::Replication;
pub use scaling::{Autoscaler, First, Scale, ScaleTo};
pub use serverless::Serverless;
pub use servers::Servers;
pub use store::{Forgets, Store, StoreMemory, StoreUpdate, WhenFull};
pub use tokens::Tokens;
pub use users::{Heavy, Join, Users};
pub use variants::{AS_WRITTEN, DesignNumber};
pub use violation::Violation;
pub use whose::{Whose, whose};

use serde::Deserialize;

use crate::base::time::{Instant, Span};

/// One variant of a scenario, with its patches merged in.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line: what happens here.
    pub title: String,
    /// What a class should predict before it sees the result.
    #[serde(default)]
    pub question: String,
    /// A multiple-choice question, for `run --predict`.
    #[serde(default)]
    pub predict: Option<Predict>,
    /// The one thing that differs between the designs.
    #[serde(default)]
    pub varies: String,
    /// What the figures teach, in plain words. Words that rest on figures stand in braces before what they rest on:
    /// `{a third: carts.lost / carts.opened of "sticky, server memory"}` says "a third", or what it is in this run;
    /// `{more than the crash: carts.lost > 50 of "round robin"}` is said only while it is true.
    #[serde(default)]
    pub lesson: String,
    /// The lesson in one sentence or two, for a list of scenarios. It may claim figures, as `lesson` does.
    #[serde(default)]
    pub summary: String,
    /// The design whose user's story is told, if it is another than the first that lost most of its carts to faults.
    #[serde(default)]
    pub story: Option<String>,
    /// The scenario that asks the next question.
    #[serde(default)]
    pub next: Option<String>,
    /// Columns of the table, as paths into the summary, if the default ones would not show the point.
    #[serde(default)]
    pub columns: Vec<String>,
    /// The seed from which all randomness is derived.
    #[serde(default = "default_seed")]
    pub seed: Whole<0, { i64::MAX as u64 }>,
    /// How long the shop is open.
    pub duration: RunTime,
    /// How long users who are still in the shop may take to finish after that.
    #[serde(default = "default_closing")]
    pub closing: Pause,
    /// Latency and load are measured from this time on. Losses, requests and the price are counted from the start.
    #[serde(default)]
    pub warm_up: Option<Pause>,
    /// Who visits the shop, when, and what they do.
    #[serde(default)]
    pub users: Users,
    /// The pool of servers.
    #[serde(default)]
    pub servers: Servers,
    /// How the hidden state of servers behaves.
    #[serde(default)]
    pub hidden: Hidden,
    /// How a server is chosen for each request.
    #[serde(default)]
    pub balancer: Balancer,
    /// Where each kind of state lives.
    #[serde(default)]
    pub homes: Homes,
    /// Copies of carts on other servers, with carts in replicated memory.
    #[serde(default)]
    pub replication: Replication,
    /// Carts that move while the shop runs.
    #[serde(default)]
    pub migration: Option<Migration>,
    /// The database that every server can reach.
    #[serde(default)]
    pub store: Store,
    /// The store for files that every server can reach.
    #[serde(default)]
    pub objects: Objects,
    /// Carts and logins that travel with the user.
    #[serde(default)]
    pub tokens: Tokens,
    /// Where in the world users, servers and the store are. When absent, everything is in one place.
    #[serde(default)]
    pub regions: Option<Regions>,
    /// Instances that a platform starts and stops on demand, instead of servers.
    #[serde(default)]
    pub serverless: Option<Serverless>,
    /// What breaks or changes, and when.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Adds and removes servers as the load changes. When absent, the pool keeps its size.
    #[serde(default)]
    pub autoscaler: Option<Autoscaler>,
    /// What breaks at random.
    #[serde(default)]
    pub random_faults: Vec<RandomFaults>,
    /// The engine over real sockets leaves this design out, because it is too large for one machine. Implied by
    /// `regions`, `serverless` and `store.lookups_per_add`.
    #[serde(default)]
    pub sim_only: bool,
    /// What the result must satisfy, for `whatcart check`.
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
    /// The default settings, for building a scenario in code: 300 users, 3 servers, open for two minutes.
    #[must_use]
    pub fn house() -> Scenario {
        Scenario {
            title: "The house settings".into(),
            question: String::new(),
            predict: None,
            varies: String::new(),
            lesson: String::new(),
            summary: String::new(),
            story: None,
            next: None,
            columns: Vec::new(),
            seed: default_seed(),
            duration: Time::of(Span::from_secs(120)),
            closing: default_closing(),
            warm_up: None,
            users: Users::default(),
            servers: Servers::default(),
            hidden: Hidden::default(),
            balancer: Balancer::default(),
            homes: Homes::default(),
            replication: Replication::default(),
            migration: None,
            store: Store::default(),
            objects: Objects::default(),
            tokens: Tokens::default(),
            regions: None,
            serverless: None,
            faults: Vec::new(),
            autoscaler: None,
            random_faults: Vec::new(),
            sim_only: false,
            expect: Vec::new(),
        }
    }
}

impl Scenario {
    /// Whether only a simulation can run it: because it says so, or because it uses something that one machine cannot
    /// provide.
    #[must_use]
    pub fn needs_simulation(&self) -> bool {
        self.sim_only || self.regions.is_some() || self.serverless.is_some() || self.store.lookups_per_add.get() > 0
    }

    /// When the shop closes: no visit begins after that.
    #[must_use]
    pub fn closes(&self) -> Instant {
        Instant::ZERO + self.duration.get()
    }

    /// When a run ends at the latest, whatever users still do.
    #[must_use]
    pub fn ends(&self) -> Instant {
        self.closes() + self.closing.get()
    }

    /// How many servers there are at the start.
    #[must_use]
    pub fn servers_at_first(&self) -> u32 {
        if self.serverless.is_some() { 0 } else { self.servers.count.get32() }
    }

    /// How many requests a server or an instance works on at once.
    #[must_use]
    pub fn workers_each(&self) -> u32 {
        if self.serverless.is_some() { 1 } else { self.servers.workers.get32() }
    }
}

/// One claim about the figures.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The design it is about; every design when absent.
    pub variant: Option<String>,
    /// A comparison over the summary's paths, such as `lost_by.wiped > 0` or `faults."the crash".lost_of_open > 0`.
    pub that: String,
}

/// A scenario that was read and checked: every variant resolved.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The library name, such as `sticky-crash`, or the stem of the file name.
    pub name: String,
    /// The scenario without any variant's patch.
    pub base: Scenario,
    /// At least one. A scenario without variants has a single one, named [`AS_WRITTEN`].
    pub variants: Vec<Variant>,
    /// Whether `--set` or `--vary` changed it: then the file's expectations need not hold.
    pub patched: bool,
    /// Keys that are given and have no effect in any design, each with what it needs.
    pub warnings: Vec<ScenarioError>,
    tree: tree::Node,
    sources: tree::Sources,
}

/// One variant, resolved.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its number in tables and for `--only`.
    pub number: DesignNumber,
    /// Its name in tables.
    pub name: String,
    /// What runs.
    pub scenario: Scenario,
}
