//! Attention probe: learned pooling of the outputs of a frozen encoder.

mod pooling;
mod tokens;

use brainmae_data::epoch_order;
use burn::module::Module;
use burn::optim::GradientsParams;

use super::embedding::numbers;
use super::{FineTuneConfig, FoldEncoder};
use crate::supervised::Target;
use crate::{
    DownstreamError, Examples, FitError, FitResult, Fitted, Labelled, Learner, Output, Problem,
};
use pooling::Pooling;
use tokens::{Scale, TokenSets};

/// Settings of the training. Outputs of the encoder are computed once, so epochs cost little.
const RECIPE: FineTuneConfig = FineTuneConfig {
    max_epochs: 100,
    patience: 15,
    batch_size: 32,
    lr: 1e-3,
    weight_decay: 0.05,
};

/// Minimum number of steps between two validations. If a pass over the training set has more steps,
/// validation follows each pass.
const LEAST_STEPS: usize = 10;

/// Attention pooling of the outputs of a frozen encoder, and a linear head. For a scan it pools the
/// states in context of all its segments; for a segment it pools its ROIs before the readout, each
/// with its ROI vector.
pub struct AttentionProbe {
    name: String,
    encoder: FoldEncoder,
}

impl AttentionProbe {
    /// A probe called `name` in tables.
    pub fn new(name: &str, encoder: FoldEncoder) -> Self {
        Self {
            name: name.to_string(),
            encoder,
        }
    }
}

impl Learner for AttentionProbe {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let target = Target::new(problem.kind, &training.truth)
            .map_err(|reason| problem.refused(&self.name, reason))?;
        let encoder = FoldEncoder {
            weights: Some(self.encoder.start(problem)?),
            ..self.encoder.clone()
        };
        let mut tokens = TokenSets::of(&encoder, problem, &training.examples)?;
        let scale = Scale::of(&tokens);
        scale.apply(&mut tokens);
        let mut deciding = TokenSets::of(&encoder, problem, &validation.examples)?;
        scale.apply(&mut deciding);

        let device = problem.device.clone().autodiff();
        let rng = &mut problem.seeds.stream("attention-probe");
        let mut pooling = Pooling::new(tokens.width, problem.kind.n_outputs(), rng, &device);
        let mut adamw = RECIPE.optimizer();
        let per_epoch = tokens.len().div_ceil(RECIPE.batch_size);
        let per_round = per_epoch.max(LEAST_STEPS);
        let mut order = Vec::new();
        let mut best: Option<(f64, Pooling)> = None;
        let mut waited = 0;
        for round in 0..RECIPE.max_epochs {
            for step in round * per_round..(round + 1) * per_round {
                let (epoch, place) = (step / per_epoch, step % per_epoch);
                if place == 0 {
                    let rng = &mut problem
                        .seeds
                        .stream_at("attention-probe/order", &[epoch as u64]);
                    order = epoch_order(tokens.len(), rng);
                }
                let from = place * RECIPE.batch_size;
                let batch = &order[from..(from + RECIPE.batch_size).min(order.len())];
                let (x, padded) = tokens.batch(batch, &device);
                let truth: Vec<f64> = batch.iter().map(|at| training.truth[*at]).collect();
                let (sum, weight) = target.loss(pooling.forward(x, padded), &truth);
                let gradients = GradientsParams::from_grads((sum / weight).backward(), &pooling);
                let lr = RECIPE.lr(step, per_round * RECIPE.max_epochs);
                pooling = adamw.step(lr, pooling, gradients);
            }
            let valid = pooling.valid();
            let outputs = valid.outputs(&deciding, RECIPE.batch_size, &problem.device);
            let (sum, weight) = target.loss(outputs, &validation.truth);
            let loss = f64::from(sum.into_scalar::<f32>()) / weight;
            if !loss.is_finite() {
                let reason = FitError::Diverged {
                    set: "validation",
                    value: loss,
                    epoch: round,
                };
                return Err(problem.refused(&self.name, reason));
            }
            waited += 1;
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, valid));
                waited = 0;
            }
            if waited >= RECIPE.patience {
                break;
            }
        }
        let (_, pooling) = best.ok_or_else(|| problem.refused(&self.name, FitError::NoEpochs))?;
        Ok(Box::new(FittedProbe {
            encoder,
            scale,
            pooling,
            target,
            problem: problem.clone(),
        }))
    }
}

struct FittedProbe {
    encoder: FoldEncoder,
    scale: Scale,
    pooling: Pooling,
    target: Target,
    problem: Problem,
}

impl Fitted for FittedProbe {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let mut tokens = TokenSets::of(&self.encoder, &self.problem, examples)?;
        self.scale.apply(&mut tokens);
        let outputs = numbers(self.pooling.outputs(
            &tokens,
            RECIPE.batch_size,
            &self.problem.device,
        ));
        Ok(self.target.read_each(&outputs, self.problem.kind))
    }
}
