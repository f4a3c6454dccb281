//! Trainer for all networks.

use brainmae_model::init::Init;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::batch::{Crop, Stretches};
use super::fitted::{FittedNetwork, check_rois};
use super::recipe::{Budget, Recipe};
use super::{Architecture, Needs, Noise, Paper, Sizes};
use crate::supervised::Target;
use crate::{DownstreamError, FitError, FitResult, Labelled, Learner, Problem};

/// Trains a network from random weights.
///
/// Each epoch uses each training example once; if the network's input is shorter than an example,
/// it uses a random crop. After the epoch, the loss on the validation set is computed over crops
/// that cover its examples. The weights of the best epoch are kept, and training stops after
/// [`Budget::patience`] epochs without improvement. Without a validation set, the last weights are
/// kept.
///
/// The length of a crop is that of the recipe, or of the shortest training or validation example if
/// that is shorter. A test example that is still shorter is padded with its mean. The prediction is
/// the mean over crops that cover the example.
#[derive(Clone, Debug)]
pub struct Neural<A> {
    /// The network.
    pub architecture: A,
    /// Limits on the training.
    pub budget: Budget,
}

/// Training of one network for one problem.
struct Training<'a, A: Architecture> {
    architecture: &'a A,
    recipe: Recipe,
    problem: &'a Problem,
    target: &'a Target,
    n_volumes: usize,
    /// Device with autodiff.
    device: Device,
}

/// One set of a fold, as input for a network.
struct FoldSet<'a> {
    stretches: Stretches<'a>,
    truth: &'a [f64],
}

impl<'a> FoldSet<'a> {
    fn new(labelled: &'a Labelled<'a>, needs: Needs, device: &Device) -> Self {
        Self {
            stretches: Stretches::new(&labelled.examples, needs, device),
            truth: &labelled.truth,
        }
    }
}

impl<A: Architecture> Learner for Neural<A> {
    fn name(&self) -> &str {
        self.architecture.paper().name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let architecture = &self.architecture;
        if self.budget.max_epochs == 0 {
            return Err(DownstreamError::Config {
                field: "budget.max_epochs".to_string(),
                found: "0".to_string(),
                expected: "at least 1".to_string(),
            });
        }
        let Paper {
            name,
            needs,
            recipe,
            ..
        } = architecture.paper();
        for set in [training, validation] {
            check_rois(name, problem, &set.examples)?;
        }
        if training.examples.is_empty() {
            return Err(problem.refused(name, FitError::NoExamples));
        }
        let target = Target::new(problem.kind, &training.truth)
            .and_then(|target| Target::check(problem.kind, &validation.truth).map(|()| target))
            .map_err(|reason| problem.refused(name, reason))?;
        let both = training.examples.list.iter();
        let both = both.chain(&validation.examples.list);
        let shortest = both.map(|example| example.n_volumes).min().unwrap_or(1);
        let crop = recipe.crop.map(|crop| crop.volumes(problem.dt_secs));
        let n_volumes = crop.map_or(shortest, |crop| crop.min(shortest));
        let run = Training {
            architecture,
            recipe,
            problem,
            target: &target,
            n_volumes,
            device: problem.device.clone().autodiff(),
        };
        let training = FoldSet::new(training, needs, &problem.device);
        let validation = FoldSet::new(validation, needs, &problem.device);
        let network = run.train(self.budget, &training, &validation)?;
        Ok(Box::new(FittedNetwork {
            architecture: architecture.clone(),
            network,
            batch_size: recipe.batch_size,
            n_volumes,
            target,
            problem: problem.clone(),
        }))
    }
}

