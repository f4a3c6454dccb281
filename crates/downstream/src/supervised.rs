//! Supervised targets of neural heads, and their losses.

use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax};

use crate::calibration::Calibration;
use crate::pooled::Pooled;
use crate::{FitError, Kind, Output, Problem};

/// A target with the statistics of its training set.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A number, in standard deviations from the mean.
    Number { mean: f64, std: f64 },
    /// A class; the weights give all classes of the training set the same total weight.
    Class { weights: Vec<f32> },
}

impl Target {
    /// From the truths of the training set.
    ///
    /// # Errors
    /// If the head cannot be trained on these truths.
    pub fn new(kind: Kind, truth: &[f64]) -> Result<Self, FitError> {
        Self::check(kind, truth)?;
        let n = truth.len() as f64;
        match kind {
            Kind::Regression => {
                let mean = truth.iter().sum::<f64>() / n;
                let std = (truth.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
                if truth.len() < 2 || std <= 1e-12 * mean.abs().max(1e-12) {
                    return Err(FitError::ConstantTruth {
                        n: truth.len(),
                        value: mean,
                    });
                }
                Ok(Self::Number { mean, std })
            }
            Kind::Classification { n_classes } => {
                let mut counts = vec![0usize; n_classes];
                for &class in truth {
                    counts[class as usize] += 1;
                }
                let seen = counts.iter().filter(|count| **count > 0).count();
                if seen < 2 {
                    return Err(FitError::FewClasses { found: seen });
                }
                let weight = |&count: &usize| match count {
                    0 => 0.0,
                    count => (n / (seen * count) as f64) as f32,
                };
                Ok(Self::Class {
                    weights: counts.iter().map(weight).collect(),
                })
            }
        }
    }

    /// Checks that truths are finite numbers, or numbers of classes.
    pub fn check(kind: Kind, truth: &[f64]) -> Result<(), FitError> {
        let right = |truth: &&f64| match kind {
            Kind::Regression => truth.is_finite(),
            Kind::Classification { n_classes } => {
                truth.fract() == 0.0 && (0.0..n_classes as f64).contains(*truth)
            }
        };
        match (truth.iter().find(|truth| !right(truth)), kind) {
            (None, _) => Ok(()),
            (Some(bad), Kind::Regression) => Err(FitError::NotFinite(*bad)),
            (Some(bad), Kind::Classification { n_classes }) => Err(FitError::NoSuchClass {
                found: *bad,
                n_classes,
            }),
        }
    }

    /// One-hot truth, `[batch, classes]`; `None` for regression.
    pub fn classes(&self, truth: &[f64], device: &Device) -> Option<Tensor<2>> {
        let Self::Class { weights } = self else {
            return None;
        };
        Some(self.rows(
            truth,
            device,
            |class, _| if class { 1.0 } else { 0.0 },
            weights.len(),
        ))
    }

    fn rows(
        &self,
        truth: &[f64],
        device: &Device,
        value: impl Fn(bool, usize) -> f32,
        n_classes: usize,
    ) -> Tensor<2> {
        let rows = truth
            .iter()
            .flat_map(|&t| (0..n_classes).map(move |class| (class == t as usize, class)))
            .map(|(is, class)| value(is, class))
            .collect();
        Tensor::from_data(TensorData::new(rows, [truth.len(), n_classes]), device)
    }

    /// Sum of the weights of the examples in the loss.
    fn weights(&self, truth: &[f64]) -> f64 {
        match self {
            Self::Number { .. } => truth.len() as f64,
            Self::Class { weights } => truth.iter().map(|&t| f64::from(weights[t as usize])).sum(),
        }
    }

    /// Squared error in standard deviations, or balanced cross entropy. Returns the sum over the
    /// examples and the sum of their weights.
    ///
    /// # Shapes
    /// - `logits`: `[batch, n_outputs]`
    pub fn loss(&self, logits: Tensor<2>, truth: &[f64]) -> (Tensor<1>, f64) {
        let device = logits.device();
        let sum = match self {
            Self::Number { mean, std } => {
                let z: Vec<f32> = truth.iter().map(|x| ((x - mean) / std) as f32).collect();
                let z = Tensor::<2>::from_data(TensorData::new(z, [truth.len(), 1]), &device);
                (logits - z).square().sum()
            }
            Self::Class { weights } => {
                let value = |is: bool, class: usize| if is { weights[class] } else { 0.0 };
                let weights = self.rows(truth, &device, value, weights.len());
                (log_softmax(logits, 1) * weights).sum().neg()
            }
        };
        (sum, self.weights(truth))
    }

    /// Mean loss of outputs that are no longer on a device, `[examples, n_outputs]`, row-major. It
    /// is 0 if all truths are of classes that the training set lacks, which have no weight.
    pub fn mean_loss(&self, outputs: &[f64], truth: &[f64]) -> f64 {
        let n_outputs = outputs.len() / truth.len().max(1);
        let rows = outputs.chunks_exact(n_outputs.max(1)).zip(truth);
        let sum: f64 = match self {
            Self::Number { mean, std } => {
                let z = |truth: &f64| (truth - mean) / std;
                rows.map(|(row, truth)| (row[0] - z(truth)).powi(2)).sum()
            }
            Self::Class { weights } => {
                let loss = |(row, truth): (&[f64], &f64)| {
                    let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let sum: f64 = row.iter().map(|x| (x - top).exp()).sum();
                    let class = *truth as usize;
                    f64::from(weights[class]) * (top + sum.ln() - row[class])
                };
                rows.map(loss).sum()
            }
        };
        let weight = self.weights(truth);
        match weight > 0.0 {
            true => sum / weight,
            false => 0.0,
        }
    }

    /// Calibration of outputs, `[units, n_outputs]`, on the truths of validation units.
    fn calibration(&self, outputs: &[f64], truth: &[f64]) -> Calibration {
        match self {
            Self::Number { mean, std } => {
                let z: Vec<f64> = truth.iter().map(|x| (x - mean) / std).collect();
                Calibration::of_numbers(outputs, &z)
            }
            Self::Class { weights } => Calibration::of_classes(outputs, truth, weights),
        }
    }

    /// Predictions from one row of outputs per example, `[examples][n_outputs]`.
    fn read_each(&self, outputs: &[f64], kind: Kind) -> Output {
        let rows = outputs.chunks_exact(kind.n_outputs());
        Output::new(kind, rows.flat_map(|row| self.read(row, kind)).collect())
    }

    /// Prediction from the outputs of an example. The balanced loss implies equal class shares, so
    /// probabilities are converted to the class shares of the training set.
    fn read(&self, outputs: &[f64], kind: Kind) -> Vec<f64> {
        let said = match (self, kind) {
            (Self::Class { weights }, Kind::Classification { n_classes }) => {
                let logits = outputs.iter().zip(weights);
                let logits = logits.map(|(logit, weight)| match weight {
                    0.0 => f64::NEG_INFINITY,
                    weight => logit - f64::from(*weight).ln(),
                });
                Output::from_logits(n_classes, logits.collect())
            }
            (Self::Number { mean, std }, Kind::Regression) => {
                Output::new(kind, outputs.iter().map(|z| mean + std * z).collect())
            }
            _ => unreachable!("a target is made from its kind"),
        };
        said.rows().flatten().copied().collect()
    }
}

/// A target with the calibration of a network that was trained for it.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    target: Target,
    calibration: Calibration,
}

