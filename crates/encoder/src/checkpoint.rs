//! Checkpoint of a BrainMAE, with checks against its card.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use brainmae_data::{
    DataCard, PreparedDataset, ScanId, SegmentLayout, Split, SplitUnit, SubjectId,
};
use brainmae_model::{BrainMae, BrainMaeConfig, DataShape, weights};
use brainmae_run::{Card, Seeds, WEIGHTS};
use burn::tensor::Device;

use crate::{Encoder, EncoderError};

/// Name of the model in cards.
pub const MODEL: &str = "brainmae";

/// A BrainMAE checkpoint on disk.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    files: brainmae_run::Checkpoint,
    data: DataCard,
    config: BrainMaeConfig,
}

impl Checkpoint {
    /// Opens the checkpoint in the folder `path`.
    ///
    /// # Errors
    /// If its card cannot be read, or belongs to another kind of model.
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
        if card.model != MODEL {
            return Err(EncoderError::OtherModel {
                found: card.model.clone(),
                expected: MODEL.to_string(),
            });
        }
        let damaged = |part| {
            let path = files.path().to_path_buf();
            move |source| EncoderError::Card { part, path, source }
        };
        let data = serde_json::from_value(card.data.clone()).map_err(damaged("data"))?;
        let config = serde_json::from_value(card.model_config.clone());
        Ok(Self {
            data,
            config: config.map_err(damaged("model_config"))?,
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

    /// Sizes of the model.
    pub fn config(&self) -> &BrainMaeConfig {
        &self.config
    }

    /// The folder of the checkpoint.
    pub fn path(&self) -> &Path {
        self.files.path()
    }

    /// The encoder on `device`, for data with the checkpoint's segments and samples.
    /// [`Encoder::embed`] checks each data set.
    ///
    /// # Errors
    /// If the weights cannot be read, or do not fit the card.
    pub fn encoder(&self, device: &Device) -> Result<Encoder, EncoderError> {
        Ok(Encoder::new(
            self.model(device)?,
            self.config.clone(),
            self.data.clone(),
            self.data.layout(),
        ))
    }

    /// The encoder on `device`, for an evaluation on the scans `held_out` of `dataset`.
    ///
    /// # Errors
    /// [`EncoderError::Mismatch`] if the data differ, [`EncoderError::Seen`] if a scan was used in
    /// training.
    pub fn encoder_for(
        &self,
        dataset: &PreparedDataset,
        layout: SegmentLayout,
        unit: SplitUnit,
        held_out: &[ScanId],
        device: &Device,
    ) -> Result<Encoder, EncoderError> {
        self.check_data(dataset, &layout)?;
        self.bar_seen(dataset, unit, held_out)?;
        Ok(self.encoder(device)?.with_layout(layout))
    }

    fn model(&self, device: &Device) -> Result<BrainMae, EncoderError> {
        let data = DataShape {
            n_rois: self.data.rois.len(),
            segment_len_trs: self.data.segment_len_trs,
        };
        // All weights are replaced.
        let model = (self.config).init(data, &mut Seeds::new(0).stream("weights"), device)?;
        let weights = weights::from_safetensors(&self.files.read(WEIGHTS)?, "")?;
        Ok(weights::import(model, weights)?)
    }

    /// The model on `device`, for further training on the training set of `split`.
    ///
    /// # Errors
    /// As [`Checkpoint::check_start`], or if the weights cannot be read.
    pub fn start(
        &self,
        config: &BrainMaeConfig,
        dataset: &PreparedDataset,
        layout: &SegmentLayout,
        split: &Split,
        device: &Device,
    ) -> Result<BrainMae, EncoderError> {
        self.check_start(config, dataset, layout, split)?;
        self.model(device)
    }

    /// Checks that a training on the training set of `split` may start from these weights: the
    /// model has the same config, the data match, and no scan of the validation and test set was
    /// used in training.
    ///
    /// # Errors
    /// [`EncoderError::OtherConfig`], [`EncoderError::Mismatch`] or [`EncoderError::Seen`].
    pub fn check_start(
        &self,
        config: &BrainMaeConfig,
        dataset: &PreparedDataset,
        layout: &SegmentLayout,
        split: &Split,
    ) -> Result<(), EncoderError> {
        self.check_config(config)?;
        self.check_data(dataset, layout)?;
        let held_out: Vec<ScanId> = (split.validation.iter().chain(&split.test))
            .cloned()
            .collect();
        self.bar_seen(dataset, split.unit, &held_out)
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

    /// Checks that these weights belong to a model with `config`. Shapes are not sufficient,
    /// because weights of SG have the shapes of AG.
    ///
    /// # Errors
    /// [`EncoderError::OtherConfig`] names the first field that differs.
    pub fn check_config(&self, config: &BrainMaeConfig) -> Result<(), EncoderError> {
        let [expected, found] = [&self.config, config].map(to_value);
        let fields = expected.as_object().into_iter().flatten();
        for (field, expected) in fields {
            if found[field] != *expected {
                return Err(EncoderError::OtherConfig {
                    field: field.clone(),
                    found: Box::new(found[field].clone()),
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

fn texts(names: &[String]) -> BTreeSet<&str> {
    names.iter().map(String::as_str).collect()
}

/// A config or a card as JSON.
pub(crate) fn to_value(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("structs of numbers and texts are JSON")
}
