//! Fine-tuning: joint training of the encoder and a linear head.

use std::marker::PhantomData;

use brainmae_data::Crop;
use brainmae_encoder::EncoderModel;
use brainmae_model::init::Init;
use brainmae_train::memory::Memory;
use brainmae_train::{LossOf, Objective, PartLoss, Scores};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::embedding::numbers;
use super::samples::Samples;
use super::{FineTuneConfig, FoldEncoder, Readout};
use crate::bags::means;
use crate::supervised::{Reading, Target};
use crate::training::{Epochs, PARTS, Trial, train};
use crate::{
    DownstreamError, Examples, FitError, FitNeed, FitResult, Fitted, Labelled, Learner, Output,
    Problem,
};

/// Largest number of samples of a row that a validation during training takes. All samples are as
/// many as 30 for a subject of the Human Connectome Project, and their mean ranks models as these
/// do.
const VALIDATED: usize = 8;

/// Number of samples that a validation takes of all rows together, but at least one of each.
const VALIDATED_IN_ALL: usize = 512;

/// An encoder `M` with a linear head on the vector of a sample. All weights are trained.
///
/// A step takes bags: several samples of one subject, or of one example if examples have truths of
/// their own. The output for a bag is the mean over its samples, and the loss is that of this mean,
/// as in prediction, where the mean is taken over all samples of a subject. Slope and offset of the
/// outputs are fitted on the validation set.
pub struct FineTune<M> {
    name: String,
    encoder: FoldEncoder,
    config: FineTuneConfig,
    readout: Readout,
    /// The type of the encoder.
    of: PhantomData<fn() -> M>,
}

impl<M: EncoderModel> FineTune<M> {
    /// Starts from the encoder's weights, or from random weights if it has none.
    pub fn new(name: &str, encoder: FoldEncoder, config: FineTuneConfig, readout: Readout) -> Self {
        Self {
            name: name.to_string(),
            encoder,
            config,
            readout,
            of: PhantomData,
        }
    }
}

/// Encoder and head.
#[derive(Module, Debug)]
struct Headed<M: EncoderModel> {
    encoder: M,
    head: Linear,
    #[module(skip)]
    readout: Readout,
}

impl<M: EncoderModel> Headed<M> {
    /// Outputs of samples, `[samples, n_outputs]`, and whether each has a valid segment.
    fn outputs(
        &self,
        samples: &Samples,
        crops: &[Crop],
    ) -> Result<(Tensor<2>, Vec<bool>), DownstreamError> {
        let batch = samples.cutter.samples(crops)?;
        let encoding = self.encoder.encode(&batch);
        let outputs = self.head.forward(self.readout.of_batch(encoding, &batch));
        let valid = batch.valid.chunks_exact(batch.segments);
        Ok((outputs, valid.map(|valid| valid.contains(&true)).collect()))
    }
}

impl<M: EncoderModel> Learner for FineTune<M> {
    fn name(&self) -> &str {
        &self.name
    }

    fn fit(&self, problem: &Problem, training: &Labelled, validation: &Labelled) -> FitResult {
        let (run, model) = self.prepare(problem, training, validation)?;
        let plan = self.config.plan(run.epochs.steps());
        let model = train(&self.name, problem, &plan, &run, model)?.best;
        let outputs = self.outputs(problem, &run.deciding, &model)?;
        let reading = Reading::plain(run.target, problem.kind);
        Ok(Box::new(FineTuned {
            learner: Self {
                name: self.name.clone(),
                encoder: self.encoder.clone(),
                config: self.config.clone(),
                ..*self
            },
            problem: problem.clone(),
            reading: reading.calibrated(&outputs, &run.deciding_truth),
            model,
        }))
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
        let (run, model) = self.prepare(problem, training, validation)?;
        // A sample needs the same, whatever bag it is in.
        let rows = run.truth.len();
        let len = run.training.cutter.layout().sample_len_trs();
        let bags = &run.training.bags;
        let in_data = (0..rows).map(|row| bags.n_samples(row, len, self.config.bag));
        let batch_size = self.config.batch_size.min(in_data.sum());
        trial.need(problem, batch_size, &run, &model, |n| {
            run.loss_of(&model, 0, (0..n).map(|at| at % rows), 1)
        })
    }
}

