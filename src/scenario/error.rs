//! What is wrong with a scenario, where it is, and how to fix it.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

#[cfg(feature = "cli")]
use annotate_snippets::Level;

#[cfg(feature = "cli")]
use crate::base::layout::lines;

/// A scenario that cannot be run: the first thing that is wrong with it, and the others. `Display` prints the first on
/// one line; `draw` shows all of them, with the source.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{message}", prefix(place.as_deref()))]
pub struct ScenarioError {
    /// What was found, and what was expected.
    pub message: String,
    /// Additional context: the variant in which it is wrong.
    pub note: Option<String>,
    /// How to fix it.
    pub help: Option<String>,
    /// Where it is; absent if no text could be read.
    pub place: Option<Box<SourceLocation>>,
    /// What else is wrong, in the order of the text.
    pub more: Vec<ScenarioError>,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file name as given, or `--set`.
    pub source_name: String,
    /// The whole text.
    pub source_text: String,
    /// The bytes in question, on one line.
    pub range: Range<usize>,
}

impl ScenarioError {
    /// An error without a place.
    #[must_use]
    pub fn new(message: impl Into<String>, help: Option<String>) -> Self {
        let message = printable(&message.into());
        let help = help.map(|help| printable(&help));
        ScenarioError { message, note: None, help, place: None, more: Vec::new() }
    }

    /// The first of these errors, with the others behind it.
    pub fn all(errors: impl IntoIterator<Item = ScenarioError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let first = errors.next()?;
        Some(ScenarioError { more: errors.collect(), ..first })
    }

    /// The same error, at a place.
    #[must_use]
    pub fn at(mut self, source_name: &str, source_text: &str, range: Range<usize>) -> Self {
        let range = on_one_line(source_text, &range);
        self.place = Some(Box::new(SourceLocation {
            source_name: printable(source_name),
            source_text: source_text.to_owned(),
            range,
        }));
        self
    }
}

/// The most that comes before a message: ` 1234 = help: `.
#[cfg(feature = "cli")]
const BEFORE_MESSAGE: usize = 14;

#[cfg(feature = "cli")]
impl ScenarioError {
    /// Every error with its source line, carets and help, in the style of a compiler, in lines of at most this many
    /// columns; without a final newline.
    #[must_use]
    pub fn draw(&self, colour: bool, columns: usize) -> String {
        let all = [self].into_iter().chain(&self.more);
        all.map(|error| error.draw_as(Level::ERROR, colour, columns)).collect::<Vec<_>>().join("\n\n")
    }

    /// The same as a warning: nothing is wrong, but something is not as it seems.
    #[must_use]
    pub fn draw_warning(&self, colour: bool, columns: usize) -> String {
        self.draw_as(Level::WARNING, colour, columns)
    }

    fn draw_as(&self, level: Level<'static>, colour: bool, columns: usize) -> String {
        use annotate_snippets::{AnnotationKind, Group, Renderer, Snippet};

        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(columns);
        let wrapped = |text: &str| lines(text, columns.saturating_sub(BEFORE_MESSAGE)).join("\n");
        let error = Group::with_title(level.primary_title(wrapped(&self.message)));
        let help = self.help.as_deref().map(wrapped);
        if let Some(place) = &self.place {
            let annotation = AnnotationKind::Primary.span(place.range.clone());
            let snippet = Snippet::source(&*place.source_text).path(&*place.source_name).annotation(annotation);
            let notes = self.note.as_deref().map(|note| Level::NOTE.message(wrapped(note)));
            let help = help.map(|help| Level::HELP.message(help));
            return renderer.render(&[error.element(snippet).elements(notes).elements(help)]);
        }
        let help = help.map(|help| renderer.render(&[Group::with_title(Level::HELP.secondary_title(help))]));
        [Some(renderer.render(&[error])), help].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl SourceLocation {
    /// Line and column, counted from 1, in characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source_text[..self.range.start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.source_name)
    }
}

fn prefix(place: Option<&SourceLocation>) -> String {
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}

/// The part of the range on its first line, within the text and on character boundaries.
fn on_one_line(text: &str, range: &Range<usize>) -> Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(range.start);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    start..floor(range.end).clamp(start, line_end)
}

/// Escapes control characters, so that text from a file cannot control the terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_from_one() {
        let text = "a = 1\nµ = \"ü\" # x\n";
        let error = ScenarioError::new("no", None).at("f.toml", text, text.find('#').unwrap()..text.len());
        assert_eq!(error.to_string(), "f.toml:2:9: no");
        assert_eq!(&text[error.place.unwrap().range], "# x");
    }

    #[test]
    fn a_place_is_always_within_the_text() {
        for range in [0..0, 1..2, 3..9, 90..100] {
            let place = ScenarioError::new("no", None).at("f", "aµ", range).place.unwrap();
            assert!("aµ".get(place.range.clone()).is_some(), "{place:?}");
        }
    }

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(ScenarioError::new("a\u{1b}[2J", None).message, "a\\u{1b}[2J");
    }
}
