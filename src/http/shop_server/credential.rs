//! What a request presents to be let in, and what its server has found out about it.

use super::job::Job;
use super::request::ParsedRequest;
use crate::base::Command;
use crate::http::wire;
use crate::scenario::SessionHome;
use crate::state::session::{CredentialCheck, CredentialStatus};

/// What a request presents, and what its server has found out about it.
pub struct Credential {
    /// Which kind it is.
    pub status: CredentialStatus,
    /// What the server has found out.
    pub found: CredentialCheck,
    /// Whose it is, as far as the store knows.
    pub owner: Option<String>,
    /// The key of the session that the store keeps from now on.
    pub kept: Option<String>,
}

impl Credential {
    /// What a request presents, and what its server can tell without the store. A login presents nothing.
    #[must_use]
    pub fn presented(job: &Job) -> Credential {
        let session = shown(job.request).filter(|_| job.command != Command::Login);
        let (status, found) = session.map_or((CredentialStatus::Nothing, CredentialCheck::default()), |session| {
            let unchecked = CredentialCheck::default();
            match job.shop.serving.homes.session {
                SessionHome::ServerMemory => {
                    let genuine = job.process.memory.sessions.contains_key(session);
                    (CredentialStatus::Current, CredentialCheck { genuine, ..unchecked })
                }
                SessionHome::SignedToken => read_token(job, session),
                SessionHome::SharedStore | SessionHome::UnsignedCookie => (CredentialStatus::Current, unchecked),
            }
        });
        Credential { status, found, owner: None, kept: None }
    }

    /// Bytes of state in the session that the request carries; an id is only a key into somebody's table.
    #[must_use]
    pub fn carried(&self, job: &Job) -> usize {
        match job.shop.serving.homes.session {
            _ if self.status == CredentialStatus::Nothing => 0,
            SessionHome::SignedToken | SessionHome::UnsignedCookie => shown(job.request).map_or(0, str::len),
            SessionHome::ServerMemory | SessionHome::SharedStore => 0,
        }
    }
}

/// A token says itself whose it is and until when.
fn read_token(job: &Job, token: &str) -> (CredentialStatus, CredentialCheck) {
    let unchecked = CredentialCheck::default();
    match job.signer().read_session(token, job.shop.clock.now()) {
        None => (CredentialStatus::Forged, unchecked),
        Some((_, current)) => {
            let status = if current { CredentialStatus::Current } else { CredentialStatus::Expired };
            (status, CredentialCheck { genuine: true, current, ..unchecked })
        }
    }
}

/// The session that a request shows.
#[must_use]
pub fn shown(request: &ParsedRequest) -> Option<&str> {
    wire::cookie(&request.headers, wire::SESSION)
}
