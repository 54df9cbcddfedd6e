//! Hidden state must be possible in the scenario.

use super::{Checked, wrong_but};
use crate::base::Step;
use crate::scenario::{HiddenState, Scenario, SessionHome};

pub(super) fn hidden(scenario: &Scenario) -> Checked {
    let path = "servers.hidden";
    let journey = &scenario.users.journey;
    match scenario.servers.hidden {
        HiddenState::SigningKey if scenario.homes.session != SessionHome::SignedToken => {
            let help = "set `homes.session = \"signed-token\"`, or hide something else";
            wrong_but(path, "a signing key signs logins, but in this scenario they are not signed", help)
        }
        HiddenState::SigningKey if !journey.contains(&Step::Login) => {
            let help = "begin the journey with \"login\"";
            wrong_but(path, "a signing key signs logins, but nobody logs in on this journey", help)
        }
        HiddenState::SigningKey if scenario.tokens.refresh || scenario.tokens.deny_list => {
            let help = "leave out `tokens.refresh` and `tokens.deny_list`";
            wrong_but(path, "a hidden signing key cannot be combined with early revocation", help)
        }
        HiddenState::CsrfToken if matches!(journey.first(), Some(Step::Add | Step::Remove | Step::Checkout)) => {
            let help = "begin the journey with \"login\" or \"browse\"";
            wrong_but(path, "this journey posts a form before it has seen a page", help)
        }
        _ => Ok(()),
    }
}
