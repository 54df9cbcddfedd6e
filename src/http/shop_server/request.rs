//! What a server does with a request: reads it, waits for a worker, works, commits, answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use serde::Deserialize;

use super::files::FileOutcome;
use super::serving::{Completed, Job};
use super::{ServerProcess, hidden};
use crate::base::time::Instant;
use crate::base::{Command, Item, Refusal, Reply};
use crate::http::store::StoreError;
use crate::http::wire::{self, Ask, Body, CartId, Listed, RequestId};
use crate::operations::faults;
use crate::scenario::Share;

/// Most bytes of an uploaded file.
const FILE_LIMIT: usize = 1 << 20;
/// Most bytes of any other body.
const BODY_LIMIT: usize = 4 << 10;
/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// Most characters of a user's name.
const NAME_LIMIT: usize = 64;

/// A request that was read.
pub struct ParsedRequest {
    /// What it asks.
    pub what: RequestKind,
    /// Whose, when it belongs to a user of the run.
    pub id: Option<RequestId>,
    /// The cart it is about, if it names one.
    pub cart: Option<CartId>,
    /// Who logs in.
    pub name: String,
    /// The bytes that came with it.
    pub body: Bytes,
    /// The rest.
    pub headers: HeaderMap,
    /// When it arrived.
    pub sent: Option<Instant>,
}

/// What a request asks.
pub enum RequestKind {
    /// Something that the model knows.
    Shop(Command),
    /// Say that you are well.
    Health,
}

#[derive(Deserialize)]
struct NewItem {
    item: u8,
}

#[derive(Deserialize)]
struct NewLogin {
    user: String,
}

/// What goes back.
pub type Answer = Response<Full<Bytes>>;

/// Reads a request to its end, or says what is wrong with it.
pub async fn read(request: Request<Incoming>) -> Result<ParsedRequest, Answer> {
    let (head, body) = request.into_parts();
    let ask = Ask::of(&head.method, head.uri.path());
    let limit = if matches!(ask, Ask::Shop(Command::Upload(_))) { FILE_LIMIT } else { BODY_LIMIT };
    let ask = match ask {
        Ask::NoSuchPath => return Err(error(StatusCode::NOT_FOUND, "no such path", Some(PATHS))),
        Ask::WrongMethod(allowed) => {
            let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "not with this method", Some(PATHS));
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return Err(answer);
        }
        ask => ask,
    };
    let body = if body.is_end_stream() { Bytes::new() } else { read_body(body, limit).await? };
    let mut name = String::new();
    let what = match ask {
        Ask::AddItem => match new_item(&body) {
            Some(item) => RequestKind::Shop(Command::Add(item)),
            None => return Err(error(StatusCode::BAD_REQUEST, "which item?", Some(AN_ITEM))),
        },
        Ask::Shop(Command::Login) => match new_login(&body) {
            Some(user) => {
                name = user;
                RequestKind::Shop(Command::Login)
            }
            None => return Err(error(StatusCode::BAD_REQUEST, "who?", Some(A_LOGIN))),
        },
        Ask::Shop(command) => RequestKind::Shop(command),
        Ask::Health | Ask::WrongMethod(_) | Ask::NoSuchPath => RequestKind::Health,
    };
    let cart = wire::cookie(&head.headers, wire::VISIT).and_then(|id| id.parse().ok());
    let id = RequestId::of(&head.headers);
    let sent = wire::started(&head.headers);
    Ok(ParsedRequest { what, id, cart, name, body, headers: head.headers, sent })
}

async fn read_body(body: Incoming, limit: usize) -> Result<Bytes, Answer> {
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, limit).collect()).await {
        Err(_) => Err(error(StatusCode::REQUEST_TIMEOUT, "the body took too long", None)),
        Ok(Err(_)) => Err(error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut", None)),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

const PATHS: &str = "POST /login, GET /, POST /cart/items {\"item\":1}, DELETE /cart/items/1, GET /cart, \
                     POST /checkout, PUT or GET /files/1, POST /logout, GET /health";

const AN_ITEM: &str = r#"write it as {"item":1}; items are 1 to 64"#;
const A_LOGIN: &str = r#"write it as {"user":"ann"}: at most 64 letters, digits and -_.@"#;

fn new_item(body: &Bytes) -> Option<Item> {
    serde_json::from_slice(body).ok().and_then(|new: NewItem| Item::new(new.item))
}

fn new_login(body: &Bytes) -> Option<String> {
    let named = serde_json::from_slice(body).ok().map(|new: NewLogin| new.user);
    let name = if body.is_empty() { Some("guest".into()) } else { named };
    let fine = |name: &String| {
        (1..=NAME_LIMIT).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b))
    };
    name.filter(fine)
}

/// What needs no worker.
pub fn without_worker(request: &ParsedRequest) -> Option<Answer> {
    matches!(request.what, RequestKind::Health).then(|| json(StatusCode::OK, &Body::default()))
}

