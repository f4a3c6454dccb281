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
use super::{Architecture, Needs, Noise, Paper, Scaling, Sizes};
use crate::bags::{Bags, means};
use crate::supervised::{Reading, Target};
use crate::training::{Epochs, Trial, train};
use crate::{DownstreamError, FitError, FitNeed, FitResult, Fitted, Labelled, Learner, Problem};

/// Trains a network from random weights.
///
/// Each epoch uses each row of the truth once: each subject if all its scans have one truth, else
/// each example. If the network's input is shorter than the examples of a row, a step takes a bag
/// of random crops of it, and the loss is that of their mean output. After the epoch, the loss on
/// the validation set is computed over all crops that cover its rows. The weights of the best epoch
/// are kept, and training stops after [`Budget::patience`] epochs without improvement. Slope and
/// offset of the outputs are fitted on the validation set. Without one, the last weights are kept.
///
/// The length of a crop is that of the recipe, or of the shortest training or validation example if
/// that is shorter. A test example that is still shorter is padded with its mean. The prediction is
/// the mean over all crops that cover a row.
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
    budget: Budget,
    training: FoldSet<'a>,
    validation: FoldSet<'a>,
    /// Device with autodiff.
    device: Device,
}

/// One set of a fold, as input for a network.
struct FoldSet<'a> {
    stretches: Stretches<'a>,
    bags: Bags,
    /// One truth for each row.
    truth: Vec<f64>,
}

impl<'a> FoldSet<'a> {
    fn new(problem: &Problem, labelled: &'a Labelled<'a>, needs: Needs, scaling: Scaling) -> Self {
        let bags = Bags::new(problem, &labelled.examples);
        Self {
            stretches: Stretches::new(&labelled.examples, needs, scaling, &problem.device),
            truth: bags.pooled.truth(labelled),
            bags,
        }
    }
}

impl<A: Architecture> Learner for Neural<A> {
    fn name(&self) -> &str {
        self.architecture.paper().name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let architecture = self.architecture.clone();
        let run = Training::new(architecture, problem, training, validation, self.budget)?;
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
        let architecture = self.architecture.clone();
        let run = Training::new(architecture, problem, training, validation, self.budget)?;
        let batch_size = self.architecture.paper().recipe.batch_size;
        let batch_size = batch_size.min(run.training.truth.len());
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
            least_gain: 0.0,
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
        budget: Budget,
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
        let set = |labelled| FoldSet::new(problem, labelled, needs, budget.scale);
        let (training, validation) = (set(training), set(validation));
        let n_volumes = crop.map_or(shortest, |crop| crop.min(shortest));
        // The batch of the paper, whatever is in a bag: its optimiser is made for it.
        let rows = training.truth.len();
        Ok(Self {
            architecture,
            name,
            problem,
            target,
            n_volumes,
            epochs: Epochs::new(problem.seeds, &order, rows, recipe.batch_size),
            budget,
            training,
            validation,
            device: problem.device.clone().autodiff(),
        })
    }

    /// A trained network, calibrated on the validation set.
    fn fitted(&self, network: A::Network) -> Box<dyn Fitted> {
        let fitted = self.uncalibrated(network);
        let deciding = &self.validation;
        let outputs = fitted.outputs(&deciding.stretches, &deciding.bags);
        Box::new(FittedNetwork {
            reading: fitted.reading.calibrated(&outputs, &deciding.truth),
            ..fitted
        })
    }

    /// A trained network, ready to predict.
    pub(super) fn uncalibrated(&self, network: A::Network) -> FittedNetwork<A> {
        FittedNetwork {
            architecture: self.architecture.clone(),
            network,
            n_volumes: self.n_volumes,
            scaling: self.budget.scale,
            reading: Reading::plain(self.target.clone(), self.problem.kind),
            problem: self.problem.clone(),
        }
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

    /// Crops of a row of the training set, at random volumes of examples that are longer.
    fn bag(&self, epoch: u64, row: usize) -> Vec<Crop> {
        let set = &self.training;
        let rng = &mut self.stream("crops", &[epoch, row as u64]);
        let n = match self.architecture.paper().needs.bold {
            true => (set.bags).n_samples(row, self.n_volumes, self.budget.bag),
            // Without signals, a crop is all of its example.
            false => set.bags.members(row).len().min(self.budget.bag.max(1)),
        };
        let drawn = set.bags.draw(row, n, rng);
        let crop = |example: usize| {
            let room = (set.stretches.n_volumes(example)).saturating_sub(self.n_volumes);
            Crop {
                example,
                start_volume: rng.random_range(0..=room),
            }
        };
        drawn.into_iter().map(crop).collect()
    }

    /// Loss of these rows of the training set; the place is epoch, step of the epoch, and part.
    fn loss_of(&self, network: &A::Network, rows: &[usize], place: [u64; 3]) -> PartLoss {
        let bags: Vec<Vec<Crop>> = rows.iter().map(|row| self.bag(place[0], *row)).collect();
        let set = &self.training;
        let truth: Vec<f64> = rows.iter().map(|row| set.truth[*row]).collect();
        let crops = bags.concat();
        let of_crops = bags.iter().zip(&truth);
        let of_crops: Vec<f64> = of_crops
            .flat_map(|(bag, truth)| vec![*truth; bag.len()])
            .collect();
        let mut batch = set.stretches.batch(&crops, self.n_volumes, &self.device);
        batch.classes = self.target.classes(&of_crops, &self.device);
        let mut dropout = self.stream("dropout", &place);
        let mut noise = Noise::from_stream(&mut dropout);
        let said = self.architecture.forward(network, &batch, &mut noise);
        let sizes: Vec<usize> = bags.iter().map(Vec::len).collect();
        let logits = means(said.logits, &sizes);
        let (sum, weight) = self.target.loss(logits, &truth);
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
        let rows = self.epochs.part(step, 0, 1).into_iter();
        let set = &self.training;
        let examples = rows.flat_map(|row| set.bags.members(row));
        examples
            .map(|example| set.stretches.name(*example))
            .collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.epochs.passed(step)
    }

    /// Loss on the validation set without penalty, over crops that cover its rows.
    fn validate(&self, network: &A::Network) -> Result<Scores, DownstreamError> {
        let set = &self.validation;
        if set.truth.is_empty() {
            return Ok(Vec::new());
        }
        let fitted = self.uncalibrated(network.clone());
        let outputs = fitted.outputs(&set.stretches, &set.bags);
        let loss = self.target.mean_loss(&outputs, &set.truth);
        Ok(vec![("validation/loss", loss)])
    }
}
