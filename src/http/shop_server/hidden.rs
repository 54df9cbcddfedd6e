//! What a process keeps to itself, though the pool is taken to be stateless.

use std::sync::PoisonError;

use super::job::Job;
use super::secrets::unguessable;
use crate::base::{Command, Refusal};
use crate::http::wire;
use crate::scenario::HiddenState;
use crate::state::process_local::accept_form;

/// Why this process refuses a request that is otherwise good.
pub fn refusal(job: &Job) -> Option<Refusal> {
    let secrets = &job.process.secrets;
    match job.shop.hidden {
        HiddenState::CsrfToken if job.command.posts_form() => {
            let shown = job.request.headers.get(wire::CSRF_TOKEN).and_then(|token| token.to_str().ok());
            let known = secrets.forms.get(&job.cart);
            accept_form(shown, known.as_deref().map(String::as_str)).err()
        }
        HiddenState::RateLimiter => {
            let user = job.request.id?.visit().user;
            secrets.heard.entry(user).or_default().admit(&job.shop.rules.rate, job.sent).err()
        }
        _ => None,
    }
}

/// The token for the form of the page that is served now.
pub fn form(job: &Job) -> Option<String> {
    let forms = &job.process.secrets.forms;
    (job.shop.hidden == HiddenState::CsrfToken).then(|| forms.entry(job.cart).or_insert_with(unguessable).clone())
}

/// The version of the catalogue that this process shows.
pub fn version(job: &Job) -> Option<u32> {
    if job.shop.hidden != HiddenState::Cache || job.command != Command::Browse {
        return None;
    }
    let mut copy = job.process.secrets.catalogue.lock().unwrap_or_else(PoisonError::into_inner);
    Some(copy.read(&job.shop.rules.cache, job.shop.clock.now()))
}
