//! Pretraining as an [`Objective`]: a pretext task with the scans it learns from.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use brainmae_data::{BatchLoader, Crop, SampleBatch, ScanStore, SegmentLayout, tile};
use brainmae_encoder::EncoderModel;
use brainmae_model::weights::Names;
use brainmae_run::{Card, Seeds};
use brainmae_train::{LossOf, Objective, PartLoss, Scores};

use crate::batches::TrainingCrops;
use crate::{Draw, Pretext, PretrainError};

/// Number of validation batches that are read ahead if scans are on disk.
const VALIDATION_AHEAD: usize = 2;

/// A pretext task with its training and validation scans.
pub struct Pretraining<P> {
    pretext: P,
    /// Loader of this process's parts, in order of steps.
    training: BatchLoader,
    crops: Arc<TrainingCrops>,
    validation: BatchLoader,
    n_validation: u64,
    setup: Setup,
}

/// Settings of a [`Pretraining`].
pub struct Setup {
    /// Length of segments and samples.
    pub layout: SegmentLayout,
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

impl<P: Pretext> Pretraining<P> {
    /// # Errors
    /// [`PretrainError::NoScans`] without training or validation scans, [`PretrainError::Config`]
    /// for invalid settings.
    pub fn new(
        setup: Setup,
        pretext: P,
        training: ScanStore,
        validation: ScanStore,
    ) -> Result<Self, PretrainError> {
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
        let layout = setup.layout;
        let per_part = setup.batch_size / setup.parts;
        let tiles: Vec<Crop> = (0..validation.len())
            .flat_map(|scan| tile(&validation, scan, &layout))
            .collect();
        let n_validation = tiles.len().div_ceil(per_part) as u64;
        let validation_plan = move |number: u64| {
            let mut batches = tiles.chunks(per_part);
            let crops = usize::try_from(number).ok().and_then(|i| batches.nth(i));
            crops.map(<[Crop]>::to_vec).unwrap_or_default()
        };
        let crops = TrainingCrops::new(setup.seeds, setup.batch_size, training.len());
        let crops = Arc::new(crops);
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
        // Parts of the current step and of the next one.
        let ahead = 2 * setup.own.len();
        let validation = Arc::new(validation);
        Ok(Self {
            pretext,
            training: BatchLoader::new(training, layout, ahead, training_plan)?,
            crops,
            validation: BatchLoader::new(validation, layout, VALIDATION_AHEAD, validation_plan)?,
            n_validation,
            setup,
        })
    }

    /// Time that training has waited for batches, summed over the parts of a batch.
    pub fn waited(&self) -> Duration {
        self.training.waited()
    }

    /// Part `part` of the batch of `step`; it must be one of the parts of this process.
    ///
    /// # Errors
    /// From the data, if a crop cannot be cut.
    pub fn batch(&self, step: u64, part: usize) -> Result<SampleBatch, PretrainError> {
        let own = &self.setup.own;
        let number = step * own.len() as u64 + (part - own.start) as u64;
        Ok(self.training.batch(number)?)
    }

    /// Random numbers of that part.
    fn draw(&self, step: u64, part: usize) -> Draw {
        let per_part = self.setup.batch_size / self.setup.parts;
        let first = self.crops.sample_number(step, part * per_part);
        Draw {
            seeds: self.setup.seeds,
            step,
            samples: first..first + per_part as u64,
        }
    }
}

/// Number of segments that are not padding: the weight of a batch in a mean over batches.
fn n_valid(samples: &SampleBatch) -> f64 {
    samples.valid.iter().filter(|valid| **valid).count() as f64
}

impl<P: Pretext> Objective for Pretraining<P> {
    type Model = P::Model;
    type Error = PretrainError;

    fn weight_names(&self) -> &'static Names {
        P::Model::WEIGHT_NAMES
    }

    fn parts(&self) -> usize {
        self.setup.parts
    }

    fn loss(&self, model: &P::Model, step: u64, part: usize) -> LossOf<PretrainError> {
        let samples = self.batch(step, part)?;
        let loss = self.pretext.loss(model, &samples, &self.draw(step, part));
        let weight = n_valid(&samples);
        self.training.recycle(samples);
        Ok(Some(PartLoss {
            total: loss.total,
            terms: loss.terms,
            weight,
        }))
    }

    fn describe(&self, step: u64) -> Vec<(&'static str, f64)> {
        self.pretext.describe(&self.setup.seeds, step)
    }

    fn examples(&self, step: u64) -> Vec<String> {
        (0..self.setup.batch_size)
            .map(|i| {
                let store = self.training.store();
                let crop = self.crops.crop(store, &self.setup.layout, step, i);
                let scan = &store.scans()[crop.scan].scan;
                format!("{scan} from volume {}", crop.start_volume)
            })
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.crops.epoch(step)
    }

    fn validate(&self, model: &P::Model) -> Result<Scores, PretrainError> {
        let (mut sums, mut weight) = (Scores::new(), 0.0);
        for number in 0..self.n_validation {
            let samples = self.validation.batch(number)?;
            let seeds = &self.setup.seeds;
            let scores = self.pretext.validate(model, &samples, seeds, number);
            let w = n_valid(&samples);
            self.validation.recycle(samples);
            if sums.is_empty() {
                sums = scores.iter().map(|(name, _)| (*name, 0.0)).collect();
            }
            for ((_, sum), (_, score)) in sums.iter_mut().zip(scores) {
                *sum += w * score;
            }
            weight += w;
        }
        sums.iter_mut().for_each(|(_, sum)| *sum /= weight);
        Ok(sums)
    }

    fn card(&self) -> Card {
        self.setup.card.clone()
    }
}
