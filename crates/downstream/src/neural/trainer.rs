//! Trainer for all networks.

use brainmae_model::init::Init;
use brainmae_train::memory::Memory;
use brainmae_train::{LossOf, Objective, PartLoss, Plan, Scores};
use burn::tensor::Device;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::batch::{Crop, Stretches};
use super::fitted::{FittedNetwork, check_rois};
use super::recipe::Budget;
use super::{Architecture, Needs, Noise, Paper, Sizes};
use crate::supervised::Target;
use crate::training::{Epochs, Trial, map_batches, train};
use crate::{DownstreamError, FitError, FitNeed, FitResult, Fitted, Labelled, Learner, Problem};

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
pub(super) struct Training<'a, A: Architecture> {
    architecture: A,
    name: &'static str,
    problem: &'a Problem,
    target: Target,
    n_volumes: usize,
    epochs: Epochs,
    training: FoldSet<'a>,
    validation: FoldSet<'a>,
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
        let run = Training::new(self.architecture.clone(), problem, training, validation)?;
        let plan = self.plan(run.epochs.steps())?;
        let network = train(run.name, problem, &plan, &run, run.init())?.best;
        Ok(run.fitted(network))
    }

    fn need(
        &self,
        problem: &Problem,
        training: &Labelled,
        validation: &Labelled,
        memory: &dyn Memory,
    ) -> Result<Option<FitNeed>, DownstreamError> {
        let Some(trial) = Trial::begin(memory) else {
            return Ok(None);
        };
        let run = Training::new(self.architecture.clone(), problem, training, validation)?;
        let batch_size = self.architecture.paper().recipe.batch_size;
        let batch_size = batch_size.min(training.truth.len());
        let network = run.init();
        trial.need(problem, batch_size, &run, &network, |n| {
            let chosen: Vec<usize> = (0..n).collect();
            Ok(Some(run.loss_of(&network, &chosen, [0; 3])))
        })
    }
}

impl<A: Architecture> Neural<A> {
    /// Course of the training, with this number of steps per epoch.
    fn plan(&self, per_epoch: u64) -> Result<Plan, DownstreamError> {
        if self.budget.max_epochs == 0 {
            return Err(DownstreamError::Config {
                field: "budget.max_epochs".to_string(),
                found: "0".to_string(),
                expected: "at least 1".to_string(),
            });
        }
        let recipe = self.architecture.paper().recipe;
        let n_epochs = recipe.epochs.min(self.budget.max_epochs) as u64;
        Ok(Plan {
            steps: n_epochs * per_epoch,
            schedule: recipe.schedule,
            optimizer: recipe.optimizer(),
            rate_factors: Vec::new(),
            validate_every: per_epoch,
            checkpoint_every: per_epoch,
            log_every: per_epoch,
            patience: Some(self.budget.patience as u64),
            ema: None,
        })
    }
}

impl<'a, A: Architecture> Training<'a, A> {
    /// Prepares the sets of a fold.
    pub(super) fn new(
        architecture: A,
        problem: &'a Problem,
        training: &'a Labelled,
        validation: &'a Labelled,
    ) -> Result<Self, DownstreamError> {
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
        let order = format!("neural/{name}/order");
        let n_examples = training.truth.len();
        Ok(Self {
            architecture,
            name,
            problem,
            target,
            n_volumes: crop.map_or(shortest, |crop| crop.min(shortest)),
            epochs: Epochs::new(problem.seeds, &order, n_examples, recipe.batch_size),
            training: FoldSet::new(training, needs, &problem.device),
            validation: FoldSet::new(validation, needs, &problem.device),
            device: problem.device.clone().autodiff(),
        })
    }

    /// A trained network, ready to predict.
    pub(super) fn fitted(&self, network: A::Network) -> Box<dyn Fitted> {
        Box::new(FittedNetwork {
            architecture: self.architecture.clone(),
            network,
            batch_size: self.architecture.n_at_once(),
            n_volumes: self.n_volumes,
            target: self.target.clone(),
            problem: self.problem.clone(),
        })
    }
}

