//! Each fault breaks one thing, at a time when the shop is open.

use std::collections::BTreeSet;

use super::{Checked, line, wrong, wrong_but};
use crate::scenario::nearest::nearest;
use crate::scenario::{Fault, Scenario, thousands};

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
    let kinds = [
        ("crash", &fault.crash),
        ("restart", &fault.restart),
        ("replace", &fault.replace),
        ("vanish", &fault.vanish),
        ("slow", &fault.slow),
        ("region_outage", &fault.region_outage),
        ("isolate", &fault.isolate),
        ("failing", &fault.failing),
    ];
    let plans = [("deploy", fault.deploy.is_some()), ("scale", fault.scale.is_some()), ("join", fault.join.is_some())];
    let struck = kinds.iter().filter_map(|(kind, whom)| Some((*kind, whom.as_deref())).filter(|(_, s)| s.is_some()));
    let mut given = struck.chain(plans.iter().filter(|(_, given)| *given).map(|(kind, _)| (*kind, None)));
    if fault.store.is_some() {
        return match given.next() {
            Some(_) => wrong(path, "a fault breaks one thing: make two of it"),
            None => super::store::fault(path, fault, scenario),
        };
    }
    let Some((kind, whom)) = given.next() else {
        let help = "say one of `crash`, `restart`, `replace`, `vanish`, `slow`, `failing`, `isolate`, each with a server's \
                    name, or one of `region_outage`, `store`, `deploy`, `scale`, `join`";
        return wrong_but(path, "this fault does not say what happens", help);
    };
    if given.next().is_some() {
        return wrong(path, "a fault breaks one thing: make two of it");
    }
    match (kind, whom) {
        ("region_outage", Some(region)) => region_exists(&format!("{path}.{kind}"), region, scenario)?,
        (_, Some(server)) => server_exists(&format!("{path}.{kind}"), server, scenario)?,
        (_, None) => {}
    }
    super::plans::plan(path, fault, scenario)?;
    for (key, is_given, kinds) in [
        ("restart_after", fault.restart_after.is_some(), &["crash"][..]),
        ("replace_after", fault.replace_after.is_some(), &["crash", "vanish"]),
        ("factor", fault.factor.is_some(), &["slow"]),
        ("rate", fault.rate.is_some(), &["failing"]),
        ("for", fault.lasting.is_some(), &["slow", "failing", "isolate", "store", "region_outage"]),
    ] {
        if is_given && !kinds.contains(&kind) {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            let message = format!("`{key}` goes with {}, not with `{kind}`", kinds.join(" or "));
            return wrong(format!("{path}.{key}"), message);
        }
    }
    if fault.rate.is_some_and(|rate| rate.thousandths() == 0) {
        return wrong_but(
            format!("{path}.rate"),
            "nothing fails at this rate",
            "`rate = 0.5` fails every other request",
        );
    }
    if kind == "slow" && fault.factor.is_none() {
        return wrong_but(path, "how slow is missing here", "`factor = 10` makes it ten times slower");
    }
    Ok(())
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
