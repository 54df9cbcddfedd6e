//! Faults in the scenario document: the table as written, and the fault it describes.
//!
//! To add a kind of fault, give the table a key, [`FaultKind`] a variant and [`FaultKind::KEYS`] its name. The compiler
//! then asks for the rest: its properties (`faults.rs`), its description (`faces/timeline.rs`), and what each engine
//! does (`sim/operations/faults.rs`, `http/fault_injector.rs`).

use serde::Deserialize;

use super::{Deploy, Duration, Forgets, Join, MigrationWay, Pause, Scale, ScaleTo, Share, Time, Whole};
use crate::base::time::Span;
use crate::base::{RegionId, ServerId};

/// A fault, or a planned operation that may break things.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "FaultTable")]
pub struct Fault {
    /// Its name in patches and reports.
    pub name: Option<String>,
    /// When it strikes.
    pub at: Pause,
    /// What it does, or why its table does not say so. A variant may complete a table that the base scenario leaves
    /// incomplete.
    pub kind: Result<FaultKind<String, String>, Unsaid>,
}

impl Fault {
    /// What it does; `None` only for faults that validation refuses.
    #[must_use]
    pub fn what(&self) -> Option<&FaultKind<String, String>> {
        self.kind.as_ref().ok()
    }
}

/// What a fault does, and to what. A scenario refers to servers and regions by name; in a run the names are resolved to
/// ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind<Server = ServerId, Region = RegionId> {
    /// Process death: connections are refused at once, and the memory is lost.
    Crash {
        /// The server whose process dies.
        server: Server,
        /// How it comes back, if it does.
        comeback: Option<Comeback>,
    },
    /// The process dies and boots again on the same host.
    Restart {
        /// The server.
        server: Server,
        /// How long it takes to boot. `None` in a scenario, where `servers.boot` says so.
        boot: Option<Span>,
    },
    /// The host is lost; a new one boots under the same name.
    Replace {
        /// The server.
        server: Server,
        /// How long it takes to boot. `None` in a scenario.
        boot: Option<Span>,
    },
    /// The host falls silent, and the memory is lost.
    Vanish {
        /// The server whose host vanishes.
        server: Server,
        /// How it comes back, if it does.
        comeback: Option<Comeback>,
    },
    /// The server works `factor` times slower.
    Slow {
        /// The server.
        server: Server,
        /// How many times slower.
        factor: u32,
        /// For how long; `None` until the end.
        lasting: Option<Span>,
    },
    /// The server answers requests with 500 at once. Its health checks pass.
    Failing {
        /// The server.
        server: Server,
        /// How many of a billion requests it fails. It serves the others.
        billionths: u32,
        /// For how long; `None` until the end.
        lasting: Option<Span>,
    },
    /// The server cannot be reached by the balancer or by other servers. It keeps its memory.
    Isolate {
        /// The server.
        server: Server,
        /// For how long; `None` until the end.
        lasting: Option<Span>,
    },
    /// A whole region is down: its servers fall silent and lose their memory, and a store there cannot be reached.
    RegionOutage {
        /// The region.
        region: Region,
        /// For how long; `None` until the end.
        lasting: Option<Span>,
    },
    /// The shared store fails: calls are refused, and those in progress break off.
    Store {
        /// The kind of failure.
        how: StoreFault,
        /// For how long. `None`: until the end for an outage, no time for the others.
        lasting: Option<Span>,
        /// Which acknowledged data it loses. `None` in a scenario, where `store.durability_window` says so.
        forgets: Option<Forgets>,
    },
    /// A new version is deployed to all servers.
    Deploy(Deploy),
    /// The pool changes its size.
    Scale(Scale),
    /// More users arrive.
    Join(Join),
    /// The autoscaler takes charge of the pool. Its later actions are attributed to this fault.
    Autoscale,
    /// Carts move to another home.
    Migrate {
        /// How carts are looked up from then on.
        how: MigrationWay,
    },
}

/// How a server comes back. Its memory is always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comeback {
    /// The time from the fault until it accepts requests again.
    pub after: Span,
    /// Whether it has a new host (a new disk), under the same name.
    pub new_host: bool,
}

