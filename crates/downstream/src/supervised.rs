//! The loss of a head, and predictions from its outputs.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use crate::{Kind, Output};

/// How truths become what a head learns: numbers around the training side's mean in units of its standard deviation, classes with
/// equal weight however rare.
#[derive(Clone, Debug)]
pub struct Scale {
    kind: Kind,
    mean: f64,
    sd: f64,
    /// `n / (classes * n of the class)`.
    class_weights: Vec<f64>,
}

impl Scale {
    /// Learns from the truths of the training side.
    pub fn fit(kind: Kind, truth: &[f64]) -> Self {
        let n = truth.len().max(1) as f64;
        let mean = truth.iter().sum::<f64>() / n;
        let variance = truth.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / n;
        let class_weights = match kind {
            Kind::Regression => Vec::new(),
            Kind::Classification { n_classes } => (0..n_classes)
                .map(|class| {
                    let of_class = truth.iter().filter(|t| **t == class as f64).count();
                    n / (n_classes * of_class.max(1)) as f64
                })
                .collect(),
        };
        Self {
            kind,
            mean,
            sd: if variance > 0.0 { variance.sqrt() } else { 1.0 },
            class_weights,
        }
    }

    /// The loss of `outputs`, `[examples, n_outputs]`: squared error, or cross entropy with every class counting the same.
    pub fn loss(&self, outputs: Tensor<2>, truth: &[f64]) -> Tensor<1> {
        let device = outputs.device();
        let n = truth.len();
        match self.kind {
            Kind::Regression => {
                let truth = truth.iter().map(|t| ((t - self.mean) / self.sd) as f32);
                let truth = matrix(truth.collect(), [n, 1], &device);
                (outputs - truth).square().mean()
            }
            Kind::Classification { n_classes } => {
                let mut weights = vec![0.0; n * n_classes];
                let mut total = 0.0;
                for (i, truth) in truth.iter().enumerate() {
                    let class = *truth as usize;
                    weights[i * n_classes + class] = self.class_weights[class] as f32;
                    total += self.class_weights[class];
                }
                let weights = matrix(weights, [n, n_classes], &device);
                -(log_softmax(outputs, 1) * weights).sum() / total
            }
        }
    }

    /// Predictions from outputs, `[examples, n_outputs]`, row-major. The weights of the loss make every class equally likely
    /// beforehand; probabilities are those of the training side's shares.
    pub fn output(&self, outputs: &[f32]) -> Output {
        let values = outputs.iter().map(|x| f64::from(*x));
        match self.kind {
            Kind::Regression => {
                let values = values.map(|x| x * self.sd + self.mean).collect();
                Output::new(self.kind, values)
            }
            Kind::Classification { n_classes } => {
                let logits = values.enumerate();
                let logits = logits.map(|(i, x)| x - self.class_weights[i % n_classes].ln());
                Output::from_logits(n_classes, logits.collect())
            }
        }
    }
}

fn matrix(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(scale: &Scale, outputs: Vec<f32>, truth: &[f64]) -> f32 {
        let shape = [truth.len(), outputs.len() / truth.len()];
        let outputs = matrix(outputs, shape, &Device::flex());
        scale.loss(outputs, truth).into_scalar::<f32>()
    }

    #[test]
    fn numbers_are_learned_in_standard_deviations() {
        let scale = Scale::fit(Kind::Regression, &[10.0, 30.0]);
        assert_eq!(loss(&scale, vec![0.0, 0.0], &[10.0, 30.0]), 1.0);
        let output = scale.output(&[-1.0, 0.5]);
        let values: Vec<f64> = output.rows().flatten().copied().collect();
        assert_eq!(values, [10.0, 25.0]);
    }

    #[test]
    fn a_rare_class_counts_as_much_as_a_common_one() {
        let kind = Kind::Classification { n_classes: 2 };
        let truth = [0.0, 0.0, 0.0, 1.0];
        let scale = Scale::fit(kind, &truth);
        // Wrong by the same for one class or for the other.
        let to = |class: usize| {
            let row = if class == 0 { [2.0, 0.0] } else { [0.0, 2.0] };
            loss(&scale, row.repeat(4), &truth)
        };
        assert!((to(0) - to(1)).abs() < 1e-6);
        // Without any evidence the shares of the classes remain.
        let output = scale.output(&[0.0, 0.0]);
        let row: Vec<f64> = output.rows().flatten().copied().collect();
        assert!((row[0] - 0.75).abs() < 1e-12);
    }
}
