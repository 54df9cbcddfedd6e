//! Hidden state at work: what it makes of a request. The rules are in
//! [`state::process_local`](crate::state::process_local).

use std::sync::PoisonError;

use super::job::Job;
use super::process_local::unguessable;
use crate::base::{Command, Refusal};
use crate::http::wire;
use crate::scenario::HiddenState;
use crate::state::process_local::accept_form;

/// Why this process refuses a request that is otherwise valid, if it does.
pub fn refusal(job: &Job) -> Option<Refusal> {
    let local = &job.process.local;
    match job.shop.hidden {
        HiddenState::CsrfToken if job.command.posts_form() => {
            let shown = job.request.headers.get(wire::CSRF_TOKEN).and_then(|token| token.to_str().ok());
            let known = local.forms.get(&job.cart);
            accept_form(shown, known.as_deref().map(String::as_str)).err()
        }
        HiddenState::RateLimiter => {
            let user = job.request.id?.visit().user;
            local.heard.entry(user).or_default().admit(&job.shop.hidden_rules.rate, job.sent).err()
        }
        _ => None,
    }
}

/// The CSRF token for the form on the page that is about to be served.
pub fn form(job: &Job) -> Option<String> {
    let forms = &job.process.local.forms;
    (job.shop.hidden == HiddenState::CsrfToken).then(|| forms.entry(job.cart).or_insert_with(unguessable).clone())
}

/// The version of the catalogue that this process shows.
pub fn version(job: &Job) -> Option<u32> {
    if job.shop.hidden != HiddenState::Cache || job.command != Command::Browse {
        return None;
    }
    let mut copy = job.process.local.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
    // A guest's look must not be what renews the copy that users are shown.
    let mut own = *copy;
    let shown = if job.request.id.is_some() { &mut *copy } else { &mut own };
    Some(shown.read(&job.shop.hidden_rules.cache, job.shop.clock.now()))
}
