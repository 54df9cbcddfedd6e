//! The timeline of what breaks, and of what is planned and may break things.

mod names;
mod random;

use std::fmt;
use std::mem::discriminant;

use crate::base::seed::Seed;
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId};
use crate::scenario::{self, Deploy, Forgets, Join, Scale, Scenario, StoreFault, Strategy};

pub use names::of_processes;

/// One thing that breaks, at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What reports call it; by default what it does. In a scenario's timeline no two are called alike, but for those
    /// that one random process drew.
    pub name: String,
    /// When it strikes.
    pub at: Instant,
    /// Whom; `None` when it is not about one server.
    pub server: Option<ServerId>,
    /// How.
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Process death: connections are refused at once, the memory is gone.
    Crash(Option<Comeback>),
    /// The host falls silent, and the memory is gone.
    Vanish(Option<Comeback>),
    /// It works `factor` times slower, until the end if no time is given.
    Slow {
        /// How many times slower.
        factor: u32,
        /// For how long.
        lasting: Option<Span>,
    },
    /// A new version goes to all servers.
    Deploy(Deploy),
    /// The pool gets another size.
    Scale(Scale),
    /// More users come.
    Join(Join),
    /// The autoscaler begins to look after the pool. What it does later is this fault's doing.
    Autoscale,
    /// The shared store breaks: calls are refused, those under way break off.
    Store {
        /// How.
        how: StoreFault,
        /// For how long; `None` for the rest of the run.
        lasting: Option<Span>,
        /// What it has forgotten of what it had acknowledged.
        forgets: Forgets,
    },
    /// It answers requests at once with 500, until the end if no time is given. Health checks pass.
    Failing {
        /// How many of a thousand requests. It serves the others.
        thousandths: u32,
        /// For how long.
        lasting: Option<Span>,
    },
    /// A region goes dark: its servers fall silent and lose their memory, a store there cannot be reached. Until the end
    /// if no time is given.
    RegionOutage {
        /// Which.
        region: RegionId,
        /// For how long.
        lasting: Option<Span>,
    },
    /// Carts move to another home. `forgets`: what servers have in memory counts no more.
    Migrate {
        /// Whether no server looks into its memory any more.
        forgets: bool,
    },
    /// Neither the balancer nor the other servers reach it; it keeps its memory. Until the end if no time is given.
    Isolate {
        /// For how long.
        lasting: Option<Span>,
    },
}

/// How a server comes back: always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comeback {
    /// From the fault until it takes requests again.
    pub after: Span,
    /// On a new host (a new disk), under the same name.
    pub new_host: bool,
}

impl FaultKind {
    /// Whether what the server, or the store, remembered is gone.
    #[must_use]
    pub fn loses_memory(self) -> bool {
        match self {
            FaultKind::Crash(_)
            | FaultKind::Vanish(_)
            | FaultKind::Deploy(_)
            | FaultKind::RegionOutage { .. }
            | FaultKind::Migrate { forgets: true } => true,
            FaultKind::Store { forgets, .. } => forgets != Forgets::NOTHING,
            FaultKind::Slow { .. }
            | FaultKind::Failing { .. }
            | FaultKind::Scale(_)
            | FaultKind::Join(_)
            | FaultKind::Autoscale
            | FaultKind::Migrate { forgets: false }
            | FaultKind::Isolate { .. } => false,
        }
    }
}

/// Everything that breaks in a run: what is written, then what is drawn.
#[must_use]
pub fn of_run(scenario: &Scenario, seed: Seed) -> Vec<Fault> {
    let mut faults = timeline(scenario);
    faults.extend(random::faults(scenario, seed));
    faults
}

/// The faults of a scenario, in the order they are written; then its autoscaler and its migration, if it has them.
#[must_use]
pub fn timeline(scenario: &Scenario) -> Vec<Fault> {
    let faults = scenario.faults.iter().filter_map(|fault| compile(fault, scenario));
    let faults = faults.chain(scenario.autoscaler.map(|_| autoscaler()));
    let mut faults: Vec<Fault> = faults.chain(scenario.migration.as_ref().map(migrate)).collect();
    names::tell_apart(&mut faults, scenario);
    faults
}

