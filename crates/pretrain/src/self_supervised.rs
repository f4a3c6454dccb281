//! Self-supervised model of an experiment: a model with its pretext task and their settings.

use std::time::Instant;

use brainmae_data::{PreparedDataset, ScanStore, Split};
use brainmae_encoder::{Checkpoint, EncoderKind, EncoderModel, Evaluation, ModelSettings};
use brainmae_model::{DataShape, Precision};
use brainmae_run::RunFolder;
use brainmae_train::memory::Memory;
use brainmae_train::{Keep, Outcome, Plan, Trainer, Watch};
use burn::module::Module;
use burn::tensor::Device;
use serde::Serialize;
use serde_json::Value;

use crate::memory;
use crate::predictor::Predictor;
use crate::{Pretext, PretrainError, Pretraining, Setup};

/// A model with its pretext task and their settings. The stages of an experiment use it without
/// knowing which model it is.
pub trait SelfSupervised: Send + Sync {
    /// Kind and settings of the model.
    fn model(&self) -> &ModelSettings;

    /// The kind of the model, which opens its checkpoints.
    fn encoder_kind(&self) -> EncoderKind;

    /// Name of the table of the task, and its settings.
    fn pretext(&self) -> (&'static str, &Value);

    /// Checks that the settings fit the data.
    ///
    /// # Errors
    /// Names the first setting that does not fit.
    fn check(&self, data: DataShape) -> Result<(), PretrainError>;

    /// Trains from random weights, from a checkpoint's weights, or from the last state of the run.
    ///
    /// # Errors
    /// [`TrainError::Memory`](brainmae_train::TrainError::Memory) if a batch does not fit into
    /// memory; errors of data, model, training or files.
    fn train(&self, work: Work, watch: &mut Watch) -> Result<Outcome, PretrainError>;

    /// Whether the model fills in hidden ROIs.
    fn reconstructs_rois(&self) -> bool;

    /// A checkpoint as a predictor of hidden ROIs called `name`, for an evaluation; `None` for a
    /// model that does not fill in hidden ROIs.
    ///
    /// # Errors
    /// As [`Checkpoint::model_for`].
    fn predictor(
        &self,
        name: &str,
        checkpoint: &Checkpoint,
        evaluation: Evaluation,
        device: &Device,
    ) -> Result<Option<Box<dyn Predictor>>, PretrainError>;
}

impl std::fmt::Debug for dyn SelfSupervised {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("SelfSupervised")
            .field("model", self.model())
            .field("pretext", &self.pretext())
            .finish()
    }
}

/// What a training works on.
pub struct Work<'a> {
    /// Batches, seeds and card.
    pub setup: Setup,
    /// Scans that the model learns from.
    pub training: ScanStore,
    /// Scans that choose the best checkpoint.
    pub validation: ScanStore,
    /// The data set of these scans.
    pub dataset: &'a PreparedDataset,
    /// The split whose training set is used.
    pub split: &'a Split,
    /// Checkpoint with the initial weights; `None` for random ones.
    pub start: Option<&'a Checkpoint>,
    /// Course of the training.
    pub plan: Plan,
    /// Precision of the model's computations.
    pub precision: Precision,
    /// Folder of the run.
    pub run: &'a RunFolder,
    /// Device with autodiff.
    pub device: Device,
    /// Memory into which the batches must fit; `None` if it is not known, as that of a GPU.
    pub memory: Option<&'a dyn Memory>,
}

/// The model of a pretext task `P` with the settings of both.
pub struct Configured<P: Pretext> {
    model: ModelSettings,
    config: <P::Model as EncoderModel>::Config,
    pretext: P,
    pretext_settings: Value,
}

impl<P: Pretext> Configured<P> {
    /// # Errors
    /// [`PretrainError::Config`] for an invalid setting of the task.
    pub fn new(
        config: <P::Model as EncoderModel>::Config,
        pretext: &P::Config,
    ) -> Result<Self, PretrainError> {
        Ok(Self {
            model: ModelSettings::of::<P::Model>(&config),
            config,
            pretext_settings: to_value(pretext),
            pretext: P::new(pretext)?,
        })
    }
}

impl<P: Pretext> SelfSupervised for Configured<P> {
    fn model(&self) -> &ModelSettings {
        &self.model
    }

    fn encoder_kind(&self) -> EncoderKind {
        EncoderKind::of::<P::Model>()
    }

    fn pretext(&self) -> (&'static str, &Value) {
        (P::TABLE, &self.pretext_settings)
    }

    fn check(&self, data: DataShape) -> Result<(), PretrainError> {
        Ok(P::Model::check(&self.config, data)?)
    }

    fn train(&self, work: Work, watch: &mut Watch) -> Result<Outcome, PretrainError> {
        let (device, dataset) = (&work.device, work.dataset);
        let layout = work.setup.layout;
        let model = match work.start {
            Some(start) => start.start(&self.model, dataset, &layout, work.split, device)?,
            None => {
                let data = DataShape {
                    n_rois: dataset.atlas().n_rois(),
                    segment_len_trs: layout.segment_len_trs,
                };
                let rng = &mut work.setup.seeds.stream("weights");
                P::Model::init(&self.config, data, rng, device)?
            }
        };
        let model = model.with_precision(work.precision);
        tracing::info!(
            parameters = model.num_params(),
            steps = work.plan.steps,
            "training {}",
            P::Model::TITLE
        );
        let pretext = self.pretext.clone();
        if let Some(memory) = work.memory {
            let (setup, training, plan) = (&work.setup, &work.training, &work.plan);
            memory::check(
                memory,
                &pretext,
                &model,
                setup,
                training,
                plan,
                watch.workers,
            )?;
        }
        let objective = Pretraining::new(work.setup, pretext, work.training, work.validation)?;
        let started = Instant::now();
        let trained =
            Trainer::new(&work.plan, &objective, Keep::Run(work.run)).train(model, watch)?;
        tracing::info!(
            waited_secs = objective.waited().as_secs_f64(),
            total_secs = started.elapsed().as_secs_f64(),
            "waited for training batches"
        );
        Ok(trained.outcome)
    }

    fn reconstructs_rois(&self) -> bool {
        P::RECONSTRUCTS_ROIS
    }

    fn predictor(
        &self,
        name: &str,
        checkpoint: &Checkpoint,
        evaluation: Evaluation,
        device: &Device,
    ) -> Result<Option<Box<dyn Predictor>>, PretrainError> {
        let model = checkpoint.model_for(evaluation, device)?;
        Ok(P::predictor(name, model))
    }
}

fn to_value(settings: &impl Serialize) -> Value {
    serde_json::to_value(settings).expect("structs of numbers and texts are JSON")
}
