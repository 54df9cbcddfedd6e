//! Where each kind of state lives, and what that costs.

mod copies;
mod whereabouts;

use crate::base::{Command, Items, UserId, Visit};
use crate::scenario::{CartHome, CartPath, Homes, SessionHome, StoreUpdate, Tokens};

pub use copies::{CartEvidence, Change, Copies, left_behind};

pub use whereabouts::{FileLocation, Whereabouts};

/// Calls to the shared store that one request makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCalls {
    /// Before the work: the lookup of the session, and the read of a read-modify-write.
    pub before: u32,
    /// After the work: changing, reading or writing the cart; writing or deleting the session.
    pub after: u32,
}

impl StoreCalls {
    /// Both together.
    #[must_use]
    pub fn total(self) -> u32 {
        self.before + self.after
    }
}

/// What kind of credential a request presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialStatus {
    /// None: it comes from a guest, or it is a login.
    Nothing,
    /// A session that has not expired.
    Current,
    /// A signed token that has expired.
    Expired,
    /// A forged session.
    Forged,
}

/// The store calls of a request. `accepted` says whether the server accepts the credential. If not, the request is
/// rejected before any work, and costs only the lookups.
///
/// An atomic update is one call after the work. Read-modify-write reads the cart before the work and writes it
/// afterwards; a view only reads.
#[inline]
#[must_use]
pub fn store_calls(
    homes: Homes,
    update: StoreUpdate,
    tokens: &Tokens,
    command: Command,
    shown: CredentialStatus,
    accepted: bool,
) -> StoreCalls {
    let (looks_up, writes_session) = session_calls(homes.session, tokens, command, shown, accepted);
    let cart = homes.cart == CartHome::SharedStore && accepted && command.touches_cart();
    let reads = cart && update == StoreUpdate::ReadModifyWrite;
    let changes = cart && !(reads && command == Command::View);
    StoreCalls { before: looks_up + u32::from(reads), after: writes_session + u32::from(changes) }
}

/// Lookups and writes of a session.
#[inline]
fn session_calls(
    home: SessionHome,
    tokens: &Tokens,
    command: Command,
    shown: CredentialStatus,
    accepted: bool,
) -> (u32, u32) {
    let [login, logout] = [Command::Login, Command::Logout].map(|it| it == command && accepted);
    match home {
        SessionHome::SharedStore => {
            let looks_up = shown != CredentialStatus::Nothing && command != Command::Login;
            (u32::from(looks_up), u32::from(login || logout))
        }
        SessionHome::SignedToken if tokens.refresh || tokens.deny_list => {
            let renews = tokens.refresh && shown == CredentialStatus::Expired;
            let denies = tokens.deny_list && (shown == CredentialStatus::Current || renews);
            let ends = logout && shown != CredentialStatus::Nothing;
            let kept = tokens.refresh && (login || ends);
            (u32::from(renews) + u32::from(denies), u32::from(kept) + u32::from(tokens.deny_list && ends))
        }
        SessionHome::ServerMemory | SessionHome::SignedToken | SessionHome::UnsignedCookie => (0, 0),
    }
}

/// The store calls of a cart request during a migration; all of them come after the work. `copies_over`: the server
/// found the cart in its own memory and copies it to the store.
#[must_use]
pub fn moving_calls(path: CartPath, command: Command, accepted: bool, copies_over: bool) -> u32 {
    let asks = match path {
        _ if !accepted || !command.touches_cart() => false,
        CartPath::Usual | CartPath::Memory => false,
        CartPath::Both => command != Command::View,
        CartPath::Store | CartPath::StoreThenMemory => true,
    };
    u32::from(asks) + u32::from(asks && copies_over)
}

/// The size in bytes of a signed token with this payload size. A JWT with HS256 consists of three parts in base64url
/// without padding (RFC 7515); the header `{"typ":"JWT","alg":"HS256"}` has 36 characters and the signature 43.
#[inline]
#[must_use]
pub const fn token_bytes(payload: u32) -> u32 {
    36 + 1 + (payload * 4).div_ceil(3) + 1 + 43
}

/// The size of the payload `{"sub":"user-000042","iat":1700000000.000,"exp":1700000900.000}`, with six-digit user
/// numbers.
const SESSION_PAYLOAD_BYTES: u32 = 63;
/// The size of the payload `{"cart":"000042-0001","iat":1700000000.000,"exp":1700000900.000,"items":[]}`, with
/// six-digit user and four-digit visit numbers.
const EMPTY_CART_PAYLOAD_BYTES: u32 = 75;
/// The size of the cookie value `user-000042`, with six-digit user numbers. (The names of cookies are never counted.)
const UNSIGNED_COOKIE_BYTES: u32 = 11;
/// Items from number 10 on, which are written with two digits.
const TWO_DIGITS: Items = Items(u64::MAX << 9);

