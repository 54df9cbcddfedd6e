//! Where in the world users, servers and the store are.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Pause, Share, Time, Whole};
use crate::base::time::Span;

/// Where in the world users, servers and the store are. Only a simulation can play it.
///
/// A request takes half a round trip to its server and half a round trip back; a call to the store takes a round trip
/// between the server's region and the store's beside `store.latency`. Connections are open already.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// What they are called.
    pub names: Vec<String>,
    /// The share of users who live in each, such as `{ us-east = 0.5, tokyo = 0.5 }`; the same everywhere when absent. User
    /// numbers are spread evenly, and alike in every run.
    #[serde(default)]
    pub users: BTreeMap<String, Share>,
    /// Where the `servers.count` servers are, numbered region by region; spread evenly when absent.
    #[serde(default)]
    pub servers: RegionServers,
    /// Where the store is; in the first region when absent.
    #[serde(default)]
    pub store: Option<RegionStore>,
    /// The time of a message there and back between two regions, by their names joined with a dash:
    /// `{ us-east-tokyo = "160ms" }`.
    /// `others` stands for all pairs that are not named.
    #[serde(default)]
    pub round_trip: BTreeMap<String, Pause>,
    /// There and back between a user and the region where the user is; longer ways come on top of it.
    #[serde(default = "last_mile")]
    pub last_mile: Pause,
    /// Which region answers. Where none of its servers is believed up, the next nearest does.
    #[serde(default)]
    pub routing: RegionRouting,
    /// The share of users who travel: in each visit such a user moves to another region between two steps, and is at
    /// home again before the next visit.
    #[serde(default)]
    pub travellers: Share,
}

fn last_mile() -> Pause {
    Time::of(Span::from_millis(10))
}

/// In which regions servers are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RegionServers {
    /// The same number everywhere, the first regions having one more where it does not come out even.
    #[default]
    Evenly,
    /// All in one.
    In(String),
    /// So many in each.
    Each(BTreeMap<String, Whole<0, 10_000>>),
}

/// Where the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionStore {
    /// In one region.
    In(String),
    /// In every region. What is written to a replica is in the others so much later: until then they answer with an
    /// older copy.
    Replicated(Pause),
}

/// Which region answers a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RegionRouting {
    /// The nearest to where the user is.
    #[default]
    Nearest,
    /// The nearest to where the user lives, from wherever the user is.
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
    /// The place of a region among the names.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The round trip between two regions, the regions given by their places; `None` when nobody says.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> Option<Span> {
        if a == b {
            return Some(Span::ZERO);
        }
        let [a, b] = [a, b].map(|i| &self.names[i]);
        let pairs = [format!("{a}-{b}"), format!("{b}-{a}"), OTHERS.into()];
        pairs.iter().find_map(|pair| self.round_trip.get(pair)).map(|time| time.get())
    }

    /// How many of so many servers are in each region.
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

/// In `round_trip`: all pairs that are not named.
pub(super) const OTHERS: &str = "others";
