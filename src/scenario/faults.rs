//! What breaks, and when.

use serde::Deserialize;

use super::{Deploy, Duration, Join, Pause, ScaleTo, Share, Whole};

/// Something that breaks: one of `crash`, `restart`, `replace`, `vanish`, `slow`, `failing`, `isolate`, each naming a
/// server, or the `store`, or a region in a `region_outage`; or something that is planned and may break things: one of
/// `deploy`, `scale`, `join`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What patches and reports call it.
    pub name: Option<String>,
    /// When.
    pub at: Pause,
    /// The process dies; connections are refused at once.
    pub crash: Option<String>,
    /// The process dies and boots again on the same host.
    pub restart: Option<String>,
    /// The host goes; a new one boots under the same name.
    pub replace: Option<String>,
    /// The host falls silent: nothing is refused and nothing is answered, until a timeout.
    pub vanish: Option<String>,
    /// The server works slower.
    pub slow: Option<String>,
    /// The server answers requests at once with 500, and does nothing for them. It passes its health checks all the while;
    /// a new process under its name is well again.
    pub failing: Option<String>,
    /// A new version goes to all servers. It waits for an earlier deploy that is not done yet.
    pub deploy: Option<Deploy>,
    /// The pool gets another size: a number of servers, or a table with more. It waits for a deploy that is not done yet.
    pub scale: Option<ScaleTo>,
    /// More users come.
    pub join: Option<Join>,
    /// The shared store breaks.
    pub store: Option<StoreFault>,
    /// A whole region goes dark: its servers fall silent and lose their memory, a store there cannot be reached, and
    /// keeps what it has.
    pub region_outage: Option<String>,
    /// The server is cut off from the balancer and from the other servers. Its process lives on and keeps its memory; it
    /// still reaches the store.
    pub isolate: Option<String>,
    /// After a crash: the process is ready again on the same host after this long.
    pub restart_after: Option<Pause>,
    /// After a crash or a vanishing: an empty server is ready in its place after this long.
    pub replace_after: Option<Pause>,
    /// When slow: how many times slower.
    pub factor: Option<Whole<2, 10_000>>,
    /// When failing: the share of its requests that fail; all of them when absent. It serves the others.
    pub rate: Option<Share>,
    /// When slow, failing or isolated, when a region is dark, or an outage of the store: for how long. Until the end when absent.
    /// When the store fails over or restarts: how long that takes, no time when absent.
    #[serde(rename = "for")]
    pub lasting: Option<Duration>,
}

/// How the shared store breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum StoreFault {
    /// Nobody reaches it: calls are refused at once, those under way break off. It forgets nothing.
    Outage,
    /// A replica takes its place, which has not got everything yet: `store.durability_window` says what is forgotten.
    /// Calls are refused meanwhile.
    Failover,
    /// Its process dies and starts again, with what it finds on disk: all but `store.durability_window`. Calls are
    /// refused meanwhile.
    Restart,
}
