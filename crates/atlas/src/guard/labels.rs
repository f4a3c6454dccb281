//! Labels of voxels and vertices: the ROI of each key, by name or by position.

use std::collections::BTreeMap;

use crate::builtin::{self, BUILTINS, Builtin};
use crate::error::{AtlasError, LabelProblem};
use crate::naming::is_background;
use crate::region::{Atlas, Hemisphere};
use crate::resolve::resolve;

/// Required share of the regions at the positions of the atlas, 0 to 1.
const CLEAR_MAJORITY: f64 = 0.9;

/// The voxels or vertices of one key of a label file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelRegion {
    /// Number of voxels or vertices.
    pub n: usize,
    /// Their centroid in right-anterior-superior mm, where it is known.
    pub centroid_mm: Option<[f64; 3]>,
}

/// The space of the centroids of a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelSpace {
    /// MNI152 or a similar space: centroids can be compared with those of the atlas.
    Mni,
    /// The space of the subject: only left and right are compared.
    Subject,
}

/// Finds the ROI of every key of a label table, from a `.dlabel.nii` or a look-up table.
///
/// Keys may come in any order. Names are matched as in [`match_columns`](super::match_columns);
/// keys of the background and of other regions than ROIs are ignored. An ROI without a key is not
/// an error here: see [`missing`](super::missing).
///
/// # Errors
/// [`AtlasError::AtlasMismatch`] for a key that occurs twice, for an ROI at key 0, and for names
/// that [`match_columns`](super::match_columns) refuses.
pub fn match_label_table(
    atlas: &Atlas,
    table: &[(u32, String)],
) -> Result<BTreeMap<u32, usize>, AtlasError> {
    let mut by_key: BTreeMap<u32, &str> = BTreeMap::new();
    for (key, name) in table.iter().filter(|(_, name)| !is_background(name)) {
        if let Some(before) = by_key.insert(*key, name) {
            return Err(refuse(
                atlas,
                table.len(),
                LabelProblem::KeyTwice {
                    key: *key,
                    first: before.to_owned(),
                    second: name.clone(),
                },
            ));
        }
    }
    let (keys, names): (Vec<u32>, Vec<&str>) = by_key.into_iter().unzip();
    let rois = resolve(atlas, &names, "labels")?.rois;
    let matched: BTreeMap<u32, usize> = keys
        .into_iter()
        .zip(rois)
        .filter_map(|(key, roi)| Some((key, roi?)))
        .collect();
    if let Some(roi) = matched.get(&0) {
        return Err(refuse(
            atlas,
            table.len(),
            LabelProblem::RoiAtZero {
                roi: atlas.rois[*roi].name.clone(),
            },
        ));
    }
    Ok(matched)
}

/// Finds the ROI of every key of a label file without names: key `k` is the ROI of index `k - 1`,
/// unless a check fails.
///
/// `regions` describes each key; it may contain key 0, the background. If centroids are known, they
/// are checked: in MNI space 90 % of the regions must be nearer to their own ROI than to the ROIs
/// before and after it; in any space 90 % of them must be on their own side. An ROI without a key
/// is not an error here: see [`missing`](super::missing).
///
/// # Errors
/// [`AtlasError::AtlasMismatch`] for keys above the number of ROIs, for keys that look shifted by
/// one, and for regions at other positions than in the atlas; it names a better explanation if
/// there is one.
pub fn match_label_keys(
    atlas: &Atlas,
    regions: &BTreeMap<u32, LabelRegion>,
    space: LabelSpace,
) -> Result<BTreeMap<u32, usize>, AtlasError> {
    let labelled: BTreeMap<u32, LabelRegion> = regions
        .iter()
        .filter(|(key, region)| **key != 0 && region.n > 0)
        .map(|(key, region)| (*key, *region))
        .collect();
    let zero = regions.get(&0).map_or(0, |region| region.n);
    check_keys(atlas, &labelled, zero)
        .and_then(|()| check_places(atlas, &labelled, space))
        .map_err(|problem| refuse(atlas, labelled.len(), problem))?;
    Ok(labelled.into_keys().map(|key| (key, roi_of(key))).collect())
}

/// The index of the ROI that key `key` should be.
fn roi_of(key: u32) -> usize {
    key as usize - 1
}

fn refuse(atlas: &Atlas, n_labels: usize, problem: LabelProblem) -> AtlasError {
    let found = format!("of {n_labels} labels");
    AtlasError::mismatch(found, &atlas.name, problem.into())
}

fn check_keys(
    atlas: &Atlas,
    labelled: &BTreeMap<u32, LabelRegion>,
    zero: usize,
) -> Result<(), LabelProblem> {
    let n_rois = atlas.n_rois();
    let (Some((&first, _)), Some((&last, _))) =
        (labelled.first_key_value(), labelled.last_key_value())
    else {
        return Err(LabelProblem::NoLabel);
    };
    let unbroken = (last - first) as usize == labelled.len() - 1;
    // A background is larger than any ROI; a smaller region at key 0 is an ROI.
    let largest = labelled.values().map(|region| region.n).max().unwrap_or(0);
    if (1..=largest).contains(&zero) && unbroken && first == 1 && last as usize == n_rois - 1 {
        return Err(LabelProblem::KeysFromZero { last });
    }
    if last as usize <= n_rois {
        return Ok(());
    }
    if unbroken && first == 2 && last as usize == n_rois + 1 {
        let expected = n_rois;
        return Err(LabelProblem::KeysFromTwo { last, expected });
    }
    let keys = labelled.keys().copied();
    let builtin = BUILTINS
        .iter()
        .find(|builtin| builtin.n_rois == last as usize);
    Err(LabelProblem::KeysAbove {
        keys: keys.filter(|key| *key as usize > n_rois).collect(),
        n_rois,
        other_atlas: builtin.map(|builtin| builtin.name),
    })
}

