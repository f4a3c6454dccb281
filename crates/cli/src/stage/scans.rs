//! The scans that stages work on.

use std::collections::BTreeMap;
use std::sync::Arc;

use brainmae_data::{PreparedDataset, SegmentLayout, Split};

/// The prepared data of an experiment.
pub struct Material {
    /// All scans, on the sides that the experiment's split puts them on.
    pub scans: Scans,
    /// The same scans on the sides of each fold, where targets are predicted.
    pub folds: Vec<Scans>,
}

/// What every stage after the first works on.
pub struct Scans {
    /// The prepared data set.
    pub dataset: Arc<PreparedDataset>,
    /// Its sides.
    pub split: Split,
    /// Lengths in volumes.
    pub layout: SegmentLayout,
}

impl Scans {
    /// The same scans on other sides.
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            dataset: Arc::clone(&self.dataset),
            split,
            layout: self.layout,
        }
    }

    /// How many scans are on each side, in words.
    pub fn sides(&self) -> String {
        let split = &self.split;
        let [train, validation, test] =
            [&split.train, &split.validation, &split.test].map(Vec::len);
        format!("{train} training, {validation} validation, {test} test scans")
    }

    /// The inputs that identify a stage on these scans.
    pub fn inputs(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("data".to_string(), self.dataset.content_hash().to_string()),
            ("split".to_string(), self.split.hash()),
        ])
    }
}
