//! Cleaned scan: signals, or the reason for its exclusion.

use crate::error::DataError;
use crate::prepared::ScanRecord;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::{CleaningStep, RoiConstants, ScanSignals, clean_scan};
use brainmae_studies::events::{Event, shift};

/// A scan after cleaning, with its signals or the reason for its exclusion.
#[derive(Clone, Debug, PartialEq)]
pub struct CleanedScan {
    /// Its row in the table of scans.
    pub record: ScanRecord,
    /// The signals, with the constants that cleaning removed from each ROI; `None` for an excluded
    /// scan.
    pub signals: Option<(BoldSeries, Vec<RoiConstants>)>,
    /// Events of the scan.
    pub events: Vec<Event>,
    /// Warnings about unexpected choices, without names of subjects.
    pub remarks: Vec<String>,
}

impl CleanedScan {
    /// A scan that is excluded because of `reason`.
    pub fn excluded(record: ScanRecord, reason: String) -> Self {
        Self::without_signals(record.excluded(reason))
    }

    /// A scan whose files could not be read because of `reason`.
    pub fn failed(record: ScanRecord, reason: String) -> Self {
        Self::without_signals(record.failed(reason))
    }

    fn without_signals(record: ScanRecord) -> Self {
        Self {
            record,
            signals: None,
            events: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// Cleans raw signals, `[roi][volume]`, of which no confounds are known; a scan that cannot be used
/// is excluded, not an error.
///
/// # Errors
/// [`DataError::Signals`] for cleaned values that are not a valid series.
pub fn clean_series(
    record: ScanRecord,
    values: Vec<f64>,
    n_rois: usize,
    steps: &[CleaningStep],
    roi_name: &dyn Fn(usize) -> String,
    events: Vec<Event>,
) -> Result<CleanedScan, DataError> {
    let input = ScanSignals {
        values,
        n_rois,
        tr_secs: record.tr_secs,
        confounds: None,
        outliers: None,
    };
    let cleaned = match clean_scan(input, steps) {
        Ok(cleaned) => cleaned,
        Err(unusable) => return Ok(CleanedScan::excluded(record, unusable.describe(roi_name))),
    };
    let dropped_secs = cleaned.dropped_volumes as f64 * record.tr_secs;
    let (mean_fd_mm, quality) = (cleaned.mean_fd_mm, cleaned.quality);
    let dt_secs = cleaned.dt_secs;
    let (series, constants) = cleaned.into_series(dt_secs)?;
    let record = ScanRecord {
        kept_volumes: series.n_kept(),
        mean_fd_mm,
        quality,
        ..record
    };
    let scan_secs = series.n_volumes() as f64 * series.tr_secs();
    Ok(CleanedScan {
        record,
        signals: Some((series, constants)),
        events: shift(events, -dropped_secs, scan_secs),
        remarks: Vec::new(),
    })
}
