//! The timeline of a run: faults, and planned operations that may break things.

mod names;
mod random;

use std::mem::discriminant;

use crate::base::seed::{Key, Purpose, Seed};
use crate::base::time::{Instant, Span};
use crate::base::{RegionId, ServerId};
use crate::scenario::{self, Forgets, Scenario, Share, StoreFault, Target};

pub use crate::scenario::{Comeback, FaultKind};
pub use names::{beside, of_processes};

/// One fault, at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name in reports; by default a description of its effect. Names are unique within a scenario's timeline,
    /// except that all faults of one random process share a name.
    pub name: String,
    /// When it strikes.
    pub at: Instant,
    /// What it does, and to what.
    pub kind: FaultKind,
}

impl Fault {
    /// The server it strikes; `None` if it does not strike a single server.
    #[must_use]
    pub fn server(&self) -> Option<ServerId> {
        match self.kind.target() {
            Target::Server(server) => Some(*server),
            Target::Region(_) | Target::Store | Target::Pool | Target::Users | Target::Carts => None,
        }
    }
}

/// All faults of a run: the written ones, followed by the random ones.
#[must_use]
pub fn of_run(scenario: &Scenario, seed: Seed) -> Vec<Fault> {
    let mut faults = timeline(scenario);
    faults.extend(random::faults(scenario, seed));
    faults
}

/// The faults of a scenario in the order they are written, followed by its autoscaler and its migration, if any.
#[must_use]
pub fn timeline(scenario: &Scenario) -> Vec<Fault> {
    let mut faults: Vec<Fault> = written(scenario)
        .into_iter()
        .filter_map(|(at, name, kind)| {
            let name = name.map_or_else(|| kind.default_name(), str::to_owned);
            Some(Fault { name, at: Instant::ZERO + at, kind: resolved(kind, scenario)? })
        })
        .collect();
    names::tell_apart(&mut faults, scenario);
    faults
}

/// One fault, written as in a scenario, resolved for a run of this one. `None` only for faults that validation refuses.
#[must_use]
pub fn resolve(fault: &scenario::Fault, of: &Scenario) -> Option<Fault> {
    let kind = fault.what()?.clone();
    let name = fault.name.clone().unwrap_or_else(|| kind.default_name());
    Some(Fault { name, at: Instant::ZERO + fault.at.get(), kind: resolved(kind, of)? })
}

/// What the faults of a scenario do, with the scenario's names, in the order of the [`timeline`].
#[must_use]
pub fn kinds(scenario: &Scenario) -> Vec<FaultKind<String, String>> {
    written(scenario).into_iter().map(|(.., kind)| kind).collect()
}

fn written(scenario: &Scenario) -> Vec<(Span, Option<&str>, FaultKind<String, String>)> {
    let faults = scenario.faults.iter();
    let faults = faults.filter_map(|fault| Some((fault.at.get(), fault.name.as_deref(), fault.what()?.clone())));
    let autoscaler = scenario.autoscaler.map(|_| (Span::ZERO, None, FaultKind::Autoscale));
    let migration = scenario.migration.as_ref();
    let migration = migration.map(|migration| (migration.at.get(), None, FaultKind::Migrate { how: migration.how }));
    faults.chain(autoscaler).chain(migration).collect()
}

/// Resolves a fault: names become ids, and settings from other tables are filled in. `None` only for faults that
/// validation refuses.
fn resolved(kind: FaultKind<String, String>, scenario: &Scenario) -> Option<FaultKind> {
    let index = |name: String| scenario.regions.as_ref().and_then(|regions| regions.index(&name));
    let region = |name| Some(RegionId(index(name).and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX)));
    let kind = kind.try_map(|name| server_named(&name), region)?;
    let boot = Some(scenario.servers.boot.get());
    Some(match kind {
        FaultKind::Restart { server, .. } => FaultKind::Restart { server, boot },
        FaultKind::Replace { server, .. } => FaultKind::Replace { server, boot },
        FaultKind::Store { how: how @ StoreFault::Outage, lasting, .. } => {
            FaultKind::Store { how, lasting, forgets: Some(Forgets::NOTHING) }
        }
        FaultKind::Store { how, lasting, .. } => {
            let (lasting, forgets) = (lasting.unwrap_or(Span::ZERO), scenario.store.durability_window);
            FaultKind::Store { how, lasting: Some(lasting), forgets: Some(forgets) }
        }
        kind => kind,
    })
}

