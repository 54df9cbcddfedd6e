//! Texts whose words rest on figures: `{a third: carts.lost / carts.opened}` are words, and what they claim.
//!
//! Here a text is only taken apart. What a claim means, and whether it holds in a run, is a matter of `results`.

use super::violation::{Checked, wrong_but};

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Words that claim nothing.
    Plain(&'a str),
    /// Words in braces, and the expression after their colon.
    Claim {
        /// What is said.
        words: &'a str,
        /// What it rests on.
        rests_on: &'a str,
    },
}

/// The parts of a text in order; `None` if its braces do not fit.
#[must_use]
pub fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((plain, opened)) = rest.split_once('{') {
        let (inside, after) = opened.split_once('}')?;
        let (words, rests_on) = inside.split_once(':')?;
        if plain.contains('}') || inside.contains('{') || words.trim().is_empty() {
            return None;
        }
        parts.push(Part::Plain(plain));
        parts.push(Part::Claim { words: words.trim(), rests_on: rests_on.trim() });
        rest = after;
    }
    (!rest.contains('}')).then(|| {
        parts.push(Part::Plain(rest));
        parts
    })
}

/// The text as it is spoken, without what it rests on.
#[must_use]
pub fn plain(text: &str) -> String {
    let Some(parts) = parts(text) else { return text.into() };
    let words = |part: &Part| match *part {
        Part::Plain(words) | Part::Claim { words, .. } => words.to_owned(),
    };
    parts.iter().map(words).collect()
}

/// Checks that a text can be taken apart.
pub(super) fn check(path: &str, text: &str) -> Checked {
    if parts(text).is_some() {
        return Ok(());
    }
    let help = "a claim is written {words: expression}, such as {a third: carts.lost / carts.opened of \"sticky\"}";
    wrong_but(path, "the braces in this text do not fit", help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_falls_into_words_and_claims() {
        let text = "It loses {a third: carts.lost /\n carts.opened} of them. {None: carts.open} stay.";
        assert_eq!(plain(text), "It loses a third of them. None stay.");
        let claim = Part::Claim { words: "a third", rests_on: "carts.lost /\n carts.opened" };
        assert_eq!(parts(text).map(|parts| (parts.len(), parts[1])), Some((5, claim)));
        assert_eq!(parts("no claim"), Some(vec![Part::Plain("no claim")]));
        for broken in ["a {b", "a } b", "{no colon}", "{a: {b: c}}", "{ : carts.lost}", "{a: b}}"] {
            assert_eq!(parts(broken), None, "{broken}");
            assert!(check("lesson", broken).is_err(), "{broken}");
        }
    }
}
