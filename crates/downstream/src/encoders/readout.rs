//! Readout: what probes and fine-tuning read of an encoding.

use brainmae_data::SampleBatch;
use brainmae_encoder::SampleEmbedding;
use brainmae_model::Encoding;
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

/// Vector of a sample that a head reads. Pretraining trains the states of segments, not CLS, so the
/// default reads both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Readout {
    /// The CLS token.
    #[serde(rename = "cls")]
    Cls,
    /// The mean of the states of all segments that are not padding.
    #[serde(rename = "mean")]
    Mean,
    /// CLS, then the mean.
    #[default]
    #[serde(rename = "cls+mean")]
    ClsMean,
    /// CLS, the mean, and the variance of each element over the segments that are not padding
    /// (statistics pooling, Snyder et al. 2018, with variances in place of their roots). A mean of
    /// states tells means of signals; variances tell how strongly signals vary together. They are 0
    /// for a single segment.
    #[serde(rename = "cls+mean+variance")]
    ClsMeanVariance,
}

impl Readout {
    /// Length of the vector, for an encoder whose vectors have `width` elements.
    pub fn width(self, width: usize) -> usize {
        match self {
            Readout::Cls | Readout::Mean => width,
            Readout::ClsMean => 2 * width,
            Readout::ClsMeanVariance => 3 * width,
        }
    }

    /// Vectors of a batch, `[batch, width]`, with gradients.
    pub(super) fn of_batch(self, encoding: Encoding, samples: &SampleBatch) -> Tensor<2> {
        match self {
            Readout::Cls => encoding.cls,
            Readout::Mean => mean(encoding.tokens, samples),
            Readout::ClsMean => {
                let mean = mean(encoding.tokens, samples);
                Tensor::cat(vec![encoding.cls, mean], 1)
            }
            Readout::ClsMeanVariance => {
                let average = mean(encoding.tokens.clone(), samples);
                let deviations = encoding.tokens - average.clone().unsqueeze_dim(1);
                let variance = mean(deviations.square(), samples);
                Tensor::cat(vec![encoding.cls, average, variance], 1)
            }
        }
    }

    /// Vector of an embedded sample, `[width]`.
    pub fn of_sample(self, sample: &SampleEmbedding) -> Vec<f32> {
        let width = sample.cls.len();
        let mut vector = Vec::with_capacity(self.width(width));
        if self != Readout::Mean {
            vector.extend_from_slice(&sample.cls);
        }
        if self == Readout::Cls {
            return vector;
        }
        let shares = shares(&sample.valid);
        let mut add_mean = |of: &dyn Fn(usize, f32) -> f32| {
            let mut mean = vec![0.0; width];
            for (token, share) in sample.tokens.chunks_exact(width).zip(&shares) {
                for (at, (mean, x)) in mean.iter_mut().zip(token).enumerate() {
                    *mean += share * of(at, *x);
                }
            }
            vector.extend_from_slice(&mean);
            mean
        };
        let mean = add_mean(&|_, x| x);
        if self == Readout::ClsMeanVariance {
            add_mean(&|at, x| (x - mean[at]).powi(2));
        }
        vector
    }
}

/// Mean of the valid segments' vectors, `[batch, width]`.
fn mean(tokens: Tensor<3>, samples: &SampleBatch) -> Tensor<2> {
    let [batch, segments, width] = tokens.dims();
    let shares: Vec<f32> = samples
        .valid
        .chunks_exact(segments)
        .flat_map(shares)
        .collect();
    let shares = TensorData::new(shares, [batch, 1, segments]);
    let shares = Tensor::<3>::from_data(shares, &tokens.device());
    shares.matmul(tokens).reshape([batch, width])
}

/// Weight of each segment in the mean over those that are valid.
fn shares(valid: &[bool]) -> Vec<f32> {
    let n = valid.iter().filter(|valid| **valid).count().max(1) as f32;
    let share = |valid: &bool| if *valid { 1.0 / n } else { 0.0 };
    valid.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use brainmae_data::SegmentLayout;
    use burn::tensor::Device;

    use super::*;
    use crate::encoders::embedding::numbers;

    #[test]
    fn padding_is_not_read() {
        let valid = vec![true, true, false];
        let (cls, tokens) = (vec![7.0, 8.0], vec![1.0, 2.0, 3.0, 6.0, 99.0, 99.0]);
        let layout = SegmentLayout {
            segment_len_trs: 1,
            n_segments: 3,
        };
        let mut samples = SampleBatch::new(1, &layout, 1);
        samples.valid = valid.clone();
        let device = Device::flex();
        let encoding = || Encoding {
            cls: Tensor::from_data(TensorData::new(cls.clone(), [1, 2]), &device),
            tokens: Tensor::from_data(TensorData::new(tokens.clone(), [1, 3, 2]), &device),
        };
        let embedding = SampleEmbedding {
            scan: 0,
            start_volume: 0,
            cls: cls.clone(),
            tokens: tokens.clone(),
            valid,
        };
        for (readout, expected) in [
            (Readout::Cls, vec![7.0, 8.0]),
            (Readout::Mean, vec![2.0, 4.0]),
            (Readout::ClsMean, vec![7.0, 8.0, 2.0, 4.0]),
            (Readout::ClsMeanVariance, vec![7.0, 8.0, 2.0, 4.0, 1.0, 4.0]),
        ] {
            assert_eq!(readout.width(2), expected.len());
            assert_eq!(readout.of_sample(&embedding), expected);
            assert_eq!(numbers(readout.of_batch(encoding(), &samples)), expected);
        }
    }
}