/// What a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a, Server, Region> {
    /// One server.
    Server(&'a Server),
    /// All servers of a region, and a store located there.
    Region(&'a Region),
    /// The shared store.
    Store,
    /// The pool, by a plan of the operator.
    Pool,
    /// The users.
    Users,
    /// The home of carts.
    Carts,
}

impl FaultKind<(), ()> {
    /// The keys of faults in a scenario's tables. They are mutually exclusive.
    pub const KEYS: [&str; 12] = [
        "crash",
        "restart",
        "replace",
        "vanish",
        "slow",
        "failing",
        "isolate",
        "store",
        "deploy",
        "scale",
        "join",
        "region_outage",
    ];
}

impl<Server, Region> FaultKind<Server, Region> {
    /// The key in a fault's table. For an autoscaler and a migration: the name of their own table.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            FaultKind::Crash { .. } => "crash",
            FaultKind::Restart { .. } => "restart",
            FaultKind::Replace { .. } => "replace",
            FaultKind::Vanish { .. } => "vanish",
            FaultKind::Slow { .. } => "slow",
            FaultKind::Failing { .. } => "failing",
            FaultKind::Isolate { .. } => "isolate",
            FaultKind::RegionOutage { .. } => "region_outage",
            FaultKind::Store { .. } => "store",
            FaultKind::Deploy(_) => "deploy",
            FaultKind::Scale(_) => "scale",
            FaultKind::Join(_) => "join",
            FaultKind::Autoscale => "autoscaler",
            FaultKind::Migrate { .. } => "migration",
        }
    }

    /// What it affects.
    #[must_use]
    pub fn target(&self) -> Target<'_, Server, Region> {
        match self {
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. }
            | FaultKind::Slow { server, .. }
            | FaultKind::Failing { server, .. }
            | FaultKind::Isolate { server, .. } => Target::Server(server),
            FaultKind::RegionOutage { region, .. } => Target::Region(region),
            FaultKind::Store { .. } => Target::Store,
            FaultKind::Deploy(_) | FaultKind::Scale(_) | FaultKind::Autoscale => Target::Pool,
            FaultKind::Join(_) => Target::Users,
            FaultKind::Migrate { .. } => Target::Carts,
        }
    }

    /// Whether it may change the pool's size.
    #[must_use]
    pub fn changes_size(&self) -> bool {
        matches!(self, FaultKind::Scale(_) | FaultKind::Autoscale)
    }

    /// Converts servers and regions; `None` if `server_of` or `region_of` does not know one.
    #[must_use]
    pub fn try_map<S, R>(
        self,
        server_of: impl FnOnce(Server) -> Option<S>,
        region_of: impl FnOnce(Region) -> Option<R>,
    ) -> Option<FaultKind<S, R>> {
        Some(match self {
            FaultKind::Crash { server, comeback } => FaultKind::Crash { server: server_of(server)?, comeback },
            FaultKind::Restart { server, boot } => FaultKind::Restart { server: server_of(server)?, boot },
            FaultKind::Replace { server, boot } => FaultKind::Replace { server: server_of(server)?, boot },
            FaultKind::Vanish { server, comeback } => FaultKind::Vanish { server: server_of(server)?, comeback },
            FaultKind::Slow { server, factor, lasting } => {
                FaultKind::Slow { server: server_of(server)?, factor, lasting }
            }
            FaultKind::Failing { server, billionths, lasting } => {
                FaultKind::Failing { server: server_of(server)?, billionths, lasting }
            }
            FaultKind::Isolate { server, lasting } => FaultKind::Isolate { server: server_of(server)?, lasting },
            FaultKind::RegionOutage { region, lasting } => {
                FaultKind::RegionOutage { region: region_of(region)?, lasting }
            }
            FaultKind::Store { how, lasting, forgets } => FaultKind::Store { how, lasting, forgets },
            FaultKind::Deploy(deploy) => FaultKind::Deploy(deploy),
            FaultKind::Scale(scale) => FaultKind::Scale(scale),
            FaultKind::Join(join) => FaultKind::Join(join),
            FaultKind::Autoscale => FaultKind::Autoscale,
            FaultKind::Migrate { how } => FaultKind::Migrate { how },
        })
    }

    /// How the servers that it kills come back; `None` if it kills none, or for good.
    #[must_use]
    pub fn comeback(&self) -> Option<Comeback> {
        match self {
            FaultKind::Crash { comeback, .. } | FaultKind::Vanish { comeback, .. } => *comeback,
            FaultKind::Restart { boot, .. } => boot.map(|after| Comeback { after, new_host: false }),
            FaultKind::Replace { boot, .. } => boot.map(|after| Comeback { after, new_host: true }),
            FaultKind::RegionOutage { lasting, .. } => lasting.map(|after| Comeback { after, new_host: false }),
            FaultKind::Slow { .. }
            | FaultKind::Failing { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::Store { .. }
            | FaultKind::Deploy(_)
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Migrate { .. } => None,
        }
    }
}