/// How many digits a number has beyond the fixed width.
#[inline]
const fn extra_digits(number: u32, always: u32) -> u32 {
    if number < 10u32.pow(always) { 0 } else { number.ilog10() + 1 - always }
}

#[inline]
const fn extra_user_digits(user: UserId) -> u32 {
    extra_digits(user.0, 6)
}

/// The size in bytes of a cart in a signed token. (The token does not tell the tabs of a user apart.)
#[inline]
#[must_use]
pub const fn cart_token_bytes(visit: Visit, items: Items) -> u32 {
    let id = extra_user_digits(visit.user) + extra_digits(visit.number, 4);
    let digits = items.len() + items.intersection(TWO_DIGITS).len();
    let commas = items.len().saturating_sub(1);
    token_bytes(EMPTY_CART_PAYLOAD_BYTES + id + digits + commas)
}

/// The size in bytes of a session that travels with the user; 0 if it is only a key into a table of the shop.
#[inline]
#[must_use]
pub const fn session_bytes(home: SessionHome, user: UserId) -> u32 {
    match home {
        SessionHome::SignedToken => token_bytes(SESSION_PAYLOAD_BYTES + extra_user_digits(user)),
        SessionHome::UnsignedCookie => UNSIGNED_COOKIE_BYTES + extra_user_digits(user),
        SessionHome::ServerMemory | SessionHome::SharedStore => 0,
    }
}