/// Converts a fault back to the scenario's names for servers and regions.
#[must_use]
pub fn in_words(kind: FaultKind, scenario: &Scenario) -> FaultKind<String, String> {
    let region_name = |region: RegionId| {
        let names = scenario.regions.as_ref().map(|regions| &regions.names);
        names.and_then(|names| names.get(region.index())).cloned().unwrap_or_else(|| "a region".into())
    };
    let named = kind.try_map(|server| Some(server.to_string()), |region| Some(region_name(region)));
    named.unwrap_or(FaultKind::Autoscale)
}

/// The migration of a run, as an index into its faults.
#[must_use]
pub fn migration(faults: &[Fault]) -> Option<u32> {
    let migrates = |fault: &Fault| matches!(fault.kind, FaultKind::Migrate { .. });
    faults.iter().position(migrates).and_then(|index| u32::try_from(index).ok())
}

/// Whether a server that fails this share of its requests fails the one with this key.
#[must_use]
pub fn fails(billionths: u32, seed: Seed, key: Key) -> bool {
    // `below` uses the high bits of one draw, so a rate of k thousandths decides exactly like a draw below 1,000.
    seed.draw(Purpose::Failing, key).below(Share::ALL) < billionths
}

/// The server with a name such as `server-2`.
#[must_use]
pub fn server_named(name: &str) -> Option<ServerId> {
    let number: u32 = name.strip_prefix("server-")?.parse().ok()?;
    Some(ServerId(number.checked_sub(1)?)).filter(|server| server.to_string() == name)
}

/// Whether a later fault of the same kind has struck the same server since this one did.
#[must_use]
pub fn struck_anew(faults: &[Fault], this: u32, now: Instant) -> bool {
    let fault = &faults[this as usize];
    let same =
        |other: &Fault| other.server() == fault.server() && discriminant(&other.kind) == discriminant(&fault.kind);
    (0u32..).zip(faults).any(|(i, other)| same(other) && (other.at, i) > (fault.at, this) && other.at <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(entity: u64) -> Key {
        Key { entity, ..Key::default() }
    }

    /// Rates used to be counted in thousandths. Scenarios with such rates, which are many, must keep their figures.
    #[test]
    fn rates_of_whole_thousandths_decide_as_a_draw_below_a_thousand_does() {
        for thousandths in (0..=1_000).step_by(7).chain([1, 500, 999, 1_000]) {
            for entity in 0..1_000 {
                let drawn = Seed(5).draw(Purpose::Failing, key(entity)).below(1_000);
                assert_eq!(fails(thousandths * 1_000_000, Seed(5), key(entity)), drawn < thousandths);
            }
        }
    }

    #[test]
    fn rare_failures_are_as_rare_as_they_should_be() {
        let of_a_million = |billionths| (0..1_000_000).filter(|user| fails(billionths, Seed(9), key(*user))).count();
        for (billionths, about) in [(20_000, 20), (500_000, 500), (1_000_000, 1_000), (1_400_000, 1_400)] {
            let met = of_a_million(billionths);
            // Five standard deviations of a Poisson number.
            assert!((met.abs_diff(about)).pow(2) <= 25 * about, "{billionths} billionths: {met}, not {about}");
        }
        assert_eq!((of_a_million(0), of_a_million(Share::ALL)), (0, 1_000_000));
    }

    #[test]
    fn small_shares_are_printed_as_they_are() {
        let told = |billionths| {
            let server = "server-2".to_owned();
            let kind: FaultKind<String, String> = FaultKind::Failing { server, billionths, lasting: None };
            kind.to_string()
        };
        for (billionths, wanted) in [
            (1_000, "server-2 fails 0.0001 % of its requests"),
            (500_000, "server-2 fails 0.05 % of its requests"),
            (290_000_000, "server-2 fails 29 % of its requests"),
            (Share::ALL, "server-2 fails every request"),
        ] {
            assert_eq!(told(billionths), wanted);
        }
    }

    #[test]
    fn servers_have_exactly_one_name() {
        assert_eq!(server_named("server-1"), Some(ServerId(0)));
        for wrong in ["server-0", "server-01", "server-+1", "server-", "Server-1", "server-1 ", "1"] {
            assert_eq!(server_named(wrong), None, "{wrong}");
        }
    }
}
