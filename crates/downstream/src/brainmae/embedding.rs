//! What a frozen encoder says of scans: computed once, used by every probe.

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

/// Encodes the scans that `examples` name, sample after sample, nothing hidden.
///
/// # Errors
/// If a scan is shorter than a segment.
pub fn embed(
    model: &BrainMae,
    layout: SegmentLayout,
    examples: &Examples,
) -> Result<Vec<SampleEmbedding>, DownstreamError> {
    let cutter = Cutter::new(examples, layout)?;
    let mut scans: Vec<usize> = examples.list.iter().map(|example| example.scan).collect();
    scans.sort_unstable();
    scans.dedup();
    let crops: Vec<Crop> = scans.iter().flat_map(|scan| cutter.tiles(*scan)).collect();
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
    (examples.iter())
        .map(|(scan, example)| {
            let of_scan = || samples.iter().filter(|sample| sample.scan == example.scan);
            let whole = example.n_volumes == scan.series.n_volumes();
            if whole {
                let mut sum = Vec::new();
                let mut n = 0.0;
                for sample in of_scan().filter(|sample| sample.valid.contains(&true)) {
                    sum.resize(sample.cls.len(), 0.0);
                    sum.iter_mut()
                        .zip(&sample.cls)
                        .for_each(|(sum, x)| *sum += x);
                    n += 1.0;
                }
                sum.iter_mut().for_each(|sum| *sum /= n);
                return Some(sum).filter(|sum| !sum.is_empty());
            }
            if example.n_volumes != len || !example.start_volume.is_multiple_of(len) {
                return None;
            }
            of_scan().find_map(|sample| {
                let from_start = example.start_volume.checked_sub(sample.start_volume)? / len;
                let d_model = sample.cls.len();
                let token = sample
                    .tokens
                    .get(from_start * d_model..(from_start + 1) * d_model)?;
                Some(token.to_vec())
            })
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
