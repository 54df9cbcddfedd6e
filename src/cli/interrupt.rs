//! Ctrl-C: the first asks the run to stop and to print its results so far; the second stops the program. While the
//! program waits for somebody to press Enter, the first does.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static WAITS: AtomicBool = AtomicBool::new(false);

/// From now on the first interrupt only sets this flag.
pub fn noticed() -> &'static AtomicBool {
    // If no handler can be installed, an interrupt simply ends the program.
    let _ = ctrlc::set_handler(|| {
        let waits = WAITS.load(Ordering::Relaxed);
        if waits {
            println!();
        }
        if ASKED.swap(true, Ordering::Relaxed) || waits {
            std::process::exit(130);
        }
    });
    &ASKED
}

/// Does something that waits for the user, during which an interrupt ends the program.
pub fn while_waiting<T>(work: impl FnOnce() -> T) -> T {
    noticed();
    WAITS.store(true, Ordering::Relaxed);
    let done = work();
    WAITS.store(false, Ordering::Relaxed);
    done
}
