//! Atlas made from voxel positions alone, for data without an atlas.
//!
//! It does not use any signal, so no information from a test scan can leak into its ROIs.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::AtlasError;
use crate::region::{Atlas, Roi};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::FieldHasher;

/// Maximum number of rounds of swaps.
const MAX_ROUNDS: usize = 100;

/// A gain below this many mm² is rounding noise.
const LEAST_GAIN_MM2: f64 = 1e-6;

/// An atlas of clusters and the cluster of every voxel.
#[derive(Clone, Debug, PartialEq)]
pub struct SpatialAtlas {
    /// ROIs `spatial_001`, … sorted by the z, y and x of their centroids.
    pub atlas: Atlas,
    /// The ROI of each voxel, in the order of the input.
    pub roi_of_voxel: Vec<usize>,
}

/// Balanced k-means: `n_rois` compact clusters whose sizes differ by at most one voxel.
///
/// The voxels are cut in two along a random direction near their longest axis, and so on until
/// every part is one cluster. Then pairs of voxels swap clusters as long as this reduces the
/// squared distances to the centroids. Compact clusters of neighbours are contiguous nearly always,
/// but this is not enforced.
///
/// The version of the atlas is a hash of the clusters of these voxels, so that atlases of two
/// brains with equally many ROIs are not confused.
///
/// # Errors
/// [`AtlasError::TooFewVoxels`] for more ROIs than voxels, [`AtlasError::Config`] for zero ROIs.
pub fn spatial_atlas(
    voxels_mm: &[[f64; 3]],
    n_rois: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Result<SpatialAtlas, AtlasError> {
    if n_rois == 0 {
        return Err(AtlasError::config("n_rois", n_rois, "at least 1"));
    }
    if n_rois > voxels_mm.len() {
        return Err(AtlasError::TooFewVoxels {
            n_rois,
            n_voxels: voxels_mm.len(),
        });
    }
    let mut clusters = Vec::with_capacity(n_rois);
    cut(
        voxels_mm,
        &mut (0..voxels_mm.len()).collect::<Vec<_>>(),
        n_rois,
        rng,
        &mut clusters,
    );
    exchange(voxels_mm, &mut clusters);

    let mut sorted: Vec<([f64; 3], Vec<usize>)> = clusters
        .into_iter()
        .map(|members| (centre(voxels_mm, &members), members))
        .collect();
    sorted.sort_by(|(a, _), (b, _)| {
        let key = |at: &[f64; 3]| [at[2], at[1], at[0]];
        key(a)
            .partial_cmp(&key(b))
            .unwrap_or(std::cmp::Ordering::Equal)
    });

    let width = n_rois.to_string().len().max(3);
    let mut roi_of_voxel = vec![0; voxels_mm.len()];
    let mut rois = Vec::with_capacity(n_rois);
    for (index, (centre, members)) in sorted.into_iter().enumerate() {
        for voxel in members {
            roi_of_voxel[voxel] = index;
        }
        rois.push(Roi {
            index,
            name: format!("spatial_{:0width$}", index + 1),
            network: None,
            hemisphere: None,
            centroid_mm: Some(centre.map(|mm| mm as f32)),
        });
    }
    let hash = voxels_mm
        .iter()
        .zip(&roi_of_voxel)
        .fold(FieldHasher::new("spatial atlas"), |hasher, (at, roi)| {
            at.iter()
                .fold(hasher, |hasher, mm| {
                    hasher.field((*mm as f32).to_le_bytes())
                })
                .field((*roi as u64).to_le_bytes())
        })
        .finish();
    Ok(SpatialAtlas {
        atlas: Atlas {
            name: format!("spatial-{n_rois}"),
            version: format!("voxels-{}", &hash[..12]),
            rois,
        },
        roi_of_voxel,
    })
}

/// Cuts `members` into `n_parts` parts whose sizes differ by at most one.
fn cut(
    voxels_mm: &[[f64; 3]],
    members: &mut [usize],
    n_parts: usize,
    rng: &mut (impl Rng + ?Sized),
    parts: &mut Vec<Vec<usize>>,
) {
    if n_parts == 1 {
        parts.push(members.to_vec());
        return;
    }
    let direction = long_direction(voxels_mm, members, rng);
    let along = |voxel: usize| dot(voxels_mm[voxel], direction);
    members.sort_by(|&a, &b| along(a).total_cmp(&along(b)).then(a.cmp(&b)));

    // Every part has `size` voxels and `larger` parts have one more; this holds on both sides of
    // the cut.
    let (size, larger) = (members.len() / n_parts, members.len() % n_parts);
    let left_parts = n_parts / 2;
    let left_larger = larger * left_parts / n_parts;
    let (left, right) = members.split_at_mut(left_parts * size + left_larger);
    cut(voxels_mm, left, left_parts, rng, parts);
    cut(voxels_mm, right, n_parts - left_parts, rng, parts);
}

/// A random direction, turned towards the longest axis of the voxels.
fn long_direction(
    voxels_mm: &[[f64; 3]],
    members: &[usize],
    rng: &mut (impl Rng + ?Sized),
) -> [f64; 3] {
    let middle = centre(voxels_mm, members);
    let mut direction: [f64; 3] = std::array::from_fn(|_| rng.sample(StandardNormal));
    // Two steps of the power method on the covariance; convergence is not needed.
    for _ in 0..2 {
        let mut next = [0.0; 3];
        for &voxel in members {
            let offset: [f64; 3] =
                std::array::from_fn(|axis| voxels_mm[voxel][axis] - middle[axis]);
            let along = dot(offset, direction);
            for axis in 0..3 {
                next[axis] += offset[axis] * along;
            }
        }
        let length = dot(next, next).sqrt();
        if length == 0.0 {
            break;
        }
        direction = next.map(|value| value / length);
    }
    direction
}

/// Swaps voxels of two clusters while the squared distances to the centroids fall.
fn exchange(voxels_mm: &[[f64; 3]], clusters: &mut [Vec<usize>]) {
    let mut centres: Vec<[f64; 3]> = clusters
        .iter()
        .map(|members| centre(voxels_mm, members))
        .collect();
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for here in 0..clusters.len() {
            for place in 0..clusters[here].len() {
                let voxel = clusters[here][place];
                let at = voxels_mm[voxel];
                // The gain of a voxel that moves from cluster `from` to cluster `to`.
                let wins = |at: [f64; 3], from: usize, to: usize| {
                    distance2(at, centres[from]) - distance2(at, centres[to])
                };
                let best = (0..clusters.len())
                    .filter(|&there| there != here && wins(at, here, there) > 0.0)
                    .flat_map(|there| {
                        let leaves = wins(at, here, there);
                        clusters[there]
                            .iter()
                            .enumerate()
                            .map(move |(other, &back)| {
                                (leaves + wins(voxels_mm[back], there, here), there, other)
                            })
                    })
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                if let Some((gain, there, other)) = best
                    && gain > LEAST_GAIN_MM2
                {
                    clusters[here][place] = clusters[there][other];
                    clusters[there][other] = voxel;
                    for cluster in [here, there] {
                        centres[cluster] = centre(voxels_mm, &clusters[cluster]);
                    }
                    changed = true;
                }
            }
        }
        if !changed {
            return;
        }
    }
}

