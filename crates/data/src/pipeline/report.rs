//! Report of a preparation.

use crate::prepared::{PreparedDataset, ScanRecord, ScanStatus};
use brainmae_files::exclusion::Exclusion;

/// Result of a preparation.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareReport {
    /// Name of the data set.
    pub name: String,
    /// Whether the data set existed already and was left unchanged.
    pub up_to_date: bool,
    /// Number of used scans.
    pub included: usize,
    /// Excluded scans, with the reasons.
    pub exclusions: Vec<Exclusion>,
    /// Scans whose files could not be read, with the problems.
    pub failures: Vec<Exclusion>,
    /// Number of scans from an interrupted call.
    pub resumed: usize,
    /// Number of ROIs in the atlas.
    pub n_rois: usize,
    /// Identity of the data set.
    pub content_hash: String,
    /// Warnings for the user; no values and no names of subjects.
    pub warnings: Vec<String>,
}

impl PrepareReport {
    pub(super) fn new(dataset: &PreparedDataset, up_to_date: bool, resumed: usize) -> Self {
        let of_status = |status: ScanStatus| {
            (dataset.scans().iter())
                .filter(|scan| scan.status == status)
                .filter_map(ScanRecord::exclusion)
                .collect()
        };
        Self {
            name: dataset.header().name.clone(),
            up_to_date,
            included: dataset.included().count(),
            exclusions: of_status(ScanStatus::Excluded),
            failures: of_status(ScanStatus::Failed),
            resumed,
            n_rois: dataset.atlas().n_rois(),
            content_hash: dataset.content_hash().to_owned(),
            warnings: dataset.header().warnings.clone(),
        }
    }
}