fn autoscaler() -> Fault {
    Fault { name: "the autoscaler".into(), at: Instant::ZERO, server: None, kind: FaultKind::Autoscale }
}

/// What reports call a migration.
pub const MIGRATION: &str = "the migration";

/// A migration meets open carts as a fault does, and may take them.
fn migrate(migration: &scenario::Migration) -> Fault {
    Fault {
        name: MIGRATION.into(),
        at: Instant::ZERO + migration.at.get(),
        server: None,
        kind: FaultKind::Migrate { forgets: migration.how != scenario::MigrationWay::ReadThrough },
    }
}

/// A fault as it will strike; `None` only for one that validation refuses.
fn compile(fault: &scenario::Fault, scenario: &Scenario) -> Option<Fault> {
    if let Some(how) = fault.store {
        return Some(of_the_store(fault, how, scenario.store.durability_window));
    }
    let boot = scenario.servers.boot.get();
    let comeback = match (fault.restart_after, fault.replace_after) {
        (Some(after), _) => Some(Comeback { after: after.get(), new_host: false }),
        (None, Some(after)) => Some(Comeback { after: after.get(), new_host: true }),
        (None, None) => None,
    };
    let booted = |new_host| FaultKind::Crash(Some(Comeback { after: boot, new_host }));
    if let Some(plan) = plan(fault) {
        return Some(plan);
    }
    let (verb, whom, kind) = [
        ("crash", &fault.crash, FaultKind::Crash(comeback)),
        ("restart", &fault.restart, booted(false)),
        ("replace", &fault.replace, booted(true)),
        ("vanish", &fault.vanish, FaultKind::Vanish(comeback)),
        ("slow", &fault.slow, slow(fault)),
        ("region outage", &fault.region_outage, region_outage(fault, scenario)),
        ("isolate", &fault.isolate, FaultKind::Isolate { lasting: fault.lasting.map(scenario::Time::get) }),
        ("failing", &fault.failing, failing(fault)),
    ]
    .into_iter()
    .find_map(|(verb, whom, kind)| Some((verb, whom.as_deref()?, kind)))?;
    Some(Fault {
        name: fault.name.clone().unwrap_or_else(|| format!("{verb} {whom}")),
        at: Instant::ZERO + fault.at.get(),
        server: if matches!(kind, FaultKind::RegionOutage { .. }) { None } else { Some(server_named(whom)?) },
        kind,
    })
}

/// What is planned, and is about no one server.
fn plan(fault: &scenario::Fault) -> Option<Fault> {
    let (name, kind) = match (fault.deploy, fault.scale, fault.join) {
        (Some(deploy), ..) => ("deploy".to_owned(), FaultKind::Deploy(deploy)),
        (_, Some(scale), _) => (format!("scale to {}", scale.0.to.get()), FaultKind::Scale(scale.0)),
        (_, _, Some(join)) => ("join".to_owned(), FaultKind::Join(join)),
        (None, None, None) => return None,
    };
    let name = fault.name.clone().unwrap_or(name);
    Some(Fault { name, at: Instant::ZERO + fault.at.get(), server: None, kind })
}

fn of_the_store(fault: &scenario::Fault, how: StoreFault, window: Forgets) -> Fault {
    let lasting = fault.lasting.map(scenario::Time::get);
    let (verb, lasting, forgets) = match how {
        StoreFault::Outage => ("store outage", lasting, Forgets::NOTHING),
        StoreFault::Failover => ("store failover", Some(lasting.unwrap_or(Span::ZERO)), window),
        StoreFault::Restart => ("store restart", Some(lasting.unwrap_or(Span::ZERO)), window),
    };
    Fault {
        name: fault.name.clone().unwrap_or_else(|| verb.into()),
        at: Instant::ZERO + fault.at.get(),
        server: None,
        kind: FaultKind::Store { how, lasting, forgets },
    }
}

