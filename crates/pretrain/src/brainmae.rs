//! BrainMAE as an [`Objective`]: hide ROIs, reconstruct them.

use brainmae_data::{Crop, SampleBatch, ScanStore, SegmentLayout, fill, tile};
use brainmae_model::loss::{LossWeights, ReconstructionLoss};
use brainmae_model::{BrainMae, Input};
use brainmae_run::{Card, Seeds};
use burn::tensor::{Bool, Tensor, TensorData};

use crate::batches::TrainingCrops;
use crate::mask::{MaskConfig, draw_mask};
use crate::{Objective, PartLoss, PretrainError};

/// Share of ROIs hidden when a model is validated.
pub const VALIDATION_RATIO: f64 = 0.5;

/// Masked reconstruction of the ROIs of training scans.
pub struct MaskedReconstruction {
    training: ScanStore,
    layout: SegmentLayout,
    crops: TrainingCrops,
    mask: MaskConfig,
    seeds: Seeds,
    batch_size: usize,
    parts: usize,
    validation: Vec<MaskedBatch>,
    card: Card,
}

/// Settings of a [`MaskedReconstruction`].
pub struct Setup {
    /// Length of segments and samples.
    pub layout: SegmentLayout,
    /// Masking and loss.
    pub mask: MaskConfig,
    /// All randomness.
    pub seeds: Seeds,
    /// Samples of a step.
    pub batch_size: usize,
    /// Parts of a batch.
    pub parts: usize,
    /// What goes beside the weights.
    pub card: Card,
}

/// Samples with the mask they are to be drawn under.
pub struct MaskedBatch {
    /// The samples.
    pub samples: SampleBatch,
    /// `[batch, segments, rois]`, true where hidden.
    pub hidden: Vec<bool>,
}

impl MaskedBatch {
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

    /// The batch as the model takes it: samples and mask.
    pub fn to_device(&self, model: &BrainMae) -> (Input, Tensor<3, Bool>) {
        let samples = &self.samples;
        let input = model.input(
            samples.bold.clone(),
            self.dims(),
            &samples.start_secs,
            &samples.valid,
        );
        let hidden = TensorData::new(self.hidden.clone(), self.mask_dims());
        let hidden = Tensor::from_data(hidden, &input.bold.device());
        (input, hidden)
    }
}

