//! What goes over the wire: paths, header fields, cookies and bodies, for both clients and servers.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Uri};
use serde::de::{Error, SeqAccess};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::seed::Key;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, File, Item, Items, Refusal, UserId, Visit};

/// The request's id: see [`RequestId`].
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// When the user intended to send the request: nanoseconds on the run's clock. (Front ends set `X-Request-Start` so
/// that servers can tell how long a request queued before it reached them.)
pub const REQUEST_START: HeaderName = HeaderName::from_static("x-request-start");
/// The visit, so that a retried checkout charges once.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The CSRF token in the form of a page: set in answers, and sent back with the form.
pub const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// The cookie with the session: a token, or a key into a session table.
pub const SESSION: &str = "session";
/// The cookie with the key of a refresh session in the store, when sessions are renewed.
pub const REFRESH: &str = "refresh";
/// The cookie with the cart's id, which travels with the user in every design.
pub const VISIT: &str = "visit";
/// The cookie with the cart itself, when it is a signed token.
pub const CART: &str = "cart";
/// The affinity cookie, set by the balancer.
pub const SERVER: &str = "server";

/// Identifies a request by user, tab, client, visit, step and attempt, as in `42-0-41-1-3-0`.
///
/// Servers draw the request's work from it, so that the work is the same in every design and in both engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The key of its random draws.
    pub key: Key,
    /// The client.
    pub client: ClientId,
}

impl RequestId {
    /// The visit it belongs to.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the user")]
    pub fn visit(&self) -> Visit {
        Visit { user: UserId(self.key.entity as u32), client: self.client, number: self.key.visit }
    }

    /// Reads the id from a request's headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<RequestId> {
        headers.get(REQUEST_ID)?.to_str().ok()?.parse().ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { entity, visit, step, attempt } = self.key;
        write!(f, "{}-{}-{}-{visit}-{step}-{attempt}", entity & 0xffff_ffff, entity >> 32, self.client.0)
    }
}

impl FromStr for RequestId {
    type Err = ();

    fn from_str(text: &str) -> Result<RequestId, ()> {
        fn next<T: FromStr>(parts: &mut std::str::Split<'_, char>) -> Result<T, ()> {
            number(parts.next().ok_or(())?)
        }
        let mut parts = text.split('-');
        let user: u32 = next(&mut parts)?;
        let tab: u16 = next(&mut parts)?;
        let client = ClientId(next(&mut parts)?);
        let entity = u64::from(tab) << 32 | u64::from(user);
        let key = Key { entity, visit: next(&mut parts)?, step: next(&mut parts)?, attempt: next(&mut parts)? };
        if parts.next().is_some() { Err(()) } else { Ok(RequestId { key, client }) }
    }
}

/// The number that stands for guests where a user's number is asked for: people with curl, or a browser. No user has it.
pub const GUEST: u64 = 1 << 48;

/// The key of the random draws about a guest's request. `number` tells guests' requests apart.
#[must_use]
pub fn guest_key(number: u32) -> Key {
    Key { entity: GUEST | u64::from(number), ..Key::default() }
}

/// Identifies a cart by the user's number and the visit's, as in `000042-0001`; with a tab, `000042.3-0001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CartId {
    /// The owner's number; 0 for a guest.
    pub user: u32,
    /// The tab.
    pub tab: u16,
    /// The visit's sequence number, from 1.
    pub visit: u32,
}

impl CartId {
    /// The cart of a visit of the run.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of an entity")]
    pub fn of(key: &Key) -> CartId {
        CartId { user: key.entity as u32, tab: (key.entity >> 32) as u16, visit: key.visit }
    }

    /// Whether it is a guest's: users of the run are counted from 1.
    #[must_use]
    pub const fn is_of_guest(&self) -> bool {
        self.user == 0
    }
}

impl fmt::Display for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.user)?;
        if self.tab > 0 {
            write!(f, ".{}", self.tab)?;
        }
        write!(f, "-{:04}", self.visit)
    }
}

impl FromStr for CartId {
    type Err = ();

    fn from_str(text: &str) -> Result<CartId, ()> {
        let (who, visit) = text.split_once('-').ok_or(())?;
        let (user, tab) = who.split_once('.').unwrap_or((who, "0"));
        Ok(CartId { user: number(user)?, tab: number(tab)?, visit: number(visit)? })
    }
}

