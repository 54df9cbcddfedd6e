//! What a user's browser stores: one cookie jar for all tabs, and each tab's own cart.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use crate::http::wire;
use crate::traffic::{Folder, OpenVisits};

/// A cookie in the jar.
#[derive(Clone, Debug, PartialEq, Eq)]
struct StoredCookie {
    name: String,
    value: String,
    /// Whether it outlives the browser session.
    persistent: bool,
}

/// One user's cookies. The last answer received wins.
#[derive(Debug, Default)]
pub struct CookieJar {
    cookies: Vec<StoredCookie>,
    open: OpenVisits,
    /// What the user knows about their own files.
    pub folder: Folder,
}

/// What a tab keeps for itself during a visit: its cart's id, and the cart itself when it is a token.
#[derive(Debug, Default)]
pub struct TabState {
    /// The cart's id.
    pub visit: String,
    /// The cart as a token; behind a lock because the tab may have several requests in flight.
    token: Mutex<Option<String>>,
    /// The CSRF token in the form of the page that is open.
    form: Mutex<Option<HeaderValue>>,
    /// A copy of the session that the last logout was sent with, as a thief would present it.
    stolen: Mutex<Option<String>>,
}

impl TabState {
    /// A tab that begins a visit.
    #[must_use]
    pub fn new(visit: String) -> TabState {
        TabState { visit, ..TabState::default() }
    }

    fn token(&self) -> MutexGuard<'_, Option<String>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thief copies the session.
    pub fn steal(&self, session: Option<String>) {
        *self.stolen.lock().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// The CSRF token in the form of the page that is open.
    #[must_use]
    pub fn form(&self) -> Option<HeaderValue> {
        self.form.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A copy of the session from before the last logout, as a thief would present it.
    #[must_use]
    pub fn stolen(&self) -> Option<String> {
        self.stolen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl CookieJar {
    /// A tab begins a visit.
    pub fn visit_began(&mut self) {
        self.open.began();
    }

    /// A visit ends. When the browser closes, it drops session cookies: those without a `Max-Age`, as logins are.
    pub fn visit_ended(&mut self) {
        if self.open.ended() {
            self.cookies.retain(|kept| kept.persistent);
        }
    }

    /// The value of the affinity cookie, if there is one.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.cookies.iter().find(|kept| kept.name == wire::SERVER).map(|kept| kept.value.as_str())
    }

    /// Stores the cookies of an answer (RFC 6265, section 5.3). A cart token stays with the tab that sent the request.
    /// `own`: the session is the user's; if not, login cookies are ignored.
    pub fn keep(&mut self, tab: &TabState, headers: &HeaderMap, own: bool) {
        if let Some(form) = headers.get(wire::CSRF_TOKEN) {
            *tab.form.lock().unwrap_or_else(PoisonError::into_inner) = Some(form.clone());
        }
        for line in headers.get_all(SET_COOKIE) {
            let Some(cookie) = line.to_str().ok().and_then(|line| cookie::Cookie::parse(line).ok()) else { continue };
            if cookie.name() == wire::CART {
                *tab.token() = Some(cookie.value().to_owned());
                continue;
            }
            if !own && is_session(cookie.name()) {
                continue;
            }
            self.cookies.retain(|kept| kept.name != cookie.name());
            let max_age = cookie.max_age();
            if max_age.is_none_or(cookie::time::Duration::is_positive) {
                let (name, value) = (cookie.name().to_owned(), cookie.value().to_owned());
                self.cookies.push(StoredCookie { name, value, persistent: max_age.is_some() });
            }
        }
    }

    /// The login cookies, as a thief would copy them. `None` for a guest.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        let cookies = self.cookies.iter().filter(|kept| is_session(&kept.name));
        let pairs: Vec<String> = cookies.map(|kept| format!("{}={}", kept.name, kept.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Writes the `Cookie` field of a request. `with_session`: include the login cookies, if there are any. `another`:
    /// the cookies of another session, to be appended.
    pub fn write(
        &self,
        line: &mut impl fmt::Write,
        tab: &TabState,
        with_session: bool,
        another: Option<&str>,
    ) -> fmt::Result {
        let mut add = |before: &str, name: &str, value: &str| {
            line.write_str(before)?;
            line.write_str(name)?;
            line.write_str("=")?;
            line.write_str(value)
        };
        add("", wire::VISIT, &tab.visit)?;
        if let Some(token) = &*tab.token() {
            add("; ", wire::CART, token)?;
        }
        for kept in self.cookies.iter().filter(|kept| with_session || !is_session(&kept.name)) {
            add("; ", &kept.name, &kept.value)?;
        }
        another.map_or(Ok(()), |another| write!(line, "; {another}"))
    }
}

/// Whether a cookie belongs to a login.
fn is_session(name: &str) -> bool {
    name == wire::SESSION || name == wire::REFRESH
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `Cookie` field as text.
    fn header(jar: &CookieJar, tab: &TabState, with_session: bool, forged: Option<&str>) -> String {
        let mut line = String::new();
        jar.write(&mut line, tab, with_session, forged).expect("memory takes everything");
        line
    }

    fn answer(cookies: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        headers
    }

    #[test]
    fn a_browser_session_ends_with_the_last_tab() {
        let (mut jar, tab) = (CookieJar::default(), TabState::new("000042-0001".into()));
        let other = TabState::new("000042.1-0001".into());
        jar.visit_began();
        jar.visit_began();
        jar.keep(&tab, &answer(&["session=s1; Path=/; HttpOnly", "server=server-2; Path=/", "cart=c1"]), true);
        jar.keep(&other, &answer(&["server=server-3; Path=/; Max-Age=60", "taste=sweet; Max-Age=60"]), true);
        assert_eq!(
            header(&jar, &tab, true, None),
            "visit=000042-0001; cart=c1; session=s1; server=server-3; taste=sweet"
        );
        assert_eq!(
            header(&jar, &other, false, Some("session=x")),
            "visit=000042.1-0001; server=server-3; taste=sweet; session=x"
        );
        jar.visit_ended();
        assert!(header(&jar, &tab, true, None).contains("session=s1"));
        jar.visit_ended();
        assert_eq!(header(&jar, &other, true, None), "visit=000042.1-0001; server=server-3; taste=sweet");
    }

    #[test]
    fn a_cookie_is_taken_back() {
        let (mut jar, tab) = (CookieJar::default(), TabState::default());
        jar.keep(&tab, &answer(&["session=s1"]), true);
        jar.keep(&tab, &answer(&["session=; Max-Age=0", "nonsense"]), true);
        assert_eq!(header(&jar, &tab, true, None), "visit=");
    }
}
