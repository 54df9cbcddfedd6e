//! Signed tokens: JWTs (RFC 7519) with HS256 only.
//!
//! The algorithm is pinned: a token that names another one, or none, is refused. `exp` is checked against the run's
//! clock: at speed 6, a token of 15 minutes lasts two and a half minutes of real time.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::Sha256;

use super::wire::{CartId, Listed, user_name};
use crate::base::time::{Instant, Span};
use crate::base::{Items, UserId};
use crate::scenario::Tokens;
use crate::state::tokens;

/// The Unix time at which the run's clock starts, in seconds: a day in 2023.
const EPOCH: u64 = 1_700_000_000;

/// The start of every token of ours: `{"typ":"JWT","alg":"HS256"}` in base64url, and a dot.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.";

/// Signs tokens, and verifies those it has signed. The key is new in every run and never leaves it.
pub struct Signer {
    key: Hmac<Sha256>,
    rules: Tokens,
}

/// A date in seconds since 1970, as in RFC 7519, with three decimals.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Date(Box<RawValue>);

#[derive(Serialize)]
struct NewSessionClaims {
    sub: String,
    iat: Date,
    exp: Date,
}

#[derive(Serialize)]
struct NewCartClaims {
    #[serde(rename = "cart")]
    id: String,
    iat: Date,
    exp: Date,
    items: Listed,
}

#[derive(Clone, Deserialize)]
struct SessionClaims {
    sub: String,
    exp: Date,
}

#[derive(Clone, Deserialize)]
struct CartClaims {
    #[serde(rename = "cart")]
    id: String,
    exp: Date,
    items: Listed,
}

/// A cart from a token of this shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The cart as it was when the token was signed.
    Good(Items),
    /// The same, but the token has expired.
    Expired(Items),
}

impl Signer {
    /// A signer with a key of 256 random bits.
    ///
    /// # Errors
    ///
    /// When the operating system provides no randomness.
    pub fn new(rules: Tokens) -> Result<Signer, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let key = Hmac::new_from_slice(&key).expect("a key of any length will do");
        Ok(Signer { key, rules })
    }

    /// A session token for this user, issued now.
    #[must_use]
    pub fn session(&self, user: &str, now: Instant) -> String {
        let claims = NewSessionClaims { sub: user.into(), iat: date(now), exp: date(self.rules.expiry(now)) };
        self.sign(&claims)
    }

    /// The user of a session token that we signed, and whether it is still valid.
    #[must_use]
    pub fn read_session(&self, token: &str, now: Instant) -> Option<(String, bool)> {
        let claims = self.read::<SessionClaims>(token).filter(|claims| !claims.sub.is_empty())?;
        let current = self.is_current(&claims.exp, now)?;
        Some((claims.sub, current))
    }

    /// A cart token, issued now.
    #[must_use]
    pub fn cart(&self, id: CartId, items: Items, now: Instant) -> String {
        let (iat, exp) = (date(now), date(self.rules.expiry(now)));
        self.sign(&NewCartClaims { id: id.to_string(), iat, exp, items: Listed(items) })
    }

    /// What a token says about this cart. `None` when we did not sign it, or when it is for another cart.
    #[must_use]
    pub fn carried(&self, token: &str, id: CartId, now: Instant) -> Option<Carried> {
        let claims = self.read::<CartClaims>(token).filter(|claims| claims.id == id.to_string())?;
        let items = claims.items.0;
        Some(if self.is_current(&claims.exp, now)? { Carried::Good(items) } else { Carried::Expired(items) })
    }

    fn sign(&self, claims: &impl Serialize) -> String {
        let claims = serde_json::to_vec(claims).expect("plain data");
        let message = format!("{HEADER}{}", base64url(&claims));
        let signature = self.mac(&message).finalize().into_bytes();
        format!("{message}.{}", base64url(&signature))
    }

    fn read<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let (message, signature) = token.rsplit_once('.')?;
        // The header must match to the byte, so a token with another algorithm, or with none, is refused.
        let claims = message.strip_prefix(HEADER)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(message).verify_slice(&signature).ok()?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    fn mac(&self, message: &str) -> Hmac<Sha256> {
        self.key.clone().chain_update(message)
    }

    /// `None`: the date is not one of ours.
    fn is_current(&self, expiry: &Date, now: Instant) -> Option<bool> {
        Some(tokens::is_current(self.rules.end(expiry.instant()?), now))
    }
}

impl Date {
    /// The moment of the run that it means. Whole milliseconds are read without rounding.
    fn instant(&self) -> Option<Instant> {
        let (seconds, millis) = self.0.get().split_once('.')?;
        let seconds = seconds.parse::<u64>().ok()?.checked_sub(EPOCH)?;
        Some(Instant::ZERO + Span::from_secs(seconds) + Span::from_millis(millis.parse().ok()?))
    }
}

