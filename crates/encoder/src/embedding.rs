//! Embeddings of samples: one vector per sample and one per segment.

use brainmae_data::{Crop, SampleBatch, ScanStore, SegmentLayout, fill};
use brainmae_model::{BrainMae, Input};
use burn::tensor::Tensor;

use crate::EncoderError;

/// Number of samples that are encoded at once.
const BATCH: usize = 16;

/// The vectors of one sample of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleEmbedding {
    /// Number of the scan in its store.
    pub scan: usize,
    /// First volume of the sample.
    pub start_volume: usize,
    /// The sample's representation, `[d_model]`.
    pub cls: Vec<f32>,
    /// The state of each segment in context, `[segments, d_model]`, including padded segments.
    pub tokens: Vec<f32>,
    /// True for segments that are not padding.
    pub valid: Vec<bool>,
}

/// Encodes samples of the scans of a store; no ROI is hidden.
///
/// # Errors
/// If a scan cannot be read.
pub fn embed_crops(
    model: &BrainMae,
    layout: &SegmentLayout,
    store: &ScanStore,
    crops: &[Crop],
) -> Result<Vec<SampleEmbedding>, EncoderError> {
    let mut all = Vec::with_capacity(crops.len());
    for crops in crops.chunks(BATCH) {
        let (input, batch) = input(model, layout, store, crops)?;
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

/// Cuts samples and copies them to the model's device. The returned batch has no signals.
///
/// # Errors
/// If a scan cannot be read.
pub fn input(
    model: &BrainMae,
    layout: &SegmentLayout,
    store: &ScanStore,
    crops: &[Crop],
) -> Result<(Input, SampleBatch), EncoderError> {
    let mut batch = SampleBatch::new(crops.len(), layout, store.n_rois());
    fill(store, crops, &mut batch)?;
    let dims = [batch.batch, batch.segments, batch.rois, batch.time];
    let bold = std::mem::take(&mut batch.bold);
    let input = model.input(bold, dims, &batch.start_secs, &batch.valid);
    Ok((input, batch))
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
