//! Logins: wherever they live, whether a server takes them, and how they begin and end.

use super::request::{Job, ParsedRequest, cookie, counted};
use crate::base::Command;
use crate::http::store::StoreError;
use crate::http::wire;
use crate::scenario::SessionHome;

/// What is known of a caller before the work.
pub enum Caller {
    /// Nothing yet: the store was not asked.
    NotAsked,
    /// The session is good, or not.
    Known(bool),
    /// The token's time is over, and the store knows the refresh session of this user.
    Renewed(String),
}

fn shown(request: &ParsedRequest) -> Option<&str> {
    wire::cookie(&request.headers, wire::SESSION)
}

fn refresh(request: &ParsedRequest) -> Option<&str> {
    wire::cookie(&request.headers, wire::REFRESH)
}

/// Where the deny list has a token: its signature tells it from all others.
fn denied(token: &str) -> String {
    format!("denied:{}", token.rsplit('.').next().unwrap_or_default())
}

/// Asks the store about the session, when it is the store that knows.
pub async fn look_up(job: &Job<'_>, command: Command, calls: &mut u32) -> Result<Caller, StoreError> {
    let Some(session) = shown(job.request).filter(|_| command != Command::Login) else { return Ok(Caller::NotAsked) };
    match job.shop.homes.session {
        SessionHome::SharedStore => Ok(Caller::Known(owner(job, session.to_owned(), calls).await?.is_some())),
        SessionHome::SignedToken => look_up_token(job, session, calls).await,
        SessionHome::ServerMemory | SessionHome::UnsignedCookie => Ok(Caller::NotAsked),
    }
}

/// Whose session it is in the store.
async fn owner(job: &Job<'_>, session: String, calls: &mut u32) -> Result<Option<String>, StoreError> {
    let found = job.shop.store.look(job.store_times.0, |store| store.session(session)).await;
    counted(calls, found)
}

/// A token says itself whose it is and until when; only what ends it before its time, or renews it, is in the store.
async fn look_up_token(job: &Job<'_>, token: &str, calls: &mut u32) -> Result<Caller, StoreError> {
    let tokens = &job.shop.tokens;
    let current = match job.signer().read_session(token, job.shop.clock.now()) {
        None => return Ok(Caller::Known(false)),
        Some((_, current)) => current,
    };
    if !current && !tokens.refresh {
        return Ok(Caller::Known(false));
    }
    if tokens.deny_list && owner(job, denied(token), calls).await?.is_some() {
        return Ok(Caller::Known(false));
    }
    if current {
        return Ok(Caller::Known(true));
    }
    let Some(key) = refresh(job.request) else { return Ok(Caller::Known(false)) };
    Ok(owner(job, key.to_owned(), calls).await?.map_or(Caller::Known(false), Caller::Renewed))
}

/// Whether this server takes what the request shows. Who shows nothing is a guest.
pub fn accepted(job: &Job, caller: &Caller) -> bool {
    let Some(session) = shown(job.request) else { return true };
    if matches!(job.request.what, super::request::RequestKind::Shop(Command::Login)) {
        return true;
    }
    match (caller, job.shop.homes.session) {
        (Caller::Known(known), _) => *known,
        (Caller::Renewed(_), _) => true,
        (Caller::NotAsked, SessionHome::ServerMemory) => job.process.memory.sessions.contains_key(session),
        (Caller::NotAsked, SessionHome::UnsignedCookie) => session.starts_with("user-"),
        (Caller::NotAsked, SessionHome::SignedToken | SessionHome::SharedStore) => false,
    }
}

