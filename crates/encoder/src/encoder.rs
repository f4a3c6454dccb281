//! Pretrained encoder in memory, which converts scans to vectors.

use std::sync::Arc;

use brainmae_data::{DataCard, DataError, PreparedDataset, ScanId, ScanStore, SegmentLayout, tile};

use crate::embedding::{SampleEmbedding, embed_crops};
use crate::{Embed, EncoderError};

/// A pretrained model without gradients, and the data that it accepts.
pub struct Encoder {
    model: Box<dyn Embed>,
    data: DataCard,
    layout: SegmentLayout,
}

impl Encoder {
    /// An encoder for data with the segments and samples of `data`.
    pub(crate) fn new(model: Box<dyn Embed>, data: DataCard) -> Self {
        Self {
            model,
            layout: data.layout(),
            data,
        }
    }

    /// The model.
    pub fn model(&self) -> &dyn Embed {
        &*self.model
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

    /// Vectors of one scan, in consecutive samples; only missing ROIs are hidden. Empty for a scan
    /// shorter than a segment.
    ///
    /// # Errors
    /// As [`Encoder::check`], or if the scan cannot be read.
    pub fn embed(
        &self,
        dataset: &PreparedDataset,
        scan: &ScanId,
    ) -> Result<Vec<SampleEmbedding>, EncoderError> {
        let none = vec![false; dataset.atlas().n_rois()];
        self.embed_without(dataset, scan, &none)
    }

    /// As [`Encoder::embed`], without the signals of the ROIs with `true` in `missing`: they are
    /// hidden, as in pretraining, and their signals have no effect.
    ///
    /// # Errors
    /// As [`Encoder::embed`], or if `missing` does not have one entry per ROI.
    pub fn embed_without(
        &self,
        dataset: &PreparedDataset,
        scan: &ScanId,
        missing: &[bool],
    ) -> Result<Vec<SampleEmbedding>, EncoderError> {
        self.check(dataset)?;
        let series = dataset.bold(scan)?.with_missing(missing);
        let series = Arc::new(series.map_err(DataError::from)?);
        // The vectors of a scan do not depend on its subject.
        let store = ScanStore::shared(std::iter::once((
            scan.clone(),
            scan.as_str().into(),
            series,
        )))?;
        let crops = tile(&store, 0, &self.layout);
        embed_crops(&*self.model, &self.layout, &store, &crops)
    }
}
