//! Faults in the scenario document: the table as written, and the fault it describes.
//!
//! To add a kind of fault, give the table a key, [`FaultKind`] a variant and [`FaultKind::KEYS`] its name. The compiler
//! then asks for the rest: what it is to a run and how it is told (`faults/kind.rs`), what reports call it
//! (`operations/faults.rs`), how it ends (`faces/timeline.rs`), and what each engine does (`sim/operations/faults.rs`,
//! `http/fault_injector.rs`).

mod check;
mod kind;

use serde::Deserialize;

use super::{Deploy, Duration, Join, Pause, ScaleTo, Scenario, Share, Time, Whole};

pub(super) use check::{check, check_joins};
pub use kind::{Affliction, Comeback, FaultKind, MIGRATION, StoreFault, Target};

/// A fault, or a planned operation that may break things.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "FaultTable")]
pub struct Fault {
    /// Its name in patches and reports.
    pub name: Option<String>,
    /// When it strikes.
    pub at: Pause,
    /// What it does, or why its table does not say so. A variant may complete a table that the base scenario leaves
    /// incomplete.
    pub kind: Result<FaultKind<String, String>, Unsaid>,
}

impl Fault {
    /// What it does; `None` only for faults that validation refuses.
    #[must_use]
    pub fn what(&self) -> Option<&FaultKind<String, String>> {
        self.kind.as_ref().ok()
    }
}

impl Scenario {
    /// Whether a fault breaks the shared store.
    pub(super) fn breaks_store(&self) -> bool {
        self.faults.iter().filter_map(Fault::what).any(|kind| matches!(kind, FaultKind::Store { .. }))
    }
}

/// Why a table does not describe a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaid {
    /// The invalid key; `None` if the table as a whole is invalid.
    pub key: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<&'static str>,
}

/// A fault: one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`, `isolate`, each with a server's name, or
/// `store`, or `region_outage` with a region's name. Or a planned operation that may break things: one of `deploy`,
/// `scale`, `join`.
#[derive(Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema), schemars(rename = "Fault"))]
#[serde(deny_unknown_fields)]
struct FaultTable {
    /// Its name in patches and reports.
    name: Option<String>,
    /// When it strikes.
    at: Pause,
    /// The process dies; connections are refused at once.
    crash: Option<String>,
    /// The process dies and boots again on the same host.
    restart: Option<String>,
    /// The host is lost; a new one boots under the same name.
    replace: Option<String>,
    /// The host falls silent: connections are neither refused nor answered, until a timeout.
    vanish: Option<String>,
    /// A dead server comes back at once, on the same host, with an empty process. Nothing happens to one that is not dead.
    revive: Option<String>,
    /// The server works slower.
    slow: Option<String>,
    /// The server answers requests with 500 at once, without doing anything for them. It passes its health checks all
    /// the while. A new process under its name does not fail.
    failing: Option<String>,
    /// A new version is deployed to all servers. It waits for an earlier deploy to finish.
    deploy: Option<Deploy>,
    /// The pool changes its size: a number of servers, or a table with more settings. It waits for an earlier deploy to
    /// finish.
    scale: Option<ScaleTo>,
    /// More users arrive.
    join: Option<Join>,
    /// The shared store fails.
    store: Option<StoreFault>,
    /// A whole region is down: its servers fall silent and lose their memory. A store there cannot be reached, but
    /// keeps its data.
    region_outage: Option<String>,
    /// The server is cut off from the balancer and from the other servers. Its process keeps running and keeps its
    /// memory, and still reaches the store.
    isolate: Option<String>,
    /// After `crash`: how long until the process is ready again on the same host.
    restart_after: Option<Pause>,
    /// After `crash` or `vanish`: how long until an empty server is ready in its place.
    replace_after: Option<Pause>,
    /// For `slow`: how many times slower the server works.
    factor: Option<Whole<2, 10_000>>,
    /// For `failing`: the share of requests that fail; all of them by default. The server serves the others.
    rate: Option<Share>,
    /// For `slow`, `failing`, `isolate`, `region_outage` and an outage of the store: how long it lasts; until the end
    /// by default. For a failover or restart of the store: how long that takes; no time by default.
    #[serde(rename = "for")]
    lasting: Option<Duration>,
}

impl From<FaultTable> for Fault {
    fn from(table: FaultTable) -> Fault {
        Fault { kind: table.kind(), name: table.name, at: table.at }
    }
}

#[cfg(feature = "cli")]
impl schemars::JsonSchema for Fault {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        FaultTable::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        FaultTable::json_schema(generator)
    }
}

