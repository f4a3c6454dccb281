//! Calibration of predicted probabilities: curve, expected error, Brier score.

use crate::kind::likeliest;

/// Number of bins of equal width between 0 and 1.
const BINS: usize = 10;

/// Point of the calibration curve: rows with a similar probability of their most probable class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Smallest probability in the bin; the largest is 0.1 more.
    pub from: f64,
    /// Mean probability of the most probable class.
    pub confidence: f64,
    /// Share of rows whose most probable class is the true one.
    pub accuracy: f64,
    /// Number of rows.
    pub n: f64,
}

/// Most probable class of each row, with its probability.
#[derive(Clone, Debug, Default)]
pub(super) struct Calibration {
    likeliest: Vec<(f64, f64)>,
}

impl Calibration {
    pub fn new(n_classes: usize, output: &[f64]) -> Self {
        let likeliest = output.chunks_exact(n_classes).map(|row| {
            let class = likeliest(row);
            (class as f64, row[class])
        });
        Self {
            likeliest: likeliest.collect(),
        }
    }

    /// Bins with at least one row, in ascending order.
    pub fn curve(&self, truth: &[f64], weights: &[f64]) -> Vec<Bin> {
        let mut sums = [(0.0, 0.0, 0.0); BINS];
        for (((class, p), truth), weight) in self.likeliest.iter().zip(truth).zip(weights) {
            let bin = ((p * BINS as f64) as usize).min(BINS - 1);
            let (n, confidence, right) = &mut sums[bin];
            *n += weight;
            *confidence += weight * p;
            *right += weight * f64::from(class == truth);
        }
        let bins = sums.iter().enumerate().filter(|(_, sums)| sums.0 > 0.0);
        bins.map(|(bin, &(n, confidence, right))| Bin {
            from: bin as f64 / BINS as f64,
            confidence: confidence / n,
            accuracy: right / n,
            n,
        })
        .collect()
    }

    /// Expected calibration error: mean distance of the curve from the diagonal, weighted by the
    /// rows of the bins. It is large by chance if there are few rows. Use it to compare models on
    /// the same rows, not by itself.
    ///
    /// # Source
    /// Guo et al. 2017, with ten bins.
    pub fn error(&self, truth: &[f64], weights: &[f64]) -> Option<f64> {
        let curve = self.curve(truth, weights);
        let n: f64 = curve.iter().map(|bin| bin.n).sum();
        let gaps = curve
            .iter()
            .map(|bin| bin.n * (bin.confidence - bin.accuracy).abs());
        (n > 0.0).then(|| gaps.sum::<f64>() / n)
    }
}

/// `½ Σk (pk − [k is true])²`, which is `(p − truth)²` for two classes. 0 is the best value and 1
/// the worst, for any number of classes.
///
/// # Source
/// Brier 1950, halved; sklearn's `brier_score_loss` with `scale_by_half=True`.
pub(super) fn brier(truth: usize, p: &[f64]) -> f64 {
    let squares = p.iter().enumerate().map(|(class, p)| {
        let hit = f64::from(class == truth);
        (p - hit).powi(2)
    });
    squares.sum::<f64>() / 2.0
}

/// Mean of [`brier`]; `None` if there are no rows.
pub(super) fn mean_brier(
    n_classes: usize,
    truth: &[f64],
    output: &[f64],
    weights: &[f64],
) -> Option<f64> {
    let n: f64 = weights.iter().sum();
    let rows = truth
        .iter()
        .zip(output.chunks_exact(n_classes))
        .zip(weights);
    let sum: f64 = rows
        .map(|((truth, row), weight)| weight * brier(*truth as usize, row))
        .sum();
    (n > 0.0).then(|| sum / n)
}
