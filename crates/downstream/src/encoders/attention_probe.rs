//! Attention probe: learned pooling of the outputs of a frozen encoder.

mod pooling;
mod tokens;

use brainmae_train::{LossOf, Objective, PartLoss, Scores};
use burn::tensor::Device;

use super::embedding::numbers;
use super::{FineTuneConfig, FoldEncoder};
use crate::supervised::{Reading, Target};
use crate::training::{Epochs, PARTS, train};
use crate::{DownstreamError, Examples, FitResult, Fitted, Labelled, Learner, Output, Problem};
use pooling::Pooling;
use tokens::{Frozen, Scale, TokenSets};

/// Settings of the training. Outputs of the encoder are computed once, so epochs cost little.
const RECIPE: FineTuneConfig = FineTuneConfig {
    max_epochs: 100,
    patience: 15,
    least_gain: 0.0,
    batch_size: 32,
    max_steps: 0,
    bag: 1,
    lr: 1e-3,
    weight_decay: 0.05,
};

/// Minimum number of steps between two validations. If a pass over the training set has more steps,
/// validation follows each pass.
const LEAST_STEPS: u64 = 10;

/// Attention pooling of the outputs of a frozen encoder, and a linear head. For a scan, or for all
/// scans of a subject if they share their truth, it pools the states in context of all segments;
/// for a segment it pools its ROIs before the readout, each with its ROI vector.
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
        let encoder = Frozen {
            model: self.encoder.embedder(problem)?,
            layout: self.encoder.layout,
        };
        let samples = encoder.samples(problem, &training.examples)?;
        let mut tokens = TokenSets::of(&encoder, problem, &samples)?;
        let scale = Scale::of(&tokens);
        scale.apply(&mut tokens);
        let truth = samples.bags.pooled.truth(training);
        let samples = encoder.samples(problem, &validation.examples)?;
        let mut deciding = TokenSets::of(&encoder, problem, &samples)?;
        scale.apply(&mut deciding);

        let device = problem.device.clone().autodiff();
        let rng = &mut problem.seeds.stream("attention-probe");
        let pooling = Pooling::new(tokens.width, problem.kind.n_outputs(), rng, &device);
        let order = "attention-probe/order";
        let run = Training {
            name: &self.name,
            problem,
            target: &target,
            epochs: Epochs::new(problem.seeds, order, tokens.len(), RECIPE.batch_size),
            tokens,
            truth,
            deciding,
            deciding_truth: samples.bags.pooled.truth(validation),
            device,
        };
        let plan = RECIPE.plan(run.epochs.steps().max(LEAST_STEPS));
        let pooling = train(&self.name, problem, &plan, &run, pooling)?.best;
        let outputs = run.outputs(&pooling);
        Ok(Box::new(FittedProbe {
            encoder,
            scale,
            pooling,
            reading: Reading::plain(target.clone(), problem.kind)
                .calibrated(&outputs, &run.deciding_truth),
            problem: problem.clone(),
        }))
    }
}

/// Training of a probe for one problem.
struct Training<'a> {
    name: &'a str,
    problem: &'a Problem,
    target: &'a Target,
    epochs: Epochs,
    tokens: TokenSets,
    /// One truth for each row.
    truth: Vec<f64>,
    deciding: TokenSets,
    deciding_truth: Vec<f64>,
    /// Device with autodiff.
    device: Device,
}

impl Training<'_> {
    /// Outputs for the validation set, `[rows, n_outputs]`, row-major.
    fn outputs(&self, pooling: &Pooling) -> Vec<f64> {
        outputs(pooling, &self.deciding, self.problem)
    }
}

fn outputs(pooling: &Pooling, tokens: &TokenSets, problem: &Problem) -> Vec<f64> {
    let outputs = pooling.outputs(tokens, RECIPE.batch_size, &problem.device);
    numbers(outputs).into_iter().map(f64::from).collect()
}

impl Objective for Training<'_> {
    type Model = Pooling;
    type Error = DownstreamError;

    fn parts(&self) -> usize {
        PARTS
    }

    fn loss(&self, pooling: &Pooling, step: u64, part: usize) -> LossOf<DownstreamError> {
        let chosen = self.epochs.part(step, part, PARTS);
        if chosen.is_empty() {
            return Ok(None);
        }
        let (x, padded) = self.tokens.batch(&chosen, &self.device);
        let truth: Vec<f64> = chosen.iter().map(|at| self.truth[*at]).collect();
        let (sum, weight) = self.target.loss(pooling.forward(x, padded), &truth);
        Ok(Some(PartLoss {
            total: sum / weight,
            terms: Vec::new(),
            weight,
        }))
    }

    fn examples(&self, step: u64) -> Vec<String> {
        let chosen = self.epochs.part(step, 0, 1).into_iter();
        chosen
            .map(|at| format!("row {at} of {}", self.name))
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.epochs.passed(step)
    }

    fn validate(&self, pooling: &Pooling) -> Result<Scores, DownstreamError> {
        let outputs = self.outputs(pooling);
        let loss = self.target.mean_loss(&outputs, &self.deciding_truth);
        Ok(vec![("validation/loss", loss)])
    }
}

struct FittedProbe {
    encoder: Frozen,
    scale: Scale,
    pooling: Pooling,
    reading: Reading,
    problem: Problem,
}

impl Fitted for FittedProbe {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let problem = &self.problem;
        let samples = self.encoder.samples(problem, examples)?;
        let mut tokens = TokenSets::of(&self.encoder, problem, &samples)?;
        self.scale.apply(&mut tokens);
        let outputs = outputs(&self.pooling, &tokens, problem);
        Ok(self.reading.read(problem, &samples.bags.pooled, outputs))
    }
}
