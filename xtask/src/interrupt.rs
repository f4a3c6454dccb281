//! Ctrl-C and a scheduler's SIGTERM: finish the step, save, exit.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

static STOP: AtomicBool = AtomicBool::new(false);

/// Set once someone asked this process to stop.
pub fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// Ends the process if someone asked it to stop: for work that is saved as it goes, or done again in a moment.
pub fn exit_if_asked() {
    if STOP.load(Ordering::Relaxed) {
        std::process::exit(130);
    }
}

/// From now on the first Ctrl-C asks to stop; a second one ends the process at once.
///
/// # Errors
/// If the system refuses a signal handler.
pub fn listen() -> Result<()> {
    Ok(ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("stopping as soon as everything is saved; press Ctrl-C again to stop at once");
    })?)
}