impl<A: Architecture> Training<'_, A> {
    fn stream(&self, what: &str, place: &[u64]) -> ChaCha8Rng {
        let name = format!("neural/{}/{what}", self.name);
        self.problem.seeds.stream_at(&name, place)
    }

    /// Random weights, on the device with autodiff.
    pub(super) fn init(&self) -> A::Network {
        let sizes = Sizes {
            n_rois: self.problem.n_rois,
            n_volumes: self.n_volumes,
            dt_secs: self.problem.dt_secs,
            n_outputs: self.problem.kind.n_outputs(),
        };
        let mut init = Init {
            rng: &mut self.stream("init", &[]),
            device: &self.device,
        };
        self.architecture.init(sizes, &mut init)
    }

    /// A crop of a training example: at a random volume if the example is longer.
    fn crop(&self, epoch: u64, example: usize) -> Crop {
        let n_volumes = self.training.stretches.n_volumes(example);
        let room = n_volumes.saturating_sub(self.n_volumes);
        let rng = &mut self.stream("crops", &[epoch, example as u64]);
        Crop {
            example,
            start_volume: rng.random_range(0..=room),
        }
    }
}

impl<A: Architecture> Training<'_, A> {
    /// Loss of these training examples; the place is epoch, step of the epoch, and part.
    fn loss_of(&self, network: &A::Network, chosen: &[usize], place: [u64; 3]) -> PartLoss {
        let crops: Vec<Crop> = (chosen.iter())
            .map(|&example| self.crop(place[0], example))
            .collect();
        let set = &self.training;
        let truth: Vec<f64> = chosen.iter().map(|&example| set.truth[example]).collect();
        let mut batch = set.stretches.batch(&crops, self.n_volumes, &self.device);
        batch.classes = self.target.classes(&truth, &self.device);
        let mut dropout = self.stream("dropout", &place);
        let mut noise = Noise::from_stream(&mut dropout);
        let said = self.architecture.forward(network, &batch, &mut noise);
        let (sum, weight) = self.target.loss(said.logits, &truth);
        let loss = sum / weight;
        PartLoss {
            total: match said.penalty {
                Some(penalty) => loss + penalty,
                None => loss,
            },
            terms: Vec::new(),
            weight,
        }
    }
}

impl<A: Architecture> Objective for Training<'_, A> {
    type Model = A::Network;
    type Error = DownstreamError;

    fn parts(&self) -> usize {
        self.architecture.parts()
    }

    fn loss(&self, network: &A::Network, step: u64, part: usize) -> LossOf<DownstreamError> {
        let chosen = self.epochs.part(step, part, self.parts());
        if chosen.is_empty() {
            return Ok(None);
        }
        let (epoch, place) = self.epochs.place(step);
        let loss = self.loss_of(network, &chosen, [epoch, place, part as u64]);
        Ok(Some(loss))
    }

    fn examples(&self, step: u64) -> Vec<String> {
        let examples = self.epochs.part(step, 0, 1).into_iter();
        examples
            .map(|example| self.training.stretches.name(example))
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.epochs.passed(step)
    }

    /// Loss on the validation set without penalty, over crops that cover its examples.
    fn validate(&self, network: &A::Network) -> Result<Scores, DownstreamError> {
        let set = &self.validation;
        if set.truth.is_empty() {
            return Ok(Vec::new());
        }
        let examples = 0..set.truth.len();
        let crops: Vec<Crop> = examples
            .flat_map(|example| set.stretches.tiles(example, self.n_volumes))
            .collect();
        let batches: Vec<&[Crop]> = crops.chunks(self.architecture.n_at_once()).collect();
        let sums = map_batches(self.problem, network, &batches, |network, crops| {
            let batch = (set.stretches).batch(crops, self.n_volumes, &self.problem.device);
            let said = (self.architecture).forward(network, &batch, &mut Noise::off());
            let truth: Vec<f64> = crops.iter().map(|crop| set.truth[crop.example]).collect();
            let (sum, weight) = self.target.loss(said.logits, &truth);
            [f64::from(sum.into_scalar::<f32>()), weight]
        });
        let total: f64 = sums.iter().map(|[sum, _]| sum).sum();
        let total_weight: f64 = sums.iter().map(|[_, weight]| weight).sum();
        // Examples of a class that is not in the training set have weight 0.
        let loss = match total_weight > 0.0 {
            true => total / total_weight,
            false => 0.0,
        };
        Ok(vec![("validation/loss", loss)])
    }
}
