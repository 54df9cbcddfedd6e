//! Reading requests, and saying what is wrong with them.

use std::time::Duration;

use bytes::Bytes;
use http::header::ALLOW;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;

use super::answer::{Answer, error};
use crate::base::time::Instant;
use crate::base::{Command, Item};
use crate::http::body::{self, FILE_LIMIT, Unread};
use crate::http::wire::{self, Ask, CartId, RequestId};

/// The maximum size of a body that is no file, in bytes.
const BODY_LIMIT: usize = 4 << 10;
/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum length of a user's name.
const NAME_LIMIT: usize = 64;

/// A request, read to its end.
pub struct ParsedRequest {
    /// What it asks for.
    pub what: RequestKind,
    /// Its id, if it belongs to a user of the run.
    pub id: Option<RequestId>,
    /// The id of its cart, if it names one.
    pub cart: Option<CartId>,
    /// The user who logs in.
    pub name: String,
    /// Its body.
    pub body: Bytes,
    /// Its header fields.
    pub headers: HeaderMap,
    /// When its user sent it, if it says so.
    pub sent: Option<Instant>,
}

/// What a request asks for.
pub enum RequestKind {
    /// A command of the shop.
    Shop(Command),
    /// A health check.
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

/// Reads a request to its end. The error is the response that says what is wrong with it.
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
    let unread = |unread: Unread| error(unread.status(), unread.why(), None);
    let body = body::read(body, limit, BODY_TIMEOUT).await.map_err(unread)?;
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
    let id = RequestId::of(&head.headers);
    let named = wire::cookie(&head.headers, wire::VISIT).and_then(|cart| cart.parse().ok());
    // No guest gets at the cart of a user of the run.
    let cart = named.filter(|cart: &CartId| id.is_some() || cart.is_of_guest());
    let sent = wire::started(&head.headers);
    Ok(ParsedRequest { what, id, cart, name, body, headers: head.headers, sent })
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
