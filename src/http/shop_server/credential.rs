//! The credential that a request presents, and what its server has found out about it.

use super::job::Job;
use super::request::ParsedRequest;
use crate::base::Command;
use crate::http::wire;
use crate::scenario::SessionHome;
use crate::state::session::{CredentialCheck, CredentialStatus};

/// The credential that a request presents, and what its server has found out about it.
pub struct Credential {
    /// What kind of credential it is.
    pub status: CredentialStatus,
    /// What the server has found out about it.
    pub found: CredentialCheck,
    /// The user whose session it is, according to the store.
    pub owner: Option<String>,
    /// The key of the session that the store has just been given.
    pub kept: Option<String>,
}

impl Credential {
    /// The credential of a request, with what its server can tell without the store. A login presents none.
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

    /// The bytes of state in the session that the request carries. An id carries none: it is only a key into a table.
    #[must_use]
    pub fn carried(&self, job: &Job) -> usize {
        match job.shop.serving.homes.session {
            _ if self.status == CredentialStatus::Nothing => 0,
            SessionHome::SignedToken | SessionHome::UnsignedCookie => shown(job.request).map_or(0, str::len),
            SessionHome::ServerMemory | SessionHome::SharedStore => 0,
        }
    }
}

/// Verifies a token, which states its user and its expiry.
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

/// The session cookie of a request.
#[must_use]
pub fn shown(request: &ParsedRequest) -> Option<&str> {
    wire::cookie(&request.headers, wire::SESSION)
}
