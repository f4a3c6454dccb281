//! Functional connectivity: the correlations of all pairs of ROIs.

use nalgebra::DMatrix;

/// Pearson correlations of all ROIs over the volumes of `signals` (`[volumes, rois]`, row-major): `[rois, rois]`, symmetric, 1 on the
/// diagonal. An ROI that does not change is correlated with nothing: its row and column are 0, the diagonal too.
pub fn correlations(signals: &[f32], n_rois: usize) -> DMatrix<f32> {
    let unit = unit_columns(signals, n_rois);
    // Column-major [rois, volumes] is row-major [volumes, rois].
    let unit = DMatrix::from_vec(n_rois, signals.len() / n_rois, unit);
    &unit * unit.transpose()
}

/// Every ROI's signal around its mean and of length 1, `[volumes, rois]`.
fn unit_columns(signals: &[f32], n_rois: usize) -> Vec<f32> {
    let n_volumes = (signals.len() / n_rois) as f64;
    let mut mean = vec![0.0_f64; n_rois];
    for volume in signals.chunks_exact(n_rois) {
        for (mean, value) in mean.iter_mut().zip(volume) {
            *mean += f64::from(*value);
        }
    }
    mean.iter_mut().for_each(|mean| *mean /= n_volumes);
    let mean: Vec<f32> = mean.iter().map(|mean| *mean as f32).collect();
    let mut squares = vec![0.0_f32; n_rois];
    let mut centred = Vec::with_capacity(signals.len());
    for volume in signals.chunks_exact(n_rois) {
        for ((square, mean), value) in squares.iter_mut().zip(&mean).zip(volume) {
            let apart = value - mean;
            *square += apart * apart;
            centred.push(apart);
        }
    }
    // Below this share of its own size a signal is rounding.
    let smallest = |mean: f32| (f32::EPSILON * mean).powi(2) * n_volumes as f32;
    let scale: Vec<f32> = (squares.iter().zip(&mean))
        .map(|(square, mean)| {
            if *square > smallest(*mean) {
                square.sqrt().recip()
            } else {
                0.0
            }
        })
        .collect();
    for volume in centred.chunks_exact_mut(n_rois) {
        for (value, scale) in volume.iter_mut().zip(&scale) {
            *value *= scale;
        }
    }
    centred
}

/// Fisher's `atanh r` of every pair of different ROIs, row after row of the upper triangle: `rois * (rois - 1) / 2` numbers.
pub fn fisher_z(correlations: &DMatrix<f32>) -> Vec<f32> {
    /// atanh is infinite at 1, which rounding reaches between equal signals.
    const LARGEST: f32 = 0.999_999;
    upper(correlations, |r| r.clamp(-LARGEST, LARGEST).atanh())
}

/// `of` every value above the diagonal, row after row.
pub(super) fn upper<T: nalgebra::Scalar + Copy>(
    matrix: &DMatrix<T>,
    of: impl Fn(T) -> f32,
) -> Vec<f32> {
    let n = matrix.nrows();
    (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
        .map(|(i, j)| of(matrix[(i, j)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlations_are_pearsons() {
        // ROI 1 is twice ROI 0 and 5 more, ROI 2 its opposite, ROI 3 (1, -1, -1, 1) around its mean, ROI 4 constant.
        let roi0 = [1.0, 2.0, 3.0, 4.0];
        let roi3 = [3.0, 1.0, 1.0, 3.0];
        let signals: Vec<f32> = (0..4)
            .flat_map(|t| [roi0[t], 2.0 * roi0[t] + 5.0, -roi0[t], roi3[t], 7.0])
            .collect();
        let r = correlations(&signals, 5);
        let expected = [
            [1.0, 1.0, -1.0, 0.0, 0.0],
            [1.0, 1.0, -1.0, 0.0, 0.0],
            [-1.0, -1.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 1.0, 0.0],
            [0.0; 5],
        ];
        for (i, row) in expected.iter().enumerate() {
            for (j, expected) in row.iter().enumerate() {
                assert!(
                    (r[(i, j)] - expected).abs() < 1e-6,
                    "{i}, {j}: {}",
                    r[(i, j)]
                );
            }
        }
        let z = fisher_z(&r);
        assert_eq!(z.len(), 10);
        assert!(z.iter().all(|z| z.is_finite()));
        assert!((z[2] - 0.0).abs() < 1e-6 && z[0] > 7.0);
    }

    #[test]
    fn a_large_constant_is_no_signal() {
        let r = correlations(&[1e6, 1.0, 1e6, 2.0, 1e6, 3.0], 2);
        assert_eq!((r[(0, 0)], r[(0, 1)]), (0.0, 0.0));
    }
}
