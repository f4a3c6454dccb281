//! Calibration of a trained network: slope and offset of its outputs, fitted on validation units.
//!
//! A network learns from few samples of a scan at a time, so its outputs shrink towards the mean;
//! the mean over all samples of a test scan is less noisy and shrinks less than it should.

use nalgebra::{DMatrix, DVector};

use brainmae_statistics::softmax_rows;

/// Standard deviation of the prior of a slope of logits, which keeps it finite where classes are
/// told apart without an error.
const SLOPE_STD: f64 = 10.0;

/// Least share of an estimated slope that is kept. Above 0, so that the order of predictions stays.
const LEAST_KEPT: f64 = 0.1;

/// Standard deviation of the prior of the mean truth, around that of the training set, in standard
/// deviations of its truth.
const MEAN_STD: f64 = 0.25;

/// Standard deviation of the prior of a class's offset, around 0, in logits.
const OFFSET_STD: f64 = 1.0;

/// Steps of Newton's method; a handful suffices.
const NEWTON_STEPS: usize = 25;

/// Slope, and one offset for each output: `slope * output + offset`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calibration {
    slope: f64,
    offsets: Vec<f64>,
}

impl Calibration {
    /// Leaves outputs as they are.
    pub fn none(n_outputs: usize) -> Self {
        Self {
            slope: 1.0,
            offsets: vec![0.0; n_outputs],
        }
    }

    /// Slope and offset of numbers, given the outputs and truths of validation units, both in
    /// standard deviations of the training set's truth. The slope is that of least squares,
    /// [shrunk](shrunk).
    pub fn of_numbers(outputs: &[f64], truth: &[f64]) -> Self {
        let n = truth.len() as f64;
        let mean = |x: &[f64]| x.iter().sum::<f64>() / n;
        let (x_mean, y_mean) = (mean(outputs), mean(truth));
        let pairs = || {
            outputs
                .iter()
                .map(|x| x - x_mean)
                .zip(truth.iter().map(|y| y - y_mean))
        };
        let spread: f64 = pairs().map(|(x, _)| x * x).sum();
        if truth.len() < 3 || spread <= 1e-12 * n {
            return Self::none(1);
        }
        let slope = pairs().map(|(x, y)| x * y).sum::<f64>() / spread;
        let noise = pairs().map(|(x, y)| (y - slope * x).powi(2)).sum::<f64>() / (n - 2.0);
        let slope = shrunk(slope, noise / spread);
        // The mean of the outputs is taken to the mean truth: that of the training set, 0, and of
        // these units, by their precision.
        let of_prior = MEAN_STD.powi(2);
        let variance = pairs().map(|(_, y)| y * y).sum::<f64>() / (n - 1.0);
        let share = of_prior / (of_prior + variance / n);
        Self {
            slope,
            offsets: vec![share * y_mean - slope * x_mean],
        }
    }

    /// Slope and offsets of logits, given the classes of validation units; `weights` are those of
    /// the classes in the training loss. The slope is the most probable one, [shrunk](shrunk); the
    /// offsets are the most probable ones for this slope.
    ///
    /// `logits` are `[units, classes]`, row-major.
    pub fn of_classes(logits: &[f64], truth: &[f64], weights: &[f32]) -> Self {
        let (found, variance) = most_probable(logits, truth, weights, [1.0, SLOPE_STD]);
        let slope = shrunk(found[0], variance);
        let (found, _) = most_probable(logits, truth, weights, [slope, 1e-6]);
        Self {
            slope,
            offsets: found.iter().skip(1).copied().collect(),
        }
    }

    /// Calibrates the outputs of one unit, `[n_outputs]`.
    pub fn apply(&self, outputs: &mut [f64]) {
        for (output, offset) in outputs.iter_mut().zip(&self.offsets) {
            *output = self.slope * *output + offset;
        }
    }
}

/// An estimated slope, shrunk towards 0 as far as its variance tells that it may be chance: by the
/// positive part of 1 - variance / slope² (James and Stein). Where nothing was learned, predictions
/// become nearly constant.
fn shrunk(slope: f64, variance: f64) -> f64 {
    let kept = (1.0 - variance / slope.powi(2)).max(LEAST_KEPT);
    (kept * slope).max(LEAST_KEPT * variance.sqrt())
}

