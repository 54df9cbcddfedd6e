//! Logins over sockets: what the store knows about a credential, and the cookies that a response sets. The rules are in
//! [`state::session`](crate::state::session).

use super::answer::cookie;
use super::credential::shown;
use super::job::Job;
use super::process_local::unguessable;
use super::progress::Serving;
use crate::base::Command;
use crate::http::store::StoreError;
use crate::http::wire;
use crate::scenario::SessionHome;
use crate::state::session::{Issued, issue, renews};
use crate::state::store::StoreCall;

/// The key under which the deny list has the token of a request. The signature identifies the token.
fn denied(job: &Job) -> String {
    let token = shown(job.request).unwrap_or_default();
    format!("denied:{}", token.rsplit('.').next().unwrap_or_default())
}

/// The key of the session in the store: the session id itself, or the refresh session that goes with a token.
fn key(job: &Job) -> String {
    let name = match job.shop.serving.homes.session {
        SessionHome::SignedToken => wire::REFRESH,
        SessionHome::SharedStore | SessionHome::ServerMemory | SessionHome::UnsignedCookie => wire::SESSION,
    };
    wire::cookie(&job.request.headers, name).unwrap_or_default().to_owned()
}

/// Asks the store whether a logout has put the token on the deny list.
pub async fn check_deny_list(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let entry = denied(serving.job);
    let found = serving.ask(StoreCall::Before, |store| store.session(entry)).await?;
    serving.credential.found.denied = found.is_some();
    Ok(())
}

/// Asks the store for the session, or for the refresh session of a token.
pub async fn find(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let key = key(serving.job);
    let owner = serving.ask(StoreCall::Before, |store| store.session(key)).await?;
    serving.credential.found.stored = owner.is_some();
    serving.credential.owner = owner;
    Ok(())
}

/// Stores a new session, or the refresh session of a new token.
pub async fn keep(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let id = unguessable();
    let (key, name) = (id.clone(), serving.job.request.name.clone());
    serving.ask(StoreCall::After, |store| store.put_session(key, name)).await?;
    serving.credential.kept = Some(id);
    Ok(())
}

/// Puts the token on the deny list in the store.
pub async fn deny(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let entry = denied(serving.job);
    serving.ask(StoreCall::After, |store| store.put_session(entry, "logged out".into())).await
}

/// Deletes the session, or the refresh session, from the store.
pub async fn drop_stored(serving: &mut Serving<'_>) -> Result<(), StoreError> {
    let key = key(serving.job);
    serving.ask(StoreCall::After, |store| store.drop_session(key)).await
}

/// Renews an expired token, creates the session of a login, and ends that of a logout. Returns the bytes of state that
/// the response carries.
pub fn commit(serving: &mut Serving, cookies: &mut Vec<String>) -> usize {
    let (job, rules) = (serving.job, &serving.job.shop.serving);
    let mut carried = 0;
    if renews(rules.homes.session, &rules.tokens, serving.credential.status)
        && let Some(user) = serving.credential.owner.take()
    {
        let token = job.signer().session(&user, job.shop.clock.now());
        carried += token.len();
        cookies.push(cookie(wire::SESSION, &token));
    }
    match job.command {
        Command::Login => carried += log_in(job, serving.credential.kept.take(), cookies),
        Command::Logout => log_out(job, cookies),
        _ => {}
    }
    carried
}

/// Creates a session. `kept`: its key in the store, if the store has a part of it.
fn log_in(job: &Job, kept: Option<String>, cookies: &mut Vec<String>) -> usize {
    let rules = &job.shop.serving;
    let (name, kept) = (&job.request.name, kept.unwrap_or_default());
    let signed = || job.signer().session(name, job.shop.clock.now());
    let issued = issue(rules.homes.session, &rules.tokens);
    if issued == Issued::SignedAndStored {
        cookies.push(cookie(wire::REFRESH, &kept));
    }
    let (session, is_state) = match issued {
        Issued::Remembered => {
            let id = unguessable();
            job.process.memory.sessions.insert(id.clone(), name.clone());
            (id, false)
        }
        Issued::Stored => (kept, false),
        Issued::Signed | Issued::SignedAndStored => (signed(), true),
        Issued::Plain => (name.clone(), true),
    };
    cookies.push(cookie(wire::SESSION, &session));
    if is_state { session.len() } else { 0 }
}

fn log_out(job: &Job, cookies: &mut Vec<String>) {
    job.process.memory.sessions.remove(shown(job.request).unwrap_or_default());
    cookies.push(format!("{}=; Path=/; Max-Age=0", wire::SESSION));
    if job.shop.serving.tokens.refresh {
        cookies.push(format!("{}=; Path=/; Max-Age=0", wire::REFRESH));
    }
}
