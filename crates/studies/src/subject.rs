//! Record of one subject: family, targets and categories.

use std::collections::BTreeMap;

use brainmae_files::SubjectId;
use serde::{Deserialize, Serialize};

/// Name of the column of the site at which a subject was scanned.
pub const SITE: &str = "site";

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

impl SubjectRecord {
    /// The value of a column as a word, whether it is a category or a number such as that of a
    /// site; `None` where it is missing.
    pub fn word(&self, column: &str) -> Option<String> {
        let number = || self.targets.get(column).map(f64::to_string);
        self.categories.get(column).cloned().or_else(number)
    }
}
