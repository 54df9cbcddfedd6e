//! Who is who: users, servers, regions, processes, clients and visits.

use std::fmt;

use serde::Serialize;

/// A simulated user, counted from 1 (user 42 is the 42nd).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserId(pub u32);

/// A slot of the pool: the stable identity that the balancer knows, counted from 0. It prints as `server-1` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ServerId(pub u32);

/// A region of the world, counted from 0 in the order of the scenario's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RegionId(pub u8);

/// One server process (one life of a slot), unique over the whole run. A restart or replacement creates a new
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProcessId(pub u32);

/// A tab: has at most one outstanding request, unless a journey has concurrent steps. A dense index that is reused
/// after its user has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(pub u32);

/// One visit of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Visit {
    /// The visitor.
    pub user: UserId,
    /// The tab.
    pub client: ClientId,
    /// Its sequence number in this tab, counted from 1.
    pub number: u32,
}

impl ServerId {
    /// The index in per-server columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl RegionId {
    /// The index in per-region columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl ClientId {
    /// The index in per-client columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server-{}", self.0 + 1)
    }
}
