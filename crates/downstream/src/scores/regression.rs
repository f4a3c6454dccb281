//! Scores of regression.

use std::ops::Range;

use crate::predictions::Sample;

/// R², MAE, RMSE and Pearson r, in the order of [`Score::of`](super::Score::of).
///
/// ```text
/// MAE = Σ w |y − ŷ| / Σ w
/// RMSE = √(Σ w (y − ŷ)² / Σ w)
/// R² = 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)²
/// w: weight of a row   y: truth   ŷ: prediction   ȳ: mean truth of the training set of the row's
/// fold
/// ```
///
/// # Source
/// R² against the training mean is the predictive squared correlation Q² (Schüürmann et al. 2008).
/// sklearn's `r2_score` uses the mean of the test set, which is unknown at prediction.
pub(super) fn scores(sample: &Sample, truth: &[f64], weights: &[f64]) -> [Option<f64>; 4] {
    let mut absolute = 0.0;
    let mut squared = 0.0;
    let mut blind = 0.0;
    let mut n = 0.0;
    for (i, row) in sample.rows().iter().enumerate() {
        let error = truth[i] - sample.output()[i];
        absolute += weights[i] * error.abs();
        squared += weights[i] * error.powi(2);
        blind += weights[i] * (truth[i] - row.blind[0]).powi(2);
        n += weights[i];
    }
    let mean = |sum: f64| (n > 0.0).then(|| sum / n);
    [
        (blind > 0.0).then(|| 1.0 - squared / blind),
        mean(absolute),
        mean(squared).map(f64::sqrt),
        correlation(sample.folds(), truth, sample.output(), weights),
    ]
}

/// Variance below this share of the mean square is rounding.
const CONSTANT: f64 = 1e-24;

/// Pearson correlation within folds: both variables are centred in each fold before multiplication.
/// With one fold it is the usual correlation. `None` if either is constant within all folds.
///
/// ```text
/// r = Σ w (x − x̄f)(y − ȳf) / √(Σ w (x − x̄f)² · Σ w (y − ȳf)²)      f: the row's fold
/// ```
pub fn correlation(folds: &[Range<usize>], x: &[f64], y: &[f64], weights: &[f64]) -> Option<f64> {
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    let (mut raw_x, mut raw_y) = (0.0, 0.0);
    for fold in folds {
        let (x, y, weights) = (&x[fold.clone()], &y[fold.clone()], &weights[fold.clone()]);
        let (mut n, mut mean_x, mut mean_y) = (0.0, 0.0, 0.0);
        for ((x, y), w) in x.iter().zip(y).zip(weights) {
            n += w;
            mean_x += w * x;
            mean_y += w * y;
        }
        if n == 0.0 {
            continue;
        }
        mean_x /= n;
        mean_y /= n;
        for ((x, y), w) in x.iter().zip(y).zip(weights) {
            let (dx, dy) = (x - mean_x, y - mean_y);
            xx += w * dx * dx;
            yy += w * dy * dy;
            xy += w * dx * dy;
            raw_x += w * x * x;
            raw_y += w * y * y;
        }
    }
    let varies = xx > CONSTANT * raw_x && yy > CONSTANT * raw_y;
    varies.then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}