/// Why a table does not describe a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaid {
    /// The invalid key; `None` if the table as a whole is invalid.
    pub key: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<&'static str>,
}

/// A fault: one of `crash`, `restart`, `replace`, `vanish`, `slow`, `failing`, `isolate`, each with a server's name, or
/// `store`, or `region_outage` with a region's name. Or a planned operation that may break things: one of `deploy`,
/// `scale`, `join`.
#[derive(Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Fault"))]
#[serde(deny_unknown_fields)]
struct FaultTable {
    /// Its name in patches and reports.
    name: Option<String>,
    /// When it strikes.
    at: Pause,
    /// The process dies; connections are refused at once.
    crash: Option<String>,
    /// The process dies and boots again on the same host.
    restart: Option<String>,
    /// The host is lost; a new one boots under the same name.
    replace: Option<String>,
    /// The host falls silent: connections are neither refused nor answered, until a timeout.
    vanish: Option<String>,
    /// The server works slower.
    slow: Option<String>,
    /// The server answers requests with 500 at once, without doing anything for them. It passes its health checks all
    /// the while. A new process under its name does not fail.
    failing: Option<String>,
    /// A new version is deployed to all servers. It waits for an earlier deploy to finish.
    deploy: Option<Deploy>,
    /// The pool changes its size: a number of servers, or a table with more settings. It waits for an earlier deploy to
    /// finish.
    scale: Option<ScaleTo>,
    /// More users arrive.
    join: Option<Join>,
    /// The shared store fails.
    store: Option<StoreFault>,
    /// A whole region is down: its servers fall silent and lose their memory. A store there cannot be reached, but
    /// keeps its data.
    region_outage: Option<String>,
    /// The server is cut off from the balancer and from the other servers. Its process keeps running and keeps its
    /// memory, and still reaches the store.
    isolate: Option<String>,
    /// After `crash`: how long until the process is ready again on the same host.
    restart_after: Option<Pause>,
    /// After `crash` or `vanish`: how long until an empty server is ready in its place.
    replace_after: Option<Pause>,
    /// For `slow`: how many times slower the server works.
    factor: Option<Whole<2, 10_000>>,
    /// For `failing`: the share of requests that fail; all of them by default. The server serves the others.
    rate: Option<Share>,
    /// For `slow`, `failing`, `isolate`, `region_outage` and an outage of the store: how long it lasts; until the end
    /// by default. For a failover or restart of the store: how long that takes; no time by default.
    #[serde(rename = "for")]
    lasting: Option<Duration>,
}

/// How the shared store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// The store cannot be reached: calls are refused at once, and those in progress break off. It loses nothing.
    Outage,
    /// A replica that lags behind takes over: `store.durability_window` says what is lost. Until it has, calls are
    /// refused.
    Failover,
    /// Its process dies and restarts with what is on disk: everything except the last `store.durability_window`. Until
    /// it has, calls are refused.
    Restart,
}

