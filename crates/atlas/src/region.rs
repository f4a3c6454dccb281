//! ROI and atlas; a model depends on the order of the ROIs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use brainmae_files::checksum::FieldHasher;

use crate::error::RoiProblem;

/// Side of the brain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hemisphere {
    /// The subject's left side.
    Left,
    /// The subject's right side.
    Right,
}

impl Hemisphere {
    /// The text in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// One region of interest.
#[derive(Clone, Debug, PartialEq)]
pub struct Roi {
    /// Index in the atlas, from 0.
    pub index: usize,
    /// Name, unique in the atlas.
    pub name: String,
    /// Functional network, where known.
    pub network: Option<String>,
    /// Side, where known.
    pub hemisphere: Option<Hemisphere>,
    /// Centroid in right-anterior-superior mm, where known.
    pub centroid_mm: Option<[f32; 3]>,
}

/// A set of ROIs in a fixed order.
#[derive(Clone, Debug, PartialEq)]
pub struct Atlas {
    /// Name such as `spatial-100`.
    pub name: String,
    /// Version, which distinguishes atlases of the same name.
    pub version: String,
    /// The ROIs in their fixed order.
    pub rois: Vec<Roi>,
}

impl Atlas {
    /// ROIs in the atlas.
    pub fn n_rois(&self) -> usize {
        self.rois.len()
    }

    /// Hash of the atlas: of its name, its version and its ROI names in order.
    pub fn hash(&self) -> String {
        self.rois
            .iter()
            .fold(
                FieldHasher::new("atlas")
                    .field(&self.name)
                    .field(&self.version),
                |hasher, roi| hasher.field(&roi.name),
            )
            .finish()
    }

    /// Checks that the ROIs are numbered in order and have unique names.
    ///
    /// # Errors
    /// The first problem found.
    pub fn check(&self) -> Result<(), RoiProblem> {
        let mut names = BTreeSet::new();
        for (place, roi) in self.rois.iter().enumerate() {
            if roi.index != place {
                let index = roi.index;
                return Err(RoiProblem::Index { place, index });
            }
            if roi.name.is_empty() || !names.insert(&roi.name) {
                let name = roi.name.clone();
                return Err(RoiProblem::Name { place, name });
            }
        }
        if self.rois.is_empty() {
            return Err(RoiProblem::Empty);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn atlas(names: &[&str]) -> Atlas {
        Atlas {
            name: "test".into(),
            version: "1".into(),
            rois: names
                .iter()
                .enumerate()
                .map(|(index, name)| Roi {
                    index,
                    name: (*name).into(),
                    network: None,
                    hemisphere: None,
                    centroid_mm: None,
                })
                .collect(),
        }
    }

    #[test]
    fn rois_are_numbered_in_order_and_named_uniquely() {
        let mut shuffled = atlas(&["a", "b"]);
        shuffled.rois.swap(0, 1);
        for (atlas, problem) in [
            (shuffled, RoiProblem::Index { place: 0, index: 1 }),
            (
                atlas(&["a", "a"]),
                RoiProblem::Name {
                    place: 1,
                    name: "a".into(),
                },
            ),
            (atlas(&[]), RoiProblem::Empty),
        ] {
            assert_eq!(atlas.check(), Err(problem));
        }
        assert_eq!(atlas(&["a", "b"]).check(), Ok(()));
    }

    #[test]
    fn the_order_of_rois_is_part_of_the_identity() {
        assert_eq!(atlas(&["a", "b"]).hash(), atlas(&["a", "b"]).hash());
        assert_ne!(atlas(&["a", "b"]).hash(), atlas(&["b", "a"]).hash());
    }

    #[test]
    fn the_same_names_of_another_version_are_another_atlas() {
        let mut other = atlas(&["a"]);
        other.version = "2".into();
        assert_ne!(other.hash(), atlas(&["a"]).hash());
    }
}
