//! Likeness of two scans with the same signal.

use std::fmt;

/// Similarity of two scans.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likeness {
    /// All values are equal.
    Same,
    /// One scan was rescaled, cut or made noisy.
    Near {
        /// Mean over ROIs of the correlation in the overlap.
        correlation: f64,
        /// Start of the first scan in the second, seconds.
        lag_secs: f64,
        /// Duration of the overlap, seconds.
        overlap_secs: f64,
    },
}

impl fmt::Display for Likeness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => out.write_str("all values are equal"),
            Self::Near {
                correlation,
                lag_secs,
                overlap_secs,
            } => write!(
                out,
                "correlation {correlation:.3} over {overlap_secs:.0} s at a lag of {lag_secs:.1} s"
            ),
        }
    }
}