/// Parses a number that is written in digits only, without a sign.
fn number<T: FromStr>(digits: &str) -> Result<T, ()> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().map_err(drop) } else { Err(()) }
}

/// The name of a user: `user-000042`.
#[must_use]
pub fn user_name(user: UserId) -> String {
    format!("user-{:06}", user.0)
}

/// The value of a cookie in a request.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(http::header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// When the user intended to send the request, if its headers say so.
#[must_use]
pub fn started(headers: &HeaderMap) -> Option<Instant> {
    number(headers.get(REQUEST_START)?.to_str().ok()?).ok().map(Instant::from_nanos)
}

/// What a request asks of the server, by method and path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A command of the model, except for an add, whose item is in the body.
    Shop(Command),
    /// `POST /cart/items`
    AddItem,
    /// `GET /health`
    Health,
    /// A path that exists, but only for these methods.
    WrongMethod(&'static str),
    /// No such path.
    NoSuchPath,
}

impl Ask {
    /// Parses method and path. HEAD is read as GET; its answer is sent without the body.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Ask {
        let numbered = |prefix: &str| number(path.strip_prefix(prefix)?).ok().and_then(Item::new);
        let item = numbered("/cart/items/");
        let file = numbered("/files/").and_then(|number| File::new(number.number()));
        let (get, other): (Option<Ask>, Option<(Method, Ask)>) = match path {
            "/" => (Some(Ask::Shop(Command::Browse)), None),
            "/health" => (Some(Ask::Health), None),
            "/login" => (None, Some((Method::POST, Ask::Shop(Command::Login)))),
            "/logout" => (None, Some((Method::POST, Ask::Shop(Command::Logout)))),
            "/cart" => (Some(Ask::Shop(Command::View)), None),
            "/cart/items" => (None, Some((Method::POST, Ask::AddItem))),
            "/checkout" => (None, Some((Method::POST, Ask::Shop(Command::Checkout)))),
            _ => match (item, file) {
                (Some(item), _) => (None, Some((Method::DELETE, Ask::Shop(Command::Remove(item))))),
                (None, Some(file)) => {
                    let upload = Ask::Shop(Command::Upload(file));
                    (Some(Ask::Shop(Command::Download(file))), Some((Method::PUT, upload)))
                }
                (None, None) => return Ask::NoSuchPath,
            },
        };
        match (get, other) {
            (Some(get), _) if matches!(*method, Method::GET | Method::HEAD) => get,
            (_, Some((other, ask))) if other == *method => ask,
            (Some(_), None) => Ask::WrongMethod("GET, HEAD"),
            (Some(_), Some(_)) => Ask::WrongMethod("GET, HEAD, PUT"),
            (None, Some((Method::DELETE, _))) => Ask::WrongMethod("DELETE"),
            (None, _) => Ask::WrongMethod("POST"),
        }
    }
}

/// The request for a command: method, path, and a body if it has one.
#[must_use]
pub fn spelled(command: Command, user: UserId) -> (Method, Uri, Bytes) {
    let plain = |method, path| (method, Uri::from_static(path), Bytes::new());
    let with = |(method, path, _), body: String| (method, path, body.into());
    match command {
        Command::Login => with(plain(Method::POST, "/login"), format!(r#"{{"user":"{}"}}"#, user_name(user))),
        Command::Browse | Command::ForgeSession | Command::ReplayToken => plain(Method::GET, "/"),
        Command::Add(item) => with(plain(Method::POST, "/cart/items"), format!(r#"{{"item":{}}}"#, item.number())),
        Command::Remove(item) => (Method::DELETE, numbered("/cart/items", item.number()), Bytes::new()),
        Command::View => plain(Method::GET, "/cart"),
        Command::Checkout => plain(Method::POST, "/checkout"),
        Command::Logout => plain(Method::POST, "/logout"),
        Command::Upload(file) => (Method::PUT, numbered("/files", file.number()), contents(user, file).into()),
        Command::Download(file) => (Method::GET, numbered("/files", file.number()), Bytes::new()),
    }
}

fn numbered(path: &str, number: u8) -> Uri {
    Uri::try_from(format!("{path}/{number}")).expect("a path")
}

/// What a user uploads as this file, and must get back.
#[must_use]
pub fn contents(user: UserId, file: File) -> String {
    format!("{file} of {}\n", user_name(user)).repeat(16)
}

/// The body of every answer of the shop. Fields that do not apply are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// What the cart holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<Listed>,
    /// What was charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charged: Option<Listed>,
    /// The version of the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<u32>,
    /// What went wrong, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The code of the refusal, [`Refusal::code`], for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to do about it, or what else is useful to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Who is logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Items, as a list of their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listed(pub Items);

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Item::number))
    }
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Listed, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Listed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of items, numbered 1 to 64")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Listed, A::Error> {
                let mut items = Items::NONE;
                while let Some(number) = list.next_element()? {
                    items = items.with(Item::new(number).ok_or_else(|| A::Error::custom("items are 1 to 64"))?);
                }
                Ok(Listed(items))
            }
        }
        deserializer.deserialize_seq(Visitor)
    }
}

