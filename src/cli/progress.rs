//! Shows the progress of a long run.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Once;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter runs show no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// A progress bar that appears if a run takes long.
pub struct Progress {
    bar: ProgressBar,
    wanted: bool,
    shown: Once,
}

impl Progress {
    /// If `quiet`, it never appears; nor without a terminal.
    pub fn new(quiet: bool) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        Progress { bar, wanted: !quiet && stderr().is_terminal(), shown: Once::new() }
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

    /// Shows a text next to the bar.
    pub fn say(&self, what: String) {
        self.bar.set_message(what);
    }

    /// Prints a line above the bar that stays.
    pub fn note(&self, line: &str) {
        // An error is ignored: whoever closed stderr does not want to see this.
        self.bar.suspend(|| drop(writeln!(stderr(), "{line}")));
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
