//! Interruption by Ctrl-C or by a scheduler's SIGTERM: finish the step, save, end.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

static STOP: AtomicBool = AtomicBool::new(false);

/// What ends the process at once.
static AT_ONCE: OnceLock<fn()> = OnceLock::new();

/// Exit status of a program that was interrupted.
pub const EXIT_STATUS: u8 = 130;

/// The error of work that ends early because someone asked this process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::error::Error for Stopped {}

/// Whether an error is, or comes from, [`Stopped`].
pub fn is_stopped(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Stopped>())
}

/// Set once someone asked this process to stop.
pub fn stop_flag() -> &'static AtomicBool {
    &STOP
}

/// For work that is saved as it goes, or done again in a moment.
///
/// # Errors
/// [`Stopped`] if someone asked this process to stop.
pub fn check() -> Result<(), Stopped> {
    match STOP.load(Ordering::Relaxed) {
        true => Err(Stopped),
        false => Ok(()),
    }
}

/// Ends the work of [`stoppable`] if someone asked this process to stop. For callbacks that cannot
/// return an error: the stack unwinds to `stoppable`, so that every lock and temporary folder is
/// given back.
pub fn leave_if_asked() {
    if let Err(stopped) = check() {
        // No panic: nothing is printed.
        resume_unwind(Box::new(stopped));
    }
}

/// Does work whose callbacks call [`leave_if_asked`].
///
/// # Errors
/// From the work; [`Stopped`] if a callback left it.
pub fn stoppable<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work has changed when it is left is not looked at any more.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) if payload.is::<Stopped>() => Err(Stopped.into()),
        Err(payload) => resume_unwind(payload),
    }
}

/// Tells what ends the process at once; for `main`.
pub fn begin(at_once: fn()) {
    // A second call would be a second main.
    let _ = AT_ONCE.set(at_once);
}

/// From now on the first signal asks to stop; a second one ends the process at once.
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
    fn a_callback_that_leaves_its_work_gives_back_what_the_work_holds() {
        struct Held<'a>(&'a AtomicBool);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Relaxed);
            }
        }
        let held = AtomicBool::new(true);
        let result: Result<()> = stoppable(|| {
            let _held = Held(&held);
            resume_unwind(Box::new(Stopped));
        });
        let error = result.expect_err("left").context("preparing");
        assert!(is_stopped(&error));
        assert!(!held.load(Ordering::Relaxed));
    }

    #[test]
    fn other_results_and_errors_pass() {
        assert_eq!(stoppable(|| Ok(3)).expect("a result"), 3);
        let error = stoppable::<()>(|| anyhow::bail!("wrong")).expect_err("an error");
        assert!(!is_stopped(&error));
    }
}
