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
//! Missing is null, never a magic number.

mod bold_file;
mod read;
mod table;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{DataError, PreparedProblem};
use brainmae_files::exclusion::Exclusion;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::cleaning::CleaningStep;

pub(crate) use bold_file::{BoldFile, BoldWriter};
pub use read::PreparedDataset;
pub use table::write_table;
pub use write::PreparedWriter;
pub(crate) use write::SeriesSize;

/// Version of the folder's format; a folder of another one is refused.
pub const FORMAT: u32 = 1;

/// This crate, as written into what it makes.
pub const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// The card of the folder.
pub(crate) const CARD: &str = "dataset.toml";

/// What a data set says of itself, before its files are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetHeader {
    /// Short name.
    pub name: String,
    /// Licence of the signals.
    pub licence: String,
    /// What to cite; empty for made-up data.
    pub citation: String,
    /// Seconds between volumes, the same for all scans.
    pub dt_secs: f64,
    /// What was done to the signals, in this order.
    pub cleaning: Vec<CleaningStep>,
    /// Where labels, names and centres of the ROIs come from, with their licences.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub atlas_source: String,
    /// What a user should know of how it was made; no values and no names of subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Hash of everything the data set was made from.
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

/// The one key that every version of the card has.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// Whether a scan is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScanStatus {
    /// Its signals are in the data set.
    Included,
    /// It was left out; the record says why.
    Excluded,
    /// Its files could not be read; the record says why. It is left out too.
    Failed,
}

/// One scan of a data set, used or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanRecord {
    /// Its name.
    pub scan: ScanId,
    /// Whose scan it is.
    pub subject: SubjectId,
    /// Session, where there are several.
    pub session: Option<String>,
    /// What the subject did.
    pub task: Option<String>,
    /// Seconds between volumes as acquired.
    pub tr_secs: f64,
    /// Volumes acquired; 0 when they could not be counted.
    pub n_volumes: usize,
    /// Volumes in the data set that may be used: those dropped or censored do not count.
    pub kept_volumes: usize,
    /// Mean framewise displacement, where known.
    pub mean_fd_mm: Option<f64>,
    /// Where in the source it comes from.
    pub source: String,
    /// Whether it is used.
    pub status: ScanStatus,
    /// Why not.
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

    /// The record of the same scan, left out because of `reason`.
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

    /// The exclusion, when the scan is left out.
    pub fn exclusion(&self) -> Option<Exclusion> {
        (!self.is_included()).then(|| Exclusion {
            scan: self.scan.clone(),
            subject: self.subject.clone(),
            reason: self.reason.clone().unwrap_or_default(),
        })
    }
}
