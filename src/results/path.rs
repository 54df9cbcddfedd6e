//! Paths of figures: parts with points between them. A part that is more than letters, digits and `_` stands in quotes,
//! as in TOML: `faults."the crash".lost_of_open`.

use std::borrow::Cow;

/// A part as it stands in a path.
#[must_use]
pub fn part(name: &str) -> Cow<'_, str> {
    if !name.is_empty() && name.chars().all(is_bare) {
        return name.into();
    }
    let mut quoted = String::from('"');
    for c in name.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted.into()
}

/// The path through these parts.
#[must_use]
pub fn join<N: AsRef<str>>(parts: impl IntoIterator<Item = N>) -> String {
    let mut path = String::new();
    for name in parts {
        if !path.is_empty() {
            path.push('.');
        }
        path += &part(name.as_ref());
    }
    path
}

/// The parts of a path, without their quotes; `None` of what is no path.
#[must_use]
pub fn split(path: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = path.chars().collect();
    let (parts, length) = read(&chars).ok()?;
    (length == chars.len()).then_some(parts)
}

/// The path in the one way in which it is written here, whatever quotes it came with; any other text as it is.
#[must_use]
pub fn canonical(path: &str) -> String {
    split(path).map_or_else(|| path.to_owned(), join)
}

/// A quoted part has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endless;

/// Reads the path that a text begins with: its parts, and how many characters it takes.
pub(super) fn read(chars: &[char]) -> Result<(Vec<String>, usize), Endless> {
    let mut parts = Vec::new();
    let mut at = 0;
    loop {
        let (part, length) = if let Some(quote @ ('"' | '\'')) = chars.get(at) {
            quoted(&chars[at + 1..], *quote)?
        } else {
            let bare: String = chars[at..].iter().take_while(|c| is_bare(**c)).collect();
            let length = bare.len();
            (bare, length)
        };
        parts.push(part);
        at += length;
        if chars.get(at) != Some(&'.') {
            return Ok((parts, at));
        }
        at += 1;
    }
}

/// What stands before the closing quote, and the length of it all. In single quotes a `\` is a character like any other.
fn quoted(chars: &[char], quote: char) -> Result<(String, usize), Endless> {
    let mut part = String::new();
    let mut rest = chars.iter().enumerate();
    while let Some((i, c)) = rest.next() {
        match c {
            c if *c == quote => return Ok((part, i + 2)),
            '\\' if quote == '"' => part.extend(rest.next().map(|(_, escaped)| escaped)),
            c => part.push(*c),
        }
    }
    Err(Endless)
}

fn is_bare(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_stand_where_they_must() {
        assert_eq!(join(["carts", "lost"]), "carts.lost");
        assert_eq!(join(["faults", "the crash", "at_s"]), "faults.\"the crash\".at_s");
        assert_eq!(canonical("faults.'the crash'.\"at_s\""), "faults.\"the crash\".at_s");
        assert_eq!(split("a.\"b.c\".d"), Some(["a", "b.c", "d"].map(String::from).to_vec()));
        assert_eq!((split("a b"), split("a.\"b"), split("a.\"b\"c")), (None, None, None));
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split_again(parts in prop::collection::vec("[a-z_.\"'\\\\ é]{0,6}", 1..5)) {
            prop_assert_eq!(split(&join(&parts)), Some(parts));
        }
    }
}
