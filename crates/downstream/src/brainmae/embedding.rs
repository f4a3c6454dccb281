//! What a frozen encoder says of scans: computed once, used by every probe.

use std::collections::{BTreeMap, BTreeSet};

use brainmae_data::{Crop, SegmentLayout};
use brainmae_model::BrainMae;
use burn::tensor::Tensor;

use super::cut::Cutter;
use crate::{DownstreamError, Examples};

/// Samples encoded at a time.
const BATCH: usize = 16;

/// The vectors of one sample of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleEmbedding {
    /// Number of the scan.
    pub scan: usize,
    /// First volume of the sample.
    pub start_volume: usize,
    /// The sample's representation, `[d_model]`.
    pub cls: Vec<f32>,
    /// The state of each segment in context, `[segments, d_model]`; of padded segments too.
    pub tokens: Vec<f32>,
    /// Segments that are no padding.
    pub valid: Vec<bool>,
}

/// Encodes the scans that `examples` name, sample after sample, nothing hidden; once more from another volume on for segments that do
/// not start where a segment of these samples does.
///
/// # Errors
/// If a scan is shorter than a segment.
pub fn embed(
    model: &BrainMae,
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
    let mut all = Vec::with_capacity(crops.len());
    for crops in crops.chunks(BATCH) {
        let (input, batch) = cutter.input(crops, model)?;
        let encoding = model.encode(&input, None);
        let [_, d_model] = encoding.cls.dims();
        let (cls, tokens) = (numbers(encoding.cls), numbers(encoding.tokens));
        let n = batch.segments;
        for (i, crop) in crops.iter().enumerate() {
            all.push(SampleEmbedding {
                scan: crop.scan,
                start_volume: crop.start_volume,
                cls: cls[i * d_model..(i + 1) * d_model].to_vec(),
                tokens: tokens[i * n * d_model..(i + 1) * n * d_model].to_vec(),
                valid: batch.valid[i * n..(i + 1) * n].to_vec(),
            });
        }
    }
    Ok(all)
}

/// The numbers of a tensor.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The vector of each example: the mean of the representations of its scan's samples, or the token of its segment.
///
/// # Errors
/// [`DownstreamError::Fit`] for an example that is neither a scan nor a segment of the encoder's.
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
                learner: "BrainMAE".into(),
                target: format!("{} from volume {}", scan.scan, example.start_volume),
                problem: format!(
                    "it has {} volumes; the encoder takes whole scans and segments of {len}",
                    example.n_volumes
                ),
            })
        })
        .collect()
}

/// The mean representation of samples that are not padding throughout, if there are any.
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
