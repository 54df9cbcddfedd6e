//! Output: results go to standard output in one piece, messages to standard error.

use std::io::{self, ErrorKind, Write};

use anstream::{AutoStream, ColorChoice};
use anyhow::Context;

use super::args::Color;

/// The terminal, or whatever replaces it.
#[derive(Debug)]
pub struct Screen {
    choice: ColorChoice,
}

impl Screen {
    pub fn new(color: Color) -> Screen {
        let choice = match color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Screen { choice }
    }

    /// Prints results. A closed pipe is not an error: the reader has seen enough.
    pub fn print(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.choice);
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            written => written.context("the results cannot be printed"),
        }
    }

    /// The text for a file: with colour only if that was requested explicitly.
    pub fn for_file(&self, text: &str) -> String {
        match self.choice {
            ColorChoice::Always => text.into(),
            _ => anstream::adapter::strip_str(text).to_string(),
        }
    }

    /// Prints a message; errors are ignored, because nobody may be listening.
    pub fn complain(&self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.choice);
        let _ = writeln!(stderr, "{text}");
    }

    pub fn colours_errors(&self) -> bool {
        match self.choice {
            ColorChoice::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            choice => choice != ColorChoice::Never,
        }
    }
}
