//! Output: results go to standard output in one piece, messages to standard error.

use std::borrow::Cow;
use std::env;
use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;
use terminal_size::{Height, Width, terminal_size_of};
use whatcart::faces::ascii::{ascii, ascii_markup};
use whatcart::faces::text::Page;
use whatcart::scenario::ScenarioError;

use super::args::Color;

/// Rows of a terminal that does not say how many it has.
const ROWS: usize = 30;

/// The terminal, or whatever replaces it.
#[derive(Debug)]
pub struct Screen {
    choice: ColorChoice,
    ascii: bool,
    /// What results are laid out for.
    pub page: Page,
    /// What messages are laid out for.
    pub margin: Page,
    /// Rows of the terminal.
    pub rows: usize,
}

impl Screen {
    pub fn new(color: Color, ascii: bool) -> Screen {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        let (page, margin) = (page(terminal_size_of(io::stdout())), page(terminal_size_of(io::stderr())));
        let rows = terminal_size_of(io::stdout()).map_or(ROWS, |(_, Height(rows))| rows.into());
        Screen { choice, ascii, page, margin, rows }
    }

    /// Whether to print ASCII characters only.
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// The text in the characters that were asked for.
    pub fn spelled<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.ascii { ascii(text).into() } else { text.into() }
    }

    /// The markup in the characters that were asked for: in ASCII all others are written as references.
    pub fn spelled_as_markup<'a>(&self, markup: &'a str) -> Cow<'a, str> {
        if self.ascii { ascii_markup(markup).into() } else { markup.into() }
    }

    /// Prints results. A closed pipe is not an error: the reader has seen enough.
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.choice);
        match stdout.write_all(self.spelled(text).as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("the results cannot be printed"),
        }
    }

    /// The text for a file: with colour only if that was requested explicitly.
    pub fn for_file(&self, text: &str) -> String {
        let text = self.spelled(text);
        match self.choice {
            ColorChoice::Always => text.into(),
            _ => anstream::adapter::strip_str(&text).to_string(),
        }
    }

    /// Prints a message; errors are ignored, because nobody may be listening.
    pub fn complain(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(stderr, "{}", self.spelled(text));
    }

    /// Prints a warning, with the place that it is about.
    pub fn warn(&self, warning: &ScenarioError) {
        self.complain(&warning.draw_warning(self.colours_errors(), self.margin.columns()));
    }

    pub fn colours_errors(&self) -> bool {
        match self.choice {
            ColorChoice::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        }
    }
}

/// As wide as `COLUMNS` says or, without it, as the terminal is.
fn page(terminal: Option<(Width, Height)>) -> Page {
    let set = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|columns| *columns > 0);
    set.or(terminal.map(|(Width(columns), _)| usize::from(columns))).map_or(Page::FILE, Page::of)
}
