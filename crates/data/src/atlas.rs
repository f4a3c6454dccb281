//! ROIs and the atlas they form: their order is part of what a model learns.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::checksum::FieldHasher;
use crate::error::DataError;

/// Side of the brain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hemisphere {
    /// The subject's left.
    Left,
    /// The subject's right.
    Right,
}

impl Hemisphere {
    /// As written in tables.
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
    /// Place in the atlas, from 0.
    pub index: usize,
    /// Name, unique in the atlas.
    pub name: String,
    /// Functional network, where known.
    pub network: Option<String>,
    /// Side, where known.
    pub hemisphere: Option<Hemisphere>,
    /// Centre in right-anterior-superior mm, where known.
    pub centroid_mm: Option<[f32; 3]>,
}

/// A set of ROIs in a fixed order.
#[derive(Clone, Debug, PartialEq)]
pub struct Atlas {
    /// Such as `spatial-100`.
    pub name: String,
    /// What sets it apart from others of that name.
    pub version: String,
    /// The ROIs, in order.
    pub rois: Vec<Roi>,
}

impl Atlas {
    /// ROIs in the atlas.
    pub fn n_rois(&self) -> usize {
        self.rois.len()
    }

    /// Identity of the atlas: its name, version and the names of its ROIs in order.
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

    /// Checks that this atlas is `expected`, ROI by ROI.
    ///
    /// # Errors
    /// [`DataError::AtlasOrder`] when only the order differs, else [`DataError::AtlasMismatch`];
    /// both name the first ROI that differs.
    pub fn check_same(&self, expected: &Self) -> Result<(), DataError> {
        let names = |atlas: &Self| -> Vec<String> {
            atlas.rois.iter().map(|roi| roi.name.clone()).collect()
        };
        let (ours, theirs) = (names(self), names(expected));
        let mismatch = |difference: String| DataError::AtlasMismatch {
            found: self.title(),
            expected: expected.title(),
            difference,
        };
        let first = ours
            .iter()
            .zip(&theirs)
            .position(|(our, their)| our != their);
        if let Some(index) = first {
            let same_set = ours.len() == theirs.len()
                && ours.iter().collect::<BTreeSet<_>>() == theirs.iter().collect();
            return Err(if same_set {
                DataError::AtlasOrder {
                    found: self.title(),
                    expected: expected.title(),
                    index,
                    found_roi: ours[index].clone(),
                    expected_roi: theirs[index].clone(),
                }
            } else {
                mismatch(format!(
                    "ROI {index} is {:?}, expected {:?}",
                    ours[index], theirs[index]
                ))
            });
        }
        if ours.len() != theirs.len() {
            let index = ours.len().min(theirs.len());
            let name = |names: &[String]| names.get(index).cloned().unwrap_or("missing".into());
            return Err(mismatch(format!(
                "{} ROIs, expected {}: ROI {index} is {:?}, expected {:?}",
                ours.len(),
                theirs.len(),
                name(&ours),
                name(&theirs)
            )));
        }
        if (&self.name, &self.version) != (&expected.name, &expected.version) {
            return Err(mismatch(
                "the ROIs carry the same names, but name or version of the atlas differ, so they may lie elsewhere".into(),
            ));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} ({})", self.name, self.version)
    }

    /// Checks that ROIs are numbered in order and named uniquely.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for (index, roi) in self.rois.iter().enumerate() {
            if roi.index != index {
                return Err(format!("ROI {index} carries the index {}", roi.index));
            }
            if roi.name.is_empty() || !names.insert(&roi.name) {
                return Err(format!(
                    "ROI {index} is named {:?}: names must be unique and not empty",
                    roi.name
                ));
            }
        }
        if self.rois.is_empty() {
            return Err("it has no ROI".into());
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
    fn the_order_of_rois_is_part_of_the_identity() {
        assert_eq!(atlas(&["a", "b"]).hash(), atlas(&["a", "b"]).hash());
        assert_ne!(atlas(&["a", "b"]).hash(), atlas(&["b", "a"]).hash());
    }

    #[test]
    fn another_order_is_told_apart_from_another_set() {
        let expected = atlas(&["a", "b", "c"]);
        expected.check_same(&expected).unwrap();

        let swapped = atlas(&["a", "c", "b"]).check_same(&expected).unwrap_err();
        assert!(
            matches!(&swapped, DataError::AtlasOrder { index: 1, found_roi, expected_roi, .. }
                if found_roi == "c" && expected_roi == "b"),
            "{swapped}"
        );

        let other = atlas(&["a", "b", "x"]).check_same(&expected).unwrap_err();
        assert!(
            other.to_string().contains("ROI 2 is \"x\", expected \"c\""),
            "{other}"
        );

        let short = atlas(&["a", "b"]).check_same(&expected).unwrap_err();
        assert!(short.to_string().contains("2 ROIs, expected 3"), "{short}");
    }

    #[test]
    fn the_same_names_of_another_version_are_another_atlas() {
        let mut other = atlas(&["a"]);
        other.version = "2".into();
        assert!(other.check_same(&atlas(&["a"])).is_err());
        assert_ne!(other.hash(), atlas(&["a"]).hash());
    }
}
