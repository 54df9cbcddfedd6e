//! Percent-encoding, as browsers do it.

/// The text as a value in a link: like `encodeURIComponent`.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The text of a value in a link: like `URLSearchParams`. What is no escape stays as it is.
pub fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.get(..2).filter(|_| *first == b'%').and_then(byte);
        let (meant, left) = match (escape, *first) {
            (Some(byte), _) => (byte, &after[2..]),
            (None, b'+') => (b' ', after),
            (None, other) => (other, after),
        };
        bytes.push(meant);
        rest = left;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The byte that two hexadecimal digits say.
fn byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(digits.first()?)? * 16 + digit(digits.get(1)?)?)
}
