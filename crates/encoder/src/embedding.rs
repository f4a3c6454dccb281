//! Embeddings of samples: one vector per sample and one per segment.

use brainmae_data::{Crop, SampleBatch, ScanStore, SegmentLayout, fill};
use burn::tensor::Tensor;

use crate::{Embed, EncoderError};

/// Number of samples that are encoded at once.
const BATCH: usize = 16;

/// The vectors of one sample of a scan.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleEmbedding {
    /// Number of the scan in its store.
    pub scan: usize,
    /// First volume of the sample.
    pub start_volume: usize,
    /// The sample's representation, `[width]`.
    pub cls: Vec<f32>,
    /// The state of each segment in context, `[segments, width]`, including padded segments.
    pub tokens: Vec<f32>,
    /// True for segments that are not padding.
    pub valid: Vec<bool>,
}

/// Encodes samples of the scans of a store; only missing ROIs are hidden.
///
/// # Errors
/// If a scan cannot be read.
pub fn embed_crops(
    model: &dyn Embed,
    layout: &SegmentLayout,
    store: &ScanStore,
    crops: &[Crop],
) -> Result<Vec<SampleEmbedding>, EncoderError> {
    let mut all = Vec::with_capacity(crops.len());
    let mut batch = SampleBatch::new(BATCH.min(crops.len()), layout, store.n_rois());
    for crops in crops.chunks(BATCH) {
        fill(store, crops, &mut batch)?;
        let encoding = model.encode(&batch);
        let [_, width] = encoding.cls.dims();
        let (cls, tokens) = (numbers(encoding.cls), numbers(encoding.tokens));
        let n = batch.segments;
        for (i, crop) in crops.iter().enumerate() {
            all.push(SampleEmbedding {
                scan: crop.scan,
                start_volume: crop.start_volume,
                cls: cls[i * width..(i + 1) * width].to_vec(),
                tokens: tokens[i * n * width..(i + 1) * n * width].to_vec(),
                valid: batch.valid[i * n..(i + 1) * n].to_vec(),
            });
        }
    }
    Ok(all)
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
