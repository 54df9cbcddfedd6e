//! How wide text is in a terminal, and its words in lines.

use unicode_width::UnicodeWidthChar;

/// Columns that the text takes in a terminal, without codes of colour.
#[must_use]
pub fn width(text: &str) -> usize {
    let mut columns = 0;
    let mut in_code = false;
    for c in text.chars() {
        match (in_code, c) {
            (false, '\u{1b}') => in_code = true,
            (true, 'm') => in_code = false,
            (true, _) => {}
            (false, c) => columns += c.width().unwrap_or(0),
        }
    }
    columns
}

/// The words of a text in lines of at most this many columns. A word that is longer than a line is broken, never cut. A
/// number stays with its `%`.
/// The text has no colour.
#[must_use]
pub fn lines(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(WIDEST_CHARACTER);
    let mut lines = vec![String::new()];
    let mut taken = 0;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let sign = words.peek().filter(|next| next.starts_with('%')).map_or(0, |sign| 1 + width(sign));
        let needed = width(word) + sign;
        if taken > 0 && taken + 1 + needed > columns {
            lines.push(String::new());
            taken = 0;
        }
        let line = lines.last_mut().expect("there is a line");
        if taken > 0 {
            line.push(' ');
            taken += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if taken + wide > columns {
                lines.push(String::new());
                taken = 0;
            }
            lines.last_mut().expect("there is a line").push(c);
            taken += wide;
        }
    }
    lines
}

/// Columns that one character may take.
const WIDEST_CHARACTER: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_broken_and_nothing_is_cut() {
        assert_eq!(lines("round robin", 6), ["round", "robin"]);
        assert_eq!(lines("a disestablishment", 8), ["a", "disestab", "lishment"]);
        assert_eq!(lines("数数数 数", 5), ["数数", "数 数"]);
        assert_eq!(lines("", 5), [""]);
        assert_eq!(lines("when 20 % of", 8), ["when", "20 % of"]);
    }
}
