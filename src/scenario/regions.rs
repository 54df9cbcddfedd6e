//! Where in the world users, servers and the store are.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::nearest::suggest;
use super::violation::{Checked, line, wrong, wrong_but};
use super::{Forgets, Pause, Scenario, SessionHome, Share, StoreUpdate, Time, Whole};
use crate::base::time::Span;
use crate::base::words::{noun, thousands};

/// In `round_trip`: all pairs that are not listed.
const OTHERS: &str = "others";
/// The most regions.
const MOST_REGIONS: usize = 64;

/// Where in the world users, servers and the store are. Only a simulation can run it.
///
/// A request takes half a round trip to its server, and the response half a round trip back. A call to the store takes
/// a round trip between the regions of server and store, in addition to `store.latency`. Connections are already open.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// The names of the regions.
    pub names: Vec<String>,
    /// The share of users who live in each region, such as `{ us-east = 0.5, tokyo = 0.5 }`; equal shares when absent. User
    /// numbers are spread evenly over the regions, in the same way in every run.
    #[serde(default)]
    pub users: BTreeMap<String, Share>,
    /// Where the `servers.count` servers are, numbered region by region; spread evenly when absent.
    #[serde(default)]
    pub servers: RegionServers,
    /// Where the store is; in the first region when absent.
    #[serde(default)]
    pub store: Option<RegionStore>,
    /// The round-trip time between two regions, by their names joined with a dash: `{ us-east-tokyo = "160ms" }`. `others`
    /// stands for all pairs that are not listed.
    #[serde(default)]
    pub round_trip: BTreeMap<String, Pause>,
    /// The round-trip time between a user and the user's own region. The distance to other regions is added to it.
    #[serde(default = "last_mile")]
    pub last_mile: Pause,
    /// Which region answers. If none of its servers is believed to be up, the next nearest region answers.
    #[serde(default)]
    pub routing: RegionRouting,
    /// The share of users who travel: in each visit such a user moves to another region between two steps, and is back
    /// home before the next visit.
    #[serde(default)]
    pub travellers: Share,
}

fn last_mile() -> Pause {
    Time::of(Span::from_millis(10))
}

/// In which regions servers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegionServers {
    /// The same number in each region; if it does not divide evenly, the first regions have one more.
    #[default]
    Evenly,
    /// All in one region.
    In(String),
    /// This many in each region.
    Each(BTreeMap<String, Whole<0, 10_000>>),
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionStore {
    /// In one region.
    In(String),
    /// In every region. Replicas lag by this time: until then the other regions answer with an older copy.
    Replicated(Pause),
}

/// Which region answers a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum RegionRouting {
    /// The nearest to where the user is now.
    #[default]
    Nearest,
    /// The nearest to where the user lives, wherever the user is.
    HomeRegion,
}

impl<'de> Deserialize<'de> for RegionServers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = RegionServers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a region, or a table such as { us-east = 3, tokyo = 3 }")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<RegionServers, E> {
                Ok(RegionServers::In(name.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RegionServers, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(RegionServers::Each)
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl<'de> Deserialize<'de> for RegionStore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ReplicaTable {
            replicated_within: Pause,
        }
        struct Shape;
        impl<'de> Visitor<'de> for Shape {
            type Value = RegionStore;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a region, or { replicated_within = \"1s\" }")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<RegionStore, E> {
                Ok(RegionStore::In(name.into()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RegionStore, A::Error> {
                let replicas = ReplicaTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RegionStore::Replicated(replicas.replicated_within))
            }
        }
        deserializer.deserialize_any(Shape)
    }
}

impl Regions {
    /// The index of a region among the names.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The round trip between two regions, given by index; `None` if it is not specified.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> Option<Span> {
        if a == b {
            return Some(Span::ZERO);
        }
        let [a, b] = [a, b].map(|i| &self.names[i]);
        let pairs = [format!("{a}-{b}"), format!("{b}-{a}"), OTHERS.into()];
        pairs.iter().find_map(|pair| self.round_trip.get(pair)).map(|time| time.get())
    }

    /// How many of the servers are in each region.
    #[must_use]
    pub fn servers_each(&self, servers: u32) -> Vec<u32> {
        let regions = u32::try_from(self.names.len()).expect("limited to 64").max(1);
        let each = |(i, name): (u32, &String)| match &self.servers {
            RegionServers::Evenly => servers / regions + u32::from(i < servers % regions),
            RegionServers::In(only) => {
                if name == only {
                    servers
                } else {
                    0
                }
            }
            RegionServers::Each(each) => each.get(name).map_or(0, |n| n.get32()),
        };
        (0..).zip(&self.names).map(each).collect()
    }

    /// The share of users who live in each region.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "limited to 64")]
    pub fn users_each(&self) -> Vec<f64> {
        let same = 1.0 / self.names.len() as f64;
        let share = |name| self.users.get(name).map_or(0.0, |share| share.get());
        self.names.iter().map(|name| if self.users.is_empty() { same } else { share(name) }).collect()
    }
}

/// Every user lives in one region, and every pair of regions has a round trip.
pub(super) fn check(scenario: &Scenario) -> Checked {
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
                noun(sum, "server"),
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
