//! Session affinity as a scenario writes it.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::base::time::Span;

/// Session affinity: whether a cookie sends users back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// The policy picks a server for every request.
    None,
    /// A cookie names the server until it expires.
    Cookie(CookieLife),
}

/// How long an affinity cookie lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieLife {
    /// Until the user's last open visit ends (a browser-session cookie).
    Visit,
    /// Forever.
    User,
    /// For this long after it was set.
    For(Span),
}

impl CookieLife {
    /// Whether it is a session cookie (RFC 6265: one without `Max-Age`), which a browser deletes when it closes.
    #[must_use]
    pub const fn ends_with_the_browser(self) -> bool {
        matches!(self, CookieLife::Visit)
    }
}

impl<'de> Deserialize<'de> for Affinity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Affinity", rename_all = "kebab-case")]
        enum Shape {
            None,
            Cookie(CookieLife),
        }
        Ok(match Shape::deserialize(deserializer)? {
            Shape::None => Affinity::None,
            Shape::Cookie(life) => Affinity::Cookie(life),
        })
    }
}

impl<'de> Deserialize<'de> for CookieLife {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "visit" => Ok(CookieLife::Visit),
            "user" => Ok(CookieLife::User),
            other => match other.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(CookieLife::For(span)),
                _ => Err(D::Error::custom(format_args!(
                    "`{other}` is not the life of a cookie: write \"visit\", \"user\" or a time such as \"10m\""
                ))),
            },
        }
    }
}
