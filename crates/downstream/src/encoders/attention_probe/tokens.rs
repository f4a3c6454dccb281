//! Tokens of examples: the outputs of a frozen encoder.

use brainmae_data::{Crop, SegmentLayout};
use brainmae_encoder::Embed;
use burn::tensor::{Bool, Device, Tensor, TensorData};

use crate::encoders::cut::Of;
use crate::encoders::embedding::{embed, numbers};
use crate::encoders::samples::Samples;
use crate::{DownstreamError, Examples, FitError, Problem};

/// Number of segments whose ROIs are encoded at once.
const SEGMENTS: usize = 64;

/// Name of the probe in messages.
const NAME: &str = "the attention probe";

/// A frozen encoder, and the samples that it takes.
pub(super) struct Frozen {
    /// The model, without autodiff.
    pub model: Box<dyn Embed>,
    /// Lengths of segments and samples, in volumes.
    pub layout: SegmentLayout,
}

impl Frozen {
    /// Samples of these examples.
    pub fn samples(
        &self,
        problem: &Problem,
        examples: &Examples,
    ) -> Result<Samples, DownstreamError> {
        Samples::new(NAME, problem, examples, self.layout)
    }
}

/// Tokens of each row, `[tokens, width]`, row-major.
type Sets = Vec<Vec<f32>>;

/// The tokens of every row: of a subject, or of an example.
pub(super) struct TokenSets {
    /// Width of a token.
    pub width: usize,
    /// `[tokens, width]` of each row, row-major; at least one token.
    pub sets: Vec<Vec<f32>>,
}

impl TokenSets {
    /// Encodes examples.
    pub fn of(
        encoder: &Frozen,
        problem: &Problem,
        samples: &Samples,
    ) -> Result<Self, DownstreamError> {
        let model = &*encoder.model;
        let (width, sets) = match samples.of {
            Of::Scans => (model.width(), of_scans(model, samples)?),
            Of::Segments => {
                let rois = of_segments(model, samples)?;
                rois.ok_or_else(|| problem.refused(NAME, FitError::NoRoiTokens))?
            }
        };
        if let Some(row) = sets.iter().position(Vec::is_empty) {
            let example = samples.bags.members(row)[0];
            return Err(samples.no_segment(NAME, problem, example));
        }
        Ok(Self { width, sets })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Tokens of the selected rows, `[batch, tokens, width]`, and the padding, `[batch, tokens]`;
    /// padding is true where a row has fewer tokens than the longest one.
    pub fn batch(&self, rows: &[usize], device: &Device) -> (Tensor<3>, Option<Tensor<2, Bool>>) {
        let sets = || rows.iter().map(|at| &self.sets[*at]);
        let longest = sets().map(Vec::len).max().unwrap_or(0);
        let n = longest / self.width;
        let mut values = Vec::with_capacity(rows.len() * longest);
        let mut padded = Vec::with_capacity(rows.len() * n);
        for set in sets() {
            values.extend_from_slice(set);
            values.resize(values.len() + longest - set.len(), 0.0);
            padded.extend((0..n).map(|token| token * self.width >= set.len()));
        }
        let x = Tensor::from_data(TensorData::new(values, [rows.len(), n, self.width]), device);
        let padded = padded
            .contains(&true)
            .then(|| Tensor::from_data(TensorData::new(padded, [rows.len(), n]), device));
        (x, padded)
    }
}

/// States in context of all segments of each row.
fn of_scans(model: &dyn Embed, samples: &Samples) -> Result<Sets, DownstreamError> {
    let mut of_example = vec![Vec::new(); samples.len()];
    for (example, sample) in embed(model, samples)? {
        let tokens = sample.tokens.chunks_exact(sample.cls.len());
        for (token, valid) in tokens.zip(&sample.valid) {
            if *valid {
                of_example[example].extend_from_slice(token);
            }
        }
    }
    let of_row = |row: usize| -> Vec<f32> {
        let members = samples.bags.members(row).iter();
        members.flat_map(|at| &of_example[*at]).copied().collect()
    };
    Ok((0..samples.bags.pooled.len()).map(of_row).collect())
}

/// Width of a token, and the tokens of the ROIs of each segment. Each is concatenated with its ROI
/// vector, if the model has such vectors: the output of the blocks alone does not identify the ROI.
/// `None` for a model without tokens of ROIs.
fn of_segments(
    model: &dyn Embed,
    samples: &Samples,
) -> Result<Option<(usize, Sets)>, DownstreamError> {
    let d_model = model.width();
    let roi_vectors = model.roi_vectors().map(numbers);
    let width = d_model * (1 + usize::from(roi_vectors.is_some()));
    let mut sets = Vec::with_capacity(samples.len());
    for some in samples.covering().chunks(SEGMENTS) {
        let crops: Vec<Crop> = some.iter().map(|(_, crop)| *crop).collect();
        let Some(tokens) = model.roi_tokens(&samples.cutter.samples(&crops)?) else {
            return Ok(None);
        };
        let [_, n_rois, _] = tokens.dims();
        for rois in numbers(tokens).chunks_exact(n_rois * d_model) {
            let mut set = Vec::with_capacity(n_rois * width);
            for (roi, token) in rois.chunks_exact(d_model).enumerate() {
                set.extend_from_slice(token);
                let own = roi * d_model..(roi + 1) * d_model;
                set.extend(roi_vectors.iter().flat_map(|all| &all[own.clone()]));
            }
            sets.push(set);
        }
    }
    Ok(Some((width, sets)))
}

/// Mean and standard deviation of each column of the training set's tokens.
pub(super) struct Scale {
    mean: Vec<f32>,
    inverse_std: Vec<f32>,
}

impl Scale {
    /// Mean and standard deviation of `tokens`.
    pub fn of(tokens: &TokenSets) -> Self {
        let width = tokens.width;
        let mut sums = vec![(0.0f64, 0.0f64); width];
        let mut n = 0.0;
        for token in tokens.sets.iter().flat_map(|set| set.chunks_exact(width)) {
            n += 1.0;
            for (sum, x) in sums.iter_mut().zip(token) {
                let x = f64::from(*x);
                *sum = (sum.0 + x, sum.1 + x * x);
            }
        }
        let std = |(sum, squares): &(f64, f64)| (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
        Self {
            mean: sums.iter().map(|(sum, _)| (sum / n) as f32).collect(),
            inverse_std: (sums.iter())
                .map(|sums| (std(sums).max(1e-6)).recip() as f32)
                .collect(),
        }
    }

    /// Subtracts the mean and divides by the standard deviation of the tokens used for the fit.
    pub fn apply(&self, tokens: &mut TokenSets) {
        for token in (tokens.sets.iter_mut()).flat_map(|set| set.chunks_exact_mut(tokens.width)) {
            for ((x, mean), inverse_std) in token.iter_mut().zip(&self.mean).zip(&self.inverse_std)
            {
                *x = (*x - mean) * inverse_std;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_scaled_as_those_of_the_training_set() {
        let mut tokens = TokenSets {
            width: 2,
            sets: vec![vec![1.0, 5.0, 3.0, 5.0]],
        };
        Scale::of(&tokens).apply(&mut tokens);
        assert_eq!(tokens.sets, [[-1.0, 0.0, 1.0, 0.0]]);
    }
}
