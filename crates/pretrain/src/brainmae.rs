//! BrainMAE as an [`Objective`]: masked reconstruction of ROIs.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use brainmae_data::{BatchLoader, Crop, SampleBatch, ScanStore, SegmentLayout, fill, tile};
use brainmae_model::loss::ReconstructionLoss;
use brainmae_model::{BrainMae, Input};
use brainmae_run::{Card, Seeds};
use brainmae_train::{LossOf, Objective, PartLoss, Scores};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use rand::RngExt;

use crate::PretrainError;
use crate::batches::TrainingCrops;
use crate::mask::{MaskConfig, draw_mask, mask_on};

/// Share of hidden ROIs in validation.
pub const VALIDATION_RATIO: f64 = 0.5;

/// Number of validation batches that are read ahead if scans are on disk.
const VALIDATION_AHEAD: usize = 2;

/// Masked reconstruction of the ROIs of training scans.
pub struct MaskedReconstruction {
    /// Loader of this process's parts, in order of steps.
    training: BatchLoader,
    crops: Arc<TrainingCrops>,
    layout: SegmentLayout,
    mask: MaskConfig,
    seeds: Seeds,
    batch_size: usize,
    parts: usize,
    own: Range<usize>,
    validation: BatchLoader,
    n_validation: u64,
    card: Card,
}

/// Settings of a [`MaskedReconstruction`].
pub struct Setup {
    /// Length of segments and samples.
    pub layout: SegmentLayout,
    /// Masking and loss.
    pub mask: MaskConfig,
    /// Seeds of all random streams.
    pub seeds: Seeds,
    /// Samples per step.
    pub batch_size: usize,
    /// Number of parts of a batch.
    pub parts: usize,
    /// Parts that this process computes: all, or a [share](brainmae_train::communicator::share).
    /// Other parts are not read.
    pub own: Range<usize>,
    /// Card that is saved with the weights.
    pub card: Card,
}

/// Samples with their mask.
pub struct MaskedBatch {
    /// The samples.
    pub samples: SampleBatch,
    /// `[batch, segments, rois]`, true where hidden.
    pub hidden: Vec<bool>,
}

impl MaskedBatch {
    /// Mask for all segments of `samples`; `draw(segments, rois, hidden)` appends it.
    fn new(samples: SampleBatch, draw: impl FnOnce(usize, usize, &mut Vec<bool>)) -> Self {
        let segments = samples.batch * samples.segments;
        let mut hidden = Vec::with_capacity(segments * samples.rois);
        draw(segments, samples.rois, &mut hidden);
        Self { samples, hidden }
    }

    /// `[batch, segments, rois, time]`.
    pub fn dims(&self) -> [usize; 4] {
        let s = &self.samples;
        [s.batch, s.segments, s.rois, s.time]
    }

    /// `[batch, segments, rois]`.
    pub fn mask_dims(&self) -> [usize; 3] {
        let [batch, segments, rois, _] = self.dims();
        [batch, segments, rois]
    }

    /// Input of the model and mask, on its device.
    pub fn to_device(&self, model: &BrainMae) -> (Input, Tensor<3, Bool>) {
        let input = input(&self.samples, model);
        let hidden = TensorData::new(self.hidden.clone(), self.mask_dims());
        let hidden = Tensor::from_data(hidden, &input.bold.device());
        (input, hidden)
    }
}

/// Samples as input of the model.
fn input(samples: &SampleBatch, model: &BrainMae) -> Input {
    let dims = [samples.batch, samples.segments, samples.rois, samples.time];
    let bold = samples.bold.clone();
    model.input(bold, dims, &samples.start_secs, &samples.valid)
}

impl MaskedReconstruction {
    /// # Errors
    /// [`PretrainError::NoScans`] without training or validation scans, [`PretrainError::Config`]
    /// for invalid settings.
    pub fn new(
        setup: Setup,
        training: ScanStore,
        validation: ScanStore,
    ) -> Result<Self, PretrainError> {
        setup.mask.check()?;
        for (set, store) in [("training", &training), ("validation", &validation)] {
            if store.is_empty() {
                return Err(PretrainError::NoScans { set });
            }
        }
        if setup.parts == 0 || !setup.batch_size.is_multiple_of(setup.parts) {
            return Err(PretrainError::Config {
                field: "parts",
                found: setup.parts.to_string(),
                expected: "a divisor of batch_size".to_string(),
            });
        }
        let (layout, seeds, parts) = (setup.layout, setup.seeds, setup.parts);
        let per_part = setup.batch_size / parts;
        let tiles: Vec<Crop> = (0..validation.len())
            .flat_map(|scan| tile(&validation, scan, &layout))
            .collect();
        let n_validation = tiles.len().div_ceil(per_part) as u64;
        let validation_plan = move |number: u64| {
            let mut batches = tiles.chunks(per_part);
            let crops = usize::try_from(number).ok().and_then(|i| batches.nth(i));
            crops.map(<[Crop]>::to_vec).unwrap_or_default()
        };
        let crops = Arc::new(TrainingCrops::new(seeds, setup.batch_size, training.len()));
        let training = Arc::new(training);
        let (plan, scans) = (Arc::clone(&crops), Arc::clone(&training));
        let own = setup.own.clone();
        let training_plan = move |number: u64| -> Vec<Crop> {
            let n = own.len().max(1) as u64;
            let (step, part) = (number / n, own.start + (number % n) as usize);
            (part * per_part..(part + 1) * per_part)
                .map(|i| plan.crop(&scans, &layout, step, i))
                .collect()
        };
        Ok(Self {
            // Parts of the current step and of the next one.
            training: BatchLoader::new(training, layout, 2 * setup.own.len(), training_plan)?,
            crops,
            layout,
            mask: setup.mask,
            seeds,
            batch_size: setup.batch_size,
            parts,
            own: setup.own,
            validation: BatchLoader::new(
                Arc::new(validation),
                layout,
                VALIDATION_AHEAD,
                validation_plan,
            )?,
            n_validation,
            card: setup.card,
        })
    }

