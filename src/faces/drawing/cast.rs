//! Who appears in the pictures of a story.

use crate::base::{ServerId, UserId};
use crate::faces::story::{Deed, Line};
use crate::results::VariantReport;
use crate::scenario::{CartHome, DesignNumber, UploadHome};

/// How many servers there is room for.
const MOST: usize = 4;

/// Who appears in the pictures of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a design")]
pub struct Cast {
    /// The design.
    pub design: DesignNumber,
    /// The user.
    pub user: UserId,
    /// The servers, by number: those that the user meets, and others as far as there is room.
    pub servers: Vec<ServerId>,
    /// Whether the shared store is used.
    pub store: bool,
    /// Whether files are in an object store.
    pub objects: bool,
    /// Where the cart is.
    pub home: CartHome,
    /// Whether servers are in several regions.
    pub regions: bool,
    /// Whether the instances of a platform answer.
    serverless: bool,
}

impl Cast {
    /// Who is in these lines of a design's story.
    #[must_use]
    pub fn of(variant: &VariantReport, user: UserId, lines: &[Line]) -> Cast {
        let scenario = &variant.scenario;
        let deeds = || lines.iter().filter_map(|line| if let Line::Did(deed) = line { Some(deed) } else { None });
        let met = deeds().flat_map(|deed| deed.tried.iter().copied().chain(deed.by));
        let all = met.chain((0..scenario.servers_at_first()).map(ServerId));
        let mut servers: Vec<ServerId> = Vec::new();
        for server in all {
            if !servers.contains(&server) && servers.len() < MOST {
                servers.push(server);
            }
        }
        servers.sort_unstable();
        Cast {
            design: variant.number,
            user,
            servers,
            store: deeds().any(|deed: &Deed| deed.store_calls > 0),
            objects: scenario.users.upload() && scenario.homes.upload == UploadHome::ObjectStore,
            home: scenario.homes.cart,
            regions: scenario.regions.is_some(),
            serverless: scenario.serverless.is_some(),
        }
    }

    /// The user, in as few letters as there is room for: `user 42`, or `4242`.
    #[must_use]
    pub fn who(&self) -> String {
        if self.user.0 > 99 { self.user.0.to_string() } else { format!("user {}", self.user.0) }
    }

    /// The name of a server, in full or as short as it goes: `server-2`, `s-2`.
    #[must_use]
    pub fn name(&self, server: ServerId, in_full: bool) -> String {
        let word = match (self.serverless, in_full) {
            (false, true) => "server",
            (false, false) => "s",
            (true, true) => "instance",
            (true, false) => "i",
        };
        format!("{word}-{}", server.0 + 1)
    }
}
