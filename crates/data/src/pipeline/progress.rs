//! Progress of preparing, and the caller's word that it should stop.

use std::ops::ControlFlow;

use crate::error::DataError;

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Comparing a file with its checksum.
    Verify,
    /// Reading and cleaning a scan.
    Scan,
    /// Putting the scans together.
    Assemble,
}

/// One piece of work has ended: `done` of `total` in its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The step.
    pub step: Step,
    /// The file; empty for a scan, whose name holds that of a subject.
    pub name: &'a str,
    /// Pieces done, this one with them.
    pub done: usize,
    /// Pieces in this step.
    pub total: usize,
}

/// Is told of every piece of work; [`ControlFlow::Break`] stops, and finished scans are kept.
pub type OnProgress<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + Send + 'a;

/// Shows nothing and never stops, for a caller who wants no progress.
pub fn quiet(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Tells of a piece of work.
///
/// # Errors
/// [`DataError::Interrupted`] when the caller asks to stop.
pub(crate) fn tell(
    on_progress: &mut OnProgress<'_>,
    progress: Progress<'_>,
) -> Result<(), DataError> {
    match on_progress(progress) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(DataError::Interrupted),
    }
}
