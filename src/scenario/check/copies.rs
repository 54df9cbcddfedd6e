//! Copies need enough servers, and carts that move need a place to go.

use super::{Checked, wrong, wrong_but};
use crate::scenario::{CartHome, FaultKind, Migration, MigrationWay, Replication, Scenario, StoreUpdate, thousands};

pub(super) fn replication(scenario: &Scenario) -> Checked {
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

pub(super) fn migration(scenario: &Scenario) -> Checked {
    let Some(migration) = &scenario.migration else { return Ok(()) };
    let Migration { at, to, how, from } = *migration;
    if to != CartHome::SharedStore {
        return wrong_but("migration.to", "carts can only move to the shared store", "write \"shared-store\"");
    }
    match scenario.homes.cart {
        CartHome::ServerMemory => {}
        CartHome::SharedStore => {
            let help = "`homes.cart` is where they live before they move: \"server-memory\"";
            return wrong_but("migration.to", "carts already live in the shared store", help);
        }
        CartHome::ReplicatedMemory | CartHome::SignedToken => {
            let help = "`homes.cart` is where they live before they move";
            return wrong_but("homes.cart", "carts can only move out of server memory", help);
        }
    }
    if scenario.store.update == StoreUpdate::ReadModifyWrite {
        let help = "leave `store.update` out, or make it \"atomic\"";
        return wrong_but("store.update", "a migration works with atomic updates of the store only", help);
    }
    let store = &scenario.store;
    let breaks = scenario.faults.iter().any(|fault| matches!(fault.kind, Ok(FaultKind::Store { .. })));
    if store.memory.is_some() || store.ttl.is_some() || breaks {
        let help = "remove the store's faults and limits: they have their own scenarios";
        return wrong_but("migration", "a migration needs a store that neither fails nor loses carts", help);
    }
    let duration = scenario.duration.get();
    if at.get() >= duration {
        let message = format!("an event after the end: the shop closes at {duration}");
        return wrong_but("migration.at", message, "move it to an earlier time, or make `duration` longer");
    }
    match (how, from) {
        (MigrationWay::DualWrite, None) => {
            let help = "`from = \"30s\"`: when servers start to write every change twice";
            wrong_but("migration", "the start of the dual writes is missing", help)
        }
        (MigrationWay::DualWrite, Some(from)) if from.get() >= at.get() => {
            let message = format!("dual writes must begin before carts are read from the store, at {}", at.get());
            wrong("migration.from", message)
        }
        (MigrationWay::BigBang | MigrationWay::ReadThrough, Some(_)) => {
            wrong("migration.from", "`from` goes with `how = \"dual-write\"`: nothing is written twice otherwise")
        }
        _ => Ok(()),
    }
}
