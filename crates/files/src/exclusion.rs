//! Record of an excluded scan with the reason: it is reported, not returned as an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ScanId, SubjectId};

/// One scan that is excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusion {
    /// The scan.
    pub scan: ScanId,
    /// The subject of the scan.
    pub subject: SubjectId,
    /// The reason for the exclusion, as text for a person.
    pub reason: String,
}

/// Reasons with the number of scans of each, the most frequent first. Names of scans and paths are
/// removed, because they contain subject names, which must not be written to a log.
pub fn reasons(exclusions: &[Exclusion]) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for exclusion in exclusions {
        // A path at the end belongs to one scan only.
        let reason = exclusion.reason.split(": \"/").next().unwrap_or_default();
        *counts.entry(reason).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = counts.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    reasons
}
