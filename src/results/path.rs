//! Paths of figures: parts separated by dots. As in TOML, a part with characters other than letters, digits and `_` is
//! quoted: `faults."the crash".lost_of_open`.

use std::borrow::Cow;

/// A part as it is written in a path.
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

/// The parts of a path, unquoted; `None` if it is not a path.
#[must_use]
pub fn split(path: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = path.chars().collect();
    let (parts, length) = read(&chars).ok()?;
    (length == chars.len()).then_some(parts)
}

/// The canonical spelling of a path, with our choice of quotes. Any other text is returned unchanged.
#[must_use]
pub fn canonical(path: &str) -> String {
    split(path).map_or_else(|| path.to_owned(), join)
}

/// The error for a quoted part without a closing quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endless;

/// Reads the path at the start of a text: its parts, and its length in characters.
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

/// The content up to the closing quote, and the length including quotes. In single quotes `\` is an ordinary character.
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
