//! Ctrl-C: the first asks the run to stop and to print its results so far; the second stops the program.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on the first interrupt only sets this flag.
pub fn noticed() -> &'static AtomicBool {
    // If no handler can be installed, an interrupt simply ends the program.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    &ASKED
}
