//! Pipeline from raw data to a prepared data set: claim, read, clean, keep, assemble, report.
//!
//! Every kind of raw data is a [`RawSource`]: a listing of files ([`ingest`](crate::ingest())), a
//! recipe with checksums ([`recipe`](crate::recipe)), planted data (`brainmae-simulate`), or one
//! defined elsewhere. [`prepare`] does the rest in the same way for all of them.
//!
//! Finished scans wait in `<out>.partial/`. The complete data set is moved to `out` by one rename.
//! After an interruption at any moment, the same call resumes the work.

mod cleaned;
mod kept;
mod parallel;
mod place;
mod progress;
mod report;
mod source;
mod work_folder;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use crate::error::{DataError, SourceProblem};
use crate::prepared::DatasetHeader;
pub use cleaned::{CleanedScan, clean_series};
pub use kept::{KeptScan, KeptScans};
pub use parallel::in_parallel;
use place::Claim;
pub(crate) use progress::tell;
pub use progress::{OnProgress, Progress, Step, quiet};
pub use report::PrepareReport;
pub use source::{Opened, RawScan, RawSource, ScanSink, Streams, Wanted};

/// Options of a preparation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Whether another prepared data set at the same path is replaced.
    pub overwrite: bool,
    /// Maximum number of scans read at the same time, if the source can do so.
    pub threads: usize,
}

impl Default for PrepareOptions {
    /// No replacement, and one thread per core.
    fn default() -> Self {
        Self {
            overwrite: false,
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
        }
    }
}

/// Prepares the raw data of `source` at `out`.
///
/// A complete data set of the same identity is left unchanged. Finished scans of an earlier,
/// interrupted call are used again. `on_progress` is called after every piece of work, on the
/// thread that did it, never twice at the same time.
///
/// # Errors
/// The errors of the source; [`DataError::NothingLeft`] when no scan is usable,
/// [`DataError::Occupied`] when `out` contains something else, [`DataError::Interrupted`] when
/// `on_progress` asked to stop, [`DataError::Source`] for a source that violates its contract, and
/// [`DataError::Files`] when the result cannot be written. A scan with broken files is not an
/// error: it is in the report.
pub fn prepare(
    source: &mut dyn RawSource,
    out: &Path,
    options: &PrepareOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<PrepareReport, DataError> {
    let identity = source.identity().to_owned();
    let folder = match place::claim(out, &identity, options.overwrite)? {
        Claim::UpToDate(dataset) => return Ok(PrepareReport::new(&dataset, true, 0)),
        Claim::Work(folder) => folder,
    };
    let mut header = DatasetHeader {
        identity,
        ..source.header()
    };
    let refuse = |problem| DataError::Source {
        name: header.name.clone(),
        problem,
    };
    let Opened { atlas, scans } = source.open(on_progress)?;
    let mut names = BTreeSet::new();
    if let Some(twice) = scans.iter().find(|raw| !names.insert(&raw.scan)) {
        return Err(refuse(SourceProblem::ScanTwice(twice.scan.clone())));
    }

    let mut kept: BTreeMap<usize, KeptScan> = (scans.iter().enumerate())
        .filter_map(|(number, raw)| Some((number, folder.finished(&raw.scan, &raw.identity)?)))
        .collect();
    let resumed = kept.len();
    let wanted: Vec<usize> = (0..scans.len())
        .filter(|number| !kept.contains_key(number))
        .collect();
    if !wanted.is_empty() {
        let incoming = Mutex::new(Incoming {
            kept: &mut kept,
            total: scans.len(),
            on_progress: &mut *on_progress,
            stopped: false,
        });
        let wanted = Wanted {
            numbers: &wanted,
            threads: options.threads,
        };
        source.read(wanted, &|number, cleaned| {
            let raw = raw_scan(&scans, number, &cleaned).map_err(refuse)?;
            let scan = folder.keep(cleaned, &raw.identity)?;
            // If the caller panicked in its progress function, the work stops.
            let mut incoming = incoming.lock().map_err(|_| DataError::Interrupted)?;
            incoming.take(number, scan)
        })?;
    }
    if kept.len() < scans.len() {
        let n_missing = scans.len() - kept.len();
        return Err(refuse(SourceProblem::NotRead(n_missing)));
    }

    let kept: Vec<KeptScan> = kept.into_values().collect();
    let kept = KeptScans::new(&folder, &kept, atlas.n_rois());
    kept.check_any_included(&header.name)?;
    header.warnings.extend(kept.remarks());
    let subjects = source.subjects(&kept)?;
    let dataset = folder.assemble(
        header,
        atlas,
        kept.scans(),
        &subjects,
        |writer| source.add_tables(writer),
        on_progress,
    )?;
    Ok(PrepareReport::new(&dataset, false, resumed))
}

/// The entry of `cleaned` in the list of a source.
fn raw_scan<'a>(
    scans: &'a [RawScan],
    number: usize,
    cleaned: &CleanedScan,
) -> Result<&'a RawScan, SourceProblem> {
    let n_scans = scans.len();
    let raw = (scans.get(number)).ok_or(SourceProblem::NoSuchScan { number, n_scans })?;
    if cleaned.record.scan != raw.scan {
        return Err(SourceProblem::OtherScan {
            found: cleaned.record.scan.clone(),
            expected: raw.scan.clone(),
        });
    }
    Ok(raw)
}

/// Scans that arrive from any thread.
struct Incoming<'a, 'b> {
    kept: &'a mut BTreeMap<usize, KeptScan>,
    /// Scans in the data set.
    total: usize,
    on_progress: &'a mut OnProgress<'b>,
    /// Whether the caller asked to stop.
    stopped: bool,
}

impl Incoming<'_, '_> {
    /// Takes a kept scan and reports progress to the caller, who may ask to stop.
    fn take(&mut self, number: usize, scan: KeptScan) -> Result<(), DataError> {
        tracing::debug!(
            number,
            included = scan.record.is_included(),
            "scan prepared"
        );
        self.kept.insert(number, scan);
        if self.stopped {
            return Err(DataError::Interrupted);
        }
        let told = Progress {
            step: Step::Scan,
            name: "",
            done: self.kept.len(),
            total: self.total,
        };
        let outcome = tell(self.on_progress, told);
        self.stopped = outcome.is_err();
        outcome
    }
}

#[cfg(test)]
mod tests;