fn centre(voxels_mm: &[[f64; 3]], members: &[usize]) -> [f64; 3] {
    std::array::from_fn(|axis| {
        members
            .iter()
            .map(|&voxel| voxels_mm[voxel][axis])
            .sum::<f64>()
            / members.len() as f64
    })
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn distance2(a: [f64; 3], b: [f64; 3]) -> f64 {
    let offset: [f64; 3] = std::array::from_fn(|axis| a[axis] - b[axis]);
    dot(offset, offset)
}

#[cfg(test)]
mod tests {
    use brainmae_files::InvalidField;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn grid(width: usize, height: usize) -> Vec<[f64; 3]> {
        (0..width * height)
            .map(|at| [(at % width) as f64 * 3.0, (at / width) as f64 * 3.0, 0.0])
            .collect()
    }

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn far_apart_clumps_become_the_rois() {
        // Groups of three around x = 0, 100 and 200, in mixed order.
        let voxels: Vec<[f64; 3]> = [100., 0., 201., 1., 200., 101., 2., 202., 102.]
            .map(|x| [x, 0., 0.])
            .to_vec();
        let cut = spatial_atlas(&voxels, 3, &mut rng(1)).unwrap();
        assert_eq!(cut.roi_of_voxel, [1, 0, 2, 0, 2, 1, 0, 2, 1]);
        assert_eq!(cut.atlas.rois[1].name, "spatial_002");
        assert_eq!(cut.atlas.rois[1].centroid_mm, Some([101., 0., 0.]));
    }

    #[test]
    fn one_seed_gives_one_atlas_and_another_seed_another() {
        let cut = |seed| spatial_atlas(&grid(12, 9), 10, &mut rng(seed)).unwrap();
        assert_eq!(cut(1), cut(1));
        assert_ne!(cut(1).roi_of_voxel, cut(2).roi_of_voxel);
        assert_ne!(cut(1).atlas.version, cut(2).atlas.version);
    }

    #[test]
    fn clusters_are_compact() {
        // The mean squared distance to the centroid would be 12 mm² for 16 squares of 3 by 3
        // voxels.
        let voxels = grid(12, 12);
        let cut = spatial_atlas(&voxels, 16, &mut rng(3)).unwrap();
        let spread: f64 = (voxels.iter().zip(&cut.roi_of_voxel))
            .map(|(at, &roi)| {
                let centre = cut.atlas.rois[roi].centroid_mm.unwrap().map(f64::from);
                distance2(*at, centre)
            })
            .sum::<f64>()
            / voxels.len() as f64;
        assert!(spread < 1.25 * 12.0, "{spread}");
    }

    #[test]
    fn more_rois_than_voxels_are_refused() {
        let error = spatial_atlas(&grid(2, 2), 5, &mut rng(0)).unwrap_err();
        assert!(matches!(
            error,
            AtlasError::TooFewVoxels {
                n_rois: 5,
                n_voxels: 4
            }
        ));
        let error = spatial_atlas(&grid(2, 2), 0, &mut rng(0)).unwrap_err();
        assert!(
            matches!(
                error,
                AtlasError::Config(InvalidField {
                    field: "n_rois",
                    ..
                })
            ),
            "{error:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn sizes_differ_by_one_voxel_at_most(
            width in 1..12_usize,
            height in 1..9_usize,
            share in 0.0..1.0_f64,
            seed in any::<u64>(),
        ) {
            let voxels = grid(width, height);
            let n_rois = 1 + (share * (voxels.len() - 1) as f64) as usize;
            let cut = spatial_atlas(&voxels, n_rois, &mut rng(seed)).unwrap();
            let mut sizes = vec![0; n_rois];
            for roi in cut.roi_of_voxel {
                sizes[roi] += 1;
            }
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            prop_assert!(*least >= 1 && most - least <= 1, "{sizes:?}");
        }
    }
}