impl<A: Architecture> Training<'_, A> {
    fn stream(&self, what: &str, place: &[u64]) -> rand_chacha::ChaCha8Rng {
        let name = format!("neural/{}/{what}", self.architecture.paper().name);
        self.problem.seeds.stream_at(&name, place)
    }

    /// Weights of the best epoch, without autodiff.
    fn train(
        &self,
        budget: Budget,
        training: &FoldSet,
        validation: &FoldSet,
    ) -> Result<A::Network, DownstreamError> {
        let sizes = Sizes {
            n_rois: self.problem.n_rois,
            n_volumes: self.n_volumes,
            dt_secs: self.problem.dt_secs,
            n_outputs: self.problem.kind.n_outputs(),
        };
        let mut network = self.architecture.init(
            sizes,
            &mut Init {
                rng: &mut self.stream("init", &[]),
                device: &self.device,
            },
        );
        let mut optimizer = self.recipe.optimizer();
        let epochs = self.recipe.epochs.min(budget.max_epochs);
        let mut best = (f64::INFINITY, 0, network.valid());
        for epoch in 0..epochs {
            let loss = self.epoch(&mut network, &mut optimizer, training, epoch, epochs)?;
            if validation.truth.is_empty() {
                continue;
            }
            let used = network.valid();
            let validated = self.validate(&used, validation);
            self.require_finite("validation", validated, epoch)?;
            tracing::debug!(
                learner = self.architecture.paper().name,
                epoch,
                loss,
                validated,
                "epoch"
            );
            if validated < best.0 {
                best = (validated, epoch, used);
            } else if epoch - best.1 >= budget.patience {
                break;
            }
        }
        if validation.truth.is_empty() {
            return Ok(network.valid());
        }
        tracing::info!(
            learner = self.architecture.paper().name,
            target = self.problem.target,
            best_epoch = best.1,
            validation_loss = best.0,
            "trained"
        );
        Ok(best.2)
    }

    /// One pass over the training set; returns its mean loss.
    fn epoch(
        &self,
        network: &mut A::Network,
        optimizer: &mut ModuleOptimizer,
        set: &FoldSet,
        epoch: usize,
        epochs: usize,
    ) -> Result<f64, DownstreamError> {
        let mut order: Vec<usize> = (0..set.truth.len()).collect();
        order.shuffle(&mut self.stream("order", &[epoch as u64]));
        let mut crops = self.stream("crops", &[epoch as u64]);
        let steps = order.len().div_ceil(self.recipe.batch_size);
        let (mut total, mut total_weight) = (0.0, 0.0);
        for (step, chosen) in order.chunks(self.recipe.batch_size).enumerate() {
            let crops: Vec<Crop> = chosen
                .iter()
                .map(|&example| {
                    let room = set
                        .stretches
                        .n_volumes(example)
                        .saturating_sub(self.n_volumes);
                    Crop {
                        example,
                        start_volume: crops.random_range(0..=room),
                    }
                })
                .collect();
            let truth: Vec<f64> = chosen.iter().map(|&example| set.truth[example]).collect();
            let mut batch = set.stretches.batch(&crops, self.n_volumes, &self.device);
            batch.classes = self.target.classes(&truth, &self.device);

            let mut dropout = self.stream("dropout", &[epoch as u64, step as u64]);
            let mut noise = Noise::from_stream(&mut dropout);
            let said = self.architecture.forward(network, &batch, &mut noise);
            let (sum, weight) = self.target.loss(said.logits, &truth);
            let loss = sum / weight;
            let loss = match said.penalty {
                Some(penalty) => loss + penalty,
                None => loss,
            };
            let value = f64::from(loss.clone().into_scalar::<f32>());
            self.require_finite("training", value, epoch)?;
            (total, total_weight) = (total + value * weight, total_weight + weight);

            let gradients = GradientsParams::from_grads(loss.backward(), network);
            let schedule = self.recipe.schedule;
            let lr = schedule.at(self.recipe.lr, epoch * steps + step, epochs * steps);
            *network = optimizer.step(lr, network.clone(), gradients);
        }
        Ok(total / total_weight)
    }

    /// Loss on one set without penalty, over crops that cover its examples.
    fn validate(&self, network: &A::Network, set: &FoldSet) -> f64 {
        let (mut total, mut total_weight) = (0.0, 0.0);
        let examples = 0..set.truth.len();
        let crops: Vec<Crop> = examples
            .flat_map(|example| set.stretches.tiles(example, self.n_volumes))
            .collect();
        for crops in crops.chunks(self.recipe.batch_size) {
            let batch = set
                .stretches
                .batch(crops, self.n_volumes, &self.problem.device);
            let said = self
                .architecture
                .forward(network, &batch, &mut Noise::off());
            let truth: Vec<f64> = crops.iter().map(|crop| set.truth[crop.example]).collect();
            let (sum, weight) = self.target.loss(said.logits, &truth);
            total += f64::from(sum.into_scalar::<f32>());
            total_weight += weight;
        }
        // Examples of a class that is not in the training set have weight 0.
        if total_weight > 0.0 {
            total / total_weight
        } else {
            0.0
        }
    }

    fn require_finite(
        &self,
        set: &'static str,
        value: f64,
        epoch: usize,
    ) -> Result<(), DownstreamError> {
        if value.is_finite() {
            return Ok(());
        }
        let reason = FitError::Diverged { set, value, epoch };
        Err(self.problem.refused(self.architecture.paper().name, reason))
    }
}
