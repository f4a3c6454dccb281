//! Record of one subject: family, targets and categories.

use std::collections::BTreeMap;

use brainmae_files::SubjectId;
use serde::{Deserialize, Serialize};

/// One subject of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectRecord {
    /// The subject.
    pub subject: SubjectId,
    /// The family, where known: relatives stay on one side of a split.
    pub family: Option<String>,
    /// What may be predicted, the unit in the name: `age_years`. A missing one is absent.
    #[serde(default)]
    pub targets: BTreeMap<String, f64>,
    /// Categories that may be predicted or balanced over: `sex`, `site`. A missing one is absent.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
}
