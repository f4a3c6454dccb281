//! A scan that is left out, and why: reported, never raised.

use serde::{Deserialize, Serialize};

use crate::id::{ScanId, SubjectId};

/// One scan that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The scan.
    pub scan: ScanId,
    /// Whose scan it is.
    pub subject: SubjectId,
    /// Why it is left out, for a person to read.
    pub reason: String,
}
