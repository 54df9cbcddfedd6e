//! Shows the progress of a long run.

use std::io::{IsTerminal, stderr};
use std::sync::Once;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use whatcart::faces::text::width;

use super::screen::Screen;

/// Shorter runs show no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// The bar, the percentage and the gaps after them.
const BEFORE_MESSAGE: usize = 28;

/// A progress bar that appears if a run takes long.
pub struct Progress<'a> {
    bar: ProgressBar,
    screen: &'a Screen,
    wanted: bool,
    shown: Once,
}

impl Progress<'_> {
    /// If `quiet`, it never appears; nor without a terminal.
    pub fn new(quiet: bool, screen: &Screen) -> Progress<'_> {
        let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:20} {percent:>3} % {msg}");
        let filled = if screen.ascii() { "#>-" } else { "━╸─" };
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(filled));
        Progress { bar, screen, wanted: !quiet && stderr().is_terminal(), shown: Once::new() }
    }

    /// Sets the progress, in thousandths.
    pub fn at(&self, permille: u64) {
        if !self.wanted {
            return;
        }
        self.bar.set_position(permille);
        if self.bar.elapsed() > PATIENCE {
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// Shows words next to the bar: the first of these for which there is room.
    pub fn say(&self, words: &[String]) {
        // A line that fills the terminal makes some terminals go on to the next.
        let room = self.screen.margin.columns() - BEFORE_MESSAGE - 1;
        self.bar.set_message(self.screen.spelled(&fitting(words, room)).into_owned());
    }

    /// Prints a line above the bar that stays.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| self.screen.complain(line));
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// As many words from the beginning as there is room for.
fn fitting(words: &[String], room: usize) -> String {
    let said = |many: usize| words[..many].join(" · ");
    (0..=words.len()).rev().map(said).find(|line| width(line) <= room).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_line_says_what_it_has_room_for() {
        let words = ["design 1 of 4", "0:34", "3,210 requests", "45 carts lost", "server-2 crashes"].map(String::from);
        assert_eq!(fitting(&words, 31), "design 1 of 4 · 0:34");
        assert_eq!(fitting(&words, 37), "design 1 of 4 · 0:34 · 3,210 requests");
        assert_eq!(fitting(&words, 100), words.join(" · "));
        assert_eq!(fitting(&words, 3), "");
    }
}
