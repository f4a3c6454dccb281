//! Finished scans in the folder of unfinished work.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::work_folder::WorkFolder;
use crate::error::DataError;
use crate::prepared::{ScanRecord, SeriesSize};
use brainmae_files::exclusion::Exclusion;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::RoiConstants;
use brainmae_studies::events::Event;

/// A finished scan, with its signals in a separate file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptScan {
    pub(super) identity: String,
    /// Its row in the table of scans.
    pub record: ScanRecord,
    /// Warnings about unexpected choices.
    pub remarks: Vec<String>,
    pub(super) constants: Vec<RoiConstants>,
    /// Events of the scan.
    pub events: Vec<Event>,
    /// File of the signals; `None` if the scan is not used.
    pub(super) signals: Option<SignalsFile>,
}

/// The file of a scan's signals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalsFile {
    pub sha256: String,
    pub size: SeriesSize,
}

/// All finished scans of a source, in its order.
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

    /// The scans, excluded ones too.
    pub fn scans(&self) -> &'a [KeptScan] {
        self.scans
    }

    /// The signals of a scan, from disk; `None` if it is not used.
    ///
    /// # Errors
    /// An error when the file cannot be read.
    pub fn series(&self, scan: &KeptScan) -> Result<Option<BoldSeries>, DataError> {
        self.folder.series(scan, self.n_rois)
    }

    /// The warnings, with the number of scans of each.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for remark in self.scans.iter().flat_map(|scan| &scan.remarks) {
            *counts.entry(remark).or_default() += 1;
        }
        (counts.into_iter())
            .map(|(remark, n_scans)| format!("in {n_scans} scans: {remark}"))
            .collect()
    }

    /// Checks that the data set `name` has at least one used scan.
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