/// A region with a known centroid, and the ROI that it should be.
struct Placed {
    roi: usize,
    centre: [f64; 3],
}

fn check_places(
    atlas: &Atlas,
    labelled: &BTreeMap<u32, LabelRegion>,
    space: LabelSpace,
) -> Result<(), LabelProblem> {
    let placed: Vec<Placed> = labelled
        .iter()
        .filter_map(|(key, region)| {
            let centre = region.centroid_mm?;
            let roi = roi_of(*key);
            let finite = centre.iter().all(|mm| mm.is_finite());
            finite.then_some(Placed { roi, centre })
        })
        .collect();
    if placed.is_empty() {
        return Ok(());
    }
    let mean_x = |side| {
        let on_side = |region: &&Placed| atlas.rois[region.roi].hemisphere == Some(side);
        let xs: Vec<f64> = placed
            .iter()
            .filter(on_side)
            .map(|region| region.centre[0])
            .collect();
        (!xs.is_empty()).then(|| xs.iter().sum::<f64>() / xs.len() as f64)
    };
    let midline_mm = match space {
        LabelSpace::Mni => Some(0.0),
        LabelSpace::Subject => mean_x(Hemisphere::Left)
            .zip(mean_x(Hemisphere::Right))
            .map(|(left, right)| (left + right) / 2.0),
    };
    let own_side = share(&placed, |region| {
        let left = atlas.rois[region.roi].hemisphere? == Hemisphere::Left;
        Some((region.centre[0] < midline_mm?) == left)
    });
    let own_place = match space {
        LabelSpace::Mni => fit(atlas, &placed, Some),
        LabelSpace::Subject => None,
    };
    let fits = |share: Option<f64>| share.is_none_or(|share| share >= CLEAR_MAJORITY);
    if fits(own_side) && fits(own_place) {
        return Ok(());
    }
    if space == LabelSpace::Mni
        && let Some(instead) = what_fits(atlas, &placed)
    {
        return Err(instead);
    }
    if own_side.is_some_and(|share| share <= 1.0 - CLEAR_MAJORITY) {
        return Err(LabelProblem::OtherSide);
    }
    Err(LabelProblem::Places {
        own_side,
        own_place,
        expected: CLEAR_MAJORITY,
        in_mni: space == LabelSpace::Mni,
    })
}

/// The explanation, other than "the ROIs in order", that clearly fits the regions; `None` if there
/// is none.
fn what_fits(atlas: &Atlas, placed: &[Placed]) -> Option<LabelProblem> {
    let n_rois = atlas.n_rois();
    let clear = |share: Option<f64>| share.is_some_and(|share| share >= CLEAR_MAJORITY);
    if clear(fit(atlas, placed, |roi| {
        roi.checked_add(1).filter(|next| *next < n_rois)
    })) {
        return Some(LabelProblem::OneLow);
    }
    if clear(fit(atlas, placed, |roi| roi.checked_sub(1))) {
        return Some(LabelProblem::OneHigh);
    }
    if let Some(builtin) = Builtin::of(atlas).filter(|builtin| builtin.n_rois == n_rois) {
        let other = builtin.other_order().name;
        let theirs = builtin::atlas(other).ok()?;
        if clear(fit(&theirs, placed, Some)) {
            return Some(LabelProblem::OtherOrder { atlas: other });
        }
    }
    let on = |side| {
        let rois = atlas
            .rois
            .iter()
            .filter(move |roi| roi.hemisphere == Some(side));
        rois.map(|roi| roi.index)
    };
    let right_first: Vec<usize> = on(Hemisphere::Right).chain(on(Hemisphere::Left)).collect();
    if clear(fit(atlas, placed, |roi| right_first.get(roi).copied())) {
        return Some(LabelProblem::RightFirst);
    }
    let mirrored: Vec<Placed> = placed
        .iter()
        .map(|region| Placed {
            roi: region.roi,
            centre: [-region.centre[0], region.centre[1], region.centre[2]],
        })
        .collect();
    clear(fit(atlas, &mirrored, Some)).then_some(LabelProblem::Mirrored)
}

/// The share of regions that lie nearer to the ROI given by `meant` than to the ROIs before and
/// after it; `None` when there are none to compare.
fn fit(atlas: &Atlas, placed: &[Placed], meant: impl Fn(usize) -> Option<usize>) -> Option<f64> {
    let away = |region: &Placed, roi: usize| {
        let centre = atlas.rois.get(roi)?.centroid_mm?;
        let squares = region.centre.iter().zip(centre);
        Some(
            squares
                .map(|(x, y)| (x - f64::from(y)).powi(2))
                .sum::<f64>(),
        )
    };
    share(placed, |region| {
        let roi = meant(region.roi)?;
        let own = away(region, roi)?;
        let before = roi.checked_sub(1).and_then(|roi| away(region, roi));
        let after = away(region, roi + 1);
        Some(
            [before, after]
                .into_iter()
                .flatten()
                .all(|other| own < other),
        )
    })
}

/// The share of regions that pass the test, among those that can be tested.
fn share(placed: &[Placed], passes: impl Fn(&Placed) -> Option<bool>) -> Option<f64> {
    let tested: Vec<bool> = placed.iter().filter_map(passes).collect();
    let passed = tested.iter().filter(|passed| **passed).count();
    (!tested.is_empty()).then(|| passed as f64 / tested.len() as f64)
}

#[cfg(test)]
mod tests;
