//! Each fault breaks one thing, at a time when the shop is open.

use std::collections::BTreeSet;

use super::{Checked, line, wrong, wrong_but};
use crate::scenario::nearest::nearest;
use crate::scenario::{Fault, Scenario, Target, Unsaid, thousands};

const MOST_FAULTS: usize = 1_000;

pub(super) fn faults(scenario: &Scenario) -> Checked {
    if scenario.faults.len() > MOST_FAULTS {
        return wrong(
            "faults",
            format!("{} faults are too many: at most 1,000", thousands(scenario.faults.len() as u64)),
        );
    }
    let mut names = BTreeSet::new();
    for (i, fault) in scenario.faults.iter().enumerate() {
        let path = format!("faults[{i}]");
        if let Some(name) = &fault.name {
            line(&format!("{path}.name"), name)?;
            if !names.insert(name) {
                let help = "patches refer to faults by name: give each its own";
                return wrong_but(format!("{path}.name"), format!("two faults are named `{name}`"), help);
            }
        }
        if fault.at.get() >= scenario.duration.get() {
            let message = format!("an event after the end: the shop closes at {}", scenario.duration.get());
            return wrong_but(format!("{path}.at"), message, "move it to an earlier time, or make `duration` longer");
        }
        one_fault(&path, fault, scenario)?;
    }
    Ok(())
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
        Target::Store => super::store::fault(&here, scenario),
        Target::Pool => super::plans::plan(&here, fault.at, kind, scenario),
        Target::Users | Target::Carts => Ok(()),
    }
}

fn region_exists(path: &str, name: &str, scenario: &Scenario) -> Checked {
    match &scenario.regions {
        Some(regions) => super::regions::exists(regions, path, name),
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
