//! Plain data that all modules share: ids, the steps of users, and the replies of servers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most items a visit can hold: a cart is a 64-bit set.
pub const MAX_ITEMS: usize = 64;

/// A simulated user, counted from 1 (user 42 is the 42nd).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserId(pub u32);

/// A slot of the pool: the stable identity that the balancer knows, counted from 0. It prints as `server-1` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ServerId(pub u32);

/// A region of the world, counted from 0 in the order of the scenario's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RegionId(pub u8);

/// One server process (an incarnation of a slot), unique over the whole run. A restart or replacement creates a new
/// one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProcessId(pub u32);

/// A tab: has at most one outstanding request, unless a journey has concurrent steps. A dense index that is reused
/// after its user has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(pub u32);

/// One visit of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Visit {
    /// The visitor.
    pub user: UserId,
    /// The tab.
    pub client: ClientId,
    /// Its sequence number in this tab, counted from 1.
    pub number: u32,
}

impl ServerId {
    /// The index in per-server columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl RegionId {
    /// The index in per-region columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl ClientId {
    /// The index in per-client columns.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server-{}", self.0 + 1)
    }
}

/// An item of a cart, numbered 1 to 64 within its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Item(u8);

impl Item {
    /// The item with this number, if it is from 1 to 64.
    #[must_use]
    pub const fn new(number: u8) -> Option<Item> {
        if number >= 1 && number as usize <= MAX_ITEMS { Some(Item(number)) } else { None }
    }

    /// The number, from 1 to 64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Names of the first items in stories; later ones are `item 13` and so on.
const ITEM_NAMES: [&str; 12] =
    ["mug", "lamp", "pen", "book", "kettle", "scarf", "clock", "vase", "chair", "globe", "drum", "kite"];

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ITEM_NAMES.get(usize::from(self.0) - 1) {
            Some(name) => f.write_str(name),
            None => write!(f, "item {}", self.0),
        }
    }
}

/// A set of items: item n is bit n - 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Items(pub u64);

impl Items {
    /// No items.
    pub const NONE: Items = Items(0);

    /// The set of one item.
    #[inline]
    #[must_use]
    pub const fn of(item: Item) -> Items {
        Items(1 << (item.0 - 1))
    }

    /// The set with one more item.
    #[inline]
    #[must_use]
    pub const fn with(self, item: Item) -> Items {
        Items(self.0 | Items::of(item).0)
    }

    /// The set without an item.
    #[inline]
    #[must_use]
    pub const fn without(self, item: Item) -> Items {
        Items(self.0 & !Items::of(item).0)
    }

    /// Items that are in either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Items) -> Items {
        Items(self.0 | other.0)
    }

    /// Items that are in both sets.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Items) -> Items {
        Items(self.0 & other.0)
    }

    /// Items that are in this set and not in the other.
    #[inline]
    #[must_use]
    pub const fn minus(self, other: Items) -> Items {
        Items(self.0 & !other.0)
    }

    /// Whether the item is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, item: Item) -> bool {
        self.0 & Items::of(item).0 != 0
    }

    /// Whether the set is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of items.
    #[inline]
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The items in order.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = Item> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = u8::try_from(left.trailing_zeros()).ok()?;
            left &= left.wrapping_sub(1);
            Item::new(place + 1)
        })
    }
}

/// `mug lamp pen`, or `–` when empty.
impl fmt::Display for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("–");
        }
        for (i, item) in self.iter().enumerate() {
            let gap = if i == 0 { "" } else { " " };
            write!(f, "{gap}{item}")?;
        }
        Ok(())
    }
}

/// A file of a user, numbered 1 to 64 in the order of uploads. Files outlive visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct File(Item);

impl File {
    /// The file with this number, if it is from 1 to 64.
    #[must_use]
    pub const fn new(number: u8) -> Option<File> {
        match Item::new(number) {
            Some(place) => Some(File(place)),
            None => None,
        }
    }

    /// The number, from 1 to 64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0.number()
    }

    /// Its element in a set of files; such a set has 64 bits, like a cart.
    #[inline]
    #[must_use]
    pub const fn place(self) -> Item {
        self.0
    }
}

/// `file 3`
impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "file {}", self.number())
    }
}

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
    /// Refuses connections at once.
    Down,
    /// Accepts requests but never answers.
    Silent,
    /// Removed for good: the balancer no longer knows it, it costs nothing, and its name is not reused.
    Retired,
}
