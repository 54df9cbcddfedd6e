//! The scenarios that come with the program, in the order of the lessons.

/// A scenario that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its TOML.
    pub text: &'static str,
}

macro_rules! entries {
    ($($name:literal),* $(,)?) => {
        &[$(Entry { name: $name, text: include_str!(concat!("../../scenarios/", $name, ".toml")) }),*]
    };
}

const ALL: &[Entry] = entries![
    "what-cart",
    "grow",
    "sticky-crash",
    "deploy-drain",
    "heavy-user",
    "shared-cart",
    "login-sessions",
    "jwt-revocation",
    "token-cart",
    "uploads",
    "traffic-doubles",
    "zero-downtime-deploy",
    "crash-recovery",
    "regions",
    "region-outage",
    "autoscale-in",
    "serverless",
    "edge-workers",
    "hidden-state",
    "store-outage",
    "volatile-store",
    "store-eviction",
    "two-tabs",
    "day-one",
    "session-replication",
    "stale-return",
    "hash-resize",
    "sinkhole",
    "slow-server",
    "retry-storm",
    "big-pool"
];

/// All scenarios, in the order of the lessons.
#[must_use]
pub fn all() -> &'static [Entry] {
    ALL
}

/// The scenario with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|entry| entry.name == name)
}

/// The name that a misspelt name most likely stands for.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    super::nearest::nearest(name, ALL.iter().map(|entry| entry.name))
}
