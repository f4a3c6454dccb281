//! Shrinkage of correlations towards uncorrelated ROIs, after Ledoit and Wolf.

use nalgebra::DMatrix;

use crate::scales::Scales;

/// Share of the identity that makes the error of shrunk correlations smallest, 0 to 1.
///
/// ```text
/// C = (1 - s) R + s I      R: correlations of the volumes z, standardised per ROI
/// s = min(b, d) / d        d = |R - I|²,  b = mean over volumes of |z z' - R|² / n
/// ```
/// `correlations` are those of `volumes`, `[rois, rois]`, with 1 on the diagonal. The share is 0
/// without volumes, and if no two ROIs correlate.
///
/// # Source
/// Ledoit and Wolf 2004, as `sklearn.covariance.LedoitWolf` computes it. The variance of every ROI
/// is 1, so the mean variance that multiplies the identity is 1 too.
pub fn ledoit_wolf<'a>(
    volumes: impl Iterator<Item = &'a [f32]> + Clone,
    correlations: &DMatrix<f32>,
) -> f64 {
    let n_rois = correlations.nrows();
    let scales = Scales::of(volumes.clone(), n_rois);
    let mut z = vec![0.0; n_rois];
    let mut n = 0.0;
    // Sum of |z z'|² = |z|⁴; the mean of |z z' - R|² is that of |z z'|² without |R|².
    let mut fourth_powers = 0.0;
    for volume in volumes {
        scales.standardise(volume, &mut z);
        let square: f64 = z.iter().map(|z| f64::from(*z).powi(2)).sum();
        fourth_powers += square * square;
        n += 1.0;
    }
    let square = |r: &f32| f64::from(*r).powi(2);
    let all: f64 = correlations.iter().map(square).sum();
    let diagonal: f64 = correlations.diagonal().iter().map(square).sum();
    // |R - I|² has the same elements beside the diagonal, and 0 on it.
    let apart = all - diagonal;
    if n == 0.0 || apart <= 0.0 {
        return 0.0;
    }
    let noise = (fourth_powers / n - all) / n;
    (noise / apart).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fc::correlations;

    #[test]
    fn four_volumes_by_hand() {
        // x = (2, 0, 0, -2), y = (1, 1, -1, -1): standard deviations √2 and 1, R = 1/√2.
        // |z|² = 3, 1, 1, 3, so the mean of |z|⁴ is 5; |R|² = 2 + 2/2 = 3; b = (5 - 3)/4 = 0.5;
        // d = 2/2 = 1.
        let signals = [2.0, 1.0, 0.0, 1.0, 0.0, -1.0, -2.0, -1.0_f32];
        let volumes = || signals.chunks_exact(2);
        let share = ledoit_wolf(volumes(), &correlations(volumes(), 2));
        assert!((share - 0.5).abs() < 1e-6, "{share}");
    }

    #[test]
    fn nothing_to_shrink_is_not_shrunk() {
        let none: [f32; 0] = [];
        let identity = DMatrix::identity(2, 2);
        assert_eq!(ledoit_wolf(none.chunks_exact(2), &identity), 0.0);
        // Two volumes: both products are those of the mean, which is R.
        let two = [1.0, 2.0, 3.0, 5.0_f32];
        let share = ledoit_wolf(two.chunks_exact(2), &correlations(two.chunks_exact(2), 2));
        assert!(share < 1e-6, "{share}");
    }
}