/// The bytes of state that a request and its response carry: the tokens in the request, forged ones included, and the
/// tokens that the response sets.
///
/// `renewed`: the response sets a new session, as after a login. `sent` and `set`: the contents of the cart tokens in
/// the request and in the response; `None` if there is none.
#[inline]
#[must_use]
pub fn carried_bytes(
    homes: Homes,
    visit: Visit,
    shown: CredentialStatus,
    renewed: bool,
    sent: Option<Items>,
    set: Option<Items>,
) -> u32 {
    let sessions = u32::from(shown != CredentialStatus::Nothing) + u32::from(renewed);
    let session = if sessions == 0 { 0 } else { sessions * session_bytes(homes.session, visit.user) };
    let cart = |items| cart_token_bytes(visit, items);
    session + sent.map_or(0, cart) + set.map_or(0, cart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Command::{Add, Browse, Checkout, Login, Logout, View};
    use crate::base::time::Span;
    use crate::base::{ClientId, Item};
    use crate::scenario::Time;

    const TOKENS: Tokens = Tokens {
        lifetime: Time::of(Span::from_secs(900)),
        leeway: Time::of(Span::from_secs(60)),
        refresh: false,
        deny_list: false,
    };

    #[test]
    fn calls_of_the_house_journey() {
        let mug = Item::new(1).expect("in range");
        let journey = [Login, Browse, Browse, Add(mug), View, Add(mug), Add(mug), Checkout];
        let calls = |cart, session, update| {
            let homes = Homes { cart, session, ..Homes::default() };
            let shown = |c: &Command| if *c == Login { CredentialStatus::Nothing } else { CredentialStatus::Current };
            journey.iter().map(|c| store_calls(homes, update, &TOKENS, *c, shown(c), true).total()).sum::<u32>()
        };
        for (update, carts) in [(StoreUpdate::Atomic, 5), (StoreUpdate::ReadModifyWrite, 9)] {
            assert_eq!(calls(CartHome::ServerMemory, SessionHome::ServerMemory, update), 0);
            assert_eq!(calls(CartHome::SharedStore, SessionHome::SignedToken, update), carts);
            assert_eq!(calls(CartHome::ServerMemory, SessionHome::SharedStore, update), 8);
        }
    }

    /// The cost of a login, of requests with a valid and an expired token, and of a logout, for each kind of early
    /// revocation.
    #[test]
    fn ending_a_token_early_costs_look_ups() {
        let homes = Homes { cart: CartHome::ServerMemory, session: SessionHome::SignedToken, ..Homes::default() };
        let asked = [
            (Login, CredentialStatus::Nothing),
            (Browse, CredentialStatus::Current),
            (Browse, CredentialStatus::Expired),
            (Browse, CredentialStatus::Nothing),
            (Browse, CredentialStatus::Forged),
            (Logout, CredentialStatus::Current),
        ];
        for (refresh, deny_list, want) in [
            (false, false, [0, 0, 0, 0, 0, 0]),
            (true, false, [1, 0, 1, 0, 0, 1]),
            (false, true, [0, 1, 0, 0, 0, 2]),
            (true, true, [1, 1, 2, 0, 0, 3]),
        ] {
            let tokens = Tokens { refresh, deny_list, ..TOKENS };
            let calls =
                |(command, shown)| store_calls(homes, StoreUpdate::Atomic, &tokens, command, shown, true).total();
            assert_eq!(asked.map(calls), want, "refresh {refresh}, deny list {deny_list}");
        }
    }

    #[test]
    fn a_cart_is_read_before_the_work_and_written_after_it() {
        let mug = Item::new(1).expect("in range");
        let homes = Homes { cart: CartHome::SharedStore, session: SessionHome::SharedStore, ..Homes::default() };
        let calls = |update, command| {
            let StoreCalls { before, after } =
                store_calls(homes, update, &TOKENS, command, CredentialStatus::Current, true);
            (before, after)
        };
        assert_eq!([Browse, View, Add(mug)].map(|c| calls(StoreUpdate::Atomic, c)), [(1, 0), (1, 1), (1, 1)]);
        assert_eq!([Browse, View, Add(mug)].map(|c| calls(StoreUpdate::ReadModifyWrite, c)), [(1, 0), (2, 0), (2, 1)]);
        let stranger =
            store_calls(homes, StoreUpdate::ReadModifyWrite, &TOKENS, Add(mug), CredentialStatus::Current, false);
        assert_eq!(stranger, StoreCalls { before: 1, after: 0 });
    }

    /// The length of bytes in base64url without padding.
    fn base64url(bytes: &[u8]) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = |place: usize| (0..6).fold(0, |six, i| six << 1 | bit(bytes, place * 6 + i));
        (0..(bytes.len() * 8).div_ceil(6)).map(|place| char::from(alphabet[bits(place)])).collect()
    }

    fn bit(bytes: &[u8], i: usize) -> usize {
        bytes.get(i / 8).map_or(0, |byte| usize::from(byte >> (7 - i % 8) & 1))
    }

    fn length(payload: &str) -> u32 {
        let header = base64url(br#"{"typ":"JWT","alg":"HS256"}"#);
        assert_eq!(header, "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9");
        let token = format!("{header}.{}.{}", base64url(payload.as_bytes()), base64url(&[0; 32]));
        u32::try_from(token.len()).expect("short")
    }

    #[test]
    fn sizes_are_those_of_real_tokens() {
        let times = r#""iat":1700000000.000,"exp":1700000900.000"#;
        for user in [1, 42, 999_999, 1_000_000, 12_345_678] {
            let session = format!(r#"{{"sub":"user-{user:06}",{times}}}"#);
            assert_eq!(session_bytes(SessionHome::SignedToken, UserId(user)), length(&session), "{session}");
            let cookie = format!("user-{user:06}").len();
            assert_eq!(session_bytes(SessionHome::UnsignedCookie, UserId(user)) as usize, cookie);
            for number in [1, 9_999, 10_000] {
                let visit = Visit { user: UserId(user), client: ClientId(7), number };
                for items in [0, 1, 0b111, 1 << 8, 1 << 9, 0b11 << 8, u64::MAX].map(Items) {
                    let numbers: Vec<String> = items.iter().map(|item| item.number().to_string()).collect();
                    let list = numbers.join(",");
                    let cart = format!(r#"{{"cart":"{user:06}-{number:04}",{times},"items":[{list}]}}"#);
                    assert_eq!(cart_token_bytes(visit, items), length(&cart), "{cart}");
                }
            }
        }
    }

    #[test]
    fn an_answer_about_the_cart_carries_it_too() {
        let homes = Homes { cart: CartHome::SignedToken, session: SessionHome::SignedToken, ..Homes::default() };
        let visit = Visit { user: UserId(42), client: ClientId(0), number: 1 };
        let [session, empty] = [session_bytes(homes.session, visit.user), cart_token_bytes(visit, Items::NONE)];
        let carried = |shown, renewed, sent, set| carried_bytes(homes, visit, shown, renewed, sent, set);
        assert_eq!(carried(CredentialStatus::Nothing, true, None, None), session, "a login");
        assert_eq!(carried(CredentialStatus::Current, false, Some(Items::NONE), None), session + empty);
        assert_eq!(
            carried(CredentialStatus::Current, false, Some(Items::NONE), Some(Items::NONE)),
            session + 2 * empty
        );
        assert_eq!(carried(CredentialStatus::Nothing, false, None, Some(Items::NONE)), empty);
        assert_eq!(
            carried(CredentialStatus::Expired, true, None, None),
            2 * session,
            "an old token out, a new one back"
        );
    }
}
