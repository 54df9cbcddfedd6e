//! Reads the bodies of requests, within limits.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Incoming};

/// The maximum size of an uploaded file, in bytes.
pub const FILE_LIMIT: usize = 1 << 20;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than the limit, or its client broke off.
    TooLong,
    /// It did not arrive in time.
    TooSlow,
}

impl Unread {
    /// The status of the answer.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Unread::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Unread::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }

    /// What the answer says.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Unread::TooLong => "the body is too long, or was cut",
            Unread::TooSlow => "the body took too long",
        }
    }
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
///
/// When it says that it is longer or turns out to be, breaks off, or takes longer than `timeout`.
pub async fn read(body: Incoming, limit: usize, timeout: Duration) -> Result<Bytes, Unread> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong);
    }
    match tokio::time::timeout(timeout, Limited::new(body, limit).collect()).await {
        Err(_) => Err(Unread::TooSlow),
        Ok(Err(_)) => Err(Unread::TooLong),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}