impl MaskedReconstruction {
    /// # Errors
    /// [`PretrainError::NoScans`] without training or validation scans, [`PretrainError::Config`] for settings that make no sense.
    pub fn new(
        setup: Setup,
        training: ScanStore,
        validation: &ScanStore,
    ) -> Result<Self, PretrainError> {
        setup.mask.check()?;
        for (side, store) in [("training", &training), ("validation", validation)] {
            if store.is_empty() {
                return Err(PretrainError::NoScans { side });
            }
        }
        if setup.parts == 0 || !setup.batch_size.is_multiple_of(setup.parts) {
            return Err(PretrainError::Config {
                field: "train.parts",
                found: setup.parts.to_string(),
                expected: "a divisor of train.batch_size".to_string(),
            });
        }
        let seeds = setup.seeds;
        let tiles: Vec<Crop> = (0..validation.len())
            .flat_map(|scan| tile(validation, scan, &setup.layout))
            .collect();
        let per_batch = setup.batch_size / setup.parts;
        let ratio = match setup.mask.ratio.bounds() {
            [_, 0.0] => 0.0,
            _ => VALIDATION_RATIO,
        };
        let validation = tiles
            .chunks(per_batch)
            .enumerate()
            .map(|(i, crops)| {
                let rng = &mut seeds.stream_at("validation-masks", &[i as u64]);
                masked_batch(validation, crops, &setup.layout, |n, rois, hidden| {
                    draw_mask(n, rois, ratio, rng, hidden);
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            crops: TrainingCrops::new(seeds, setup.batch_size, training.len()),
            training,
            layout: setup.layout,
            mask: setup.mask,
            seeds,
            batch_size: setup.batch_size,
            parts: setup.parts,
            validation,
            card: setup.card,
        })
    }

    fn ratio(&self, step: u64) -> f64 {
        let rng = &mut self.seeds.stream_at("mask-ratio", &[step]);
        self.mask.ratio.draw(rng)
    }

    /// Part `part` of the batch of `step`.
    ///
    /// # Errors
    /// From the data, if a crop cannot be cut.
    pub fn batch(&self, step: u64, part: usize) -> Result<MaskedBatch, PretrainError> {
        let per_part = self.batch_size / self.parts;
        let samples = part * per_part..(part + 1) * per_part;
        let crops: Vec<Crop> = samples
            .clone()
            .map(|i| self.crops.crop(&self.training, &self.layout, step, i))
            .collect();
        let ratio = self.ratio(step);
        let mut numbers = samples.map(|i| self.crops.sample_number(step, i));
        masked_batch(&self.training, &crops, &self.layout, |n, rois, hidden| {
            // One stream per sample: how a batch is cut into parts does not change its masks.
            for number in numbers.by_ref() {
                let rng = &mut self.seeds.stream_at("masks", &[number]);
                draw_mask(n / crops.len(), rois, ratio, rng, hidden);
            }
        })
    }
}

impl MaskedReconstruction {
    /// The loss of a batch, and how many segments it is the mean over.
    fn batch_loss(&self, model: &BrainMae, batch: &MaskedBatch) -> (ReconstructionLoss, f64) {
        let (input, hidden) = batch.to_device(model);
        let drawn = model.reconstruct(&input, Some(&hidden));
        let valid = &batch.samples.valid;
        let weights = LossWeights::new(&batch.hidden, valid, batch.mask_dims(), self.mask.lambda);
        let n_segments = valid.iter().filter(|v| **v).count();
        (weights.loss(drawn, input.bold), n_segments as f64)
    }
}

/// Cuts `crops`, and has `draw(segments, rois, hidden)` append the mask of all their segments.
pub(crate) fn masked_batch(
    store: &ScanStore,
    crops: &[Crop],
    layout: &SegmentLayout,
    draw: impl FnOnce(usize, usize, &mut Vec<bool>),
) -> Result<MaskedBatch, PretrainError> {
    let mut samples = SampleBatch::new(crops.len(), layout, store.n_rois());
    fill(store, crops, &mut samples)?;
    let segments = samples.batch * samples.segments;
    let mut hidden = Vec::with_capacity(segments * samples.rois);
    draw(segments, samples.rois, &mut hidden);
    Ok(MaskedBatch { samples, hidden })
}

/// One sample under a random mask of its own, for a closer look.
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

    fn parts(&self) -> usize {
        self.parts
    }

    fn loss(&self, model: &BrainMae, step: u64, part: usize) -> Result<PartLoss, PretrainError> {
        let (loss, weight) = self.batch_loss(model, &self.batch(step, part)?);
        Ok(PartLoss {
            total: loss.total,
            terms: vec![
                ("train/loss_hidden", loss.hidden),
                ("train/loss_visible", loss.visible),
            ],
            weight,
        })
    }

    fn describe(&self, step: u64) -> Vec<(&'static str, f64)> {
        vec![("train/mask_ratio", self.ratio(step))]
    }

    fn examples(&self, step: u64) -> Vec<String> {
        (0..self.batch_size)
            .map(|i| {
                let crop = self.crops.crop(&self.training, &self.layout, step, i);
                format!(
                    "{} from volume {}",
                    self.training.scans()[crop.scan].scan,
                    crop.start_volume
                )
            })
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.crops.epoch(step)
    }

    fn validate(&self, model: &BrainMae) -> Result<Vec<(&'static str, f64)>, PretrainError> {
        let [mut hidden, mut visible, mut weight] = [0.0; 3];
        for batch in &self.validation {
            let (loss, w) = self.batch_loss(model, batch);
            hidden += w * f64::from(loss.hidden.into_scalar::<f32>());
            visible += w * f64::from(loss.visible.into_scalar::<f32>());
            weight += w;
        }
        let mut scores = vec![
            ("validation/loss_hidden", hidden / weight),
            ("validation/loss_visible", visible / weight),
        ];
        if self.mask.ratio.bounds()[1] == 0.0 {
            // Nothing is hidden: what chooses the best checkpoint is the other term.
            scores.remove(0);
        }
        Ok(scores)
    }

    fn card(&self) -> Card {
        self.card.clone()
    }
}
