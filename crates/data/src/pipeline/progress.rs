//! Progress of a preparation, and the request of the caller to stop.

use std::ops::ControlFlow;

use crate::error::DataError;

/// Kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Comparing a file with its checksum.
    Verify,
    /// Reading and cleaning a scan.
    Scan,
    /// Assembling the data set from the scans.
    Assemble,
}

/// Report that one piece of work has ended: `done` of `total` in its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The step.
    pub step: Step,
    /// The file; empty for a scan, because its name contains a subject.
    pub name: &'a str,
    /// Finished pieces, with this one.
    pub done: usize,
    /// Pieces in this step.
    pub total: usize,
}

/// Function that is called after every piece of work. [`ControlFlow::Break`] stops the preparation;
/// finished scans are kept.
pub type OnProgress<'a> = dyn FnMut(Progress<'_>) -> ControlFlow<()> + Send + 'a;

/// Ignores progress and never stops.
pub fn quiet(_: Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Reports a piece of work.
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
