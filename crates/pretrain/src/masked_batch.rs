//! Samples with hidden ROIs.

use brainmae_data::{Crop, SampleBatch, ScanStore, SegmentLayout, fill};
use brainmae_encoder::input;
use brainmae_model::{BrainMae, Input};
use burn::tensor::{Bool, Device, Tensor, TensorData};

use crate::PretrainError;
use crate::mask::draw_mask;

/// Samples with their mask.
pub struct MaskedBatch {
    /// The samples.
    pub samples: SampleBatch,
    /// `[batch, segments, rois]`, true where hidden.
    pub hidden: Vec<bool>,
}

impl MaskedBatch {
    fn new(samples: SampleBatch, draw: impl FnOnce(usize, usize, &mut Vec<bool>)) -> Self {
        let hidden = hidden_rois(&samples, draw);
        Self { samples, hidden }
    }

    /// `[batch, segments, rois, time]`.
    pub fn dims(&self) -> [usize; 4] {
        let s = &self.samples;
        [s.batch, s.segments, s.rois, s.time]
    }

    /// Input of the model and mask, on its device.
    pub fn to_device(&self, model: &BrainMae) -> (Input, Tensor<3, Bool>) {
        let input = input(&self.samples, model);
        let hidden = mask_to_device(&self.samples, self.hidden.clone(), &input.bold.device());
        (input, hidden)
    }
}

/// Mask for all segments of `samples`, row-major; `draw(segments, rois, hidden)` appends it.
pub(crate) fn hidden_rois(
    samples: &SampleBatch,
    draw: impl FnOnce(usize, usize, &mut Vec<bool>),
) -> Vec<bool> {
    let segments = samples.batch * samples.segments;
    let mut hidden = Vec::with_capacity(segments * samples.rois);
    draw(segments, samples.rois, &mut hidden);
    hidden
}

/// The mask of `samples` as a tensor, `[batch, segments, rois]`.
pub(crate) fn mask_to_device(
    samples: &SampleBatch,
    hidden: Vec<bool>,
    device: &Device,
) -> Tensor<3, Bool> {
    let shape = [samples.batch, samples.segments, samples.rois];
    Tensor::from_data(TensorData::new(hidden, shape), device)
}

/// Cuts `crops`; `draw(segments, rois, hidden)` appends the mask of all their segments.
pub(crate) fn masked_batch(
    store: &ScanStore,
    crops: &[Crop],
    layout: &SegmentLayout,
    draw: impl FnOnce(usize, usize, &mut Vec<bool>),
) -> Result<MaskedBatch, PretrainError> {
    let mut samples = SampleBatch::new(crops.len(), layout, store.n_rois());
    fill(store, crops, &mut samples)?;
    Ok(MaskedBatch::new(samples, draw))
}

/// One sample with a random mask, for display.
///
/// # Errors
/// From the data, if the sample cannot be cut.
pub fn single_masked_sample(
    store: &ScanStore,
    crop: Crop,
    layout: &SegmentLayout,
    ratio: f64,
    rng: &mut impl rand::Rng,
) -> Result<MaskedBatch, PretrainError> {
    masked_batch(store, &[crop], layout, |n, rois, hidden| {
        draw_mask(n, rois, ratio, rng, hidden);
    })
}