/// Most probable slope and offsets of logits, and the variance of the slope, with a normal prior of
/// the slope of this mean and standard deviation.
fn most_probable(
    logits: &[f64],
    truth: &[f64],
    weights: &[f32],
    [slope, slope_std]: [f64; 2],
) -> (DVector<f64>, f64) {
    let classes = weights.len();
    let n_parameters = classes + 1;
    let prior = |at: usize| match at {
        0 => (slope, slope_std.powi(-2)),
        _ => (0.0, OFFSET_STD.powi(-2)),
    };
    let loss = |at: &DVector<f64>| -> f64 {
        let priors = (0..n_parameters).map(|i| prior(i).1 * (at[i] - prior(i).0).powi(2) / 2.0);
        let terms = logits.chunks_exact(classes).zip(truth).map(|(row, truth)| {
            let p = probabilities(row, at);
            -f64::from(weights[*truth as usize]) * p[*truth as usize].max(1e-300).ln()
        });
        priors.sum::<f64>() + terms.sum::<f64>()
    };
    let mut at = DVector::zeros(n_parameters);
    at[0] = slope;
    let mut variance = slope_std.powi(2);
    for _ in 0..NEWTON_STEPS {
        let mut gradient = DVector::from_fn(n_parameters, |i, _| prior(i).1 * (at[i] - prior(i).0));
        let mut curvature =
            DMatrix::from_diagonal(&DVector::from_fn(n_parameters, |i, _| prior(i).1));
        for (row, truth) in logits.chunks_exact(classes).zip(truth) {
            let weight = f64::from(weights[*truth as usize]);
            let p = probabilities(row, &at);
            // Derivatives of the logits of all classes by the parameters.
            let by = DMatrix::from_fn(classes, n_parameters, |class, i| match i {
                0 => row[class],
                i => f64::from(u8::from(i == class + 1)),
            });
            let apart = DVector::from_fn(classes, |class, _| {
                p[class] - f64::from(u8::from(class == *truth as usize))
            });
            let p = DVector::from_vec(p);
            let spread = DMatrix::from_diagonal(&p) - &p * p.transpose();
            gradient += by.transpose() * apart * weight;
            curvature += by.transpose() * spread * by * weight;
        }
        let unit = DVector::from_fn(n_parameters, |i, _| f64::from(u8::from(i == 0)));
        variance = solve(curvature.clone(), &unit)[0];
        let step = solve(curvature, &gradient);
        let (before, mut share) = (loss(&at), 1.0);
        while share > 1e-6 && loss(&(&at - &step * share)) > before {
            share /= 2.0;
        }
        at -= &step * share;
        if step.norm() * share < 1e-9 {
            break;
        }
    }
    (at, variance)
}

fn probabilities(row: &[f64], at: &DVector<f64>) -> Vec<f64> {
    let logits = row.iter().enumerate();
    let mut p: Vec<f64> = logits.map(|(class, x)| at[0] * x + at[class + 1]).collect();
    softmax_rows(&mut p, row.len());
    p
}

/// Solution of a positive definite system.
fn solve(matrix: DMatrix<f64>, target: &DVector<f64>) -> DVector<f64> {
    match matrix.cholesky() {
        Some(factor) => factor.solve(target),
        None => DVector::zeros(target.len()),
    }
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;
    use rand::RngExt;

    use super::*;

    /// Numbers of about mean 0 and standard deviation 1.
    fn draw(stream: &str, n: usize) -> Vec<f64> {
        let rng = &mut Seeds::new(3).stream(stream);
        let mut one = || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
        (0..n).map(|_| one()).collect()
    }

    #[test]
    fn shrunk_numbers_are_stretched() {
        let (signal, noise) = (draw("signal", 60), draw("noise", 60));
        let truth: Vec<f64> = signal
            .iter()
            .zip(&noise)
            .map(|(s, n)| 0.9 * s + 0.3 * n)
            .collect();
        let outputs: Vec<f64> = signal.iter().map(|s| 0.3 * s + 0.1).collect();
        let found = Calibration::of_numbers(&outputs, &truth);
        assert!((found.slope - 3.0).abs() < 0.3, "{found:?}");
        assert!((found.offsets[0] + 0.3).abs() < 0.1, "{found:?}");
    }

    #[test]
    fn a_weak_but_certain_output_is_stretched_as_far_as_it_needs() {
        let (signal, noise) = (draw("signal", 200), draw("noise", 200));
        let pairs = signal.iter().zip(&noise);
        let truth: Vec<f64> = pairs.map(|(s, n)| 0.5 * s + 0.87 * n).collect();
        // All too low, by twenty times what they vary.
        let outputs: Vec<f64> = signal.iter().map(|s| 0.05 * s - 1.0).collect();
        let found = Calibration::of_numbers(&outputs, &truth);
        assert!((found.slope - 10.0).abs() < 1.5, "{found:?}");
        assert!((found.offsets[0] - found.slope).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn outputs_that_say_nothing_become_nearly_constant() {
        for stream in ["a", "b", "c", "d", "e", "f"] {
            let (truth, outputs) = (draw("truth", 12), draw(stream, 12));
            let found = Calibration::of_numbers(&outputs, &truth);
            assert!(found.slope > 0.0 && found.slope < 0.5, "{found:?}");
            assert!(found.offsets[0].abs() < 0.5, "{found:?}");
        }
        assert_eq!(
            Calibration::of_numbers(&[0.5], &[0.7]),
            Calibration::none(1)
        );
        assert_eq!(
            Calibration::of_numbers(&[0.1; 9], &draw("truth", 9)),
            Calibration::none(1)
        );
    }

    #[test]
    fn timid_logits_become_as_sure_as_they_are_right() {
        let (signal, noise) = (draw("logits", 400), draw("errors", 400));
        // Logistic noise has a standard deviation of 1.8.
        let truth: Vec<f64> = (signal.iter().zip(&noise))
            .map(|(s, n)| f64::from(u8::from(3.0 * s + 1.8 * n > 0.0)))
            .collect();
        let logits: Vec<f64> = signal.iter().flat_map(|s| [-0.5 * s, 0.5 * s]).collect();
        let found = Calibration::of_classes(&logits, &truth, &[1.0, 1.0]);
        assert!((found.slope - 3.0).abs() < 0.6, "{found:?}");
        let mut row = [-0.5, 0.5];
        found.apply(&mut row);
        assert!((row[1] - row[0] - 3.0).abs() < 0.6, "{row:?}");
    }
}
