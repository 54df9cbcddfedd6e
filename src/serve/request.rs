//! One request: who may ask what, and the answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::files;
use super::{Shared, pages::TooMany};
use crate::page::Page;

type Answer = Response<Full<Bytes>>;

/// The header in which a page says which one it is.
const PAGE: &str = "x-whatcart-page";
/// The longest name of a page.
const LONGEST_NAME: usize = 64;

/// Why a request is refused: a status, and a sentence.
type Refused = (StatusCode, String);

fn refuse<T>(status: StatusCode, why: impl Into<String>) -> Result<T, Refused> {
    Err((status, why.into()))
}

pub async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Infallible> {
    let method = request.method().clone();
    let answered = match request.uri().path() {
        _ if !is_host(request.headers(), &shared) => {
            refuse(StatusCode::MISDIRECTED_REQUEST, format!("this is http://{}", shared.address))
        }
        "/call" if method == Method::POST => called(request, &shared).await,
        "/call" => refuse(StatusCode::METHOD_NOT_ALLOWED, "a call is a POST"),
        path if method == Method::GET || method == Method::HEAD => match files::find(path) {
            Some((bytes, kind)) => Ok((Bytes::from_static(bytes), kind)),
            None => refuse(StatusCode::NOT_FOUND, "there is no such page"),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "files are read with GET"),
    };
    let (status, (body, kind)) = match answered {
        Ok(content) => (StatusCode::OK, content),
        Err((status, why)) => (status, (Bytes::from(why + "\n"), "text/plain; charset=utf-8")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    secure(response.headers_mut(), kind);
    if status != StatusCode::OK {
        // The rest of what was sent is not read.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// The page loads nothing from elsewhere, is in no frame, and its scripts are files of this server.
fn secure(headers: &mut HeaderMap, kind: &'static str) {
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in
        [("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Whether the client asked for this server by its own address. A web site that lets its name point here does not.
fn is_host(headers: &HeaderMap, shared: &Shared) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(|host| is_own(host, shared))
}

fn is_own(host: &str, shared: &Shared) -> bool {
    let port = shared.address.port();
    host == format!("127.0.0.1:{port}") || host == format!("localhost:{port}")
}

/// Checks that a call comes from a page of this server, and reads it.
async fn called(request: Request<Incoming>, shared: &Arc<Shared>) -> Result<(Bytes, &'static str), Refused> {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| is_own(host, shared));
    if headers.contains_key(header::ORIGIN) && !text("origin").is_some_and(own) {
        return refuse(StatusCode::FORBIDDEN, "only the page of this server may make calls");
    }
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return refuse(StatusCode::FORBIDDEN, "only the page of this server may make calls");
    }
    let kind = text("content-type").map(|kind| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    if kind.as_deref() != Some("application/json") {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a call is application/json");
    }
    let Some(name) = text(PAGE).filter(|name| is_name(name)).map(str::to_owned) else {
        return refuse(StatusCode::BAD_REQUEST, format!("{PAGE}: a name of 8 to 64 letters, digits and -"));
    };
    let body = read(request.into_body(), shared).await?;
    let page = match shared.pages.named(&name) {
        Ok(page) => page,
        Err(TooMany { most }) => {
            let why =
                format!("{most} pages are open, the most that are kept: close one, and wait or restart whatcart serve");
            return refuse(StatusCode::TOO_MANY_REQUESTS, why);
        }
    };
    let Ok(answer) = tokio::task::spawn_blocking(move || call(&page, &body)).await else {
        shared.pages.forget(&name);
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "a defect of whatcart: please report what you did");
    };
    Ok((Bytes::from(answer), "application/json"))
}

fn call(page: &Mutex<Page>, body: &str) -> String {
    page.lock().expect("a page that panicked is forgotten").call(body)
}

fn is_name(name: &str) -> bool {
    (8..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

async fn read(body: Incoming, shared: &Shared) -> Result<String, Refused> {
    let limits = shared.limits;
    let too_long = || refuse(StatusCode::PAYLOAD_TOO_LARGE, format!("a call has at most {} bytes", limits.body));
    if body.size_hint().lower() > limits.body as u64 {
        return too_long();
    }
    match timeout(limits.patience, Limited::new(body, limits.body).collect()).await {
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "this call came too slowly"),
        Ok(Err(_)) => too_long(),
        Ok(Ok(body)) => {
            let text = String::from_utf8(body.to_bytes().into());
            text.map_err(|_| (StatusCode::BAD_REQUEST, "a call is UTF-8".to_owned()))
        }
    }
}
