//! Where in the world users, servers and the store are.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Pause, Share, Time, Whole};
use crate::base::time::Span;

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
    /// The share of users who live in each region, such as `{ us = 0.5, eu = 0.5 }`; equal shares when absent. User
    /// numbers are spread evenly over the regions, in the same way in every run.
    #[serde(default)]
    pub users: BTreeMap<String, Share>,
    /// Where the `servers.count` servers are, numbered region by region; spread evenly when absent.
    #[serde(default)]
    pub servers: RegionServers,
    /// Where the store is; in the first region when absent.
    #[serde(default)]
    pub store: Option<RegionStore>,
    /// The round-trip time between two regions, by their names joined with a dash: `{ us-eu = "80ms" }`. `others`
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
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
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

/// In `round_trip`: all pairs that are not listed.
pub(super) const OTHERS: &str = "others";
