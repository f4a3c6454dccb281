//! Functional connectivity: Pearson correlations of all pairs of ROIs.

use brainmae_ops::Gram;
use nalgebra::{DMatrix, DVector};

use super::scales::Scales;

/// Pearson correlations of all ROIs over `volumes`, each with one number for every ROI: `[rois, rois]`, symmetric, 1 on the
/// diagonal. An ROI that does not change is correlated with nothing: its row and column are 0, the diagonal too.
///
/// The signals are standardised on their way into the product, so that none of them is copied.
pub fn correlations<'a>(
    volumes: impl Iterator<Item = &'a [f32]> + Clone,
    n_rois: usize,
) -> DMatrix<f32> {
    let scales = Scales::of(volumes.clone(), n_rois);
    let mut products = Gram::new(n_rois);
    for volume in volumes {
        scales.standardise(volume, products.next_row());
    }
    // Symmetric: rows may be taken for columns.
    let mut r = DMatrix::from_vec(n_rois, n_rois, products.finish());
    // What the scales lack of the right length by rounding is made up for here.
    let inverse_length = DVector::from_fn(n_rois, |i, _| match scales.changes(i) {
        true => r[(i, i)].sqrt().recip(),
        false => 0.0,
    });
    for (j, mut column) in r.column_iter_mut().enumerate() {
        let of_column = inverse_length[j];
        for (r, of_row) in column.iter_mut().zip(&inverse_length) {
            *r = (*r * (of_row * of_column)).clamp(-1.0, 1.0);
        }
        if of_column > 0.0 {
            column[j] = 1.0;
        }
    }
    r
}

/// Fisher's `atanh r` of every pair of different ROIs, row after row of the upper triangle: `rois * (rois - 1) / 2` numbers.
pub fn fisher_z(correlations: &DMatrix<f32>) -> Vec<f32> {
    /// atanh is infinite at 1, which rounding reaches between equal signals.
    const LARGEST: f32 = 0.999_999;
    upper(correlations, |r| r.clamp(-LARGEST, LARGEST).atanh())
}

/// `of` every value above the diagonal, row after row.
pub fn upper<T: nalgebra::Scalar + Copy>(matrix: &DMatrix<T>, of: impl Fn(T) -> f32) -> Vec<f32> {
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
        let r = correlations(signals.chunks_exact(5), 5);
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
    fn large_means_and_long_scans_cost_no_accuracy() {
        // Waves of 0.5 around means of up to a million, over more volumes than a block and more ROIs than a register.
        let (n_rois, n_volumes) = (37, 333);
        let value = |t: usize, roi: usize| {
            let wave = (t as f64 * (0.1 + roi as f64 / 90.0)).sin() + (t as f64 * 0.7).cos();
            (1e6 / (1 + roi * roi) as f64 + 0.5 * wave) as f32
        };
        let signals: Vec<f32> = (0..n_volumes)
            .flat_map(|t| (0..n_rois).map(move |roi| value(t, roi)))
            .collect();
        let found = correlations(signals.chunks_exact(n_rois), n_rois);
        let centred: Vec<Vec<f64>> = (0..n_rois)
            .map(|roi| {
                let signal = signals.iter().skip(roi).step_by(n_rois);
                let signal: Vec<f64> = signal.map(|x| f64::from(*x)).collect();
                let mean = signal.iter().sum::<f64>() / n_volumes as f64;
                signal.iter().map(|x| x - mean).collect()
            })
            .collect();
        let product = |i: usize, j: usize| -> f64 {
            centred[i].iter().zip(&centred[j]).map(|(a, b)| a * b).sum()
        };
        for i in 0..n_rois {
            for j in 0..n_rois {
                let expected = product(i, j) / (product(i, i) * product(j, j)).sqrt();
                let apart = (f64::from(found[(i, j)]) - expected).abs();
                assert!(apart < 1e-6, "{i}, {j}: {apart} from {expected}");
                assert_eq!(found[(i, j)], found[(j, i)]);
            }
        }
    }

    #[test]
    fn a_large_constant_is_no_signal() {
        let r = correlations([1e6, 1.0, 1e6, 2.0, 1e6, 3.0].chunks_exact(2), 2);
        assert_eq!((r[(0, 0)], r[(0, 1)], r[(1, 1)]), (0.0, 0.0, 1.0));
    }
}
