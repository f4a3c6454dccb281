//! Atlases of a user: made from a label table, or from another atlas by removing ROIs.

use std::collections::BTreeMap;

use brainmae_files::CommonErrors as _;

use crate::builtin::WITHOUT;
use crate::centroids::Centroid;
use crate::error::{AtlasError, LabelTableProblem};
use crate::guard::{match_label_table, missing};
use crate::naming::{Key, hemisphere, is_background, nearest};
use crate::region::{Atlas, Roi};
use crate::shown::shown;

/// Maximum number of ROIs in a message.
const MOST_LISTED: usize = 5;

impl Atlas {
    /// The atlas of a label table: its ROIs in the order of their keys, without the background.
    ///
    /// The side of an ROI is known if its name has `LH`, `RH`, `left` or `right`. Networks and
    /// centroids are not known.
    ///
    /// # Errors
    /// [`AtlasError::LabelTable`] for a key or a name that occurs twice, a name at key 0, which
    /// means "no ROI", or a table without ROIs.
    pub fn from_label_table(
        name: &str,
        version: &str,
        table: &[(u32, String)],
    ) -> Result<Self, AtlasError> {
        let refuse = |problem| Err(AtlasError::LabelTable(problem));
        let mut by_key: BTreeMap<u32, &str> = BTreeMap::new();
        for (key, roi) in table.iter().filter(|(_, roi)| !is_background(roi)) {
            if *key == 0 {
                let name = roi.clone();
                return refuse(LabelTableProblem::NameAtZero { name });
            }
            if by_key.insert(*key, roi).is_some() {
                return refuse(LabelTableProblem::KeyTwice { key: *key });
            }
        }
        let rois = by_key.values().enumerate();
        let atlas = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            rois: rois
                .map(|(index, roi)| Roi {
                    index,
                    name: (*roi).to_owned(),
                    network: None,
                    hemisphere: hemisphere(roi),
                    centroid_mm: None,
                })
                .collect(),
        };
        if atlas.rois.is_empty() {
            return refuse(LabelTableProblem::Empty);
        }
        match atlas.check() {
            Ok(()) => Ok(atlas),
            Err(problem) => refuse(LabelTableProblem::Rois(problem)),
        }
    }

    /// The atlas without some of its ROIs, in the same order. Its name contains the number of
    /// removed ROIs; its [`hash`](Self::hash) depends on which they are.
    ///
    /// # Errors
    /// [`AtlasError::Config`] for a name that is not an ROI of the atlas, or when no ROI remains.
    pub fn without(&self, names: &[&str]) -> Result<Self, AtlasError> {
        let mut kept = vec![true; self.n_rois()];
        let keys: Vec<Key> = self.rois.iter().map(|roi| Key::of(&roi.name)).collect();
        for name in names {
            let exact = self.rois.iter().position(|roi| roi.name == *name);
            let key = Key::of(name);
            let alike = || {
                let mut alike = (0..keys.len()).filter(|at| {
                    let prefix_fits = key.networks.is_none() || key.networks == keys[*at].networks;
                    prefix_fits && keys[*at].rest == key.rest
                });
                alike.next().filter(|_| alike.next().is_none())
            };
            let Some(at) = exact.or_else(alike) else {
                let all = self.rois.iter().map(|roi| roi.name.as_str());
                let hint = nearest(name, all)
                    .map(|near| format!(" (is it {near}?)"))
                    .unwrap_or_default();
                let expected = format!("the name of an ROI of {}{hint}", self.name);
                return Err(AtlasError::config("atlas.without", shown(name), expected));
            };
            kept[at] = false;
        }
        let mut rois: Vec<Roi> = self
            .rois
            .iter()
            .zip(&kept)
            .filter(|(_, kept)| **kept)
            .map(|(roi, _)| roi.clone())
            .collect();
        for (index, roi) in rois.iter_mut().enumerate() {
            roi.index = index;
        }
        let n_out = self.n_rois() - rois.len();
        if rois.is_empty() {
            return Err(AtlasError::config(
                "atlas.without",
                format!("all {n_out} ROIs"),
                format!("some ROI of {} that stays", self.name),
            ));
        }
        let name = match n_out {
            0 => self.name.clone(),
            _ => format!("{}{WITHOUT}{n_out}", self.name),
        };
        Ok(Self {
            name,
            version: self.version.clone(),
            rois,
        })
    }

    /// The atlas with the centroids of its ROIs, matched by name.
    ///
    /// # Errors
    /// [`AtlasError::AtlasMismatch`] for names that [`match_label_table`] refuses;
    /// [`AtlasError::Config`] when an ROI has no centroid in `centroids`.
    pub fn with_centroids(mut self, centroids: &[Centroid]) -> Result<Self, AtlasError> {
        let table: Vec<(u32, String)> = centroids
            .iter()
            .map(|row| (row.label, row.name.clone()))
            .collect();
        let matched = match_label_table(&self, &table)?;
        let without = missing(&self, matched.values().copied());
        if !without.is_empty() {
            let listed = without[..without.len().min(MOST_LISTED)].join(", ");
            return Err(AtlasError::config(
                "atlas.centroids",
                format!(
                    "none for {} ROIs ({listed}{})",
                    without.len(),
                    more(without.len())
                ),
                format!(
                    "one for each of the {} ROIs of {}",
                    self.n_rois(),
                    self.name
                ),
            ));
        }
        for row in centroids.iter().filter(|row| !is_background(&row.name)) {
            if let Some(roi) = matched.get(&row.label) {
                self.rois[*roi].centroid_mm = Some(row.mm);
            }
        }
        Ok(self)
    }
}