impl FaultTable {
    /// The one fault that the table describes.
    fn kind(&self) -> Result<FaultKind<String, String>, Unsaid> {
        let mut kinds = self.kinds().into_iter();
        let kind = kinds.next().ok_or_else(|| Unsaid {
            key: None,
            message: "this fault does not say what happens".into(),
            help: Some(
                "say one of `crash`, `restart`, `replace`, `vanish`, `revive`, `slow`, `failing`, `isolate`, each with a server's \
                 name, or one of `region_outage`, `store`, `deploy`, `scale`, `join`",
            ),
        })?;
        if kinds.next().is_some() {
            let message = "a fault breaks one thing: make two of it".into();
            return Err(Unsaid { key: None, message, help: None });
        }
        self.fits(kind.key())?;
        Ok(kind)
    }

    /// All faults that the table describes.
    fn kinds(&self) -> Vec<FaultKind<String, String>> {
        let lasting = self.lasting.map(Time::get);
        let comeback = match (self.restart_after, self.replace_after) {
            (Some(after), _) => Some(Comeback { after: after.get(), new_host: false }),
            (None, Some(after)) => Some(Comeback { after: after.get(), new_host: true }),
            (None, None) => None,
        };
        let factor = self.factor.map_or(1, Whole::get32);
        let billionths = self.rate.map_or(Share::ALL, Share::billionths);
        [
            self.crash.clone().map(|server| FaultKind::Crash { server, comeback }),
            self.restart.clone().map(|server| FaultKind::Restart { server, boot: None }),
            self.replace.clone().map(|server| FaultKind::Replace { server, boot: None }),
            self.vanish.clone().map(|server| FaultKind::Vanish { server, comeback }),
            self.revive.clone().map(|server| FaultKind::Revive { server }),
            self.slow.clone().map(|server| FaultKind::Slow { server, factor, lasting }),
            self.region_outage.clone().map(|region| FaultKind::RegionOutage { region, lasting }),
            self.isolate.clone().map(|server| FaultKind::Isolate { server, lasting }),
            self.failing.clone().map(|server| FaultKind::Failing { server, billionths, lasting }),
            self.store.map(|how| FaultKind::Store { how, lasting, forgets: None }),
            self.deploy.map(FaultKind::Deploy),
            self.scale.map(|scale| FaultKind::Scale(scale.0)),
            self.join.map(FaultKind::Join),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Checks that no key belongs to another kind of fault, and that none is missing.
    fn fits(&self, kind: &str) -> Result<(), Unsaid> {
        let unsaid = |key, message: String, help| Err(Unsaid { key, message, help });
        for (key, is_given, kinds) in [
            ("restart_after", self.restart_after.is_some(), &["crash"][..]),
            ("replace_after", self.replace_after.is_some(), &["crash", "vanish"]),
            ("factor", self.factor.is_some(), &["slow"]),
            ("rate", self.rate.is_some(), &["failing"]),
            ("for", self.lasting.is_some(), &["slow", "failing", "isolate", "store", "region_outage"]),
        ] {
            if !is_given || kinds.contains(&kind) {
                continue;
            }
            if kind == "store" {
                let message = format!("`{key}` is about a server, not the store");
                return unsaid(Some(key), message, Some("say how long it lasts with `for`"));
            }
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            return unsaid(Some(key), format!("`{key}` goes with {}, not with `{kind}`", kinds.join(" or ")), None);
        }
        if self.rate.is_some_and(|rate| rate.billionths() == 0) {
            let help = Some("`rate = 0.5` fails every other request");
            return unsaid(Some("rate"), "nothing fails at this rate".into(), help);
        }
        if kind == "slow" && self.factor.is_none() {
            let help = Some("`factor = 10` makes it ten times slower");
            return unsaid(None, "how slow is missing here".into(), help);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_one_kind() {
        for key in FaultKind::KEYS {
            let value = match key {
                "store" => "'restart'",
                "deploy" | "join" => "{}",
                "scale" => "4",
                _ => "'server-1'\nfactor = 2",
            };
            let factor = if key == "slow" { value.to_owned() } else { value.replace("\nfactor = 2", "") };
            let fault: Fault = toml::from_str(&format!("at = '1s'\n{key} = {factor}")).expect(key);
            assert_eq!(fault.what().map(FaultKind::key), Some(key), "{fault:?}");
        }
        let nothing: Fault = toml::from_str("at = '1s'").expect("a fault");
        assert_eq!(nothing.what(), None);
    }
}
