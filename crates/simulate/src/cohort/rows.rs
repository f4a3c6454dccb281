//! Rows of simulated CIFTI files: their vertices and voxels, with the ROI of each.

use std::collections::BTreeMap;

use super::spec::{CohortSpec, Grayordinates};
use crate::error::{LabelProblem, SimulateError};
use brainmae_atlas::Atlas;
use brainmae_formats::cifti::writer::{BrainModel, CiftiParcel, CiftiRows, Places};
use brainmae_formats::label_map::GrayordinateLabels;

/// Vertices of an fsLR-32k surface, and the number of those without a row on the left and right.
const MESH: usize = 32_492;
const MEDIAL_WALL: [usize; 2] = [2796, 2776];

const CORTEX: [&str; 2] = ["CORTEX_LEFT", "CORTEX_RIGHT"];

/// Subcortical structures, in the order and with the voxel counts of the HCP.
const BELOW_CORTEX: [(&str, usize); 19] = [
    ("ACCUMBENS_LEFT", 135),
    ("ACCUMBENS_RIGHT", 140),
    ("AMYGDALA_LEFT", 315),
    ("AMYGDALA_RIGHT", 332),
    ("BRAIN_STEM", 3472),
    ("CAUDATE_LEFT", 728),
    ("CAUDATE_RIGHT", 755),
    ("CEREBELLUM_LEFT", 8709),
    ("CEREBELLUM_RIGHT", 9144),
    ("DIENCEPHALON_VENTRAL_LEFT", 706),
    ("DIENCEPHALON_VENTRAL_RIGHT", 712),
    ("HIPPOCAMPUS_LEFT", 764),
    ("HIPPOCAMPUS_RIGHT", 795),
    ("PALLIDUM_LEFT", 297),
    ("PALLIDUM_RIGHT", 260),
    ("PUTAMEN_LEFT", 1060),
    ("PUTAMEN_RIGHT", 1010),
    ("THALAMUS_LEFT", 1288),
    ("THALAMUS_RIGHT", 1248),
];

/// Boxes of voxels, filled with structures one after the other: first voxel and size along i and j.
/// As i increases to the left, the first box is the left side and the second the right side. The
/// third, between them, is for the brain stem.
const BOXES: [([u32; 3], [u32; 2]); 3] = [
    ([52, 25, 10], [29, 66]),
    ([10, 25, 10], [29, 66]),
    ([40, 45, 5], [11, 20]),
];

/// The rows of a file with the label of each: 0 for no ROI, `n` for the ROI of index `n - 1`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LabelledRows {
    pub rows: CiftiRows,
    pub labels: Vec<u32>,
}

/// Rows of a `.dtseries.nii`.
///
/// The first vertices without an ROI are the medial wall, which has no rows. The positions of
/// subcortical structures are fictional, but their voxel counts are real.
///
/// # Errors
/// An error when the labels do not match the atlas, or all grayordinates are requested on another
/// mesh.
pub(super) fn dense_rows(
    spec: &CohortSpec,
    atlas: &Atlas,
    labels: &GrayordinateLabels,
) -> Result<LabelledRows, SimulateError> {
    let every = match spec.grayordinates {
        Grayordinates::Full => 1,
        Grayordinates::Sparse => spec.sparse_every,
    };
    let mut models = Vec::new();
    let mut row_labels = Vec::new();
    for (side, by_vertex) in [&labels.left, &labels.right].into_iter().enumerate() {
        if spec.grayordinates == Grayordinates::Full && by_vertex.len() != MESH {
            return Err(SimulateError::Labels(LabelProblem::Mesh {
                found: by_vertex.len(),
                structure: CORTEX[side],
                expected: MESH,
            }));
        }
        let indices = vertices_with_row(by_vertex, MEDIAL_WALL[side], every)?;
        if indices.is_empty() {
            continue;
        }
        row_labels.extend(indices.iter().map(|vertex| by_vertex[*vertex as usize]));
        models.push(BrainModel {
            structure: CORTEX[side],
            places: Places::Vertices {
                n_vertices: by_vertex.len(),
                indices,
            },
        });
    }
    for (structure, voxels) in voxels_below_cortex(every) {
        let label = |voxel: &[u32; 3]| labels.voxels.get(voxel).copied().unwrap_or(0);
        row_labels.extend(voxels.iter().map(label));
        models.push(BrainModel {
            structure,
            places: Places::Voxels(voxels),
        });
    }
    check_labels(atlas, &row_labels)?;
    Ok(LabelledRows {
        rows: CiftiRows::Dense(models),
        labels: row_labels,
    })
}

