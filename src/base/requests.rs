//! What users ask of the shop, what servers answer, and the states that a server can be in.

use serde::{Deserialize, Serialize};

use super::{File, Item, Items};

/// One step of a visit, as written in a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Log in; the server answers with a session.
    Login,
    /// Look at products: needs the session, not the cart.
    Browse,
    /// Put the next item into the cart.
    Add,
    /// Take the item added last out of the cart.
    Remove,
    /// Look at the cart.
    View,
    /// Buy what is in the cart.
    Checkout,
    /// End the session.
    Logout,
    /// An impostor presents a forged session in this user's name. A sound design refuses it.
    ForgeSession,
    /// Upload a file; a user who already has 64 files browses instead.
    Upload,
    /// Download one of the user's acknowledged files, of this visit or an earlier one; a user without files browses
    /// instead.
    Download,
    /// A thief presents a copy of the user's session, taken before the logout. A proper logout has ended that copy
    /// too.
    ReplayToken,
}

/// What a request asks the shop to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// `POST /login`
    Login,
    /// `GET /`
    Browse,
    /// `POST /cart/items`
    Add(Item),
    /// `DELETE /cart/items/{n}`
    Remove(Item),
    /// `GET /cart`
    View,
    /// `POST /checkout`, with the visit as its idempotency key.
    Checkout,
    /// `POST /logout`
    Logout,
    /// `GET /` with a forged session.
    ForgeSession,
    /// `PUT /files/{n}`
    Upload(File),
    /// `GET /files/{n}`
    Download(File),
    /// `GET /` with a copy of a session that its user has ended.
    ReplayToken,
}

impl Command {
    /// Whether its HTTP method is idempotent (RFC 9110, section 9.2.2): only then may a balancer send it twice.
    #[inline]
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Command::Login | Command::Add(_) | Command::Checkout | Command::Logout)
    }

    /// Whether its HTTP method is safe: it changes nothing (RFC 9110, section 9.2.1).
    #[inline]
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(
            self,
            Command::Browse | Command::View | Command::ForgeSession | Command::ReplayToken | Command::Download(_)
        )
    }

    /// Whether somebody other than the user sends it, to pass for the user.
    #[inline]
    #[must_use]
    pub const fn is_a_thief_s(self) -> bool {
        matches!(self, Command::ForgeSession | Command::ReplayToken)
    }

    /// Whether it reads or writes the cart.
    #[inline]
    #[must_use]
    pub const fn touches_cart(self) -> bool {
        matches!(self, Command::Add(_) | Command::Remove(_) | Command::View | Command::Checkout)
    }

    /// Whether it posts a form, with the form's CSRF token.
    #[inline]
    #[must_use]
    pub const fn posts_form(self) -> bool {
        matches!(self, Command::Add(_) | Command::Remove(_) | Command::Checkout)
    }

    /// The file that it stores or fetches, if any.
    #[inline]
    #[must_use]
    pub const fn file(self) -> Option<File> {
        match self {
            Command::Upload(file) | Command::Download(file) => Some(file),
            _ => None,
        }
    }
}

/// The answer of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 200 without relevant content.
    Done,
    /// 200: what the cart holds.
    Cart(Items),
    /// 200: what was charged, possibly nothing.
    Charged(Items),
    /// 200: the catalogue, in this version.
    Page(u32),
}

/// The result of a request, as its user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx: acknowledged.
    Ok(Reply),
    /// Certainly had no effect.
    Refused(Refusal),
    /// Sent, then the connection broke: the effect is unknown.
    Failed,
    /// No response in time: the effect is unknown.
    TimedOut,
}

/// Why a request certainly had no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the server does not know the session.
    Unauthorized,
    /// 503 from a server whose queue is full.
    QueueFull,
    /// 503 from the balancer: it believes that every server, or the pinned one, is down.
    NoServer,
    /// 503 from the balancer: no attempt could connect.
    Unreachable,
    /// 429 from a platform that already runs the maximum number of instances.
    Throttled,
    /// 404: the file was not found.
    NotFound,
    /// 503 from a server that cannot reach the store.
    StoreDown,
    /// 507 from a server: the store has no room for a new cart.
    StoreFull,
    /// 403: the server does not know the CSRF token of the form.
    Forbidden,
    /// 429: the user has sent too many requests.
    TooMany,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Refusal; 10] = [
        Refusal::Unauthorized,
        Refusal::QueueFull,
        Refusal::NoServer,
        Refusal::Unreachable,
        Refusal::Throttled,
        Refusal::NotFound,
        Refusal::StoreDown,
        Refusal::StoreFull,
        Refusal::Forbidden,
        Refusal::TooMany,
    ];

    /// What programs call it. This never changes, however people are told.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Refusal::Unauthorized => "unauthorized",
            Refusal::QueueFull => "queue-full",
            Refusal::NoServer => "no-server",
            Refusal::Unreachable => "unreachable",
            Refusal::Throttled => "throttled",
            Refusal::NotFound => "not-found",
            Refusal::StoreDown => "store-down",
            Refusal::StoreFull => "store-full",
            Refusal::Forbidden => "forbidden",
            Refusal::TooMany => "too-many",
        }
    }

    /// The one that has this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Refusal> {
        Refusal::ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}

impl Outcome {
    /// Whether a server answered with a 5xx.
    #[inline]
    #[must_use]
    pub const fn is_server_error(self) -> bool {
        use Refusal::{QueueFull, StoreDown, StoreFull};
        matches!(self, Outcome::Failed | Outcome::Refused(QueueFull | StoreDown | StoreFull))
    }

    /// Whether it is unknown if the request had an effect.
    #[inline]
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Outcome::Failed | Outcome::TimedOut)
    }
}

/// The state of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerState {
    /// Takes requests.
    Up,
    /// Started, but not ready.
    Booting,
    /// Finishes its requests and keeps its users, but gets no new ones.
    Draining,
    /// Finishes its requests and takes no new ones, not even from its users.
    Terminating,
    /// Refuses connections at once.
    Down,
    /// Accepts requests but never answers.
    Silent,
    /// Removed for good: the balancer no longer knows it, it costs nothing, and its name is not reused.
    Retired,
}
