//! Copies need enough servers, and carts that move need a place to go.

use super::{Checked, wrong, wrong_but};
use crate::scenario::{CartHome, Migration, MigrationWay, Replication, Scenario, StoreUpdate, thousands};

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
    let cut_off = scenario.faults.iter().position(|fault| fault.isolate.is_some());
    let path = if scenario.migration.is_some() {
        "migration".into()
    } else if scenario.homes.cart == CartHome::ReplicatedMemory {
        "homes.cart".into()
    } else if let Some(at) = cut_off {
        format!("faults[{at}].isolate")
    } else {
        return Ok(());
    };
    wrong_but(path, format!("this does not go with `[{apart}]`"), format!("leave one of them out: `{apart}` or this"))
}

pub(super) fn migration(scenario: &Scenario) -> Checked {
    let Some(migration) = &scenario.migration else { return Ok(()) };
    let Migration { at, to, how, from } = *migration;
    if to != CartHome::SharedStore {
        return wrong_but("migration.to", "carts can move to the shared store only", "write \"shared-store\"");
    }
    match scenario.homes.cart {
        CartHome::ServerMemory => {}
        CartHome::SharedStore => {
            let help = "`homes.cart` is where they live before they move: \"server-memory\"";
            return wrong_but("migration.to", "carts live in the shared store already", help);
        }
        CartHome::ReplicatedMemory | CartHome::SignedToken => {
            let help = "`homes.cart` is where they live before they move";
            return wrong_but("homes.cart", "carts can move out of server memory only", help);
        }
    }
    if scenario.store.update == StoreUpdate::ReadModifyWrite {
        let help = "leave `store.update` out, or make it \"atomic\"";
        return wrong_but("store.update", "a cart that moves is changed in the store by one call", help);
    }
    let store = &scenario.store;
    if store.memory.is_some() || store.ttl.is_some() || scenario.faults.iter().any(|fault| fault.store.is_some()) {
        let help = "let the store be whole and large: its failures have scenarios of their own";
        return wrong_but("migration", "carts move to a store that neither breaks nor forgets", help);
    }
    let duration = scenario.duration.get();
    if at.get() >= duration {
        let message = format!("an event after the end: the shop closes at {duration}");
        return wrong_but("migration.at", message, "let it happen earlier, or make `duration` longer");
    }
    match (how, from) {
        (MigrationWay::DualWrite, None) => {
            let help = "`from = \"30s\"`: when servers begin to write every change twice";
            wrong_but("migration", "when the dual writes begin is missing here", help)
        }
        (MigrationWay::DualWrite, Some(from)) if from.get() >= at.get() => {
            let message = format!("dual writes begin before carts are read in the store, at {}", at.get());
            wrong("migration.from", message)
        }
        (MigrationWay::BigBang | MigrationWay::ReadThrough, Some(_)) => {
            wrong("migration.from", "`from` goes with `how = \"dual-write\"`: nothing is written twice otherwise")
        }
        _ => Ok(()),
    }
}