fn more(n: usize) -> &'static str {
    if n > MOST_LISTED { ", …" } else { "" }
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;

    use super::*;
    use crate::builtin;
    use crate::error::RoiProblem;
    use crate::region::Hemisphere;

    fn table(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
        rows.iter()
            .map(|(key, name)| (*key, (*name).to_owned()))
            .collect()
    }

    fn names(atlas: &Atlas) -> Vec<&str> {
        atlas.rois.iter().map(|roi| roi.name.as_str()).collect()
    }

    #[test]
    fn rois_of_a_table_come_in_the_order_of_their_keys() {
        let rows = table(&[
            (7, "Right_V1"),
            (0, "???"),
            (2, "Left_V1"),
            (9, "Brainstem"),
        ]);
        let atlas = Atlas::from_label_table("mine", "1", &rows).unwrap();
        assert_eq!(names(&atlas), ["Left_V1", "Right_V1", "Brainstem"]);
        let sides: Vec<_> = atlas.rois.iter().map(|roi| roi.hemisphere).collect();
        assert_eq!(
            sides,
            [Some(Hemisphere::Left), Some(Hemisphere::Right), None]
        );
        atlas.check().unwrap();
    }

    #[test]
    fn a_table_that_makes_no_atlas_is_refused() {
        use LabelTableProblem as P;
        let same_names = P::Rois(RoiProblem::Name {
            place: 1,
            name: "a".into(),
        });
        let at_zero = P::NameAtZero { name: "a".into() };
        for (rows, expected) in [
            (table(&[(1, "a"), (1, "b")]), P::KeyTwice { key: 1 }),
            (table(&[(1, "a"), (2, "a")]), same_names),
            (table(&[(0, "a"), (1, "b")]), at_zero),
            (table(&[(0, "???")]), P::Empty),
            (table(&[]), P::Empty),
        ] {
            match Atlas::from_label_table("mine", "1", &rows) {
                Err(AtlasError::LabelTable(problem)) => assert_eq!(problem, expected),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn rois_are_taken_out_and_the_atlas_is_another_one() {
        let all = builtin::atlas("schaefer-100-7").unwrap();
        let fewer = all.without(&["7Networks_LH_Vis_2", "rh-vis-1"]).unwrap();
        assert_eq!(
            (fewer.n_rois(), fewer.name.as_str()),
            (98, "schaefer-100-7-without-2")
        );
        assert_eq!(fewer.rois[1].name, "7Networks_LH_Vis_3");
        fewer.check().unwrap();
        let others = all.without(&["7Networks_LH_Vis_3", "rh-vis-1"]).unwrap();
        assert_ne!(fewer.hash(), others.hash());
        assert_eq!(all.without(&[]).unwrap(), all);
    }

    #[test]
    fn what_is_no_roi_cannot_be_taken_out() {
        let all = builtin::atlas("schaefer-100-7").unwrap();
        let refused = |names: &[&str]| match all.without(names) {
            Err(AtlasError::Config(InvalidField {
                field: "atlas.without",
                found,
                expected,
            })) => (found, expected),
            other => panic!("{other:?}"),
        };
        let (found, expected) = refused(&["LH_Viz_2"]);
        assert_eq!(found, "\"LH_Viz_2\"");
        assert!(expected.contains("is it 7Networks_LH_Vis_2?"), "{expected}");
        let (found, _) = refused(&["17Networks_LH_Vis_2"]);
        assert_eq!(found, "\"17Networks_LH_Vis_2\"");
        assert_eq!(refused(&names(&all)).0, "all 100 ROIs");
    }

    #[test]
    fn centres_are_given_by_name_and_to_every_roi() {
        let rows = table(&[(1, "LH_a"), (2, "RH_a")]);
        let atlas = || Atlas::from_label_table("mine", "1", &rows).unwrap();
        let row = |label, name: &str, mm| Centroid {
            label,
            name: name.into(),
            mm,
        };
        let none = row(0, "NONE", [0.0; 3]);
        let (left, right) = (
            row(8, "LH_a", [-1.0, 2.0, 3.0]),
            row(5, "RH_a", [1.0, 2.0, 3.0]),
        );
        let placed = atlas()
            .with_centroids(&[none, right, left.clone()])
            .unwrap();
        assert_eq!(placed.rois[0].centroid_mm, Some([-1.0, 2.0, 3.0]));
        assert_eq!(placed.rois[1].centroid_mm, Some([1.0, 2.0, 3.0]));
        let error = atlas().with_centroids(&[left]).unwrap_err();
        let is_of_field = matches!(
            &error,
            AtlasError::Config(InvalidField { field: "atlas.centroids", found, .. })
                if found == "none for 1 ROIs (RH_a)"
        );
        assert!(is_of_field, "{error:?}");
    }
}
