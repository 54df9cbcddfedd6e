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
/// number stays with its unit, the operands of `150 / 3` stay together, and so does the number of a design.
/// The text has no colour.
#[must_use]
pub fn lines(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(WIDEST_CHARACTER);
    let mut lines = vec![String::new()];
    let mut taken = 0;
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut stays = 0;
    for (at, word) in words.iter().enumerate() {
        if at >= stays {
            stays = at + together(&words[at..], columns);
        }
        let needed = words[at..stays].iter().map(|word| width(word) + 1).sum::<usize>().saturating_sub(1);
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

/// How many of these words stay on one line, as far as there is room for that.
fn together(words: &[&str], columns: usize) -> usize {
    let mut room = columns.saturating_sub(words.first().map_or(0, |word| width(word)));
    let pairs = words.windows(2).take_while(|pair| {
        let needed = 1 + width(pair[1]);
        let fits = needed <= room;
        room = room.saturating_sub(needed);
        fits && belong_together(pair[0], pair[1])
    });
    1 + pairs.count()
}

fn belong_together(one: &str, next: &str) -> bool {
    const UNITS: [&str; 7] = ["%", "ns", "ms", "s", "min", "h", "d"];
    const OPERATORS: [&str; 4] = ["/", "x", "+", "="];
    let plain = |word: &str| word.trim_matches(|c: char| "(),.;:?".contains(c)).to_owned();
    let is_number = |word: &str| plain(word).starts_with(|c: char| c.is_ascii_digit());
    let operator = |word: &str| OPERATORS.contains(&word);
    is_number(one) && (UNITS.contains(&&*plain(next)) || operator(next))
        || operator(one) && is_number(next)
        || one.trim_start_matches('(') == "design" && is_number(next)
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
        assert_eq!(lines("bound: 150 / 3 = 50.", 12), ["bound:", "150 / 3 =", "50."]);
        assert_eq!(lines("drained for 30 s (design 1)", 15), ["drained for", "30 s (design 1)"]);
        assert_eq!(lines("it is empty (design 1)", 19), ["it is empty", "(design 1)"]);
    }
}
