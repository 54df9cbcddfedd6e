//! Sessions: what a login issues, which credentials are accepted, and what ends them. One set of rules for every home.

use crate::scenario::{SessionHome, Tokens};

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

/// What a server finds out about a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent findings")]
pub struct CredentialCheck {
    /// This process issued it, or trusts the key that signed it: it is in its memory, or the signature is valid.
    pub genuine: bool,
    /// It has not expired.
    pub current: bool,
    /// The store has the session, or the refresh session of the token.
    pub stored: bool,
    /// The store has the token on the deny list.
    pub denied: bool,
}

/// Whether a server accepts a request. A request without a credential comes from a guest and is always accepted.
#[inline]
#[must_use]
pub fn accepts(home: SessionHome, tokens: &Tokens, shown: CredentialStatus, found: CredentialCheck) -> bool {
    if shown == CredentialStatus::Nothing {
        return true;
    }
    match home {
        SessionHome::ServerMemory => found.genuine,
        SessionHome::SharedStore => found.stored,
        SessionHome::SignedToken => found.genuine && !found.denied && (found.current || tokens.refresh && found.stored),
        // A forged one cannot be distinguished.
        SessionHome::UnsignedCookie => true,
    }
}

/// What a login issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// An id that this process remembers.
    Remembered,
    /// An id that the store keeps.
    Stored,
    /// A signed token.
    Signed,
    /// A signed token, and a refresh session in the store.
    SignedAndStored,
    /// The user's name in the clear.
    Plain,
}

/// What a login issues, and where it is kept.
#[inline]
#[must_use]
pub fn issue(home: SessionHome, tokens: &Tokens) -> Issued {
    match home {
        SessionHome::ServerMemory => Issued::Remembered,
        SessionHome::SharedStore => Issued::Stored,
        SessionHome::SignedToken if tokens.refresh => Issued::SignedAndStored,
        SessionHome::SignedToken => Issued::Signed,
        SessionHome::UnsignedCookie => Issued::Plain,
    }
}

/// Whether the answer to an accepted request brings a new token, because the old one had expired and the store had its
/// refresh session.
#[inline]
#[must_use]
pub fn renews(home: SessionHome, tokens: &Tokens, shown: CredentialStatus) -> bool {
    home == SessionHome::SignedToken && tokens.refresh && shown == CredentialStatus::Expired
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: CredentialCheck = CredentialCheck { genuine: true, current: true, stored: true, denied: false };

    fn let_in(home: SessionHome, tokens: Tokens, found: CredentialCheck) -> bool {
        accepts(home, &tokens, CredentialStatus::Current, found)
    }

    #[test]
    fn each_home_asks_its_own_question() {
        use SessionHome::{ServerMemory, SharedStore, SignedToken, UnsignedCookie};
        let plain = Tokens::default();
        for (home, spoilt) in [
            (ServerMemory, CredentialCheck { genuine: false, ..SEEN }),
            (SharedStore, CredentialCheck { stored: false, ..SEEN }),
            (SignedToken, CredentialCheck { genuine: false, ..SEEN }),
            (SignedToken, CredentialCheck { current: false, ..SEEN }),
            (SignedToken, CredentialCheck { denied: true, ..SEEN }),
        ] {
            assert!(let_in(home, plain, SEEN) && !let_in(home, plain, spoilt), "{home:?} {spoilt:?}");
            assert!(accepts(home, &plain, CredentialStatus::Nothing, spoilt), "a guest shows nothing");
        }
        assert!(let_in(UnsignedCookie, plain, CredentialCheck::default()), "it cannot tell");
    }

    #[test]
    fn an_expired_token_is_renewed_while_the_store_knows_its_refresh_session() {
        let tokens = Tokens { refresh: true, ..Tokens::default() };
        let late = CredentialCheck { current: false, ..SEEN };
        assert!(let_in(SessionHome::SignedToken, tokens, late));
        assert!(!let_in(SessionHome::SignedToken, tokens, CredentialCheck { stored: false, ..late }));
        assert!(!let_in(SessionHome::SignedToken, tokens, CredentialCheck { denied: true, ..late }));
        assert!(renews(SessionHome::SignedToken, &tokens, CredentialStatus::Expired));
        assert!(!renews(SessionHome::SignedToken, &tokens, CredentialStatus::Current));
        assert!(!renews(SessionHome::SignedToken, &Tokens::default(), CredentialStatus::Expired));
    }
}
