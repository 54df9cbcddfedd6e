//! How far a long run is, for those who sit before it.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Once;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Runs shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears when a run takes long.
pub struct Progress {
    bar: ProgressBar,
    wanted: bool,
    shown: Once,
}

impl Progress {
    /// `quiet`: never appears. Nor does it without a terminal.
    pub fn new(quiet: bool) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        Progress { bar, wanted: !quiet && stderr().is_terminal(), shown: Once::new() }
    }

    /// So many thousandths are done.
    pub fn at(&self, permille: u64) {
        if !self.wanted {
            return;
        }
        self.bar.set_position(permille);
        if self.bar.elapsed() > PATIENCE {
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// What goes on, beside the bar.
    pub fn say(&self, what: String) {
        self.bar.set_message(what);
    }

    /// A line above the bar, that stays.
    pub fn note(&self, line: &str) {
        // Who closed it does not want to know.
        self.bar.suspend(|| drop(writeln!(stderr(), "{line}")));
    }

    /// Leaves no trace.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
