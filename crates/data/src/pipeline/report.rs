//! Report on a data set that was prepared.

use crate::prepared::{PreparedDataset, ScanRecord, ScanStatus};
use brainmae_files::exclusion::Exclusion;

/// What preparing came to.
#[derive(Clone, Debug, PartialEq)]
pub struct PrepareReport {
    /// Name of the data set.
    pub name: String,
    /// It was there already and was left as it is.
    pub up_to_date: bool,
    /// Scans in it that are used.
    pub included: usize,
    /// Scans left out, with the reasons.
    pub exclusions: Vec<Exclusion>,
    /// Scans whose files could not be read, with what is wrong.
    pub failures: Vec<Exclusion>,
    /// Scans taken over from work that was interrupted.
    pub resumed: usize,
    /// ROIs in the atlas.
    pub n_rois: usize,
    /// Identity of the data set.
    pub content_hash: String,
    /// What a user should know; no values and no names of subjects.
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