impl<M: EncoderModel> FineTune<M> {
    /// The training for one problem, and the model at its start.
    fn prepare<'a>(
        &'a self,
        problem: &'a Problem,
        training: &Labelled,
        validation: &Labelled,
    ) -> Result<(Training<'a, M>, Headed<M>), DownstreamError> {
        if self.config.max_epochs == 0 {
            return Err(problem.refused(&self.name, FitError::NoEpochs));
        }
        let target = Target::new(problem.kind, &training.truth)
            .map_err(|reason| problem.refused(&self.name, reason))?;
        let samples = |of| Samples::new(&self.name, problem, of, self.encoder.layout);
        let (training_set, deciding) =
            (samples(&training.examples)?, samples(&validation.examples)?);
        let truth = training_set.bags.pooled.truth(training);
        let len = training_set.cutter.layout().sample_len_trs();
        let per_step = (training_set.bags).in_batch(self.config.batch_size, len, self.config.bag);
        let of_each = VALIDATED_IN_ALL / deciding.bags.pooled.len().max(1);
        let run = Training {
            learner: self,
            problem,
            target,
            epochs: Epochs::new(problem.seeds, "order", truth.len(), per_step),
            deciding_truth: deciding.bags.pooled.truth(validation),
            training: training_set,
            truth,
            validated: deciding.thinned(of_each.clamp(1, VALIDATED)),
            deciding,
        };
        let device = problem.device.clone().autodiff();
        let model = self.headed(problem)?.to_device(&device).train();
        Ok((run, model))
    }

    /// The model at the start of training.
    fn headed(&self, problem: &Problem) -> Result<Headed<M>, DownstreamError> {
        let encoder: M = self.encoder.model(problem)?;
        let width = self.readout.width(encoder.width());
        let rng = &mut problem.seeds.stream("head");
        let device = &problem.device;
        let head = Init { rng, device }.linear(width, problem.kind.n_outputs());
        Ok(Headed {
            encoder,
            head,
            readout: self.readout,
        })
    }

    /// Mean outputs of each row, `[rows, n_outputs]`, row-major, over all samples.
    fn outputs(
        &self,
        problem: &Problem,
        samples: &Samples,
        model: &Headed<M>,
    ) -> Result<Vec<f64>, DownstreamError> {
        self.outputs_of(problem, samples, &samples.covering(), model)
    }

    /// Mean outputs of each row over some of its samples, `all`.
    fn outputs_of(
        &self,
        problem: &Problem,
        samples: &Samples,
        all: &[(usize, Crop)],
        model: &Headed<M>,
    ) -> Result<Vec<f64>, DownstreamError> {
        let n_outputs = problem.kind.n_outputs();
        let mut found: Vec<(usize, Vec<f32>)> = Vec::with_capacity(all.len());
        for some in all.chunks(self.config.batch_size.max(1)) {
            let crops: Vec<Crop> = some.iter().map(|(_, crop)| *crop).collect();
            let (outputs, valid) = model.outputs(samples, &crops)?;
            let outputs = numbers(outputs);
            let rows = some.iter().zip(outputs.chunks_exact(n_outputs)).zip(valid);
            found.extend(
                rows.filter(|(_, valid)| *valid)
                    .map(|(((example, _), outputs), _)| (*example, outputs.to_vec())),
            );
        }
        let rows = found
            .iter()
            .map(|(example, outputs)| (*example, &outputs[..]));
        let means = samples.bags.pooled.means(n_outputs, rows);
        means.map_err(|example| samples.no_segment(&self.name, problem, example))
    }
}