/// Waits for a worker, works, commits and answers. `None`: the process died meanwhile.
pub async fn work(process: Arc<ServerProcess>, request: ParsedRequest) -> Option<Answer> {
    let shop = &process.shop;
    let sent = request.sent.unwrap_or_else(|| shop.clock.now());
    if fails(&process, &request) {
        return Some(fail(&process, &request));
    }
    let Some(worker) = process.worker().await else {
        if let Some(id) = request.id {
            shop.log.dropped(id.visit(), Some(process.slot.id));
        }
        return Some(refused(StatusCode::SERVICE_UNAVAILABLE, Refusal::QueueFull, None));
    };
    match request.what {
        RequestKind::Shop(command) => Job::new(&process, &request, command, (sent, worker.begun)).serve().await,
        RequestKind::Health => None,
    }
}

/// Whether a server that fails some of its requests fails this one.
fn fails(process: &ServerProcess, request: &ParsedRequest) -> bool {
    let failing = process.slot.failing.load(Ordering::Relaxed);
    // A guest has no luck of their own: they are failed when everybody is.
    request.id.map_or(failing == Share::ALL, |id| faults::fails(failing, process.shop.workload.seed, id.key))
}

/// Answers before anything is done. (A timer would take longer than the simulation's millisecond.)
fn fail(process: &ServerProcess, request: &ParsedRequest) -> Answer {
    if let Some(id) = request.id {
        process.shop.log.dropped(id.visit(), Some(process.slot.id));
    }
    error(StatusCode::INTERNAL_SERVER_ERROR, "this server fails", None)
}

/// Whoever came without a cart gets one that travels from now on.
fn named(job: &Job, mut answer: Answer) -> Answer {
    if job.request.cart.is_none() {
        set_cookie(&mut answer, &cookie(wire::VISIT, &job.cart.to_string()));
    }
    answer
}

impl Completed {
    /// What the user is told.
    pub fn answer(self, job: &Job) -> Answer {
        let mut answer = match self.refused {
            Some(refusal) => of_refusal(refusal),
            None => self.good(job),
        };
        if let Some(token) = hidden::form(job).and_then(|token| HeaderValue::try_from(token).ok()) {
            answer.headers_mut().insert(wire::CSRF_TOKEN, token);
            answer = named(job, answer);
        }
        answer
    }

    fn good(self, job: &Job) -> Answer {
        let travels = self.file.is_some() || job.command.touches_cart();
        let body = self.body(job);
        let mut answer = self.file.map_or_else(|| json(StatusCode::OK, &body), |file| of_file(file.what));
        self.cookies.iter().for_each(|cookie| set_cookie(&mut answer, cookie));
        if travels { named(job, answer) } else { answer }
    }

    fn body(&self, job: &Job) -> Body {
        let mut body = Body::default();
        match self.reply {
            Reply::Cart(items) => body.cart = Some(Listed(items)),
            Reply::Charged(items) => body.charged = Some(Listed(items)),
            Reply::Page(version) => body.catalogue = Some(version),
            Reply::Done => body.cart = self.cart.as_ref().map(|cart| Listed(cart.held)),
        }
        if job.command == Command::Login {
            body.user = Some(job.request.name.clone());
        }
        body
    }
}

/// A cookie for this shop: not for scripts, and not sent along from other sites.
#[must_use]
pub fn cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax")
}

fn set_cookie(answer: &mut Answer, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}

/// What a server says when the store has not done its part.
pub fn store_trouble(trouble: StoreError) -> Answer {
    match trouble {
        StoreError::Full => refused(StatusCode::INSUFFICIENT_STORAGE, Refusal::StoreFull, None),
        StoreError::Down => refused(StatusCode::SERVICE_UNAVAILABLE, Refusal::StoreDown, None),
        StoreError::BrokenOff => error(StatusCode::INTERNAL_SERVER_ERROR, &trouble.to_string(), None),
    }
}

fn of_refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::Forbidden => refused(StatusCode::FORBIDDEN, refusal, Some("send the X-CSRF-Token of the last answer")),
        Refusal::TooMany => refused(StatusCode::TOO_MANY_REQUESTS, refusal, Some("wait a moment")),
        _ => refused(StatusCode::UNAUTHORIZED, Refusal::Unauthorized, Some("POST /login")),
    }
}

fn of_file(what: FileOutcome) -> Answer {
    match what {
        FileOutcome::Stored => json(StatusCode::CREATED, &Body::default()),
        FileOutcome::NotFound => refused(StatusCode::NOT_FOUND, Refusal::NotFound, None),
        FileOutcome::Full => error(StatusCode::INSUFFICIENT_STORAGE, "the shop keeps no more files of guests", None),
        FileOutcome::Found(bytes) => {
            let mut answer = Response::new(Full::new(bytes));
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            answer
        }
    }
}

/// An answer that refuses.
fn refused(status: StatusCode, refusal: Refusal, hint: Option<&str>) -> Answer {
    json(status, &Body { hint: hint.map(Into::into), ..wire::refused(refusal) })
}

/// An answer that says what is wrong.
#[must_use]
pub fn error(status: StatusCode, what: &str, hint: Option<&str>) -> Answer {
    json(status, &Body { error: Some(what.into()), hint: hint.map(Into::into), ..Body::default() })
}

fn json(status: StatusCode, body: &Body) -> Answer {
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
