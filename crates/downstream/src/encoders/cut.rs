//! Scans cut into the samples that an encoder takes.

use std::sync::Arc;

use brainmae_data::{Crop, SampleBatch, ScanId, ScanStore, SegmentLayout, fill};
use brainmae_encoder::{Embed, SampleEmbedding, embed_crops};

use crate::{DownstreamError, Example, Examples, FitError, Scan};

/// Kind of the examples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Whole scans.
    Scans,
    /// Segments of scans.
    Segments,
}

impl Of {
    /// The kind of `examples` if segments have `len` volumes; otherwise the reason why they have
    /// none.
    pub fn these(examples: &Examples, len: usize) -> Result<Self, FitError> {
        let whole = |(scan, e): (&Scan, Example)| e.n_volumes == scan.series.n_volumes();
        if examples.iter().all(whole) {
            Ok(Self::Scans)
        } else if examples.list.iter().all(|e| e.n_volumes == len) {
            Ok(Self::Segments)
        } else {
            Err(FitError::NotSegments {
                segment_len_trs: len,
            })
        }
    }
}

impl Of {
    /// Samples of these examples, from those that the encoder was trained on: a segment is a sample
    /// of its own.
    pub fn layout(self, layout: SegmentLayout) -> SegmentLayout {
        match self {
            Of::Scans => layout,
            Of::Segments => SegmentLayout {
                n_segments: 1,
                ..layout
            },
        }
    }
}

/// The scans of a set of examples, each once, for cutting into samples.
pub(super) struct Cutter {
    store: ScanStore,
    layout: SegmentLayout,
}

impl Cutter {
    /// Scan numbers are those of `examples`. Scans without an example are included.
    pub fn new(examples: &Examples, layout: SegmentLayout) -> Result<Self, DownstreamError> {
        let scans = examples.scans.iter().map(|scan| {
            let (name, subject) = (scan.scan.clone(), scan.subject.clone());
            (name, subject, Arc::clone(&scan.series))
        });
        Ok(Self {
            store: ScanStore::shared(scans)?,
            layout,
        })
    }

    /// Consecutive samples from volume `start` to the end of the scan.
    pub fn tiles(&self, scan: usize, start: usize) -> Vec<Crop> {
        brainmae_data::tile_from(&self.store, scan, &self.layout, start)
    }

    /// A sample with a random first volume.
    pub fn random(&self, scan: usize, rng: &mut impl rand::Rng) -> Crop {
        brainmae_data::random_crop(&self.store, scan, &self.layout, rng)
    }

    /// Identifier of a scan.
    pub fn scan(&self, number: usize) -> ScanId {
        self.store.scans()[number].scan.clone()
    }

    /// Scan and first volume of a crop, for messages.
    pub fn name(&self, crop: &Crop) -> String {
        let scan = self.scan(crop.scan);
        format!("{scan} from volume {}", crop.start_volume)
    }

    /// Lengths of segments and samples, in volumes.
    pub fn layout(&self) -> &SegmentLayout {
        &self.layout
    }

    /// Signals of these crops.
    pub fn samples(&self, crops: &[Crop]) -> Result<SampleBatch, DownstreamError> {
        let mut samples = SampleBatch::new(crops.len(), &self.layout, self.store.n_rois());
        fill(&self.store, crops, &mut samples)?;
        Ok(samples)
    }

    /// Encodes crops; no ROI is hidden.
    pub fn embed(
        &self,
        crops: &[Crop],
        model: &dyn Embed,
    ) -> Result<Vec<SampleEmbedding>, DownstreamError> {
        let embeddings = embed_crops(model, &self.layout, &self.store, crops);
        Ok(embeddings?)
    }
}