/// Fine-tuning for one problem.
struct Training<'a, M> {
    learner: &'a FineTune<M>,
    problem: &'a Problem,
    target: Target,
    training: Samples,
    /// One truth for each row of the training set.
    truth: Vec<f64>,
    epochs: Epochs,
    deciding: Samples,
    /// Samples of `deciding` that validations during training take.
    validated: Vec<(usize, Crop)>,
    deciding_truth: Vec<f64>,
}

impl<M: EncoderModel> Training<'_, M> {
    /// Bag of at most `most` samples of a row in an epoch.
    fn bag(&self, epoch: u64, row: usize, most: usize) -> Vec<Crop> {
        let rng = &mut self.problem.seeds.stream_at("crops", &[epoch, row as u64]);
        self.training.bag(row, most, rng)
    }

    /// Loss of a bag of at most `most` samples of each of these rows; `None` without rows.
    fn loss_of(
        &self,
        model: &Headed<M>,
        epoch: u64,
        rows: impl IntoIterator<Item = usize>,
        most: usize,
    ) -> LossOf<DownstreamError> {
        let rows: Vec<usize> = rows.into_iter().collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let bags = rows.iter().map(|row| self.bag(epoch, *row, most));
        let bags: Vec<Vec<Crop>> = bags.collect();
        let (outputs, _) = model.outputs(&self.training, &bags.concat())?;
        let sizes: Vec<usize> = bags.iter().map(Vec::len).collect();
        let truth: Vec<f64> = rows.iter().map(|row| self.truth[*row]).collect();
        let (sum, weight) = self.target.loss(means(outputs, &sizes), &truth);
        Ok(Some(PartLoss {
            total: sum / weight,
            terms: Vec::new(),
            weight,
        }))
    }
}

impl<M: EncoderModel> Objective for Training<'_, M> {
    type Model = Headed<M>;
    type Error = DownstreamError;

    fn parts(&self) -> usize {
        PARTS
    }

    fn loss(&self, model: &Headed<M>, step: u64, part: usize) -> LossOf<DownstreamError> {
        let (epoch, _) = self.epochs.place(step);
        let rows = self.epochs.part(step, part, PARTS);
        self.loss_of(model, epoch, rows, self.learner.config.bag)
    }

    fn examples(&self, step: u64) -> Vec<String> {
        let (epoch, _) = self.epochs.place(step);
        let rows = self.epochs.part(step, 0, 1).into_iter();
        let crops = rows.flat_map(|row| self.bag(epoch, row, self.learner.config.bag));
        crops.map(|crop| self.training.cutter.name(&crop)).collect()
    }

    fn epoch(&self, step: u64) -> f64 {
        self.epochs.passed(step)
    }

    fn validate(&self, model: &Headed<M>) -> Result<Scores, DownstreamError> {
        let (learner, problem) = (self.learner, self.problem);
        let outputs = learner
            .outputs_of(problem, &self.deciding, &self.validated, model)
            // A row of which only other samples have a valid segment.
            .or_else(|_| learner.outputs(problem, &self.deciding, model))?;
        let loss = self.target.mean_loss(&outputs, &self.deciding_truth);
        Ok(vec![("validation/loss", loss)])
    }
}

/// A fine-tuned encoder with its head.
struct FineTuned<M: EncoderModel> {
    learner: FineTune<M>,
    problem: Problem,
    reading: Reading,
    model: Headed<M>,
}

impl<M: EncoderModel> Fitted for FineTuned<M> {
    fn predict(&self, examples: &Examples) -> Result<Output, DownstreamError> {
        let (learner, problem) = (&self.learner, &self.problem);
        let samples = Samples::new(&learner.name, problem, examples, learner.encoder.layout)?;
        let outputs = learner.outputs(problem, &samples, &self.model)?;
        Ok(self.reading.read(problem, &samples.bags.pooled, outputs))
    }
}
