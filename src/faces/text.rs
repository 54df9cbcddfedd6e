//! Text for a terminal: colour, columns that line up, lines that fit.

use unicode_width::UnicodeWidthChar;

/// Columns of the terminal that every output fits.
pub const WIDTH: usize = 100;

/// What a piece of text is to its reader; colour only ever repeats what the words say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// Somebody lost something.
    Loss,
    /// All is well.
    Fine,
    /// Of little interest.
    Faint,
    /// A heading.
    Strong,
}

/// The text between the codes that colour it. Without the program's features there is no terminal, and no colour.
#[must_use]
pub fn paint(tone: Tone, text: &str) -> String {
    #[cfg(feature = "cli")]
    {
        use anstyle::{AnsiColor, Style};
        let style = match tone {
            Tone::Plain => return text.into(),
            Tone::Loss => AnsiColor::BrightRed.on_default().bold(),
            Tone::Fine => AnsiColor::Green.on_default(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        if text.trim().is_empty() { text.into() } else { format!("{style}{text}{style:#}") }
    }
    #[cfg(not(feature = "cli"))]
    {
        let _ = tone;
        text.into()
    }
}

/// Text from a file or a command line, made harmless for a terminal: control and direction characters become `�`.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

/// [`clean`], for text of several lines.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.chars().map(|c| if c != '\n' && c != '\t' && is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

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

/// The text and spaces up to `columns`.
#[must_use]
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Spaces and the text, up to `columns`.
#[must_use]
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text cut to `columns`, ending in `…` when something is missing. The text has no colour.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.into();
    }
    let mut short = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        short.push(c);
    }
    short.trim_end().to_string() + "…"
}

/// The words of a text in lines of at most [`WIDTH`] columns: the first begins with `head`, the others are indented as
/// far. A word that is longer than a line is cut.
#[must_use]
pub fn wrap(head: &str, text: &str) -> String {
    let indent = width(head);
    let room = WIDTH - indent;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let word = if width(word) > room { cut(word, room) } else { word.into() };
        if !line.is_empty() && width(&line) + 1 + width(&word) > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    format!("{head}{}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn harmful_characters_are_replaced() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}"), "a�[31mb�c�");
        assert_eq!(clean_lines("a\n\tb\r"), "a\n\tb�");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(cut("round robin", 6), "round…");
        assert_eq!(cut("round", 6), "round");
    }

    proptest! {
        #[test]
        fn wrapped_text_fits(text in ".{0,300}", head in "[a-z ]{0,20}") {
            let text = clean(&text);
            let wrapped = wrap(&head, &text);
            for line in wrapped.lines() {
                prop_assert!(width(line) <= WIDTH, "{line}");
            }
            let words: Vec<String> = text.split_whitespace().map(|word| cut(word, WIDTH - width(&head))).collect();
            let body = wrapped.strip_prefix(&*head).expect("it begins with its head");
            prop_assert_eq!(body.split_whitespace().collect::<Vec<_>>(), words);
        }

        #[test]
        fn cut_text_fits(text in ".{0,60}", columns in 1usize..40) {
            let text = clean(&text);
            let short = cut(&text, columns);
            prop_assert!(width(&short) <= columns);
            match short.strip_suffix('…') {
                _ if width(&text) <= columns => prop_assert_eq!(short, text),
                Some(begin) => prop_assert!(text.starts_with(begin), "{short:?} of {text:?}"),
                None => prop_assert!(false, "{short:?} does not say that {text:?} goes on"),
            }
        }
    }
}
