//! Calibration of a trained network: slope and offset of its outputs, fitted on validation units.
//!
//! A network learns from few samples of a scan at a time, so its outputs shrink towards the mean;
//! the mean over all samples of a test scan is less noisy and shrinks less than it should.

use nalgebra::{DMatrix, DVector};

use brainmae_statistics::softmax_rows;

/// Standard deviation of the prior of a slope, around 1. Without evidence the slope stays at 1.
const SLOPE_STD: f64 = 1.0;

/// Standard deviation of the prior of an offset, around 0: of a number in standard deviations of
/// the training set's truth, of a class in logits.
const OFFSET_STD: f64 = 0.25;

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

    /// Most probable slope and offset of numbers, given the outputs and truths of validation units,
    /// both in standard deviations of the training set's truth. The noise is that of the residuals
    /// of a least-squares line.
    pub fn of_numbers(outputs: &[f64], truth: &[f64]) -> Self {
        let n = truth.len() as f64;
        if truth.len() < 3 {
            return Self::none(1);
        }
        let x = DMatrix::from_fn(truth.len(), 2, |i, j| if j == 0 { outputs[i] } else { 1.0 });
        let y = DVector::from_column_slice(truth);
        let products = x.transpose() * &x;
        let target = x.transpose() * &y;
        // A small ridge keeps the line finite if all outputs are equal.
        let line = solve(&products + DMatrix::identity(2, 2) * 1e-9, &target);
        let noise = (&y - &x * line).norm_squared() / (n - 2.0);
        let noise = noise.max(1e-9);
        let prior = DMatrix::from_diagonal(&DVector::from_vec(vec![
            noise / SLOPE_STD.powi(2),
            noise / OFFSET_STD.powi(2),
        ]));
        let pulled = target + &prior * DVector::from_vec(vec![1.0, 0.0]);
        let found = solve(products + prior, &pulled);
        Self {
            slope: found[0].max(0.0),
            offsets: vec![found[1]],
        }
    }

    /// Most probable slope and offsets of logits, given the classes of validation units; `weights`
    /// are those of the classes in the training loss.
    ///
    /// `logits` are `[units, classes]`, row-major.
    pub fn of_classes(logits: &[f64], truth: &[f64], weights: &[f32]) -> Self {
        let classes = weights.len();
        let n_parameters = classes + 1;
        let prior = |at: usize| match at {
            0 => (1.0, SLOPE_STD.powi(-2)),
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
        at[0] = 1.0;
        for _ in 0..NEWTON_STEPS {
            let mut gradient =
                DVector::from_fn(n_parameters, |i, _| prior(i).1 * (at[i] - prior(i).0));
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
        Self {
            slope: at[0].max(0.0),
            offsets: at.iter().skip(1).copied().collect(),
        }
    }

    /// Calibrates the outputs of one unit, `[n_outputs]`.
    pub fn apply(&self, outputs: &mut [f64]) {
        for (output, offset) in outputs.iter_mut().zip(&self.offsets) {
            *output = self.slope * *output + offset;
        }
    }
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
    fn without_evidence_little_changes() {
        // Outputs that say nothing, and vary little.
        let (truth, outputs) = (draw("truth", 12), draw("outputs", 12));
        let outputs: Vec<f64> = outputs.iter().map(|x| 0.05 * x).collect();
        let found = Calibration::of_numbers(&outputs, &truth);
        assert!((found.slope - 1.0).abs() < 0.5, "{found:?}");
        assert!(found.offsets[0].abs() < 0.25, "{found:?}");
        assert_eq!(
            Calibration::of_numbers(&[0.5], &[0.7]),
            Calibration::none(1)
        );
        let equal = Calibration::of_numbers(&[0.0; 9], &truth[..9]);
        assert!((equal.slope - 1.0).abs() < 1e-6, "{equal:?}");
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
        assert!((found.slope - 3.0).abs() < 0.5, "{found:?}");
        let mut row = [-0.5, 0.5];
        found.apply(&mut row);
        assert!((row[1] - row[0] - 3.0).abs() < 0.6, "{row:?}");
    }
}