impl From<FaultTable> for Fault {
    fn from(table: FaultTable) -> Fault {
        Fault { kind: table.kind(), name: table.name, at: table.at }
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Fault {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        FaultTable::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        FaultTable::json_schema(generator)
    }
}

impl FaultTable {
    /// The one fault that the table describes.
    fn kind(&self) -> Result<FaultKind<String, String>, Unsaid> {
        let mut kinds = self.kinds().into_iter();
        let kind = kinds.next().ok_or_else(|| Unsaid {
            key: None,
            message: "this fault does not say what happens".into(),
            help: Some(
                "say one of `crash`, `restart`, `replace`, `vanish`, `slow`, `failing`, `isolate`, each with a server's \
                 name, or one of `region_outage`, `store`, `deploy`, `scale`, `join`",
            ),
        })?;
        if kinds.next().is_some() {
            let message = "a fault breaks one thing: make two of it".into();
            return Err(Unsaid { key: None, message, help: None });
        }
        self.fits(kind.key())?;
        Ok(kind)
    }

    /// All faults that the table describes.
    fn kinds(&self) -> Vec<FaultKind<String, String>> {
        let lasting = self.lasting.map(Time::get);
        let comeback = match (self.restart_after, self.replace_after) {
            (Some(after), _) => Some(Comeback { after: after.get(), new_host: false }),
            (None, Some(after)) => Some(Comeback { after: after.get(), new_host: true }),
            (None, None) => None,
        };
        let factor = self.factor.map_or(1, Whole::get32);
        let billionths = self.rate.map_or(Share::ALL, Share::billionths);
        [
            self.crash.clone().map(|server| FaultKind::Crash { server, comeback }),
            self.restart.clone().map(|server| FaultKind::Restart { server, boot: None }),
            self.replace.clone().map(|server| FaultKind::Replace { server, boot: None }),
            self.vanish.clone().map(|server| FaultKind::Vanish { server, comeback }),
            self.slow.clone().map(|server| FaultKind::Slow { server, factor, lasting }),
            self.region_outage.clone().map(|region| FaultKind::RegionOutage { region, lasting }),
            self.isolate.clone().map(|server| FaultKind::Isolate { server, lasting }),
            self.failing.clone().map(|server| FaultKind::Failing { server, billionths, lasting }),
            self.store.map(|how| FaultKind::Store { how, lasting, forgets: None }),
            self.deploy.map(FaultKind::Deploy),
            self.scale.map(|scale| FaultKind::Scale(scale.0)),
            self.join.map(FaultKind::Join),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Checks that no key belongs to another kind of fault, and that none is missing.
    fn fits(&self, kind: &str) -> Result<(), Unsaid> {
        let unsaid = |key, message: String, help| Err(Unsaid { key, message, help });
        for (key, is_given, kinds) in [
            ("restart_after", self.restart_after.is_some(), &["crash"][..]),
            ("replace_after", self.replace_after.is_some(), &["crash", "vanish"]),
            ("factor", self.factor.is_some(), &["slow"]),
            ("rate", self.rate.is_some(), &["failing"]),
            ("for", self.lasting.is_some(), &["slow", "failing", "isolate", "store", "region_outage"]),
        ] {
            if !is_given || kinds.contains(&kind) {
                continue;
            }
            if kind == "store" {
                let message = format!("`{key}` is about a server, not the store");
                return unsaid(Some(key), message, Some("say how long it lasts with `for`"));
            }
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            return unsaid(Some(key), format!("`{key}` goes with {}, not with `{kind}`", kinds.join(" or ")), None);
        }
        if self.rate.is_some_and(|rate| rate.billionths() == 0) {
            let help = Some("`rate = 0.5` fails every other request");
            return unsaid(Some("rate"), "nothing fails at this rate".into(), help);
        }
        if kind == "slow" && self.factor.is_none() {
            let help = Some("`factor = 10` makes it ten times slower");
            return unsaid(None, "how slow is missing here".into(), help);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_one_kind() {
        for key in FaultKind::KEYS {
            let value = match key {
                "store" => "'restart'",
                "deploy" | "join" => "{}",
                "scale" => "4",
                _ => "'server-1'\nfactor = 2",
            };
            let factor = if key == "slow" { value.to_owned() } else { value.replace("\nfactor = 2", "") };
            let fault: Fault = toml::from_str(&format!("at = '1s'\n{key} = {factor}")).expect(key);
            assert_eq!(fault.what().map(FaultKind::key), Some(key), "{fault:?}");
        }
        let nothing: Fault = toml::from_str("at = '1s'").expect("a fault");
        assert_eq!(nothing.what(), None);
    }
}
