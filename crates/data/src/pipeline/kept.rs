//! Finished scans, as they wait in the folder of unfinished work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::work_folder::WorkFolder;
use crate::error::DataError;
use crate::prepared::{ScanRecord, SeriesSize};
use brainmae_files::exclusion::Exclusion;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::RoiConstants;
use brainmae_studies::events::Event;

/// A finished scan, its signals in a file beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptScan {
    pub(super) identity: String,
    /// What the table of scans will say of it.
    pub record: ScanRecord,
    /// What was done otherwise than a reader may think.
    pub remarks: Vec<String>,
    pub(super) constants: Vec<RoiConstants>,
    /// What happened during the scan.
    pub events: Vec<Event>,
    /// Where the scan is used.
    pub(super) signals: Option<SignalsFile>,
}

/// The file of a scan's signals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalsFile {
    pub sha256: String,
    pub size: SeriesSize,
}

/// All scans of a source, finished, in its order.
pub struct KeptScans<'a> {
    folder: &'a WorkFolder,
    scans: &'a [KeptScan],
    n_rois: usize,
}

impl<'a> KeptScans<'a> {
    pub(super) fn new(folder: &'a WorkFolder, scans: &'a [KeptScan], n_rois: usize) -> Self {
        Self {
            folder,
            scans,
            n_rois,
        }
    }

    /// The scans, those left out too.
    pub fn scans(&self) -> &'a [KeptScan] {
        self.scans
    }

    /// The signals of a scan, from disk; `None` if it is not used.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn series(&self, scan: &KeptScan) -> Result<Option<BoldSeries>, DataError> {
        self.folder.series(scan, self.n_rois)
    }

    /// What was done otherwise than a reader may think, with the number of scans.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for remark in self.scans.iter().flat_map(|scan| &scan.remarks) {
            *counts.entry(remark).or_default() += 1;
        }
        (counts.into_iter())
            .map(|(remark, n_scans)| format!("in {n_scans} scans: {remark}"))
            .collect()
    }

    /// Refuses a data set `name` without a scan that is used.
    pub(super) fn check_any_included(&self, name: &str) -> Result<(), DataError> {
        if self.scans.iter().any(|scan| scan.record.is_included()) {
            return Ok(());
        }
        let exclusions = (self.scans.iter())
            .filter_map(|scan| scan.record.exclusion())
            .collect::<Vec<Exclusion>>();
        Err(DataError::NothingLeft {
            name: name.to_owned(),
            exclusions,
        })
    }
}
