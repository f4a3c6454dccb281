//! Column names and TRs, read from files before their signals.
//!
//! All queries of a file format without its signals are in this module.

use super::scan::rounded;
use super::spec::IngestSpec;
use crate::error::DataError;
use brainmae_files::CommonErrors as _;
use brainmae_formats::cifti::CiftiFile;
use brainmae_formats::signal_table::TextFile;
use brainmae_formats::{ColumnarFile, nifti};
use brainmae_studies::{FoundScan, SignalFile};

/// Maximum number of files that are opened to find a TR that the layout does not give.
const FILES_ASKED: usize = 20;

/// The interval between volumes of the prepared data set, seconds.
pub(super) fn dt_secs(spec: &IngestSpec, scans: &[FoundScan]) -> Result<f64, DataError> {
    if let Some(dt_secs) = spec.resampled_dt_secs().or(spec.tr_secs) {
        return Ok(dt_secs);
    }
    let mut trs: Vec<f64> = scans.iter().filter_map(|scan| scan.tr_secs).collect();
    if trs.is_empty() {
        // Opening a file takes time, so only a sample of the files is opened.
        let every = scans.len().div_ceil(FILES_ASKED).max(1);
        trs = (scans.iter().step_by(every))
            .filter_map(tr_of_file)
            .collect();
    }
    // The most frequent TR; the shortest of equally frequent ones.
    let mut counts: Vec<(f64, usize)> = Vec::new();
    for tr_secs in trs {
        match counts.iter_mut().find(|(known, _)| *known == tr_secs) {
            Some((_, count)) => *count += 1,
            None => counts.push((tr_secs, 1)),
        }
    }
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
    counts.first().map(|(tr_secs, _)| *tr_secs).ok_or_else(|| {
        DataError::config(
            "tr_secs",
            "not known",
            "the TR of the scans: neither layout nor files tell it",
        )
    })
}

/// The TR in the file of a scan, if the file can be opened.
fn tr_of_file(found: &FoundScan) -> Option<f64> {
    let tr_secs = match &found.signal {
        SignalFile::Cifti(path) => CiftiFile::open(path).ok()?.tr_secs(),
        SignalFile::Nifti { bold, .. } => nifti::NiftiReader::open(bold).ok()?.header().tr_secs,
        SignalFile::Columnar { path, scan } => {
            let file = ColumnarFile::open(path).ok()?;
            file.tr_secs(scan.as_deref()).ok()?
        }
        SignalFile::Table(_) | SignalFile::Npy(_) => None,
    };
    tr_secs.map(rounded)
}

/// The ROI names of the first readable file that has names.
pub(super) fn column_names(scans: &[FoundScan]) -> Result<Vec<String>, DataError> {
    let mut first_error = None;
    for scan in scans {
        match names_of(scan) {
            Ok(Some(names)) => return Ok(names),
            Ok(None) => {}
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or_else(|| {
        DataError::config(
            "atlas",
            "columns",
            "the name of an atlas, for the columns of the files have no names",
        )
    }))
}

fn names_of(scan: &FoundScan) -> Result<Option<Vec<String>>, DataError> {
    Ok(match &scan.signal {
        SignalFile::Cifti(path) => CiftiFile::open(path)?.names().map(<[String]>::to_vec),
        SignalFile::Table(path) => TextFile::open(path)?.names().map(<[String]>::to_vec),
        SignalFile::Columnar { path, scan } => ColumnarFile::open(path)?.names(scan.as_deref())?,
        SignalFile::Npy(_) | SignalFile::Nifti { .. } => None,
    })
}