impl Reading {
    /// Reads outputs as they are.
    pub fn plain(target: Target, kind: Kind) -> Self {
        Self {
            target,
            calibration: Calibration::none(kind.n_outputs()),
        }
    }

    /// Calibrated on the outputs for validation units, `[units, n_outputs]`, if there are any.
    pub fn calibrated(self, outputs: &[f64], truth: &[f64]) -> Self {
        match truth.is_empty() {
            true => self,
            false => Self {
                calibration: self.target.calibration(outputs, truth),
                ..self
            },
        }
    }

    /// Predictions for examples from the mean outputs of their rows, `[rows, n_outputs]`.
    pub fn read(&self, problem: &Problem, pooled: &Pooled, mut outputs: Vec<f64>) -> Output {
        for row in outputs.chunks_exact_mut(problem.kind.n_outputs()) {
            self.calibration.apply(row);
        }
        let said = self.target.read_each(&outputs, problem.kind);
        pooled.spread(problem, &said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Kind = Kind::Classification { n_classes: 2 };

    fn loss(target: &Target, logits: Vec<f32>, truth: &[f64]) -> f64 {
        let shape = [truth.len(), logits.len() / truth.len()];
        let logits = Tensor::from_data(TensorData::new(logits, shape), &Device::flex());
        let (sum, weight) = target.loss(logits, truth);
        f64::from(sum.into_scalar::<f32>()) / weight
    }

    #[test]
    fn numbers_are_learned_in_standard_deviations() {
        let target = Target::new(Kind::Regression, &[10.0, 30.0]).expect("they differ");
        assert!((loss(&target, vec![0.0, 0.0], &[10.0, 50.0]) - 5.0).abs() < 1e-6);
        assert!((target.mean_loss(&[0.0, 0.0], &[10.0, 50.0]) - 5.0).abs() < 1e-12);
        assert_eq!(target.read(&[0.5], Kind::Regression), [25.0]);
    }

    #[test]
    fn rare_classes_count_as_much_as_common_ones() {
        let target = Target::new(TWO, &[0.0, 0.0, 0.0, 1.0]).expect("two classes");
        let l3 = 3f32.ln();
        // Three right answers with p = 3/4, and one wrong answer with p = 1/4.
        let found = loss(&target, [l3, 0.].repeat(4), &[0.0, 0.0, 0.0, 1.0]);
        let expected = 0.5 * (4f64 / 3.0).ln() + 0.5 * 4f64.ln();
        assert!((found - expected).abs() < 1e-6, "{found}");
        let logits = [f64::from(l3), 0.].repeat(4);
        let found = target.mean_loss(&logits, &[0.0, 0.0, 0.0, 1.0]);
        assert!((found - expected).abs() < 1e-6, "{found}");
    }

    #[test]
    fn without_evidence_the_shares_of_the_classes_remain() {
        let kind = Kind::Classification { n_classes: 3 };
        let target = Target::new(kind, &[0.0, 0.0, 0.0, 2.0]).expect("two classes");
        let read = target.read(&[0.0, 9.0, 0.0], kind);
        assert!((read[0] - 0.75).abs() < 1e-7 && read[1] == 0.0, "{read:?}");
    }

    #[test]
    fn what_cannot_be_learned_is_refused() {
        let refused = |kind, truth: [f64; 2]| Target::new(kind, &truth).expect_err("refused");
        let constant = FitError::ConstantTruth { n: 2, value: 3.0 };
        assert_eq!(refused(Kind::Regression, [3.0, 3.0]), constant);
        let not_finite = refused(Kind::Regression, [3.0, f64::NAN]);
        assert!(matches!(not_finite, FitError::NotFinite(x) if x.is_nan()));
        assert_eq!(refused(TWO, [1.0, 1.0]), FitError::FewClasses { found: 1 });
        let no_such = FitError::NoSuchClass {
            found: 2.0,
            n_classes: 2,
        };
        assert_eq!(refused(TWO, [1.0, 2.0]), no_such);
    }
}
