//! What a fault does, and to whom.

use std::fmt;

use serde::Deserialize;

use crate::base::time::Span;
use crate::base::{RegionId, ServerId};
use crate::scenario::{Deploy, Forgets, Join, MigrationWay, Scale, Share, percent};

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
    /// A dead server comes back at once, on the same host: its process is empty.
    Revive {
        /// The server.
        server: Server,
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

/// How a fault impairs a server that stays alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affliction {
    /// It works this many times slower.
    Slow(u32),
    /// It fails so many of a billion requests: see `operations::faults::fails`.
    Failing(u32),
}

impl FaultKind<(), ()> {
    /// The keys of faults in a scenario's tables. They are mutually exclusive.
    pub const KEYS: [&str; 13] = [
        "crash",
        "restart",
        "replace",
        "vanish",
        "revive",
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

/// The name of a migration in reports.
pub const MIGRATION: &str = "the migration";

impl FaultKind<String, String> {
    /// The name in reports of a fault without a name.
    #[must_use]
    pub fn default_name(&self) -> String {
        match self {
            FaultKind::Crash { server, .. }
            | FaultKind::Restart { server, .. }
            | FaultKind::Replace { server, .. }
            | FaultKind::Vanish { server, .. }
            | FaultKind::Revive { server }
            | FaultKind::Slow { server, .. }
            | FaultKind::Failing { server, .. }
            | FaultKind::Isolate { server, .. } => format!("{} {server}", self.key()),
            FaultKind::RegionOutage { region, .. } => format!("region outage {region}"),
            FaultKind::Store { how: StoreFault::Outage, .. } => "store outage".into(),
            FaultKind::Store { how: StoreFault::Failover, .. } => "store failover".into(),
            FaultKind::Store { how: StoreFault::Restart, .. } => "store restart".into(),
            FaultKind::Deploy(_) | FaultKind::Join(_) => self.key().into(),
            FaultKind::Scale(scale) => format!("scale to {}", scale.to.get()),
            FaultKind::Autoscale => "the autoscaler".into(),
            FaultKind::Migrate { .. } => MIGRATION.into(),
        }
    }
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
            FaultKind::Revive { .. } => "revive",
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
            | FaultKind::Revive { server }
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
            FaultKind::Revive { server } => FaultKind::Revive { server: server_of(server)? },
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
            FaultKind::Revive { .. }
            | FaultKind::Slow { .. }
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

    /// Whether the memory of the server, or data of the store, is lost.
    #[must_use]
    pub fn loses_memory(&self) -> bool {
        match self {
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Vanish { .. }
            | FaultKind::Deploy(_)
            | FaultKind::RegionOutage { .. } => true,
            FaultKind::Migrate { how } => *how != MigrationWay::ReadThrough,
            FaultKind::Store { forgets, .. } => forgets.is_some_and(|forgets| forgets != Forgets::NOTHING),
            FaultKind::Revive { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Failing { .. }
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Isolate { .. } => false,
        }
    }

    /// Whether the server falls silent. Otherwise it refuses connections at once.
    #[must_use]
    pub fn silences(&self) -> bool {
        match self {
            FaultKind::Vanish { .. } | FaultKind::RegionOutage { .. } | FaultKind::Isolate { .. } => true,
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Revive { .. }
            | FaultKind::Slow { .. }
            | FaultKind::Failing { .. }
            | FaultKind::Store { .. }
            | FaultKind::Deploy(_)
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Migrate { .. } => false,
        }
    }

    /// How it impairs a server that stays alive, if it does.
    #[must_use]
    pub fn affliction(&self) -> Option<Affliction> {
        match self {
            FaultKind::Slow { factor, .. } => Some(Affliction::Slow(*factor)),
            FaultKind::Failing { billionths, .. } => Some(Affliction::Failing(*billionths)),
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Vanish { .. }
            | FaultKind::Revive { .. }
            | FaultKind::Isolate { .. }
            | FaultKind::RegionOutage { .. }
            | FaultKind::Store { .. }
            | FaultKind::Deploy(_)
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Migrate { .. } => None,
        }
    }
}

/// What a fault does, in words: `server-2 crashes`.
impl<Server: fmt::Display, Region: fmt::Display> fmt::Display for FaultKind<Server, Region> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Crash { server, .. } => write!(f, "{server} crashes"),
            FaultKind::Restart { server, .. } => write!(f, "{server} restarts"),
            FaultKind::Replace { server, .. } => write!(f, "{server} is replaced"),
            FaultKind::Vanish { server, .. } => write!(f, "{server} falls silent"),
            FaultKind::Revive { server } => write!(f, "an empty {server} starts"),
            FaultKind::Slow { server, factor, .. } => write!(f, "{server} works {factor} times slower"),
            FaultKind::Failing { server, billionths: Share::ALL, .. } => write!(f, "{server} fails every request"),
            FaultKind::Failing { server, billionths, .. } => {
                write!(f, "{server} fails {} of its requests", percent(*billionths))
            }
            FaultKind::Isolate { server, .. } => write!(f, "{server} is cut off"),
            FaultKind::RegionOutage { region, .. } => write!(f, "{region} goes dark"),
            FaultKind::Store { how: StoreFault::Outage, .. } => f.write_str("the store goes down"),
            FaultKind::Store { how: StoreFault::Failover, .. } => f.write_str("the store fails over"),
            FaultKind::Store { how: StoreFault::Restart, .. } => f.write_str("the store restarts"),
            FaultKind::Deploy(deploy) => deploy.fmt(f),
            FaultKind::Scale(scale) => scale.fmt(f),
            FaultKind::Join(join) => join.fmt(f),
            FaultKind::Autoscale => f.write_str("an autoscaler looks after the pool"),
            FaultKind::Migrate { how: MigrationWay::BigBang } => f.write_str("carts move to the store, big bang"),
            FaultKind::Migrate { how: MigrationWay::DualWrite } => f.write_str("carts are read from the store"),
            FaultKind::Migrate { how: MigrationWay::ReadThrough } => {
                f.write_str("carts are read from the store, else from memory")
            }
        }
    }
}
