//! Prepared data set: one folder of parquet tables and a TOML card, the same for every source.
//!
//! | file | rows |
//! |---|---|
//! | `dataset.toml` | name, atlas, `dt_secs`, cleaning, licence, sha256 of every other file |
//! | `rois.parquet` | one per ROI |
//! | `subjects.parquet` | one per subject, with every target |
//! | `scans.parquet` | one per scan, those left out too, with the reason |
//! | `events.parquet` | one per event |
//! | `normalisation.parquet` | one per scan and ROI: what cleaning took out |
//! | `bold.parquet` | one per volume, one row group per scan |
//!
//! A missing value is null, never a special number.

mod bold_file;
mod quality;
mod read;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, PreparedProblem};
use brainmae_files::CommonErrors as _;
use brainmae_files::exclusion::Exclusion;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::cleaning::{CleaningStep, ScanQuality};
use brainmae_table::{Column, Table};

pub(crate) use bold_file::{BoldFile, BoldWriter};
pub use read::PreparedDataset;
pub use write::PreparedWriter;
pub(crate) use write::SeriesSize;

/// Version of the folder's format; other versions are refused.
pub const FORMAT: u32 = 1;

/// Name and version of this crate, written into its data sets.
pub const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// File name of the card.
pub(crate) const CARD: &str = "dataset.toml";

/// Writes columns of `height` rows as a parquet file.
///
/// # Errors
/// [`DataError::Table`] for columns of other lengths; [`DataError::Files`].
pub fn write_table(path: &Path, height: usize, columns: Vec<Column>) -> Result<(), DataError> {
    Table::new(height, columns)
        .and_then(|table| table.write(path))
        .map_err(DataError::table(path))
}

/// Description of a data set, independent of its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetHeader {
    /// Short name of the data set.
    pub name: String,
    /// Licence of the signals.
    pub licence: String,
    /// Citation; empty for simulated data.
    pub citation: String,
    /// Seconds between volumes, the same for all scans.
    pub dt_secs: f64,
    /// Cleaning steps of the signals, in their order.
    pub cleaning: Vec<CleaningStep>,
    /// Origin of labels, names and centroids of the ROIs, with their licences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub atlas_source: String,
    /// Warnings about the preparation; no values and no names of subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Hash of everything that determines the data set.
    pub identity: String,
}

/// `dataset.toml`: the header, the atlas and the checksums.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    pub format: u32,
    pub tool: String,
    pub n_rois: usize,
    #[serde(rename = "dataset")]
    pub header: DatasetHeader,
    pub atlas: AtlasCard,
    pub files: BTreeMap<String, String>,
}

/// The atlas in `dataset.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtlasCard {
    pub name: String,
    pub version: String,
    pub hash: String,
}

impl Card {
    /// Reads the card of the folder `dir`.
    pub fn read(dir: &Path) -> Result<(Self, String), DataError> {
        let path = dir.join(CARD);
        let text = std::fs::read_to_string(&path).map_err(DataError::io("read", &path))?;
        let format = toml::from_str::<FormatOnly>(&text)
            .map_err(|error| DataError::toml(&path, &text, &error))?
            .format;
        if format != FORMAT {
            return Err(DataError::prepared(
                &path,
                PreparedProblem::Format {
                    found: format,
                    expected: FORMAT,
                },
            ));
        }
        let card = toml::from_str(&text).map_err(|error| DataError::toml(&path, &text, &error))?;
        Ok((card, text))
    }
}

/// The only key that is common to all versions of the card.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Status of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanStatus {
    /// Its signals are in the data set.
    Included,
    /// It was excluded; the record has the reason.
    Excluded,
    /// Its files could not be read; the record has the reason. It is excluded too.
    Failed,
}

/// Record of one scan of a data set, used or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanRecord {
    /// Name of the scan.
    pub scan: ScanId,
    /// Its subject.
    pub subject: SubjectId,
    /// Session, if there are several.
    pub session: Option<String>,
    /// Task of the subject.
    pub task: Option<String>,
    /// Seconds between volumes as acquired.
    pub tr_secs: f64,
    /// Volumes acquired; 0 when they could not be counted.
    pub n_volumes: usize,
    /// Uncensored volumes in the data set; dropped ones do not count.
    pub kept_volumes: usize,
    /// Mean framewise displacement, where known.
    pub mean_fd_mm: Option<f64>,
    /// Variant of its signal file, such as `_Atlas_MSMAll_hp2000_clean`; `None` if the source has
    /// no variants, or if the data set was prepared before this column existed.
    #[serde(default)]
    pub variant: Option<String>,
    /// Filtered head movement, censored volumes and DVARS, where known; nothing is known of data
    /// sets that were prepared before these columns existed.
    #[serde(default)]
    pub quality: ScanQuality,
    /// Its origin in the source.
    pub source: String,
    /// Its status.
    pub status: ScanStatus,
    /// Reason for the exclusion.
    pub reason: Option<String>,
}

impl ScanRecord {
    /// Whether the scan is used.
    pub fn is_included(&self) -> bool {
        self.status == ScanStatus::Included
    }

    /// Whether its files could not be read.
    pub fn is_failed(&self) -> bool {
        self.status == ScanStatus::Failed
    }

    /// The record of the same scan, excluded because of `reason`.
    pub(crate) fn excluded(self, reason: String) -> Self {
        Self {
            status: ScanStatus::Excluded,
            kept_volumes: 0,
            reason: Some(reason),
            ..self
        }
    }

    /// The record of the same scan, whose files could not be read because of `reason`.
    pub(crate) fn failed(self, reason: String) -> Self {
        Self {
            status: ScanStatus::Failed,
            ..self.excluded(reason)
        }
    }

    /// The exclusion of the scan; `None` if it is used.
    pub fn exclusion(&self) -> Option<Exclusion> {
        (!self.is_included()).then(|| Exclusion {
            scan: self.scan.clone(),
            subject: self.subject.clone(),
            reason: self.reason.clone().unwrap_or_default(),
        })
    }
}
