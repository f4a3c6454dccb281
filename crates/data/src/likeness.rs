//! Likeness of two scans that hold the same signal.

use std::fmt;

/// How alike two scans are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Likeness {
    /// All values are equal.
    Same,
    /// One was rescaled, cut or made noisy.
    Near {
        /// Mean over ROIs of the correlation where the scans overlap.
        correlation: f64,
        /// Where the first scan's beginning lies in the second.
        lag_secs: f64,
        /// How long they overlap.
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
