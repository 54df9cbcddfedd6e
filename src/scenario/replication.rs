//! Copies of carts in the memory of other servers.

use serde::Deserialize;

use super::violation::{Checked, wrong_but};
use super::{CartHome, FaultKind, Pause, Scenario, Time, Whole};
use crate::base::time::Span;
use crate::base::words::thousands;

/// With carts in replicated memory: how many copies there are, and how far they lag. The last writer wins, for each
/// cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Replication {
    /// How many other servers get a copy of each change of a cart: the next ones in the order of the pool, wrapping
    /// around at the end. (Tomcat's `BackupManager` keeps one copy, its `DeltaManager` one on every server.)
    pub copies: Whole<1, 1_000>,
    /// How long after the change the copy arrives. A copy sent to a server that cannot be reached is lost, and so is a
    /// copy that a dying server has not sent yet.
    pub lag: Pause,
}

impl Default for Replication {
    fn default() -> Self {
        Replication { copies: Whole::of(1), lag: Time::of(Span::from_millis(50)) }
    }
}

/// A cart and its copies need enough servers.
pub(super) fn check(scenario: &Scenario) -> Checked {
    let (copies, servers) = (scenario.replication.copies.get(), scenario.servers.count.get());
    if scenario.homes.cart != CartHome::ReplicatedMemory || copies < servers {
        return Ok(());
    }
    let message = format!(
        "a cart and its {copies} {} need {} servers, and there {}",
        if copies == 1 { "copy" } else { "copies" },
        thousands(copies + 1),
        if servers == 1 { "is one".into() } else { format!("are {servers}") },
    );
    // If the scenario does not set the number of copies, the error points at the setting that needs them.
    let said = scenario.replication != Replication::default();
    let path = if said { "replication.copies" } else { "homes.cart" };
    wrong_but(path, message, "keep fewer copies, or raise `servers.count`")
}

/// Copies, migrations and servers that are cut off are modelled in one place only, without regions and serverless
/// platforms.
pub(super) fn in_one_place(scenario: &Scenario) -> Checked {
    let apart = if scenario.regions.is_some() {
        "regions"
    } else if scenario.serverless.is_some() {
        "serverless"
    } else {
        return Ok(());
    };
    let cut_off = scenario.faults.iter().position(|fault| matches!(fault.kind, Ok(FaultKind::Isolate { .. })));
    let path = if scenario.migration.is_some() {
        "migration".into()
    } else if scenario.homes.cart == CartHome::ReplicatedMemory {
        "homes.cart".into()
    } else if let Some(at) = cut_off {
        format!("faults[{at}].isolate")
    } else {
        return Ok(());
    };
    wrong_but(
        path,
        format!("this cannot be combined with `[{apart}]`"),
        format!("leave one of them out: `{apart}` or this"),
    )
}
