//! Pretrained encoder in memory, which converts scans to vectors.

use std::sync::Arc;

use brainmae_data::{DataCard, PreparedDataset, ScanId, ScanStore, SegmentLayout, tile};
use brainmae_model::{BrainMae, BrainMaeConfig};

use crate::EncoderError;
use crate::embedding::{SampleEmbedding, embed_crops};

/// A pretrained BrainMAE without gradients, and the data that it accepts.
#[derive(Clone)]
pub struct Encoder {
    model: BrainMae,
    config: BrainMaeConfig,
    data: DataCard,
    layout: SegmentLayout,
}

impl Encoder {
    pub(crate) fn new(
        model: BrainMae,
        config: BrainMaeConfig,
        data: DataCard,
        layout: SegmentLayout,
    ) -> Self {
        Self {
            model,
            config,
            data,
            layout,
        }
    }

    /// The same encoder for samples of another number of segments.
    pub(crate) fn with_layout(self, layout: SegmentLayout) -> Self {
        Self { layout, ..self }
    }

    /// The model.
    pub fn model(&self) -> &BrainMae {
        &self.model
    }

    /// Sizes of the model.
    pub fn config(&self) -> &BrainMaeConfig {
        &self.config
    }

    /// Lengths of segments and samples, in volumes.
    pub fn layout(&self) -> SegmentLayout {
        self.layout
    }

    /// Checks that `dataset` has the atlas, the order of ROIs, the time base and the cleaning of
    /// the training data.
    ///
    /// # Errors
    /// [`EncoderError::Mismatch`] names the first difference.
    pub fn check(&self, dataset: &PreparedDataset) -> Result<(), EncoderError> {
        let found = DataCard::new(dataset, &self.layout);
        self.data.check(&found).map_err(Into::into)
    }

    /// Vectors of one scan, in consecutive samples; no ROI is hidden. Empty for a scan shorter than
    /// a segment.
    ///
    /// # Errors
    /// As [`Encoder::check`], or if the scan cannot be read.
    pub fn embed(
        &self,
        dataset: &PreparedDataset,
        scan: &ScanId,
    ) -> Result<Vec<SampleEmbedding>, EncoderError> {
        self.check(dataset)?;
        let series = Arc::new(dataset.bold(scan)?);
        // The vectors of a scan do not depend on its subject.
        let store = ScanStore::shared(std::iter::once((
            scan.clone(),
            scan.as_str().into(),
            series,
        )))?;
        let crops = tile(&store, 0, &self.layout);
        embed_crops(&self.model, &self.layout, &store, &crops)
    }
}
