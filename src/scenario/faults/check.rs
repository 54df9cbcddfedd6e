//! Each fault breaks one thing, at a time when the shop is open.

use std::collections::BTreeSet;

use super::{Fault, FaultKind, Target, Unsaid};
use crate::base::time::Span;
use crate::base::words::thousands;
use crate::scenario::nearest::nearest;
use crate::scenario::random_faults::check_name;
use crate::scenario::violation::{Checked, Violation, found, wrong, wrong_but};
use crate::scenario::{Join, Scenario, deploy, regions, scaling, store, users};

const MOST_FAULTS: usize = 1_000;

/// Checks what is written, fault by fault.
pub(in crate::scenario) fn check(scenario: &Scenario) -> Vec<Violation> {
    let count = scenario.faults.len();
    if count > MOST_FAULTS {
        let message = format!("{} faults are too many: at most 1,000", thousands(count as u64));
        return found([wrong("faults", message)]);
    }
    let mut violations = Vec::new();
    let mut names = BTreeSet::new();
    for (i, fault) in scenario.faults.iter().enumerate() {
        let path = format!("faults[{i}]");
        if let Some(name) = &fault.name {
            violations.extend(check_name(&path, name, &mut names).err());
        }
        violations.extend(found([in_time(&path, fault, scenario), one_fault(&path, fault, scenario)]));
    }
    violations
}

fn in_time(path: &str, fault: &Fault, scenario: &Scenario) -> Checked {
    let closes = scenario.duration.get();
    if fault.at.get() < closes {
        return Ok(());
    }
    let message = format!("an event after the end: the shop closes at {closes}");
    wrong_but(format!("{path}.at"), message, "move it to an earlier time, or make `duration` longer")
}

fn one_fault(path: &str, fault: &Fault, scenario: &Scenario) -> Checked {
    let kind = match &fault.kind {
        Ok(kind) => kind,
        Err(Unsaid { key, message, help }) => {
            let path = key.map_or_else(|| path.to_owned(), |key| format!("{path}.{key}"));
            return match help {
                Some(help) => wrong_but(path, message.as_str(), *help),
                None => wrong(path, message.as_str()),
            };
        }
    };
    let here = format!("{path}.{}", kind.key());
    match kind.target() {
        Target::Server(server) => server_exists(&here, server, scenario),
        Target::Region(region) => region_exists(&here, region, scenario),
        Target::Store => store::check_fault(&here, scenario),
        Target::Pool => match kind {
            FaultKind::Deploy(deploy) => deploy::check(&here, fault.at, deploy, scenario),
            FaultKind::Scale(scale) => scaling::check(&here, fault.at, scale, scenario),
            _ => Ok(()),
        },
        Target::Users | Target::Carts => Ok(()),
    }
}

fn region_exists(path: &str, name: &str, scenario: &Scenario) -> Checked {
    match &scenario.regions {
        Some(regions) => regions::exists(regions, path, name),
        None => wrong_but(path, "there are no regions here", "give `[regions]` with `names` and `round_trip`"),
    }
}

/// Whether the server exists at the start or may be added later.
fn server_exists(path: &str, name: &str, scenario: &Scenario) -> Checked {
    let servers = scenario.servers.count.get();
    let number = name.strip_prefix("server-").filter(|digits| !digits.starts_with(['0', '+']));
    let number = number.and_then(|digits| digits.parse::<u64>().ok());
    if number.is_some_and(|number| (1..=scenario.most_slots()).contains(&number)) {
        return Ok(());
    }
    let all = match servers {
        1 => "there is one server, `server-1`".to_owned(),
        _ => format!("there are {} servers, `server-1` to `server-{servers}`", thousands(servers)),
    };
    let known: Vec<_> = (1..=servers.min(100)).map(|number| format!("server-{number}")).collect();
    let near = nearest(name, known.iter().map(String::as_str)).filter(|_| number.is_none());
    let help = near.map_or_else(|| all.clone(), |near| format!("did you mean `{near}`? {all}"));
    wrong_but(path, format!("there is no server `{name}`"), help)
}

/// Checks all faults that add users, in the order of their times.
pub(in crate::scenario) fn check_joins(scenario: &Scenario) -> Checked {
    let mut joins: Vec<(usize, Span, &Join)> = Vec::new();
    for (i, fault) in scenario.faults.iter().enumerate() {
        if let Ok(FaultKind::Join(join)) = &fault.kind {
            joins.push((i, fault.at.get(), join));
        }
    }
    joins.sort_by_key(|(i, at, _)| (*at, *i));
    let mut people = scenario.users.people();
    for (i, _, join) in joins {
        users::check_join(&format!("faults[{i}].join"), join, &mut people)?;
    }
    Ok(())
}
