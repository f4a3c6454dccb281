//! Scores of regression.

use std::ops::Range;

use crate::predictions::Sample;

/// R², MAE, RMSE, Pearson r, calibration slope and calibration in the large, in the order of
/// [`Score::of`](super::Score::of).
///
/// ```text
/// MAE = Σ w |y − ŷ| / Σ w
/// RMSE = √(Σ w (y − ŷ)² / Σ w)
/// R² = 1 − Σ w (y − ŷ)² / Σ w (y − ȳ)²
/// in the large = Σ w (y − ŷ) / Σ w
/// w: weight of a row   y: truth   ŷ: prediction   ȳ: mean truth of the training set of the row's
/// fold
/// ```
///
/// # Source
/// R² against the training mean is the predictive squared correlation Q² (Schüürmann et al. 2008).
/// sklearn's `r2_score` uses the mean of the test set, which is unknown at prediction. Calibration:
/// Steyerberg 2019, chapter 15.
pub(super) fn scores(sample: &Sample, truth: &[f64], weights: &[f64]) -> [Option<f64>; 6] {
    let mut absolute = 0.0;
    let mut squared = 0.0;
    let mut signed = 0.0;
    let mut blind = 0.0;
    let mut n = 0.0;
    for (i, row) in sample.rows().iter().enumerate() {
        let error = truth[i] - sample.output()[i];
        absolute += weights[i] * error.abs();
        squared += weights[i] * error.powi(2);
        signed += weights[i] * error;
        blind += weights[i] * (truth[i] - row.blind[0]).powi(2);
        n += weights[i];
    }
    let mean = |sum: f64| (n > 0.0).then(|| sum / n);
    let spread = Spread::new(sample.folds(), sample.output(), truth, weights);
    [
        (blind > 0.0).then(|| 1.0 - squared / blind),
        mean(absolute),
        mean(squared).map(f64::sqrt),
        spread.correlation(),
        spread.slope(),
        mean(signed),
    ]
}

/// Variance below this share of the mean square is rounding.
const CONSTANT: f64 = 1e-24;

/// Predictions with a smaller standard deviation, in those of the truth, are constant: models
/// compute in 32 bits, and the slope on their rounding errors is a large random number.
const LEAST_SPREAD: f64 = 1e-6;

/// Pearson correlation within folds: both variables are centred in each fold before multiplication.
/// With one fold it is the usual correlation. `None` if either is constant within all folds.
///
/// ```text
/// r = Σ w (x − x̄f)(y − ȳf) / √(Σ w (x − x̄f)² · Σ w (y − ȳf)²)      f: the row's fold
/// ```
pub fn correlation(folds: &[Range<usize>], x: &[f64], y: &[f64], weights: &[f64]) -> Option<f64> {
    Spread::new(folds, x, y, weights).correlation()
}

/// Weighted sums of squares and products of two variables, centred in each fold and as they are.
#[derive(Default)]
struct Spread {
    xx: f64,
    yy: f64,
    xy: f64,
    raw_x: f64,
    raw_y: f64,
}

impl Spread {
    fn new(folds: &[Range<usize>], x: &[f64], y: &[f64], weights: &[f64]) -> Self {
        let mut sums = Self::default();
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
                sums.xx += w * dx * dx;
                sums.yy += w * dy * dy;
                sums.xy += w * dx * dy;
                sums.raw_x += w * x * x;
                sums.raw_y += w * y * y;
            }
        }
        sums
    }

    fn correlation(&self) -> Option<f64> {
        let varies = self.xx > CONSTANT * self.raw_x && self.yy > CONSTANT * self.raw_y;
        varies.then(|| (self.xy / (self.xx * self.yy).sqrt()).clamp(-1.0, 1.0))
    }

    /// Slope of the least-squares line of `y` on `x`, with an intercept for each fold. `None` if
    /// `x` is constant within all folds.
    ///
    /// ```text
    /// slope = Σ w (x − x̄f)(y − ȳf) / Σ w (x − x̄f)²      f: the row's fold
    /// ```
    fn slope(&self) -> Option<f64> {
        let least = (CONSTANT * self.raw_x).max(LEAST_SPREAD.powi(2) * self.yy);
        (self.xx > least).then(|| self.xy / self.xx)
    }
}
