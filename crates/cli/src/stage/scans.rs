//! Scans that stages work on, with their split.

use std::collections::BTreeMap;
use std::sync::Arc;

use brainmae_data::{PreparedDataset, SegmentLayout, Split};
use brainmae_encoder::Evaluation;

/// The prepared data of an experiment.
pub struct Material {
    /// All scans, with the split of the experiment.
    pub scans: Scans,
    /// The same scans with the split of each fold, if targets are predicted.
    pub folds: Vec<Scans>,
    /// The folds of each further partition, on which linear models are fitted again.
    pub repeated: Vec<Vec<Scans>>,
}

/// Input of every stage after the first: data set, split and lengths.
pub struct Scans {
    /// Prepared data set.
    pub dataset: Arc<PreparedDataset>,
    /// Training, validation and test set.
    pub split: Split,
    /// Lengths of segments and samples, in volumes.
    pub layout: SegmentLayout,
}

impl Scans {
    /// The same scans with another split.
    pub fn with_split(&self, split: Split) -> Self {
        Self {
            dataset: Arc::clone(&self.dataset),
            split,
            layout: self.layout,
        }
    }

    /// Evaluation on the test set of the split.
    pub fn evaluation(&self) -> Evaluation<'_> {
        Evaluation {
            dataset: &self.dataset,
            layout: self.layout,
            unit: self.split.unit,
            held_out: &self.split.test,
        }
    }

    /// Number of scans in each set of the split, in words.
    pub fn sets(&self) -> String {
        let split = &self.split;
        let [train, validation, test] =
            [&split.train, &split.validation, &split.test].map(Vec::len);
        format!("{train} training, {validation} validation, {test} test scans")
    }

    /// Hashes of the inputs that identify a stage on these scans.
    pub fn inputs(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("data".to_string(), self.dataset.content_hash().to_string()),
            ("split".to_string(), self.split.hash()),
        ])
    }
}
