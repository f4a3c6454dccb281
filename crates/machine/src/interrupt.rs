//! Interruption by Ctrl-C or by a scheduler's SIGTERM: finish the step, save, end.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

static STOP: AtomicBool = AtomicBool::new(false);

/// Function that ends the process at once.
static AT_ONCE: OnceLock<fn()> = OnceLock::new();

/// Exit status of a program that was interrupted.
pub const EXIT_STATUS: u8 = 130;

/// Error of work that ends early because of a request to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Stopped {}

/// Whether an error is [`Stopped`] or has it as its source.
pub fn is_stopped(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Stopped>())
}

/// Flag that is set by a request to stop this process.
pub fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// Checks for a request to stop, in work that is saved as it goes or is quick to repeat.
///
/// # Errors
/// [`Stopped`] if this process was asked to stop.
pub fn check() -> Result<(), Stopped> {
    match STOP.load(Ordering::Relaxed) {
        true => Err(Stopped),
        false => Ok(()),
    }
}

/// Return value of a callback: continue, or break if this process was asked to stop.
pub fn flow() -> ControlFlow<()> {
    match check() {
        Ok(()) => ControlFlow::Continue(()),
        Err(Stopped) => ControlFlow::Break(()),
    }
}

/// Sets the function that ends the process at once; for `main`.
pub fn begin(at_once: fn()) {
    // A second call would be a second main.
    let _ = AT_ONCE.set(at_once);
}

/// Installs the handlers: the first signal asks to stop, a second one ends the process at once.
///
/// # Errors
/// If the system refuses a signal handler.
pub fn listen() -> Result<()> {
    Ok(ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed)
            && let Some(at_once) = AT_ONCE.get()
        {
            at_once();
        }
        eprintln!("stopping as soon as everything is saved; press Ctrl-C again to stop at once");
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_found_below_its_context() {
        let error = anyhow::Error::new(Stopped).context("preparing");
        assert!(is_stopped(&error));
        assert!(!is_stopped(&anyhow::anyhow!("wrong")));
        assert_eq!((flow(), check()), (ControlFlow::Continue(()), Ok(())));
    }
}