/// Rows of a `.ptseries.nii`: the ROIs of the atlas, in order.
///
/// # Errors
/// An error when the labels do not match the atlas.
pub(super) fn parcel_rows(
    atlas: &Atlas,
    labels: &GrayordinateLabels,
) -> Result<LabelledRows, SimulateError> {
    let sides = [(CORTEX[0], &labels.left), (CORTEX[1], &labels.right)];
    let below = labels.voxels.values().copied();
    let all: Vec<u32> = (labels.left.iter().chain(&labels.right).copied())
        .chain(below)
        .collect();
    check_labels(atlas, &all)?;
    let mut parcels: Vec<CiftiParcel> = (atlas.rois.iter())
        .map(|roi| CiftiParcel {
            name: roi.name.clone(),
            vertices: Vec::new(),
            voxels: Vec::new(),
        })
        .collect();
    for (structure, by_vertex) in sides {
        for (vertex, &label) in by_vertex.iter().enumerate() {
            let Some(roi) = (label as usize).checked_sub(1) else {
                continue;
            };
            let vertices = &mut parcels[roi].vertices;
            if vertices.last().is_none_or(|(last, _)| *last != structure) {
                vertices.push((structure, Vec::new()));
            }
            if let Some((_, indices)) = vertices.last_mut() {
                indices.push(vertex as u32);
            }
        }
    }
    for (voxel, &label) in labels.voxels.iter().collect::<BTreeMap<_, _>>() {
        if let Some(roi) = (label as usize).checked_sub(1) {
            parcels[roi].voxels.push(*voxel);
        }
    }
    Ok(LabelledRows {
        rows: CiftiRows::Parcels {
            surfaces: (sides.iter())
                .filter(|(_, by_vertex)| !by_vertex.is_empty())
                .map(|(structure, by_vertex)| (*structure, by_vertex.len()))
                .collect(),
            parcels,
        },
        labels: (1..=atlas.n_rois() as u32).collect(),
    })
}

/// The vertices with a row: the first of every label, then every `every`-th.
fn vertices_with_row(
    by_vertex: &[u32],
    medial_wall: usize,
    every: usize,
) -> Result<Vec<u32>, SimulateError> {
    let mut left_out = if by_vertex.len() == MESH {
        medial_wall
    } else {
        0
    };
    let mut seen: BTreeMap<u32, usize> = BTreeMap::new();
    let mut indices = Vec::new();
    for (vertex, &label) in by_vertex.iter().enumerate() {
        if label == 0 && left_out > 0 {
            left_out -= 1;
            continue;
        }
        let rank = seen.entry(label).or_default();
        if rank.is_multiple_of(every) {
            indices.push(vertex as u32);
        }
        *rank += 1;
    }
    if left_out > 0 {
        return Err(SimulateError::Labels(LabelProblem::MedialWall {
            found: medial_wall - left_out,
            expected: medial_wall,
        }));
    }
    Ok(indices)
}

fn voxels_below_cortex(every: usize) -> Vec<(&'static str, Vec<[u32; 3]>)> {
    let mut used = [0; BOXES.len()];
    BELOW_CORTEX
        .iter()
        .map(|&(structure, count)| {
            let side = match structure {
                "BRAIN_STEM" => 2,
                name if name.ends_with("LEFT") => 0,
                _ => 1,
            };
            let ([i, j, k], [width, depth]) = BOXES[side];
            let voxels = (used[side]..used[side] + count as u32)
                .step_by(every)
                .map(|at| {
                    let plane = at / width;
                    [i + at % width, j + plane % depth, k + plane / depth]
                })
                .collect();
            used[side] += count as u32;
            (structure, voxels)
        })
        .collect()
}

