//! Limits on the shared store, and on logins that a server can revoke.

use super::{Checked, wrong, wrong_but};
use crate::base::Step;
use crate::scenario::{CartHome, Scenario, SessionHome};

/// Whether any state lives in the shared store.
fn is_used(scenario: &Scenario) -> bool {
    scenario.homes.cart == CartHome::SharedStore
        || scenario.homes.session == SessionHome::SharedStore
        || scenario.tokens.refresh
        || scenario.tokens.deny_list
}

/// Checks a fault of the store.
pub(super) fn fault(path: &str, scenario: &Scenario) -> Checked {
    if is_used(scenario) {
        return Ok(());
    }
    let help = "no state lives in it here: set `homes.cart` or `homes.session` to \"shared-store\"";
    wrong_but(path, "a store fault without a store", help)
}

/// Checks early revocation of tokens, and replays of a session after logout.
pub(super) fn tokens(scenario: &Scenario) -> Checked {
    for (key, is_given) in [("refresh", scenario.tokens.refresh), ("deny_list", scenario.tokens.deny_list)] {
        if is_given && scenario.homes.session != SessionHome::SignedToken {
            let message = format!("`tokens.{key}` without tokens: sessions live elsewhere here");
            let help = "set `homes.session` to \"signed-token\", or leave this out";
            return wrong_but(format!("tokens.{key}"), message, help);
        }
    }
    replays(&scenario.users.journey)
}

fn replays(journey: &[Step]) -> Checked {
    let Some(replay) = journey.iter().position(|step| *step == Step::ReplayToken) else { return Ok(()) };
    let here = format!("users.journey[{replay}]");
    let login = journey.iter().position(|step| *step == Step::Login);
    let logout = journey.iter().position(|step| *step == Step::Logout);
    match (login, logout) {
        (None, _) => wrong(here, "nobody logs in here, so there is no session to copy"),
        (Some(login), Some(logout)) if login < logout && logout < replay => Ok(()),
        _ => {
            let help = "put \"login\" and \"logout\" before it: the copy is presented after its owner has logged out";
            wrong_but(here, "a session is replayed before its owner has logged out", help)
        }
    }
}
