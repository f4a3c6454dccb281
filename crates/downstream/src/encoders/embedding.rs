//! Vectors of examples from a frozen encoder.

use brainmae_data::Crop;
use brainmae_encoder::{Embed, SampleEmbedding};
use burn::tensor::Tensor;

use super::Readout;
use super::samples::Samples;
use crate::{DownstreamError, Problem};

/// Encodes the samples that cover the examples, each with the number of its example; no ROI is
/// hidden. Samples without a valid segment are left out.
pub(super) fn embed(
    model: &dyn Embed,
    samples: &Samples,
) -> Result<Vec<(usize, SampleEmbedding)>, DownstreamError> {
    let (examples, crops): (Vec<usize>, Vec<Crop>) = samples.covering().into_iter().unzip();
    let embedded = samples.cutter.embed(&crops, model)?;
    let all = examples.into_iter().zip(embedded);
    Ok(all
        .filter(|(_, sample)| sample.valid.contains(&true))
        .collect())
}

/// The elements of a tensor, row-major.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The vector of each example: the mean over its samples.
///
/// # Errors
/// [`DownstreamError::Fit`] for a scan without a valid segment.
pub(super) fn vectors(
    name: &str,
    problem: &Problem,
    model: &dyn Embed,
    samples: &Samples,
    readout: Readout,
) -> Result<Vec<Vec<f32>>, DownstreamError> {
    let mut sums = vec![(Vec::new(), 0.0f32); samples.len()];
    for (example, sample) in embed(model, samples)? {
        let (sum, n) = &mut sums[example];
        let vector = readout.of_sample(&sample);
        sum.resize(vector.len(), 0.0);
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
        *n += 1.0;
    }
    (sums.into_iter().enumerate())
        .map(|(example, (mut sum, n))| {
            if n == 0.0 {
                return Err(samples.no_segment(name, problem, example));
            }
            sum.iter_mut().for_each(|sum| *sum /= n);
            Ok(sum)
        })
        .collect()
}
