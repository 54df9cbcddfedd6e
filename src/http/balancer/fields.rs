//! Header fields that an intermediary must not forward, and those that it adds (RFC 9110, section 7.6).

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE, VIA,
};
use http::{HeaderMap, HeaderValue};

/// Fields that concern one connection only, besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Prepares the header of a request to a server.
pub fn forwarded(headers: &mut HeaderMap) {
    strip(headers);
    // The whole body is in memory, so its length is set anew.
    headers.remove(CONTENT_LENGTH);
    add_via(headers);
}

/// Prepares the header of an answer to the user.
pub fn returned(headers: &mut HeaderMap) {
    strip(headers);
    add_via(headers);
}

fn strip(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let connections = headers.get_all(CONNECTION).iter().filter_map(|line| line.to_str().ok());
        let named: Vec<HeaderName> =
            connections.flat_map(|line| line.split(',')).filter_map(|name| name.trim().parse().ok()).collect();
        for name in &named {
            headers.remove(name);
        }
    }
    while let Some(name) = headers.keys().find(|name| HOP_BY_HOP.contains(name)).cloned() {
        headers.remove(name);
    }
}

fn add_via(headers: &mut HeaderMap) {
    headers.append(VIA, HeaderValue::from_static("1.1 whatcart"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_concerns_one_connection_stays_there() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Secret"),
            ("connection", "x-other"),
            ("x-secret", "1"),
            ("x-other", "2"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "Basic x"),
            ("cookie", "a=1"),
            ("via", "1.0 fred"),
            ("content-length", "7"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut back = headers.clone();
        forwarded(&mut headers);
        let left: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
        assert_eq!(left, [("cookie", "a=1"), ("via", "1.0 fred"), ("via", "1.1 whatcart")]);
        returned(&mut back);
        assert_eq!(back.get("content-length").map(HeaderValue::as_bytes), Some(&b"7"[..]));
    }
}
