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
    /// The family, where known; a split keeps relatives in one set.
    pub family: Option<String>,
    /// Targets, with the unit of measurement in the name: `age_years`. A missing target is absent.
    #[serde(default)]
    pub targets: BTreeMap<String, f64>,
    /// Categories to predict or to balance over: `sex`, `site`. A missing category is absent.
    #[serde(default)]
    pub categories: BTreeMap<String, String>,
}
