//! Responses: JSON, refusals, and cookies.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::base::Refusal;
use crate::http::store::StoreError;
use crate::http::wire::{self, Body};

/// A server's response.
pub type Answer = Response<Full<Bytes>>;

/// A session cookie for this shop, hidden from scripts and not sent with requests from other sites.
#[must_use]
pub fn cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")
}

/// Adds a cookie to a response.
pub fn set_cookie(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

/// The response when a call to the store has failed.
pub fn store_trouble(trouble: StoreError) -> Answer {
    match trouble {
        StoreError::Full => refused(StatusCode::INSUFFICIENT_STORAGE, Refusal::StoreFull, None),
        StoreError::Down => refused(StatusCode::SERVICE_UNAVAILABLE, Refusal::StoreDown, None),
        StoreError::BrokenOff => error(StatusCode::INTERNAL_SERVER_ERROR, &trouble.to_string(), None),
    }
}

/// The response when a server does not accept a request.
pub fn of_refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Forbidden => refused(StatusCode::FORBIDDEN, refusal, Some("send the X-CSRF-Token of the last answer")),
        Refusal::TooMany => refused(StatusCode::TOO_MANY_REQUESTS, refusal, Some("wait a moment")),
        _ => refused(StatusCode::UNAUTHORIZED, Refusal::Unauthorized, Some("POST /login")),
    }
}

/// A response that refuses the request.
#[must_use]
pub fn refused(status: StatusCode, refusal: Refusal, hint: Option<&str>) -> Answer {
    json(status, &Body { hint: hint.map(Into::into), ..wire::refused(refusal) })
}

/// A response that says what is wrong.
#[must_use]
pub fn error(status: StatusCode, what: &str, hint: Option<&str>) -> Answer {
    json(status, &Body { error: Some(what.into()), hint: hint.map(Into::into), ..Body::default() })
}

/// A response with a JSON body.
#[must_use]
pub fn json(status: StatusCode, body: &Body) -> Answer {
    let text = serde_json::to_vec(body).expect("plain data");
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Outcome;

    /// A balancer that counts failures sees the status; the simulation has only the outcome.
    #[test]
    fn a_server_error_is_one_in_both_engines() {
        for (trouble, outcome) in [
            (StoreError::Full, Outcome::Refused(Refusal::StoreFull)),
            (StoreError::Down, Outcome::Refused(Refusal::StoreDown)),
            (StoreError::BrokenOff, Outcome::Failed),
        ] {
            assert!(store_trouble(trouble).status().is_server_error() && outcome.is_server_error(), "{outcome:?}");
        }
        for refusal in [Refusal::Unauthorized, Refusal::NotFound, Refusal::Forbidden, Refusal::TooMany] {
            assert!(!Outcome::Refused(refusal).is_server_error());
        }
    }
}
