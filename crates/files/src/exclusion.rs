//! Record of a scan that is left out, and why: reported, never raised.

use std::collections::BTreeMap;

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

/// Reasons with the number of scans, the most frequent first. Names of scans and paths stay out:
/// they hold names of subjects, which must not reach a log.
pub fn reasons(exclusions: &[Exclusion]) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for exclusion in exclusions {
        // A path at the end is that of one scan.
        let reason = exclusion.reason.split(": \"/").next().unwrap_or_default();
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = counts.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}
