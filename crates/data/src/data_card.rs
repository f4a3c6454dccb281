//! Data card of a model: the properties that other data must have to be used with the model.

use serde::{Deserialize, Serialize};

use crate::prepared::PreparedDataset;
use crate::segment::SegmentLayout;

/// Largest difference between two `dt_secs` that count as equal.
const SAME_DT_SECS: f64 = 1e-6;

/// Atlas, time base, segments and cleaning of the data that a model was trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataCard {
    /// Name of the data set.
    pub dataset: String,
    /// Hash of the prepared data set.
    pub dataset_sha256: String,
    /// Atlas, with its version.
    pub atlas: String,
    /// Hash of the atlas.
    pub atlas_sha256: String,
    /// ROI names in the model's order.
    pub rois: Vec<String>,
    /// Seconds between volumes.
    pub dt_secs: f64,
    /// Volumes in a segment.
    pub segment_len_trs: usize,
    /// Segments in a sample.
    pub n_segments: usize,
    /// Cleaning steps of the signals, in order; the last step is the normalisation.
    pub cleaning: Vec<String>,
}

/// The first property in which data differ from the training data of a checkpoint.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataMismatch {
    /// The number of ROIs differs.
    #[error(
        "the checkpoint does not fit: the atlas is {atlas} ({found} ROIs) here, {expected_atlas} ({expected} ROIs) in \
         the checkpoint; prepare the data with the checkpoint's atlas"
    )]
    RoiCount {
        /// Atlas of the data.
        atlas: String,
        /// ROIs of the data.
        found: usize,
        /// Atlas of the checkpoint.
        expected_atlas: String,
        /// ROIs of the checkpoint.
        expected: usize,
    },
    /// The order of the ROIs differs; their names are the same.
    #[error(
        "the checkpoint does not fit: the first differing ROI is {found} of {atlas} here, {expected} of \
         {expected_atlas} in the checkpoint; the ROIs are the same in another order: prepare the data in the \
         checkpoint's order"
    )]
    RoiOrder {
        /// Atlas of the data.
        atlas: String,
        /// ROI of the data at the first differing position.
        found: String,
        /// Atlas of the checkpoint.
        expected_atlas: String,
        /// ROI of the checkpoint at that position.
        expected: String,
    },
    /// The name of an ROI differs.
    #[error(
        "the checkpoint does not fit: the first differing ROI is {found} of {atlas} here, {expected} of \
         {expected_atlas} in the checkpoint; prepare the data with the checkpoint's atlas"
    )]
    RoiName {
        /// Atlas of the data.
        atlas: String,
        /// ROI of the data at the first differing position.
        found: String,
        /// Atlas of the checkpoint.
        expected_atlas: String,
        /// ROI of the checkpoint at that position.
        expected: String,
    },
    /// The atlas differs; the names of its ROIs are the same.
    #[error(
        "the checkpoint does not fit: the atlas is {found} here, {expected} in the checkpoint; prepare the data with \
         the checkpoint's atlas"
    )]
    Atlas {
        /// Atlas of the data.
        found: String,
        /// Atlas of the checkpoint.
        expected: String,
    },
    /// The time between volumes differs.
    #[error(
        "the checkpoint does not fit: dt_secs is {found} s here, {expected} s in the checkpoint; resample the data to \
         the checkpoint's dt"
    )]
    Dt {
        /// Seconds, of the data.
        found: f64,
        /// Seconds, of the checkpoint.
        expected: f64,
    },
    /// The number of volumes in a segment differs.
    #[error(
        "the checkpoint does not fit: segment_len_trs is {found} here, {expected} in the checkpoint; use the \
         checkpoint's segment_secs"
    )]
    SegmentLength {
        /// Volumes, of the data.
        found: usize,
        /// Volumes, of the checkpoint.
        expected: usize,
    },
    /// The cleaning steps differ.
    #[error(
        "the checkpoint does not fit: the cleaning is {} here, {} in the checkpoint; clean the data as the \
         checkpoint's were", found.join(", "), expected.join(", ")
    )]
    Cleaning {
        /// Steps of the data.
        found: Vec<String>,
        /// Steps of the checkpoint.
        expected: Vec<String>,
    },
}

impl DataCard {
    /// The card of `dataset`, with the segments of `layout`.
    pub fn new(dataset: &PreparedDataset, layout: &SegmentLayout) -> Self {
        let (header, atlas) = (dataset.header(), dataset.atlas());
        Self {
            dataset: header.name.clone(),
            dataset_sha256: dataset.content_hash().to_string(),
            atlas: format!("{} {}", atlas.name, atlas.version),
            atlas_sha256: atlas.hash(),
            rois: atlas.rois.iter().map(|roi| roi.name.clone()).collect(),
            dt_secs: dataset.dt_secs(),
            segment_len_trs: layout.segment_len_trs,
            n_segments: layout.n_segments,
            cleaning: header.cleaning.iter().map(ToString::to_string).collect(),
        }
    }

