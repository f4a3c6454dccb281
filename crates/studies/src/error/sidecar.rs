//! Problems of JSON sidecars.

/// Why a sidecar cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarProblem {
    /// The file is longer than any sidecar.
    #[error("longer than {most} bytes, which no sidecar is")]
    TooLong {
        /// Maximum bytes.
        most: u64,
    },
    /// The content is not a JSON object.
    #[error("not a JSON sidecar: {reason}")]
    NotJson {
        /// The error of the JSON parser.
        reason: String,
    },
    /// The interval between volumes looks like milliseconds.
    #[error(
        "RepetitionTime is {secs}, which looks like milliseconds: BIDS asks for seconds, correct \
         the sidecar"
    )]
    TrInMilliseconds {
        /// The value.
        secs: f64,
    },
    /// The interval between volumes is not a number above zero.
    #[error("RepetitionTime is {found}, expected a number of seconds above zero")]
    Tr {
        /// The value, as JSON.
        found: String,
    },
}
