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
            wrong_but(path, "a signing key signs logins, and in this scenario they are not signed", help)
        }
        HiddenState::SigningKey if !journey.contains(&Step::Login) => {
            let help = "begin the journey with \"login\"";
            wrong_but(path, "a signing key signs logins, and nobody logs in on this journey", help)
        }
        HiddenState::SigningKey if scenario.tokens.refresh || scenario.tokens.deny_list => {
            let help = "leave out `tokens.refresh` and `tokens.deny_list`";
            wrong_but(path, "one thing at a time: tokens that only one server knows are not taken back", help)
        }
        HiddenState::CsrfToken if matches!(journey.first(), Some(Step::Add | Step::Remove | Step::Checkout)) => {
            let help = "begin the journey with \"login\" or \"browse\"";
            wrong_but(path, "this journey posts a form before any page has shown one", help)
        }
        _ => Ok(()),
    }
}