    /// Lengths of the segments and samples.
    pub fn layout(&self) -> SegmentLayout {
        SegmentLayout {
            segment_len_trs: self.segment_len_trs,
            n_segments: self.n_segments,
        }
    }

    /// Checks that a model with this card can be used on `data`. The data set and the number of
    /// segments may differ.
    ///
    /// # Errors
    /// The first property that differs: ROIs, atlas, time base, segment length or cleaning.
    pub fn check(&self, data: &Self) -> Result<(), DataMismatch> {
        if self.rois.len() != data.rois.len() {
            return Err(DataMismatch::RoiCount {
                atlas: data.atlas.clone(),
                found: data.rois.len(),
                expected_atlas: self.atlas.clone(),
                expected: self.rois.len(),
            });
        }
        if let Some(i) = (0..self.rois.len()).find(|&i| self.rois[i] != data.rois[i]) {
            return Err(self.other_roi(data, i));
        }
        if self.atlas_sha256 != data.atlas_sha256 {
            return Err(DataMismatch::Atlas {
                found: data.atlas.clone(),
                expected: self.atlas.clone(),
            });
        }
        if (self.dt_secs - data.dt_secs).abs() > SAME_DT_SECS {
            return Err(DataMismatch::Dt {
                found: data.dt_secs,
                expected: self.dt_secs,
            });
        }
        if self.segment_len_trs != data.segment_len_trs {
            return Err(DataMismatch::SegmentLength {
                found: data.segment_len_trs,
                expected: self.segment_len_trs,
            });
        }
        if self.cleaning != data.cleaning {
            return Err(DataMismatch::Cleaning {
                found: data.cleaning.clone(),
                expected: self.cleaning.clone(),
            });
        }
        Ok(())
    }

    fn other_roi(&self, data: &Self, i: usize) -> DataMismatch {
        let (atlas, found) = (data.atlas.clone(), data.rois[i].clone());
        let (expected_atlas, expected) = (self.atlas.clone(), self.rois[i].clone());
        let mut sorted = [self.rois.clone(), data.rois.clone()];
        sorted.iter_mut().for_each(|rois| rois.sort());
        if sorted[0] == sorted[1] {
            DataMismatch::RoiOrder {
                atlas,
                found,
                expected_atlas,
                expected,
            }
        } else {
            DataMismatch::RoiName {
                atlas,
                found,
                expected_atlas,
                expected,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> DataCard {
        DataCard {
            atlas: "schaefer 100".into(),
            atlas_sha256: "a".into(),
            rois: ["vis", "mot", "def"].map(String::from).into(),
            dt_secs: 0.72,
            segment_len_trs: 21,
            cleaning: vec!["z-score".into()],
            ..DataCard::default()
        }
    }

    fn with_rois(rois: &[&str]) -> DataCard {
        DataCard {
            rois: rois.iter().map(|roi| roi.to_string()).collect(),
            ..card()
        }
    }

    #[test]
    fn the_same_data_fit_whatever_the_data_set_is_called() {
        let other_name = DataCard {
            dataset: "another".into(),
            n_segments: 3,
            ..card()
        };
        assert_eq!(card().check(&other_name), Ok(()));
    }

    #[test]
    fn every_difference_is_a_kind_of_its_own() {
        use DataMismatch as M;
        let check = |data: DataCard| card().check(&data).expect_err("a difference");
        let fewer = check(with_rois(&["vis"]));
        assert!(matches!(
            fewer,
            M::RoiCount {
                found: 1,
                expected: 3,
                ..
            }
        ));
        let swapped = check(with_rois(&["mot", "vis", "def"]));
        assert!(
            matches!(swapped, M::RoiOrder { found, expected, .. } if found == "mot" && expected == "vis")
        );
        let renamed = check(with_rois(&["vis", "mot", "lim"]));
        assert!(
            matches!(renamed, M::RoiName { found, expected, .. } if found == "lim" && expected == "def")
        );
        let other_atlas = check(DataCard {
            atlas_sha256: "b".into(),
            ..card()
        });
        assert!(matches!(other_atlas, M::Atlas { .. }));
        let slower = check(DataCard {
            dt_secs: 0.8,
            ..card()
        });
        assert_eq!(
            slower,
            M::Dt {
                found: 0.8,
                expected: 0.72
            }
        );
        let shorter = check(DataCard {
            segment_len_trs: 20,
            ..card()
        });
        assert!(matches!(
            shorter,
            M::SegmentLength {
                found: 20,
                expected: 21
            }
        ));
        let raw = check(DataCard {
            cleaning: Vec::new(),
            ..card()
        });
        assert!(matches!(raw, M::Cleaning { found, .. } if found.is_empty()));
    }

    #[test]
    fn the_message_names_both_sides_and_what_to_do() {
        let error = card().check(&with_rois(&["mot", "vis", "def"]));
        assert_eq!(
            error.expect_err("another order").to_string(),
            "the checkpoint does not fit: the first differing ROI is mot of schaefer 100 here, vis of schaefer 100 in \
             the checkpoint; the ROIs are the same in another order: prepare the data in the checkpoint's order"
        );
    }
}