fn date(at: Instant) -> Date {
    let millis = at.as_nanos() / 1_000_000;
    let text = format!("{}.{:03}", EPOCH + millis / 1_000, millis % 1_000);
    Date(RawValue::from_string(text).expect("a number"))
}

/// A token such as somebody without the key can make: complete except for a valid signature.
#[must_use]
pub fn forged_session(user: UserId) -> String {
    let claims = format!(r#"{{"sub":"{}","iat":{EPOCH}.000,"exp":9999999999.000}}"#, user_name(user));
    format!("{HEADER}{}.{}", base64url(claims.as_bytes()), base64url(&[0; 32]))
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ClientId, Item, Visit};
    use crate::scenario::{SessionHome, Time};

    fn rules() -> Tokens {
        let (lifetime, leeway) = (Time::of(Span::from_secs(60)), Time::of(Span::from_secs(10)));
        Tokens { lifetime, leeway, ..Tokens::default() }
    }

    fn signer() -> Signer {
        Signer::new(rules()).expect("randomness")
    }

    fn at(secs: u64) -> Instant {
        Instant::ZERO + Span::from_secs(secs)
    }

    #[test]
    fn a_session_is_good_until_its_time_and_the_leeway_are_over() {
        let signer = signer();
        let token = signer.session("user-000042", at(5));
        for (now, good) in [(5, true), (64, true), (74, true), (75, false), (1_000, false)] {
            assert_eq!(signer.read_session(&token, at(now)), Some(("user-000042".into(), good)), "at {now} s");
        }
    }

    #[test]
    fn a_token_states_its_expiry_to_the_millisecond() {
        let signer = signer();
        let issued = Instant::ZERO + Span::from_millis(1_001);
        let token = signer.session("ann", issued);
        let good = |nanos| signer.read_session(&token, Instant::ZERO + Span::from_nanos(nanos)).expect("ours").1;
        assert_eq!([71_000_999_999, 71_001_000_000].map(good), [true, false]);
    }

    #[test]
    fn every_token_says_how_it_is_signed() {
        assert_eq!(HEADER, format!("{}.", base64url(br#"{"typ":"JWT","alg":"HS256"}"#)));
        let token = signer().session("ann", at(0));
        assert!(token.starts_with(HEADER), "{token}");
    }

    /// The example of RFC 7515, appendix A.1: its key gives its message the signature that the RFC states.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let key = BASE64_URL_SAFE_NO_PAD
            .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
            .expect("base64url");
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signer = Signer { key: Hmac::new_from_slice(&key).expect("any length"), rules: rules() };
        let signature = base64url(&signer.mac(message).finalize().into_bytes());
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn nobody_else_can_make_one() {
        let signer = signer();
        let token = signer.session("user-000042", at(5));
        let (head, signature) = token.rsplit_once('.').expect("three parts");
        let other = self::signer().session("user-000042", at(5));
        let forged = forged_session(UserId(42));
        let longer = base64url(br#"{"sub":"user-000042","iat":1700000005.000,"exp":9999999999.000}"#);
        assert_eq!(forged.len(), token.len());
        let none = base64url(br#"{"typ":"JWT","alg":"none"}"#);
        let unsigned = format!("{none}.{}.", token.split('.').nth(1).expect("claims"));
        let stretched = format!("{}.{longer}.{signature}", head.split('.').next().expect("a header"));
        for wrong in ["", "x", "..", head, &other, &forged, &unsigned, &stretched, &format!("{head}."), &token[1..]] {
            assert_eq!(signer.read_session(wrong, at(6)), None, "{wrong}");
        }
        assert!(signer.read_session(&token, at(6)).is_some());
    }

    #[test]
    fn a_cart_is_good_for_its_own_visit_only() {
        let signer = signer();
        let id = CartId { user: 42, tab: 0, visit: 1 };
        let items = Items::of(Item::new(7).expect("in range"));
        let token = signer.cart(id, items, at(0));
        assert_eq!(signer.carried(&token, id, at(69)), Some(Carried::Good(items)));
        assert_eq!(signer.carried(&token, id, at(70)), Some(Carried::Expired(items)));
        assert_eq!(signer.carried(&token, CartId { visit: 2, ..id }, at(1)), None);
        assert_eq!(signer.carried(&signer.session("000042-0001", at(0)), id, at(1)), None);
    }

    /// The simulation counts the bytes that really go over the wire.
    #[test]
    fn tokens_are_as_long_as_the_model_says() {
        let signer = signer();
        let id = CartId { user: 42, tab: 0, visit: 1 };
        let visit = Visit { user: UserId(42), client: ClientId(0), number: 1 };
        let session = signer.session(&user_name(UserId(42)), at(3));
        assert_eq!(session.len(), tokens::session_bytes(SessionHome::SignedToken, UserId(42)) as usize);
        for items in [Items::NONE, Items(0b111), Items(u64::MAX), Items(0b1111_1111_1111)] {
            assert_eq!(signer.cart(id, items, at(3)).len(), tokens::cart_token_bytes(visit, items) as usize, "{items}");
        }
    }
}
