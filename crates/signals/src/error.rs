//! Errors of signals.

/// Why signals cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// A field of a configuration is out of its range.
    #[error("{field} is {found}, expected {expected}")]
    Config {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// Values that are not a series of ROI signals.
    #[error("not a BOLD series: {problem}")]
    BoldSeries {
        /// What did not hold.
        problem: String,
    },
}

impl SignalError {
    /// A field of a configuration out of its range.
    pub(crate) fn config(
        field: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Config {
            field,
            found: found.to_string(),
            expected: expected.into(),
        }
    }
}
