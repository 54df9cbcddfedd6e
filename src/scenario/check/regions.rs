//! Regions must be consistent: every user lives in one, and every pair of regions has a round trip.

use std::collections::BTreeSet;

use super::{Checked, line, plural, wrong, wrong_but};
use crate::scenario::nearest::suggest;
use crate::scenario::regions::OTHERS;
use crate::scenario::{Forgets, RegionServers, RegionStore, Regions, Scenario, SessionHome, StoreUpdate, thousands};

const MOST_REGIONS: usize = 64;

pub(super) fn regions(scenario: &Scenario) -> Checked {
    let Some(regions) = &scenario.regions else { return Ok(()) };
    names(regions)?;
    users(regions)?;
    servers(regions, scenario.servers.count.get(), scenario.serverless.is_some())?;
    store(regions, scenario)?;
    round_trips(regions)?;
    if scenario.serverless.is_none() && scenario.most_slots() > scenario.servers.count.get() {
        let help = "leave `autoscaler`, `scale`, and deploys that add servers out: the region of a new server is not \
                    modelled";
        return wrong_but("regions", "a pool in several regions cannot change its size", help);
    }
    if regions.travellers.get() > 0.0 && regions.names.len() == 1 {
        return wrong_but("regions.travellers", "nobody can travel if there is only one region", "add another region");
    }
    Ok(())
}

fn names(regions: &Regions) -> Checked {
    if regions.names.is_empty() {
        return wrong_but(
            "regions.names",
            "there is no region here",
            "such as [\"us-east\", \"frankfurt\", \"tokyo\"]",
        );
    }
    if regions.names.len() > MOST_REGIONS {
        let message = format!("{} regions are too many: at most {MOST_REGIONS}", regions.names.len());
        return wrong("regions.names", message);
    }
    let mut known = BTreeSet::new();
    for (i, name) in regions.names.iter().enumerate() {
        let path = format!("regions.names[{i}]");
        line(&path, name)?;
        if !known.insert(name) {
            return wrong(path, format!("two regions are called `{name}`"));
        }
    }
    Ok(())
}

/// Checks that a region of this name exists.
pub(super) fn exists(regions: &Regions, path: impl Into<String>, name: &str) -> Checked {
    if regions.index(name).is_some() {
        return Ok(());
    }
    let help = suggest(name, "the regions are", regions.names.iter().map(String::as_str)).unwrap_or_default();
    wrong_but(path, format!("there is no region `{name}`"), help)
}

fn users(regions: &Regions) -> Checked {
    for name in regions.users.keys() {
        exists(regions, format!("regions.users.{name}"), name)?;
    }
    let sum: f64 = regions.users_each().iter().sum();
    if (sum - 1.0).abs() <= 1e-6 {
        return Ok(());
    }
    let message = format!("these shares add up to {}, not to 1", (sum * 1e6).round() / 1e6);
    wrong_but("regions.users", message, "everybody lives in exactly one region")
}

fn servers(regions: &Regions, count: u64, serverless: bool) -> Checked {
    match &regions.servers {
        RegionServers::Evenly => Ok(()),
        RegionServers::In(name) => exists(regions, "regions.servers", name),
        // Instances start where their requests are.
        RegionServers::Each(_) if serverless => Ok(()),
        RegionServers::Each(each) => {
            for name in each.keys() {
                exists(regions, format!("regions.servers.{name}"), name)?;
            }
            let sum: u64 = each.values().map(|n| n.get()).sum();
            if sum == count {
                return Ok(());
            }
            let message = format!(
                "these are {} {}, but `servers.count` is {}",
                thousands(sum),
                plural(sum, "server"),
                thousands(count)
            );
            wrong_but("regions.servers", message, format!("make them add up to it, or set `servers.count = {sum}`"))
        }
    }
}

fn store(regions: &Regions, scenario: &Scenario) -> Checked {
    match &regions.store {
        None => Ok(()),
        Some(RegionStore::In(name)) => exists(regions, "regions.store", name),
        Some(RegionStore::Replicated(_)) => replicas(scenario),
    }
}

/// Refuses what is not modelled for replicas in several regions.
fn replicas(scenario: &Scenario) -> Checked {
    let store = &scenario.store;
    for (key, is_given) in [
        ("ttl", store.ttl.is_some()),
        ("memory", store.memory.is_some()),
        ("durability_window", store.durability_window != Forgets::NOTHING),
    ] {
        if is_given {
            let help = "leave it out, or keep the store in one region";
            return wrong_but(format!("store.{key}"), format!("replicas with `{key}` are not modelled"), help);
        }
    }
    if store.update == StoreUpdate::ReadModifyWrite {
        let help = "leave `store.update` out: replicas receive changes, not whole carts";
        return wrong_but("store.update", "read-modify-write with replicas in several regions is not modelled", help);
    }
    let tokens = &scenario.tokens;
    let path = if scenario.homes.session == SessionHome::SharedStore { "homes.session" } else { "tokens" };
    if path == "homes.session" || tokens.refresh || tokens.deny_list {
        let help = "replicas keep carts here; `homes.session = \"signed-token\"` needs no store";
        return wrong_but(path, "logins in replicas of several regions are not modelled", help);
    }
    Ok(())
}

fn round_trips(regions: &Regions) -> Checked {
    let places = 0..regions.names.len();
    let pairs: Vec<(usize, usize)> = places.clone().flat_map(|a| (0..a).map(move |b| (b, a))).collect();
    let name = |a: usize, b: usize| format!("{}-{}", regions.names[a], regions.names[b]);
    let known: BTreeSet<String> = pairs.iter().flat_map(|(a, b)| [name(*a, *b), name(*b, *a)]).collect();
    if let Some(pair) = regions.round_trip.keys().find(|pair| *pair != OTHERS && !known.contains(*pair)) {
        let pairs: Vec<String> = pairs.iter().map(|(a, b)| name(*a, *b)).collect();
        let help = suggest(pair, "the pairs are", pairs.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| "there is only one region, so there are no pairs".into());
        return wrong_but(format!("regions.round_trip.{pair}"), format!("there is no pair `{pair}`"), help);
    }
    for (a, b) in pairs {
        let [there, back] = [name(a, b), name(b, a)];
        if regions.round_trip.contains_key(&there) && regions.round_trip.contains_key(&back) {
            let message = format!("`{there}` and `{back}` are the same pair");
            return wrong(format!("regions.round_trip.{back}"), message);
        }
        if regions.between(a, b).is_none() {
            let help = format!("add `{there} = \"80ms\"`, or `others = \"80ms\"` for all pairs that are not listed");
            return wrong_but("regions.round_trip", format!("the round trip of `{there}` is missing"), help);
        }
    }
    Ok(())
}