    /// Time that training has waited for batches, summed over the parts of a batch.
    pub fn waited(&self) -> Duration {
        self.training.waited()
    }

    fn ratio(&self, step: u64) -> f64 {
        let rng = &mut self.seeds.stream_at("mask-ratio", &[step]);
        self.mask.ratio.draw(rng)
    }

    /// Part `part` of the batch of `step`; it must be one of the parts of this process.
    ///
    /// # Errors
    /// From the data, if a crop cannot be cut.
    pub fn batch(&self, step: u64, part: usize) -> Result<SampleBatch, PretrainError> {
        let number = step * self.own.len() as u64 + (part - self.own.start) as u64;
        Ok(self.training.batch(number)?)
    }

    /// Mask of that part.
    fn mask(
        &self,
        step: u64,
        part: usize,
        samples: &SampleBatch,
        device: &Device,
    ) -> Tensor<3, Bool> {
        let places = part * samples.batch..(part + 1) * samples.batch;
        // One stream per sample, so the division of a batch into parts does not change its masks.
        let numbers: Vec<u32> = places
            .map(|i| {
                let sample = self.crops.sample_number(step, i);
                self.seeds.stream_at("masks", &[sample]).random()
            })
            .collect();
        let (segments, rois) = (samples.segments, samples.rois);
        mask_on(device, &numbers, segments, rois, self.ratio(step))
    }

    fn validation_batch(&self, number: u64) -> Result<MaskedBatch, PretrainError> {
        let ratio = match self.mask.ratio.bounds() {
            [_, 0.0] => 0.0,
            _ => VALIDATION_RATIO,
        };
        let samples = self.validation.batch(number)?;
        let rng = &mut self.seeds.stream_at("validation-masks", &[number]);
        Ok(MaskedBatch::new(samples, |segments, rois, hidden| {
            draw_mask(segments, rois, ratio, rng, hidden);
        }))
    }
}

/// Number of segments that are not padding: the weight of a batch in a mean over batches.
fn n_valid(samples: &SampleBatch) -> f64 {
    samples.valid.iter().filter(|valid| **valid).count() as f64
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

impl Objective for MaskedReconstruction {
    type Model = BrainMae;
    type Error = PretrainError;

    fn parts(&self) -> usize {
        self.parts
    }

    fn loss(&self, model: &BrainMae, step: u64, part: usize) -> LossOf<PretrainError> {
        let samples = self.batch(step, part)?;
        let input = input(&samples, model);
        let hidden = self.mask(step, part, &samples, &input.bold.device());
        let drawn = model.reconstruct(&input, Some(&hidden));
        let loss = input.loss(drawn, &hidden, self.mask.lambda);
        let weight = n_valid(&samples);
        self.training.recycle(samples);
        Ok(Some(PartLoss {
            total: loss.total,
            terms: vec![
                ("train/loss_hidden", loss.hidden),
                ("train/loss_visible", loss.visible),
            ],
            weight,
        }))
    }

    fn describe(&self, step: u64) -> Vec<(&'static str, f64)> {
        vec![("train/mask_ratio", self.ratio(step))]
    }

    fn examples(&self, step: u64) -> Vec<String> {
        (0..self.batch_size)
            .map(|i| {
                let store = self.training.store();
                let crop = self.crops.crop(store, &self.layout, step, i);
                let scan = &store.scans()[crop.scan].scan;
                format!("{scan} from volume {}", crop.start_volume)
            })
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.crops.epoch(step)
    }

    fn validate(&self, model: &BrainMae) -> Result<Scores, PretrainError> {
        let [mut hidden, mut visible, mut weight] = [0.0; 3];
        for number in 0..self.n_validation {
            let batch = self.validation_batch(number)?;
            let (input, mask) = batch.to_device(model);
            let drawn = model.reconstruct(&input, Some(&mask));
            let loss: ReconstructionLoss = input.loss(drawn, &mask, self.mask.lambda);
            let w = n_valid(&batch.samples);
            self.validation.recycle(batch.samples);
            hidden += w * f64::from(loss.hidden.into_scalar::<f32>());
            visible += w * f64::from(loss.visible.into_scalar::<f32>());
            weight += w;
        }
        let mut scores = vec![
            ("validation/loss_hidden", hidden / weight),
            ("validation/loss_visible", visible / weight),
        ];
        if self.mask.ratio.bounds()[1] == 0.0 {
            // No ROI is hidden; the other term selects the best checkpoint.
            scores.remove(0);
        }
        Ok(scores)
    }

    fn card(&self) -> Card {
        self.card.clone()
    }
}
