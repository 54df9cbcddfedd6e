//! What a fault does, and to whom.

use std::fmt;

use serde::Deserialize;

use crate::base::time::Span;
use crate::base::{RegionId, ServerId};
use crate::scenario::{Deploy, Forgets, Join, MigrationWay, Scale, Share, percent};

/// What a fault does, and to whom. In a scenario servers and regions have names; in a run they are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind<Server = ServerId, Region = RegionId> {
    /// Process death: connections are refused at once, the memory is gone.
    Crash {
        /// Whose.
        server: Server,
        /// How it comes back, if it does.
        comeback: Option<Comeback>,
    },
    /// The process dies and boots again on the same host.
    Restart {
        /// Which.
        server: Server,
        /// How long a boot takes; in a scenario `None`, as `servers.boot` says that.
        boot: Option<Span>,
    },
    /// The host goes; a new one boots under the same name.
    Replace {
        /// Which.
        server: Server,
        /// How long a boot takes; in a scenario `None`.
        boot: Option<Span>,
    },
    /// The host falls silent, and the memory is gone.
    Vanish {
        /// Whose.
        server: Server,
        /// How it comes back, if it does.
        comeback: Option<Comeback>,
    },
    /// It works `factor` times slower, until the end if no time is given.
    Slow {
        /// Which.
        server: Server,
        /// How many times slower.
        factor: u32,
        /// For how long.
        lasting: Option<Span>,
    },
    /// It answers requests at once with 500, until the end if no time is given. Health checks pass.
    Failing {
        /// Which.
        server: Server,
        /// How many of a billion requests. It serves the others.
        billionths: u32,
        /// For how long.
        lasting: Option<Span>,
    },
    /// Neither the balancer nor the other servers reach it; it keeps its memory. Until the end if no time is given.
    Isolate {
        /// Which.
        server: Server,
        /// For how long.
        lasting: Option<Span>,
    },
    /// A region goes dark: its servers fall silent and lose their memory, a store there cannot be reached. Until the end
    /// if no time is given.
    RegionOutage {
        /// Which.
        region: Region,
        /// For how long.
        lasting: Option<Span>,
    },
    /// The shared store breaks: calls are refused, those under way break off.
    Store {
        /// How.
        how: StoreFault,
        /// For how long; an outage until the end if no time is given, the others no time.
        lasting: Option<Span>,
        /// What it has forgotten of what it had acknowledged; in a scenario `None`, as `store.durability_window` says that.
        forgets: Option<Forgets>,
    },
    /// A new version goes to all servers.
    Deploy(Deploy),
    /// The pool gets another size.
    Scale(Scale),
    /// More users come.
    Join(Join),
    /// The autoscaler begins to look after the pool. What it does later is this fault's doing.
    Autoscale,
    /// Carts move to another home.
    Migrate {
        /// The way to a cart from then on.
        how: MigrationWay,
    },
}

/// How the shared store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// Nobody reaches it: calls are refused at once, those under way break off. It forgets nothing.
    Outage,
    /// A replica takes its place, which has not got everything yet: `store.durability_window` says what is forgotten.
    /// Calls are refused meanwhile.
    Failover,
    /// Its process dies and starts again, with what it finds on disk: all but `store.durability_window`. Calls are
    /// refused meanwhile.
    Restart,
}

/// How a server comes back: always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comeback {
    /// From the fault until it takes requests again.
    pub after: Span,
    /// On a new host (a new disk), under the same name.
    pub new_host: bool,
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a, Server, Region> {
    /// One server.
    Server(&'a Server),
    /// All servers of a region, and a store that is there.
    Region(&'a Region),
    /// The shared store.
    Store,
    /// The pool: the operator has a plan.
    Pool,
    /// Those who visit.
    Users,
    /// Where carts live.
    Carts,
}

/// What a fault makes of a server that lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affliction {
    /// It works so many times slower.
    Slow(u32),
    /// It fails so many of a billion requests: see `operations::faults::fails`.
    Failing(u32),
}

impl FaultKind<(), ()> {
    /// What faults are called in a scenario's tables; each excludes the others.
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
    /// What the scenario's table calls it; of what other tables of the scenario say, their names.
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

    /// What it is about.
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

    /// Whether it may change the size of the pool.
    #[must_use]
    pub fn changes_size(&self) -> bool {
        matches!(self, FaultKind::Scale(_) | FaultKind::Autoscale)
    }

    /// The same fault, of a server or region that is called otherwise; `None` when `server` or `region` knows none.
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

    /// How the servers come back that it kills; `None` when it kills none, or for good.
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

    /// Whether what the server, or the store, remembered is gone.
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
            FaultKind::Slow { .. }
            | FaultKind::Failing { .. }
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Isolate { .. } => false,
        }
    }

    /// Whether a server that it takes away falls silent. Otherwise connections are refused at once.
    #[must_use]
    pub fn silences(&self) -> bool {
        match self {
            FaultKind::Vanish { .. } | FaultKind::RegionOutage { .. } | FaultKind::Isolate { .. } => true,
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Replace { .. }
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

    /// What it makes of a server that lives on.
    #[must_use]
    pub fn affliction(&self) -> Option<Affliction> {
        match self {
            FaultKind::Slow { factor, .. } => Some(Affliction::Slow(*factor)),
            FaultKind::Failing { billionths, .. } => Some(Affliction::Failing(*billionths)),
            FaultKind::Crash { .. }
            | FaultKind::Restart { .. }
            | FaultKind::Replace { .. }
            | FaultKind::Vanish { .. }
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
            FaultKind::Migrate { how: MigrationWay::DualWrite } => f.write_str("carts are read in the store"),
            FaultKind::Migrate { how: MigrationWay::ReadThrough } => {
                f.write_str("carts are read in the store, then in memory")
            }
        }
    }
}
