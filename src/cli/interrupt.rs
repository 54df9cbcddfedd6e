//! Ctrl-C: the first asks a run to stop and to show what it has, the second stops the program.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is noticed here rather than fatal.
pub fn noticed() -> &'static AtomicBool {
    // Where no handler can be set, an interrupt simply ends the program.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    &ASKED
}
