//! Where each kind of state lives, and what living there costs.

use crate::model::{Command, Items};
use crate::scenario::{CartHome, Homes, SessionHome};

/// Calls to the shared store that one request makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCalls {
    /// Before the work: looking up the session.
    pub before: u32,
    /// After the work: reading or writing the cart, writing or deleting the session.
    pub after: u32,
}

impl StoreCalls {
    /// Both together.
    #[must_use]
    pub fn total(self) -> u32 {
        self.before + self.after
    }
}

/// The calls that a request makes. `with_session`: it carries a session.
#[inline]
#[must_use]
pub fn store_calls(homes: Homes, command: Command, with_session: bool) -> StoreCalls {
    let session = homes.session == SessionHome::SharedStore;
    let looks_up = session && (with_session || command == Command::ForgeSession) && command != Command::Login;
    let writes_session = session && matches!(command, Command::Login | Command::Logout);
    let cart = homes.cart == CartHome::SharedStore && command.touches_cart();
    StoreCalls { before: u32::from(looks_up), after: u32::from(writes_session) + u32::from(cart) }
}

/// Bytes of a signed token around a payload of so many bytes: a JWT with HS256 is three base64url parts (RFC 7519), of
/// which the header has 36 characters and the signature 43.
#[inline]
#[must_use]
pub const fn token_bytes(payload: u32) -> u32 {
    36 + 1 + (payload * 4).div_ceil(3) + 1 + 43
}

/// The payload `{"sub":"user-000042","iat":1700000000,"exp":1700000900}`.
pub const SESSION_PAYLOAD_BYTES: u32 = 55;
/// The payload `{"cart":"000042-0001","iat":1700000000,"items":[]}`.
const EMPTY_CART_PAYLOAD_BYTES: u32 = 50;
/// `42,`: one more item in it.
const ITEM_BYTES: u32 = 3;
/// The cookie `user=user-000042`.
const UNSIGNED_COOKIE_BYTES: u32 = 16;

/// Bytes of a cart that travels as a signed token.
#[inline]
#[must_use]
pub fn cart_token_bytes(items: Items) -> u32 {
    token_bytes(EMPTY_CART_PAYLOAD_BYTES + ITEM_BYTES * items.len())
}

/// Bytes of a session that travels with the user; 0 for one that is only a key into somebody's table.
#[inline]
#[must_use]
pub fn session_bytes(home: SessionHome) -> u32 {
    match home {
        SessionHome::SignedToken => token_bytes(SESSION_PAYLOAD_BYTES),
        SessionHome::UnsignedCookie => UNSIGNED_COOKIE_BYTES,
        SessionHome::ServerMemory | SessionHome::SharedStore => 0,
    }
}

/// Bytes of state that a request and its answer carry: tokens in the request, and those that the answer sets anew.
///
/// `before` and `after`: the cart token's items as sent and as answered; `None` when there is no such token.
#[inline]
#[must_use]
pub fn carried_bytes(
    homes: Homes,
    command: Command,
    with_session: bool,
    before: Option<Items>,
    after: Option<Items>,
) -> u32 {
    let session = if with_session || command == Command::Login { session_bytes(homes.session) } else { 0 };
    let sent = before.map_or(0, cart_token_bytes);
    let set = if after == before { 0 } else { after.map_or(0, cart_token_bytes) };
    session + sent + set
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Command::{Add, Browse, Checkout, Login, View};
    use crate::model::Item;

    #[test]
    fn the_house_journey_makes_five_cart_calls_in_eight() {
        let mug = Item::new(1).expect("in range");
        let journey = [Login, Browse, Browse, Add(mug), View, Add(mug), Add(mug), Checkout];
        let calls = |cart, session| {
            let homes = Homes { cart, session };
            journey.iter().map(|c| store_calls(homes, *c, *c != Login).total()).sum::<u32>()
        };
        assert_eq!(calls(CartHome::ServerMemory, SessionHome::ServerMemory), 0);
        assert_eq!(calls(CartHome::SharedStore, SessionHome::SignedToken), 5);
        assert_eq!(calls(CartHome::ServerMemory, SessionHome::SharedStore), 8);
    }

    #[test]
    fn a_token_grows_with_its_cart() {
        let none = cart_token_bytes(Items::NONE);
        let full = cart_token_bytes(Items(u64::MAX));
        assert_eq!((none, full), (148, 404));
        // Header, payload and signature of a real token with this payload have this many characters.
        assert_eq!(token_bytes(SESSION_PAYLOAD_BYTES), 36 + 1 + 74 + 1 + 43);
    }
}
