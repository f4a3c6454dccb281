//! Checkpoint of a pretrained model, with checks against its card.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brainmae_data::{
    DataCard, PreparedDataset, ScanId, SegmentLayout, Split, SplitUnit, SubjectId,
};
use brainmae_model::{DataShape, weights};
use brainmae_run::{Card, WEIGHTS};
use burn::tensor::Device;

use crate::kinds::{EncoderKinds, ModelSettings, Source, Weights, build};
use crate::{Encoder, EncoderError, EncoderModel};

/// A checkpoint on disk.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    files: brainmae_run::Checkpoint,
    data: DataCard,
    model: ModelSettings,
}

/// An evaluation: scans of a data set that a model must not have seen.
#[derive(Clone, Copy, Debug)]
pub struct Evaluation<'a> {
    /// The data set.
    pub dataset: &'a PreparedDataset,
    /// Lengths of segments and samples, in volumes.
    pub layout: SegmentLayout,
    /// Whether subjects are held out, or scans of one subject.
    pub unit: SplitUnit,
    /// The held-out scans.
    pub held_out: &'a [ScanId],
}

impl Checkpoint {
    /// Opens the checkpoint in the folder `path`.
    ///
    /// # Errors
    /// If its card cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, EncoderError> {
        Self::new(brainmae_run::Checkpoint::open(path.as_ref())?)
    }

    /// Opens the checkpoint called `name` in `folder`; `None` if there is none.
    ///
    /// # Errors
    /// As [`Checkpoint::open`].
    pub fn find(folder: &Path, name: &str) -> Result<Option<Self>, EncoderError> {
        let files = brainmae_run::Checkpoint::find(folder, name)?;
        files.map(Self::new).transpose()
    }

    fn new(files: brainmae_run::Checkpoint) -> Result<Self, EncoderError> {
        let card = files.card();
        let data = serde_json::from_value(card.data.clone());
        let data = data.map_err(|source| damaged("data", &files, source))?;
        Ok(Self {
            data,
            model: ModelSettings {
                kind: card.model.clone(),
                config: card.model_config.clone(),
            },
            files,
        })
    }

    /// The whole card.
    pub fn card(&self) -> &Card {
        self.files.card()
    }

    /// Description of the data that the model accepts.
    pub fn data(&self) -> &DataCard {
        &self.data
    }

    /// Kind and settings of the model.
    pub fn model(&self) -> &ModelSettings {
        &self.model
    }

    /// The folder of the checkpoint.
    pub fn path(&self) -> &Path {
        self.files.path()
    }

    /// The encoder on `device`, of one of the [built-in kinds](EncoderKinds::built_in), for data
    /// with the checkpoint's segments and samples. [`Encoder::embed`] checks each data set.
    ///
    /// # Errors
    /// As [`Checkpoint::encoder_of`].
    pub fn encoder(&self, device: &Device) -> Result<Encoder, EncoderError> {
        self.encoder_of(&EncoderKinds::built_in(), device)
    }

    /// The encoder on `device`, of one of `kinds`.
    ///
    /// # Errors
    /// [`EncoderError::UnknownKind`], or if the weights cannot be read, or do not fit the card.
    pub fn encoder_of(
        &self,
        kinds: &EncoderKinds,
        device: &Device,
    ) -> Result<Encoder, EncoderError> {
        let kind = kinds.find(&self.model.kind)?;
        let weights = self.weights()?;
        let source = Source::Weights(&weights);
        let model = kind.build(&self.model.config, self.data_shape(), source, device);
        Ok(Encoder::new(self.of_card(model)?, self.data.clone()))
    }

    /// The model on `device`, for an evaluation.
    ///
    /// # Errors
    /// As [`Checkpoint::check_evaluation`], or if the checkpoint has another kind of model.
    pub fn model_for<M: EncoderModel>(
        &self,
        evaluation: Evaluation,
        device: &Device,
    ) -> Result<M, EncoderError> {
        self.check_evaluation(evaluation)?;
        self.model_of(device)
    }

    /// The weights by name, for an evaluation.
    ///
    /// # Errors
    /// As [`Checkpoint::check_evaluation`], or if the weights cannot be read.
    pub fn weights_for(&self, evaluation: Evaluation) -> Result<Weights, EncoderError> {
        self.check_evaluation(evaluation)?;
        self.weights()
    }

    fn weights(&self) -> Result<Weights, EncoderError> {
        Ok(weights::from_safetensors(&self.files.read(WEIGHTS)?, "")?)
    }

    fn data_shape(&self) -> DataShape {
        DataShape {
            n_rois: self.data.rois.len(),
            segment_len_trs: self.data.segment_len_trs,
        }
    }

    fn model_of<M: EncoderModel>(&self, device: &Device) -> Result<M, EncoderError> {
        self.check_kind(M::KIND)?;
        let weights = self.weights()?;
        let source = Source::Weights(&weights);
        self.of_card(build(&self.model.config, self.data_shape(), source, device))
    }

    /// Names the card in an error of its settings.
    fn of_card<M>(&self, built: Result<M, EncoderError>) -> Result<M, EncoderError> {
        built.map_err(|error| match error {
            EncoderError::Config { source, .. } => damaged("model_config", &self.files, source),
            other => other,
        })
    }

    fn check_kind(&self, kind: &str) -> Result<(), EncoderError> {
        if self.model.kind == kind {
            return Ok(());
        }
        Err(EncoderError::OtherModel {
            found: self.model.kind.clone(),
            expected: kind.to_string(),
        })
    }

    /// The model on `device`, for further training on the training set of `split`.
    ///
    /// # Errors
    /// As [`Checkpoint::check_start`], or if the weights cannot be read.
    pub fn start<M: EncoderModel>(
        &self,
        model: &ModelSettings,
        dataset: &PreparedDataset,
        layout: &SegmentLayout,
        split: &Split,
        device: &Device,
    ) -> Result<M, EncoderError> {
        self.check_start(model, dataset, layout, split)?;
        self.model_of(device)
    }

    /// Checks that a training on the training set of `split` may start from these weights: the
    /// model has the same settings, the data match, and no scan of the validation and test set was
    /// used in training.
    ///
    /// # Errors
    /// As [`Checkpoint::check_model`] and [`Checkpoint::check_evaluation`].
    pub fn check_start(
        &self,
        model: &ModelSettings,
        dataset: &PreparedDataset,
        layout: &SegmentLayout,
        split: &Split,
    ) -> Result<(), EncoderError> {
        self.check_model(model)?;
        let held_out: Vec<ScanId> = (split.validation.iter().chain(&split.test))
            .cloned()
            .collect();
        self.check_evaluation(Evaluation {
            dataset,
            layout: *layout,
            unit: split.unit,
            held_out: &held_out,
        })
    }

    /// Checks that the data match, and that no held-out scan was used in training.
    ///
    /// # Errors
    /// [`EncoderError::Mismatch`] if the data differ, [`EncoderError::Seen`] if a scan was used in
    /// training.
    pub fn check_evaluation(&self, evaluation: Evaluation) -> Result<(), EncoderError> {
        let Evaluation {
            dataset,
            layout,
            unit,
            held_out,
        } = evaluation;
        self.check_data(dataset, &layout)?;
        self.bar_seen(dataset, unit, held_out)
    }

    /// Checks that `dataset`, cut according to `layout`, has the atlas, the order of ROIs, the time
    /// base and the cleaning of the training data.
    ///
    /// # Errors
    /// [`EncoderError::Mismatch`] names the first difference.
    pub fn check_data(
        &self,
        dataset: &PreparedDataset,
        layout: &SegmentLayout,
    ) -> Result<(), EncoderError> {
        Ok(self.data.check(&DataCard::new(dataset, layout))?)
    }

    /// Checks that these weights belong to this model. Shapes are not sufficient, because weights
    /// of SG have the shapes of AG.
    ///
    /// # Errors
    /// [`EncoderError::OtherModel`] for another kind, [`EncoderError::OtherConfig`] names the first
    /// setting that differs.
    pub fn check_model(&self, model: &ModelSettings) -> Result<(), EncoderError> {
        self.check_kind(&model.kind)?;
        let fields = self.model.config.as_object().into_iter().flatten();
        for (field, expected) in fields {
            let found = &model.config[field];
            if found != expected {
                return Err(EncoderError::OtherConfig {
                    field: field.clone(),
                    found: Box::new(found.clone()),
                    expected: Box::new(expected.clone()),
                });
            }
        }
        Ok(())
    }

    /// Checks that no scan of `held_out` was used in training. If `unit` is the subject, no scan of
    /// the same subject or of a relative was used either.
    ///
    /// # Errors
    /// [`EncoderError::Seen`] names the first such scan.
    pub fn bar_seen(
        &self,
        dataset: &PreparedDataset,
        unit: SplitUnit,
        held_out: &[ScanId],
    ) -> Result<(), EncoderError> {
        let card = self.card();
        let families: BTreeMap<&SubjectId, &str> = (dataset.subjects().iter())
            .filter_map(|record| Some((&record.subject, record.family.as_deref()?)))
            .collect();
        let subjects: BTreeSet<&str> = texts(&card.pretraining_subjects);
        let scans: BTreeSet<&str> = texts(&card.pretraining_scans);
        let seen_families: BTreeSet<&str> = (families.iter())
            .filter(|(subject, _)| subjects.contains(subject.as_str()))
            .map(|(_, family)| *family)
            .collect();
        let held_out: BTreeSet<&ScanId> = held_out.iter().collect();
        for record in dataset.included() {
            let family = families.get(&record.subject);
            let seen = match unit {
                SplitUnit::Subject => {
                    subjects.contains(record.subject.as_str())
                        || family.is_some_and(|family| seen_families.contains(family))
                }
                SplitUnit::Scan => scans.contains(record.scan.as_str()),
            };
            if seen && held_out.contains(&record.scan) {
                return Err(EncoderError::Seen {
                    scan: record.scan.clone(),
                });
            }
        }
        Ok(())
    }
}

fn damaged(
    part: &'static str,
    files: &brainmae_run::Checkpoint,
    source: serde_json::Error,
) -> EncoderError {
    EncoderError::Card {
        part,
        path: files.path().to_path_buf(),
        source,
    }
}

fn texts(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// Settings or a card as JSON.
pub(crate) fn to_value(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("structs of numbers and texts are JSON")
}