/// A login makes a session, a logout ends it, and one whose time was over is issued anew. Answers with the bytes that
/// the user carries from now on.
pub async fn log_in_or_out(
    job: &Job<'_>,
    command: Command,
    caller: &Caller,
    cookies: &mut Vec<String>,
    calls: &mut u32,
) -> Result<usize, StoreError> {
    let mut carried = 0;
    if let Caller::Renewed(user) = caller {
        let token = job.signer().session(user, job.shop.clock.now());
        carried += token.len();
        cookies.push(cookie(wire::SESSION, &token));
    }
    match command {
        Command::Login => carried += log_in(job, cookies, calls).await?,
        Command::Logout => log_out(job, cookies, calls).await?,
        _ => {}
    }
    Ok(carried)
}

async fn log_in(job: &Job<'_>, cookies: &mut Vec<String>, calls: &mut u32) -> Result<usize, StoreError> {
    let name = &job.request.name;
    let (session, carried) = match job.shop.homes.session {
        SessionHome::SignedToken => {
            if job.shop.tokens.refresh {
                let key = keep(job, calls).await?;
                cookies.push(cookie(wire::REFRESH, &key));
            }
            let token = job.signer().session(name, job.shop.clock.now());
            let carried = token.len();
            (token, carried)
        }
        SessionHome::UnsignedCookie => (name.clone(), name.len()),
        SessionHome::ServerMemory => {
            let id = unguessable();
            job.process.while_alive(|| job.process.memory.sessions.insert(id.clone(), name.clone()));
            (id, 0)
        }
        SessionHome::SharedStore => (keep(job, calls).await?, 0),
    };
    cookies.push(cookie(wire::SESSION, &session));
    Ok(carried)
}

/// The store keeps a new session. Answers with its key.
async fn keep(job: &Job<'_>, calls: &mut u32) -> Result<String, StoreError> {
    let id = unguessable();
    let (key, name) = (id.clone(), job.request.name.clone());
    let kept = job.shop.store.call(job.store_times.1, |store| store.put_session(key, name)).await;
    counted(calls, kept).map(|()| id)
}

async fn log_out(job: &Job<'_>, cookies: &mut Vec<String>, calls: &mut u32) -> Result<(), StoreError> {
    let session = shown(job.request).unwrap_or_default();
    job.process.memory.sessions.remove(session);
    let (store, span, tokens) = (&job.shop.store, job.store_times.1, &job.shop.tokens);
    match job.shop.homes.session {
        SessionHome::SharedStore => {
            let session = session.to_owned();
            counted(calls, store.call(span, |store| store.drop_session(session)).await)?;
        }
        SessionHome::SignedToken if !session.is_empty() => {
            if tokens.deny_list {
                let entry = (denied(session), "logged out".to_owned());
                counted(calls, store.call(span, |store| store.put_session(entry.0, entry.1)).await)?;
            }
            if tokens.refresh {
                let key = refresh(job.request).unwrap_or_default().to_owned();
                let dropped = counted(calls, store.call(span, |store| store.drop_session(key)).await);
                // With the deny list written, half of it is done: nobody can call that refused.
                let half = |error| if tokens.deny_list { StoreError::BrokenOff } else { error };
                dropped.map_err(half)?;
            }
        }
        SessionHome::SignedToken | SessionHome::ServerMemory | SessionHome::UnsignedCookie => {}
    }
    cookies.push(format!("{}=; Path=/; Max-Age=0", wire::SESSION));
    if tokens.refresh {
        cookies.push(format!("{}=; Path=/; Max-Age=0", wire::REFRESH));
    }
    Ok(())
}

/// Bytes of state in the session that a request carries; an id is only a key into somebody's table.
pub fn carried(job: &Job, command: Command) -> usize {
    let Some(session) = shown(job.request).filter(|_| command != Command::Login) else { return 0 };
    match job.shop.homes.session {
        SessionHome::SignedToken | SessionHome::UnsignedCookie => session.len(),
        SessionHome::ServerMemory | SessionHome::SharedStore => 0,
    }
}

/// 128 random bits.
#[must_use]
pub fn unguessable() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the run's key was made of the same randomness");
    format!("{:032x}", u128::from_ne_bytes(bits))
}
