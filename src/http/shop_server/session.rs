//! Logins: wherever they live, whether a server takes them, and how they begin and end.

use super::answer::{Asking, Job, cookie};
use crate::http::store::StoreError;
use crate::http::wire;
use crate::model::Command;
use crate::scenario::SessionHome;

/// What the store said of a caller before the work.
pub enum Caller {
    /// It was not asked.
    NotAsked,
    /// It knows the session, or not.
    Known(bool),
}

fn shown(request: &Asking) -> Option<&str> {
    wire::cookie(&request.headers, wire::SESSION)
}

/// Asks the store whose session it is, when that is where sessions live.
pub async fn look_up(job: &Job<'_>, command: Command, calls: &mut u32) -> Result<Caller, StoreError> {
    let Some(session) = shown(job.request) else { return Ok(Caller::NotAsked) };
    if job.shop.homes.session != SessionHome::SharedStore || command == Command::Login {
        return Ok(Caller::NotAsked);
    }
    *calls += 1;
    let session = session.to_owned();
    let user = job.shop.store.call(job.store_times.0, |store| store.session(session)).await?;
    Ok(Caller::Known(user.is_some()))
}

/// Whether this server takes what the request shows. Who shows nothing is a guest.
pub fn accepted(job: &Job, caller: &Caller) -> bool {
    let Some(session) = shown(job.request) else { return true };
    if matches!(job.request.what, super::answer::What::Shop(Command::Login)) {
        return true;
    }
    match (job.shop.homes.session, caller) {
        (_, Caller::Known(known)) => *known,
        (SessionHome::ServerMemory, Caller::NotAsked) => job.life.memory.sessions.contains_key(session),
        (SessionHome::SignedToken, Caller::NotAsked) => job.shop.signer.accepts_session(session, job.shop.clock.now()),
        (SessionHome::UnsignedCookie, Caller::NotAsked) => session.starts_with("user-"),
        (SessionHome::SharedStore, Caller::NotAsked) => false,
    }
}

/// A login makes a session and a logout ends it. Answers with the bytes that the user carries from now on.
pub async fn log_in_or_out(
    job: &Job<'_>,
    command: Command,
    cookies: &mut Vec<String>,
    calls: &mut u32,
) -> Result<usize, StoreError> {
    match command {
        Command::Login => log_in(job, cookies, calls).await,
        Command::Logout => log_out(job, cookies, calls).await.map(|()| 0),
        _ => Ok(0),
    }
}

async fn log_in(job: &Job<'_>, cookies: &mut Vec<String>, calls: &mut u32) -> Result<usize, StoreError> {
    let name = &job.request.name;
    let (session, carried) = match job.shop.homes.session {
        SessionHome::SignedToken => {
            let token = job.shop.signer.session(name, job.shop.clock.now());
            let carried = token.len();
            (token, carried)
        }
        SessionHome::UnsignedCookie => (name.clone(), name.len()),
        SessionHome::ServerMemory => {
            let id = unguessable();
            job.life.while_alive(|| job.life.memory.sessions.insert(id.clone(), name.clone()));
            (id, 0)
        }
        SessionHome::SharedStore => {
            *calls += 1;
            let id = unguessable();
            let (key, name) = (id.clone(), name.clone());
            job.shop.store.call(job.store_times.1, |store| store.put_session(key, name)).await?;
            (id, 0)
        }
    };
    cookies.push(cookie(wire::SESSION, &session));
    Ok(carried)
}

async fn log_out(job: &Job<'_>, cookies: &mut Vec<String>, calls: &mut u32) -> Result<(), StoreError> {
    if let Some(session) = shown(job.request) {
        job.life.memory.sessions.remove(session);
    }
    if job.shop.homes.session == SessionHome::SharedStore {
        *calls += 1;
        let session = shown(job.request).unwrap_or_default().to_owned();
        job.shop.store.call(job.store_times.1, |store| store.drop_session(session)).await?;
    }
    cookies.push(format!("{}=; Path=/; Max-Age=0", wire::SESSION));
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
fn unguessable() -> String {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).expect("the run's key was made of the same randomness");
    format!("{:032x}", u128::from_ne_bytes(bits))
}
