//! Text for a terminal: colour, columns that line up, lines that fit.

pub use crate::base::layout::{lines, width};

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

/// The lines of a text, each painted by itself.
#[must_use]
pub fn paint_lines(tone: Tone, text: &str) -> String {
    text.lines().map(|line| paint(tone, line) + "\n").collect()
}

/// Where text stands in its column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Words.
    #[default]
    Left,
    /// Figures.
    Right,
}

/// Lines that stand beside those of other blocks.
#[derive(Clone, Debug)]
pub struct Block {
    gap: usize,
    columns: usize,
    side: Side,
    lines: Vec<String>,
}

impl Block {
    /// Lines in this many columns, after a gap.
    #[must_use]
    pub fn new(gap: usize, columns: usize, side: Side, lines: Vec<String>) -> Block {
        Block { gap, columns, side, lines }
    }
}

/// Blocks side by side, from the top, each line with a final newline.
#[must_use]
pub fn beside(blocks: &[Block]) -> String {
    let height = blocks.iter().map(|block| block.lines.len()).max().unwrap_or(0);
    let mut text = String::new();
    for at in 0..height {
        let mut line = String::new();
        for Block { gap, columns, side, lines } in blocks {
            let words = lines.get(at).map_or("", String::as_str);
            line += &" ".repeat(*gap);
            line += &if *side == Side::Right { right(words, *columns) } else { left(words, *columns) };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Takes columns from the widest of these until they fit.
pub fn shrink(widths: &mut [usize], room: usize) {
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > 0) else { return };
        *widest -= 1;
    }
}

/// What text is laid out for: a terminal, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns that no line exceeds.
    columns: usize,
}

impl Page {
    /// Files, and pipes to other programs.
    pub const FILE: Page = Page { columns: 100 };

    /// A page of this many columns; a narrower terminal wraps lines itself.
    #[must_use]
    pub fn of(columns: usize) -> Page {
        Page { columns: columns.max(LEAST) }
    }

    /// Columns that no line exceeds.
    #[must_use]
    pub fn columns(self) -> usize {
        self.columns
    }

    /// The words of a text in lines that fit: the first begins with `head`, the others are indented two columns further.
    #[must_use]
    pub fn hang(self, head: &str, text: &str) -> String {
        let indent = width(head);
        let columns = self.columns.min(PROSE).saturating_sub(indent);
        if width(text) <= columns {
            return format!("{head}{text}\n");
        }
        let text = lines(text, columns - HANGING).join(&format!("\n{}", " ".repeat(indent + HANGING)));
        format!("{head}{text}\n")
    }

    /// The words of a text in lines that fit, and that are not too long to read: the first begins with `head`, the
    /// others are indented as far.
    #[must_use]
    pub fn wrap(self, head: &str, text: &str) -> String {
        let indent = width(head);
        let lines = lines(text, self.columns.min(PROSE).saturating_sub(indent));
        format!("{head}{}\n", lines.join(&format!("\n{}", " ".repeat(indent))))
    }
}

impl Default for Page {
    fn default() -> Page {
        Page::FILE
    }
}

/// The narrowest page.
const LEAST: usize = 60;

/// The indent of lines that go on with an entry.
const HANGING: usize = 2;

/// Columns of running text, however wide the page is.
pub const PROSE: usize = 100;

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
    fn running_text_stays_readable_on_a_wide_page() {
        let text = "word ".repeat(60);
        let widest = |page: Page| page.wrap("  ", &text).lines().map(width).max();
        assert_eq!((widest(Page::of(60)), widest(Page::of(200))), (Some(56), Some(96)));
    }

    proptest! {
        #[test]
        fn wrapped_text_fits(text in ".{0,300}", head in "[a-z ]{0,20}", columns in 60usize..200) {
            let text = clean(&text);
            let wrapped = Page::of(columns).wrap(&head, &text);
            for line in wrapped.lines() {
                prop_assert!(width(line) <= columns, "{line}");
            }
            let body = wrapped.strip_prefix(&*head).expect("it begins with its head");
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(body), letters(&text));
        }
    }
}
