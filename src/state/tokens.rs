//! State that travels with its user: until when it is accepted, and its size.

use super::session::CredentialStatus;
use crate::base::time::Instant;
use crate::base::{Items, UserId, Visit};
use crate::scenario::{Homes, SessionHome};

/// Whether servers accept a token `now` that they stop accepting at `end`.
#[inline]
#[must_use]
pub fn is_current(end: Instant, now: Instant) -> bool {
    now < end
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
    use crate::base::ClientId;
    use crate::base::time::Span;
    use crate::scenario::{CartHome, Time, Tokens};

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
    fn a_token_is_accepted_until_its_expiry_and_the_leeway_are_over() {
        let (lifetime, leeway) = (Time::of(Span::from_secs(60)), Time::of(Span::from_secs(10)));
        let tokens = Tokens { lifetime, leeway, ..Tokens::default() };
        let at = |nanos| Instant::ZERO + Span::from_nanos(nanos);
        let end = tokens.end_if_issued(at(5));
        assert_eq!((end, tokens.end(at(60_000_000_005))), (at(70_000_000_005), end));
        assert!(is_current(end, at(70_000_000_004)) && !is_current(end, end), "to the nanosecond");
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