/// Checks that every label has an ROI and every ROI has a row.
fn check_labels(atlas: &Atlas, labels: &[u32]) -> Result<(), SimulateError> {
    let mut found = vec![false; atlas.n_rois() + 1];
    for &label in labels {
        let Some(place) = found.get_mut(label as usize) else {
            return Err(SimulateError::Labels(LabelProblem::NoSuchRoi {
                label,
                n_rois: atlas.n_rois(),
                atlas: atlas.name.clone(),
            }));
        };
        *place = true;
    }
    match found[1..].iter().position(|found| !found) {
        None => Ok(()),
        Some(roi) => Err(SimulateError::Labels(LabelProblem::NoPlace {
            roi: atlas.rois[roi].name.clone(),
        })),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::brain::tests::atlas;
    use super::*;

    /// Left ROIs on the left and right ROIs on the right, four vertices each, after four unlabelled
    /// ones.
    pub fn labels(atlas: &Atlas) -> GrayordinateLabels {
        let half = atlas.n_rois() as u32 / 2;
        let side = |labels: std::ops::RangeInclusive<u32>| -> Vec<u32> {
            let rois = labels.flat_map(|label| [label; 4]);
            [0; 4].into_iter().chain(rois).collect()
        };
        GrayordinateLabels {
            left: side(1..=half),
            right: side(half + 1..=2 * half),
            ..GrayordinateLabels::default()
        }
    }

    fn full_labels(atlas: &Atlas) -> GrayordinateLabels {
        let half = atlas.n_rois();
        let side = |first: usize| {
            let label = |vertex: usize| match vertex.checked_sub(3000) {
                None => 0,
                Some(at) => (first + at % (half / 2)) as u32,
            };
            (0..MESH).map(label).collect()
        };
        GrayordinateLabels {
            left: side(1),
            right: side(half / 2 + 1),
            ..GrayordinateLabels::default()
        }
    }

    #[test]
    fn full_files_have_the_grayordinates_of_the_hcp() {
        let atlas = atlas(2);
        let spec = CohortSpec {
            grayordinates: Grayordinates::Full,
            ..CohortSpec::default()
        };
        let rows = dense_rows(&spec, &atlas, &full_labels(&atlas)).unwrap();
        assert_eq!(rows.rows.len(), 91_282);
        assert_eq!(rows.labels.len(), 91_282);
        let CiftiRows::Dense(models) = &rows.rows else {
            panic!("not dense")
        };
        assert_eq!(models[0].places.len(), 29_696);
        assert_eq!(models[1].places.len(), 29_716);
        let mut voxels: Vec<[u32; 3]> = Vec::new();
        for model in &models[2..] {
            let Places::Voxels(own) = &model.places else {
                panic!("a surface below the cortex")
            };
            // x = 90 - 2 i.
            let is_left = |voxel: &[u32; 3]| voxel[0] > 45;
            if model.structure.ends_with("LEFT") {
                assert!(own.iter().all(is_left));
            } else if model.structure.ends_with("RIGHT") {
                assert!(!own.iter().any(is_left));
            }
            voxels.extend(own);
        }
        assert_eq!(voxels.len(), 31_870);
        assert!(
            voxels
                .iter()
                .all(|[i, j, k]| *i < 91 && *j < 109 && *k < 91)
        );
        voxels.sort();
        voxels.dedup();
        assert_eq!(voxels.len(), 31_870);
    }

    #[test]
    fn sparse_files_have_a_row_of_every_roi() {
        let atlas = atlas(2);
        let spec = CohortSpec {
            sparse_every: 3,
            ..CohortSpec::default()
        };
        let rows = dense_rows(&spec, &atlas, &labels(&atlas)).unwrap();
        // The first and the fourth of four vertices.
        let of_left: Vec<u32> = rows.labels[..6].to_vec();
        assert_eq!(of_left, [0, 0, 1, 1, 2, 2]);
        let CiftiRows::Dense(models) = &rows.rows else {
            panic!("not dense")
        };
        let Places::Vertices { indices, .. } = &models[0].places else {
            panic!("not a surface")
        };
        assert_eq!(indices[..6], [0, 3, 4, 7, 8, 11]);
        assert_eq!(models[2].places.len(), 45);
    }

    #[test]
    fn parcels_hold_the_vertices_of_their_roi() {
        let atlas = atlas(1);
        let mut labels = labels(&atlas);
        labels.voxels.insert([9, 9, 9], 2);
        let rows = parcel_rows(&atlas, &labels).unwrap();
        assert_eq!(rows.labels, [1, 2, 3, 4, 5, 6, 7, 8]);
        let CiftiRows::Parcels { surfaces, parcels } = rows.rows else {
            panic!("not parcels")
        };
        assert_eq!(surfaces, [("CORTEX_LEFT", 20), ("CORTEX_RIGHT", 20)]);
        let left = parcels[1].vertices.clone();
        assert_eq!(left, [("CORTEX_LEFT", vec![8, 9, 10, 11])]);
        assert_eq!(parcels[1].voxels, [[9, 9, 9]]);
        assert_eq!(parcels[4].vertices[0].0, "CORTEX_RIGHT");
    }

    #[test]
    fn labels_of_another_atlas_are_refused() {
        let spec = CohortSpec::default();
        let small = labels(&atlas(1));
        let problem = |rows: Result<LabelledRows, SimulateError>| match rows {
            Err(SimulateError::Labels(problem)) => problem,
            other => panic!("{:?}", other.err()),
        };
        let no_place = problem(dense_rows(&spec, &atlas(2), &small));
        assert!(
            matches!(no_place, LabelProblem::NoPlace { .. }),
            "{no_place}"
        );
        let no_roi = problem(parcel_rows(&atlas(1), &labels(&atlas(2))));
        assert!(
            matches!(no_roi, LabelProblem::NoSuchRoi { n_rois: 8, .. }),
            "{no_roi}"
        );
        let full = CohortSpec {
            grayordinates: Grayordinates::Full,
            ..spec
        };
        let mesh = problem(dense_rows(&full, &atlas(1), &small));
        let expected = 32_492;
        assert!(
            matches!(mesh, LabelProblem::Mesh { expected: mesh, .. } if mesh == expected),
            "{mesh}"
        );
    }
}