/// The body for a refusal: words for people, and its code for programs.
#[must_use]
pub fn refused(refusal: Refusal) -> Body {
    let words = match refusal {
        Refusal::Unauthorized => "who are you?",
        Refusal::QueueFull => "queue full",
        Refusal::NoServer => "no server",
        Refusal::Unreachable => "unreachable",
        Refusal::Throttled => "too many at once",
        Refusal::NotFound => "what file?",
        Refusal::StoreDown => "the store is down",
        Refusal::StoreFull => "the store is full",
        Refusal::Forbidden => "whose form is this?",
        Refusal::TooMany => "too many requests",
    };
    Body { error: Some(words.into()), code: Some(refusal.code().into()), ..Body::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    #[test]
    fn every_command_is_read_as_it_is_spelled() {
        let item = Item::new(7).expect("in range");
        let commands = [Command::Login, Command::Browse, Command::Remove(item), Command::View, Command::Checkout];
        let file = File::new(9).expect("in range");
        for command in commands.into_iter().chain([Command::Logout, Command::Upload(file), Command::Download(file)]) {
            let (method, path, _) = spelled(command, UserId(42));
            assert_eq!(Ask::of(&method, path.path()), Ask::Shop(command), "{method} {path}");
        }
        let (method, path, body) = spelled(Command::Add(item), UserId(42));
        assert_eq!((Ask::of(&method, path.path()), &*body), (Ask::AddItem, &br#"{"item":7}"#[..]));
    }

    #[test]
    fn strange_paths_are_told_apart() {
        let file = File::new(5).expect("in range");
        for (method, path, ask) in [
            (Method::PUT, "/cart", Ask::WrongMethod("GET, HEAD")),
            (Method::HEAD, "/cart", Ask::Shop(Command::View)),
            (Method::GET, "/login", Ask::WrongMethod("POST")),
            (Method::HEAD, "/checkout", Ask::WrongMethod("POST")),
            (Method::GET, "/cart/items/3", Ask::WrongMethod("DELETE")),
            (Method::DELETE, "/cart/items/0", Ask::NoSuchPath),
            (Method::DELETE, "/cart/items/65", Ask::NoSuchPath),
            (Method::DELETE, "/cart/items/-1", Ask::NoSuchPath),
            (Method::DELETE, "/cart/items/+1", Ask::NoSuchPath),
            (Method::DELETE, "/cart/items/", Ask::NoSuchPath),
            (Method::DELETE, "/cart/items/257", Ask::NoSuchPath),
            (Method::PUT, "/files/5", Ask::Shop(Command::Upload(file))),
            (Method::GET, "/files/5", Ask::Shop(Command::Download(file))),
            (Method::GET, "/files/65", Ask::NoSuchPath),
            (Method::DELETE, "/files/5", Ask::WrongMethod("GET, HEAD, PUT")),
            (Method::GET, "/files/../../etc/passwd", Ask::NoSuchPath),
            (Method::GET, "/nothing", Ask::NoSuchPath),
            (Method::GET, "/health", Ask::Health),
        ] {
            assert_eq!(Ask::of(&method, path), ask, "{method} {path}");
        }
    }

    #[test]
    fn refusals_are_read_by_their_code() {
        for refusal in Refusal::ALL {
            let body = Body { error: Some("other words".into()), ..refused(refusal) };
            let read: Body = serde_json::from_slice(&serde_json::to_vec(&body).expect("plain data")).expect("JSON");
            assert_eq!(read.code.as_deref().and_then(Refusal::of_code), Some(refusal));
        }
        assert_eq!(Refusal::of_code("queue full"), None);
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", HeaderValue::from_static("a=1; server=server-2;session=x=y"));
        headers.append("cookie", HeaderValue::from_static("visit=000042-0001"));
        assert_eq!(cookie(&headers, SERVER), Some("server-2"));
        assert_eq!(cookie(&headers, SESSION), Some("x=y"));
        assert_eq!(cookie(&headers, VISIT), Some("000042-0001"));
        assert_eq!(cookie(&headers, CART), None);
    }

    #[test]
    fn ids_that_are_nearly_right_are_refused() {
        let key = Key { entity: 3 << 32 | 0x2a, visit: 1, step: 2, attempt: 0 };
        assert_eq!("42-3-41-1-2-0".parse(), Ok(RequestId { key, client: ClientId(41) }));
        for text in [
            "",
            "-",
            "42",
            "42-3-41-1-2",
            "42-3-41-1-2-",
            "42-3-41-1-2-0-0",
            "42-3-41-1-2-0 ",
            "+42-3-41-1-2-0",
            "42--3-41-1-2-0",
            "4294967296-3-41-1-2-0",
            "42-65536-41-1-2-0",
            "42-3-41-1-2-65536",
            "x-3-41-1-2-0",
            "٤٢-3-41-1-2-0",
        ] {
            assert_eq!(text.parse::<RequestId>(), Err(()), "{text}");
        }
        assert_eq!("000042.3-0001".parse(), Ok(CartId::of(&key)));
        assert_eq!("42-1".parse(), Ok(CartId { user: 42, tab: 0, visit: 1 }), "as somebody types it");
        for text in
            ["", "-", "42", "42-", "-1", "42.-1", ".3-1", "42.3.1-1", "42-1-1", "+42-1", "42-+1", "42.+3-1", "42-1 "]
        {
            assert_eq!(text.parse::<CartId>(), Err(()), "{text}");
        }
        for text in ["42.65536-1", "4294967296-1", "42-4294967296"] {
            assert_eq!(text.parse::<CartId>(), Err(()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_read_back(user: u32, tab: u16, client: u32, visit: u32, step: u16, attempt: u16) {
            let key = Key { entity: u64::from(tab) << 32 | u64::from(user), visit, step, attempt };
            let id = RequestId { key, client: ClientId(client) };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            let cart = CartId::of(&key);
            prop_assert_eq!(cart.to_string().parse(), Ok(cart));
        }

        /// For any input: it parses as an id exactly when each of its six parts is a number that fits, and then to
        /// those numbers.
        #[test]
        fn what_is_not_made_of_numbers_is_no_id(parts in prop::collection::vec("[0-9]{1,3}|[0-9]{4,11}|.{0,3}", 0..8)) {
            let text = parts.join("-");
            let parts: Vec<&str> = text.split('-').collect();
            let fits = |most: u64| move |part: &str| {
                let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
                part.parse::<u64>().ok().filter(|n| digits && *n <= most)
            };
            let (wide, narrow) = (fits(0xffff_ffff), fits(0xffff));
            let numbers: Option<Vec<u64>> = match parts[..] {
                [user, tab, client, visit, step, attempt] => {
                    [wide(user), narrow(tab), wide(client), wide(visit), narrow(step), narrow(attempt)].into_iter().collect()
                }
                _ => None,
            };
            let read = text.parse::<RequestId>().ok().map(|id| {
                let Key { entity, visit, step, attempt } = id.key;
                let (visit, step, attempt) = (visit.into(), step.into(), attempt.into());
                vec![entity & 0xffff_ffff, entity >> 32, id.client.0.into(), visit, step, attempt]
            });
            prop_assert_eq!(read, numbers, "{:?}", text);
        }

        #[test]
        fn lists_read_back(items: u64) {
            let body = Body { cart: Some(Listed(Items(items))), ..Body::default() };
            let text = serde_json::to_string(&body).expect("plain data");
            prop_assert_eq!(serde_json::from_str::<Body>(&text).ok(), Some(body));
        }
    }
}