fn slow(fault: &scenario::Fault) -> FaultKind {
    FaultKind::Slow {
        factor: fault.factor.map_or(1, scenario::Whole::get32),
        lasting: fault.lasting.map(scenario::Time::get),
    }
}

fn region_outage(fault: &scenario::Fault, scenario: &Scenario) -> FaultKind {
    let index =
        scenario.regions.as_ref().zip(fault.region_outage.as_ref()).and_then(|(regions, name)| regions.index(name));
    let region = RegionId(index.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX));
    FaultKind::RegionOutage { region, lasting: fault.lasting.map(scenario::Time::get) }
}

fn failing(fault: &scenario::Fault) -> FaultKind {
    let thousandths = fault.rate.map_or(1_000, scenario::Share::thousandths);
    FaultKind::Failing {
        thousandths: u32::try_from(thousandths).expect("at most 1,000"),
        lasting: fault.lasting.map(scenario::Time::get),
    }
}

/// The server that a name such as `server-2` means.
#[must_use]
pub fn server_named(name: &str) -> Option<ServerId> {
    let number: u32 = name.strip_prefix("server-")?.parse().ok()?;
    Some(ServerId(number.checked_sub(1)?)).filter(|server| server.to_string() == name)
}

/// Whether another fault of the same kind has struck the same server since this one did.
#[must_use]
pub fn struck_anew(faults: &[Fault], this: u32, now: Instant) -> bool {
    let Fault { at, server, kind, .. } = &faults[this as usize];
    let same = |other: &Fault| other.server == *server && discriminant(&other.kind) == discriminant(kind);
    (0u32..).zip(faults).any(|(i, other)| same(other) && (other.at, i) > (*at, this) && other.at <= now)
}

/// What it does, as a timeline says it: `server-2 crashes`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server.map_or_else(String::new, |server| server.to_string());
        match self.kind {
            FaultKind::Crash(_) => write!(f, "{server} crashes"),
            FaultKind::Vanish(_) => write!(f, "{server} vanishes"),
            FaultKind::RegionOutage { .. } => write!(f, "{}", self.name),
            FaultKind::Slow { factor, .. } => write!(f, "{server} becomes {factor} times slower"),
            FaultKind::Deploy(deploy) => f.write_str(match deploy.strategy {
                Strategy::Rolling => "a rolling deploy begins",
                Strategy::AllAtOnce => "a deploy stops all servers at once",
                Strategy::BlueGreen => "a blue-green deploy begins",
            }),
            FaultKind::Scale(scale) => write!(f, "the pool is scaled to {}", scale.to.get()),
            FaultKind::Join(_) => f.write_str("more users come"),
            FaultKind::Autoscale => f.write_str("an autoscaler looks after the pool"),
            FaultKind::Store { how: StoreFault::Outage, .. } => f.write_str("the store goes down"),
            FaultKind::Store { how: StoreFault::Failover, .. } => f.write_str("the store fails over"),
            FaultKind::Store { how: StoreFault::Restart, .. } => f.write_str("the store restarts"),
            FaultKind::Isolate { .. } => write!(f, "{server} is cut off"),
            FaultKind::Migrate { .. } => write!(f, "carts move to the shared store"),
            FaultKind::Failing { thousandths: 1_000, .. } => write!(f, "{server} begins to fail every request"),
            FaultKind::Failing { thousandths, .. } => {
                write!(f, "{server} begins to fail {} % of its requests", f64::from(thousandths) / 10.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_exactly_one_name() {
        assert_eq!(server_named("server-1"), Some(ServerId(0)));
        for wrong in ["server-0", "server-01", "server-+1", "server-", "Server-1", "server-1 ", "1"] {
            assert_eq!(server_named(wrong), None, "{wrong}");
        }
    }
}
