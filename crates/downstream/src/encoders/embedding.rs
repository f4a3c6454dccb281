//! Vectors of examples from a frozen encoder; all probes share them.

use std::collections::{BTreeMap, BTreeSet};

use brainmae_data::{Crop, SegmentLayout};
use brainmae_encoder::{Embed, SampleEmbedding};
use burn::tensor::Tensor;

use super::cut::Cutter;
use crate::{DownstreamError, Examples, FitError};

/// Encodes the scans of `examples` in consecutive samples; no ROI is hidden. If a segment does not
/// start at a segment boundary of these samples, the scan is encoded again with another first
/// volume.
///
/// # Errors
/// If a scan is shorter than a segment.
pub(super) fn embed(
    model: &dyn Embed,
    layout: SegmentLayout,
    examples: &Examples,
) -> Result<Vec<SampleEmbedding>, DownstreamError> {
    let cutter = Cutter::new(examples, layout)?;
    let len = layout.segment_len_trs;
    let starts: BTreeSet<(usize, usize)> = (examples.list.iter())
        .map(|example| (example.scan, example.start_volume % len))
        .collect();
    let crops: Vec<Crop> = (starts.into_iter())
        .flat_map(|(scan, start)| cutter.tiles(scan, start))
        .collect();
    cutter.embed(&crops, model)
}

/// The elements of a tensor, row-major.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The vector of each example: for a scan, the mean of the representations of its samples; for a
/// segment, its token.
///
/// # Errors
/// [`DownstreamError::Fit`] if an example is neither a scan nor a segment of the encoder.
pub(super) fn vectors(
    samples: &[SampleEmbedding],
    layout: &SegmentLayout,
    examples: &Examples,
) -> Result<Vec<Vec<f32>>, DownstreamError> {
    let len = layout.segment_len_trs;
    let mut tokens = BTreeMap::new();
    for sample in samples {
        let rows = sample.tokens.chunks_exact(sample.cls.len()).enumerate();
        tokens.extend(rows.map(|(k, row)| ((sample.scan, sample.start_volume + k * len), row)));
    }
    (examples.iter())
        .map(|(scan, example)| {
            if example.n_volumes == scan.series.n_volumes() {
                return mean_cls(samples.iter().filter(|sample| sample.scan == example.scan));
            }
            let token = tokens.get(&(example.scan, example.start_volume));
            token
                .filter(|_| example.n_volumes == len)
                .map(|token| token.to_vec())
        })
        .zip(examples.iter())
        .map(|(vector, (scan, example))| {
            vector.ok_or_else(|| DownstreamError::Fit {
                learner: "the encoder".into(),
                target: format!("{} from volume {}", scan.scan, example.start_volume),
                reason: FitError::ExampleLength {
                    found: example.n_volumes,
                    segment_len_trs: len,
                },
            })
        })
        .collect()
}

/// Mean representation of the samples that are not only padding; `None` if there is no such sample.
fn mean_cls<'a>(samples: impl Iterator<Item = &'a SampleEmbedding>) -> Option<Vec<f32>> {
    let mut sum = Vec::new();
    let mut n = 0.0;
    for sample in samples.filter(|sample| sample.valid.contains(&true)) {
        sum.resize(sample.cls.len(), 0.0);
        sum.iter_mut()
            .zip(&sample.cls)
            .for_each(|(sum, x)| *sum += x);
        n += 1.0;
    }
    sum.iter_mut().for_each(|sum| *sum /= n);
    Some(sum).filter(|sum| !sum.is_empty())
}
