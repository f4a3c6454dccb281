//! Pretext task of BrainMAE: masked reconstruction of ROIs.

use brainmae_data::SampleBatch;
use brainmae_encoder::input;
use brainmae_model::BrainMae;
use brainmae_model::loss::ReconstructionLoss;
use brainmae_run::Seeds;
use brainmae_train::Scores;
use burn::tensor::{Bool, Device, Tensor};
use rand::RngExt;

use crate::mask::{MaskConfig, draw_mask, mask_on};
use crate::masked_batch::{hidden_rois, mask_to_device};
use crate::predictor::{BrainMaePredictor, Predictor};
use crate::{Draw, Pretext, PretextLoss, PretrainError};

/// Share of hidden ROIs in validation.
pub const VALIDATION_RATIO: f64 = 0.5;

/// Masked reconstruction of the ROIs of segments.
#[derive(Clone, Debug)]
pub struct MaskedReconstruction {
    mask: MaskConfig,
}

impl MaskedReconstruction {
    fn ratio(&self, seeds: &Seeds, step: u64) -> f64 {
        let rng = &mut seeds.stream_at("mask-ratio", &[step]);
        self.mask.ratio.draw(rng)
    }

    /// Mask of a part of a batch, `[batch, segments, rois]`.
    fn hidden(&self, samples: &SampleBatch, draw: &Draw, device: &Device) -> Tensor<3, Bool> {
        // One stream per sample, so the division of a batch into parts does not change its masks.
        let numbers: Vec<u32> = (draw.samples.clone())
            .map(|sample| draw.seeds.stream_at("masks", &[sample]).random())
            .collect();
        let (segments, rois) = (samples.segments, samples.rois);
        let ratio = self.ratio(&draw.seeds, draw.step);
        mask_on(device, &numbers, segments, rois, ratio)
    }
}

impl Pretext for MaskedReconstruction {
    type Model = BrainMae;
    type Config = MaskConfig;
    const TABLE: &'static str = "mask";
    const RECONSTRUCTS_ROIS: bool = true;

    fn new(config: &MaskConfig) -> Result<Self, PretrainError> {
        config.check()?;
        Ok(Self {
            mask: config.clone(),
        })
    }

    fn loss(&self, model: &BrainMae, samples: &SampleBatch, draw: &Draw) -> PretextLoss {
        let input = input(samples, model);
        let hidden = self.hidden(samples, draw, &input.bold.device());
        let drawn = model.reconstruct(&input, Some(&hidden));
        let loss = input.loss(drawn, &hidden, self.mask.lambda);
        PretextLoss {
            total: loss.total,
            terms: vec![
                ("train/loss_hidden", loss.hidden),
                ("train/loss_visible", loss.visible),
            ],
        }
    }

    fn describe(&self, seeds: &Seeds, step: u64) -> Vec<(&'static str, f64)> {
        vec![("train/mask_ratio", self.ratio(seeds, step))]
    }

    fn validate(
        &self,
        model: &BrainMae,
        samples: &SampleBatch,
        seeds: &Seeds,
        number: u64,
    ) -> Scores {
        let ratio = match self.mask.ratio.bounds() {
            [_, 0.0] => 0.0,
            _ => VALIDATION_RATIO,
        };
        let rng = &mut seeds.stream_at("validation-masks", &[number]);
        let hidden = hidden_rois(samples, |segments, rois, hidden| {
            draw_mask(segments, rois, ratio, rng, hidden);
        });
        let input = input(samples, model);
        let hidden = mask_to_device(samples, hidden, &input.bold.device());
        let drawn = model.reconstruct(&input, Some(&hidden));
        let loss: ReconstructionLoss = input.loss(drawn, &hidden, self.mask.lambda);
        let [hidden, visible] =
            [loss.hidden, loss.visible].map(|term| f64::from(term.into_scalar::<f32>()));
        let mut scores = vec![
            ("validation/loss_hidden", hidden),
            ("validation/loss_visible", visible),
        ];
        if ratio == 0.0 {
            // No ROI is hidden; the other term selects the best checkpoint.
            scores.remove(0);
        }
        scores
    }

    fn predictor(name: &str, model: BrainMae) -> Option<Box<dyn Predictor>> {
        Some(Box::new(BrainMaePredictor::new(name, model)))
    }
}
