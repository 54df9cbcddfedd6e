//! Plain data that everyone shares: ids, what users mean to do, what servers answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most items a visit can hold: a cart is a 64-bit set.
pub const MAX_ITEMS: usize = 64;

/// A simulated person, counted from 1 (user 42 is the 42nd).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct UserId(pub u32);

/// A slot of the pool: the stable place that the balancer knows, counted from 0. It prints as `server-1`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ServerId(pub u32);

/// A region of the world, counted from 0 in the order of the scenario's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RegionId(pub u8);

/// One incarnation of a server process, unique over the whole run. A restart or replacement is a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ProcessId(pub u32);

/// A tab: what has one outstanding request. A dense index that is reused once its user has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ClientId(pub u32);

/// One shopping trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Visit {
    /// Who.
    pub user: UserId,
    /// In which tab.
    pub client: ClientId,
    /// The how-manieth of this tab, counted from 1.
    pub number: u32,
}

impl ServerId {
    /// The index in columns of the pool.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl RegionId {
    /// The index in columns of regions.
    #[inline]
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl ClientId {
    /// The index in columns of clients.
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

/// An item of a cart, numbered 1..=64 within its visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Item(u8);

impl Item {
    /// The item with this number, if it is one of 1..=64.
    #[must_use]
    pub const fn new(number: u8) -> Option<Item> {
        if number >= 1 && number as usize <= MAX_ITEMS { Some(Item(number)) } else { None }
    }

    /// 1..=64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// What the first items are called in stories; later ones are `item 13`, ….
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

/// A set of items: bit `number - 1`.
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

    /// With one more item.
    #[inline]
    #[must_use]
    pub const fn with(self, item: Item) -> Items {
        Items(self.0 | Items::of(item).0)
    }

    /// Without an item.
    #[inline]
    #[must_use]
    pub const fn without(self, item: Item) -> Items {
        Items(self.0 & !Items::of(item).0)
    }

    /// In either.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Items) -> Items {
        Items(self.0 | other.0)
    }

    /// In both.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Items) -> Items {
        Items(self.0 & other.0)
    }

    /// In this one and not in the other.
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

    /// Whether nothing is in the set.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many items.
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

/// A file of a user, numbered 1..=64 in the order of uploads. Files outlive visits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct File(Item);

impl File {
    /// The file with this number, if it is one of 1..=64.
    #[must_use]
    pub const fn new(number: u8) -> Option<File> {
        match Item::new(number) {
            Some(place) => Some(File(place)),
            None => None,
        }
    }

    /// 1..=64.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0.number()
    }

    /// Its place in a set of files, which is 64 bits as a cart is.
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

/// One thing a user means to do, as written in a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Prove who one is; the server answers with a session.
    Login,
    /// Look at goods: needs the session, not the cart.
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
    /// Somebody else presents a made-up session in this user's name. A sound design refuses.
    ForgeSession,
    /// Give the shop a file to keep; a user whose 64 files are all there looks around instead.
    Upload,
    /// Fetch one of the files that the shop has acknowledged, of this visit or an earlier one; a user who has none yet
    /// looks around instead.
    Download,
    /// Somebody else presents a copy of the user's session, taken before the logout. A logout that is worth its name
    /// has ended that too.
    ReplayToken,
}

/// What a request asks of the shop.
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
    /// `GET /` with a copy of the session that the user has ended.
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

    /// Whether it is not the user's own: somebody else tries to pass for the user.
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

    /// Whether it posts the form of a page, with the token that was in it.
    #[inline]
    #[must_use]
    pub const fn posts_form(self) -> bool {
        matches!(self, Command::Add(_) | Command::Remove(_) | Command::Checkout)
    }

    /// The file that it stores or fetches, if it does.
    #[inline]
    #[must_use]
    pub const fn file(self) -> Option<File> {
        match self {
            Command::Upload(file) | Command::Download(file) => Some(file),
            _ => None,
        }
    }
}

/// What a server answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 200 without content of interest.
    Done,
    /// 200: what the cart holds.
    Cart(Items),
    /// 200: what was charged, possibly nothing.
    Charged(Items),
    /// 200: the catalogue in this version.
    Page(u32),
}

/// How a request ended, as its user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A 2xx: acknowledged.
    Ok(Reply),
    /// Certainly without effect.
    Refused(Refusal),
    /// Sent, then dropped: the effect is unknown.
    Failed,
    /// No answer in time: the effect is unknown.
    TimedOut,
}

/// Why a request was certainly without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: the server does not know the session.
    Unauthorized,
    /// 503 from a server whose queue is full.
    QueueFull,
    /// 503 from the balancer: it believes every server, or the pinned one, to be down.
    NoServer,
    /// 503 from the balancer: no connection, at any attempt.
    Unreachable,
    /// 429 from a platform that runs as many instances as it may.
    Throttled,
    /// 404: the file is not there.
    NotFound,
    /// 503 from a server that cannot reach the store.
    StoreDown,
    /// 507 from a server: the store has no room for one more cart.
    StoreFull,
    /// 403: the server does not know the form that was posted.
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

    /// Whether the effect may have happened or not.
    #[inline]
    #[must_use]
    pub const fn is_unknown(self) -> bool {
        matches!(self, Outcome::Failed | Outcome::TimedOut)
    }
}

/// What the balancer's operator would say of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerState {
    /// Takes requests.
    Up,
    /// Started, not ready.
    Booting,
    /// Ends what it has, takes no new users.
    Draining,
    /// Refuses connections at once.
    Down,
    /// Swallows requests: nothing comes back.
    Silent,
    /// Gone for good: the balancer knows it no more, it costs nothing, and its name is not used again.
    Retired,
}
