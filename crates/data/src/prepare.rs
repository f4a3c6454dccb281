//! From raw files to a prepared data set, in steps that survive being killed.
//!
//! Finished scans wait in `<out>.partial/`; the data set appears at `out` whole, by one rename.

mod partial;

use std::collections::BTreeMap;
use std::path::Path;

use rand::Rng;

use crate::error::DataError;
use crate::prepared::{DatasetHeader, PreparedDataset, ScanRecord, ScanStatus};
use crate::source::recipe::{Recipe, SourceKind};
use crate::source::{self, SourceScan};
use brainmae_files::checksum;
use brainmae_files::exclusion::Exclusion;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::{CleaningStep, ScanSignals, clean_scan};
use brainmae_studies::events::{Event, events_from_labels, shift};

pub use partial::{Claim, Part, Partial};

/// Makes a stream of random numbers from the seed in a recipe and the name of what it is for.
///
/// The same seed and name must give the same stream each time: work that was interrupted is
/// continued, not repeated.
pub type Streams<'a> = dyn Fn(u64, &str) -> Box<dyn Rng> + 'a;

/// How to prepare.
pub struct PrepareOptions<'a> {
    /// Replace another prepared data set that stands at the same place.
    pub overwrite: bool,
    /// Where random numbers come from.
    pub streams: &'a Streams<'a>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Comparing a file with its checksum.
    Verify,
    /// Reading and cleaning a scan.
    Scan,
    /// Putting the scans together.
    Assemble,
}

/// One piece of work is about to end: `done` of `total` in its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The step.
    pub step: Step,
    /// The file; empty for a scan, whose name holds that of a subject.
    pub name: &'a str,
    /// Pieces done, this one with them.
    pub done: usize,
    /// Pieces in this step.
    pub total: usize,
}

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
    pub fn new(dataset: &PreparedDataset, up_to_date: bool, resumed: usize) -> Self {
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

/// Prepares the raw data set in the folder `source_dir`, described by its `source.toml`, at `out`.
///
/// A data set made there from the same recipe is left untouched. Killed at any moment, this leaves
/// at `out` what was there before, and goes on from there when called again.
///
/// # Errors
/// When recipe, files or checksums are wrong, when no scan is usable, or when something else
/// stands at `out`.
pub fn prepare(
    source_dir: &Path,
    out: &Path,
    options: &PrepareOptions<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PrepareReport, DataError> {
    let recipe = Recipe::load(source_dir)?;
    let identity = recipe.identity()?;
    let partial = match Partial::claim(out, &identity, options.overwrite)? {
        Claim::UpToDate(dataset) => return Ok(PrepareReport::new(&dataset, true, 0)),
        Claim::Work(partial) => partial,
    };
    for (at, (name, sha256)) in recipe.files.iter().enumerate() {
        checksum::verify(&source_dir.join(name), sha256)?;
        progress(Progress {
            step: Step::Verify,
            name,
            done: at + 1,
            total: recipe.files.len(),
        });
    }
    let mut source = source::open(source_dir, &recipe, &|seed| {
        (options.streams)(seed, "spatial-atlas")
    })?;
    let atlas = source.atlas().clone();
    let scans = source.scans().to_vec();

    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for (number, scan) in scans.iter().enumerate() {
        if let Some(part) = partial.finished(&scan.scan, &identity) {
            parts.insert(number, part);
        }
    }
    let resumed = parts.len();
    let wanted: Vec<bool> = (0..scans.len())
        .map(|number| !parts.contains_key(&number))
        .collect();
    if wanted.contains(&true) {
        source.read(&wanted, &mut |number, values| {
            let scan = &scans[number];
            let roi_name = |roi: usize| atlas.rois[roi].name.clone();
            let cleaned = prepare_scan(&recipe, scan, values, atlas.n_rois(), &roi_name)?;
            let part = partial.keep(cleaned, &identity)?;
            tracing::debug!(scan = %scan.scan, included = part.record.is_included(), "scan prepared");
            parts.insert(number, part);
            progress(Progress {
                step: Step::Scan,
                name: "",
                done: parts.len(),
                total: scans.len(),
            });
            Ok(())
        })?;
    }
    let header = DatasetHeader {
        name: recipe.name.clone(),
        licence: recipe.licence.clone(),
        citation: recipe.citation.clone(),
        dt_secs: recipe.dt_secs,
        cleaning: recipe.cleaning.clone(),
        atlas_source: String::new(),
        warnings: Vec::new(),
        identity,
    };
    let dataset = partial.assemble(
        header,
        atlas,
        &parts.into_values().collect::<Vec<_>>(),
        std::slice::from_ref(&recipe.subject),
        |_| Ok(()),
        progress,
    )?;
    Ok(PrepareReport::new(&dataset, false, resumed))
}

/// A scan once cleaned: with its signals, or with the reason why it has none.
pub struct CleanedScan {
    pub record: ScanRecord,
    pub signals: Option<(BoldSeries, Vec<brainmae_signals::cleaning::RoiConstants>)>,
    pub events: Vec<Event>,
    /// What was done otherwise than a reader may think, without names of subjects.
    pub remarks: Vec<String>,
}

fn prepare_scan(
    recipe: &Recipe,
    scan: &SourceScan,
    values: Vec<f64>,
    n_rois: usize,
    roi_name: &dyn Fn(usize) -> String,
) -> Result<CleanedScan, DataError> {
    let record = ScanRecord {
        scan: scan.scan.clone(),
        subject: scan.subject.clone(),
        session: scan.session.clone(),
        task: recipe.task.clone(),
        tr_secs: recipe.tr_secs,
        n_volumes: scan.n_volumes,
        kept_volumes: scan.n_volumes,
        mean_fd_mm: None,
        source: scan.origin.clone(),
        status: ScanStatus::Included,
        reason: None,
    };
    let seconds = scan.n_volumes as f64 * recipe.tr_secs;
    // A scan of 7.94 volumes' length is one of 8: half a volume is granted.
    if scan.n_volumes == 0 || seconds + recipe.tr_secs / 2.0 < recipe.min_scan_secs {
        let reason = format!(
            "{} volumes, {seconds} s, are less than one segment of {} s",
            scan.n_volumes, recipe.min_scan_secs
        );
        return Ok(CleanedScan {
            record: record.excluded(reason),
            signals: None,
            events: Vec::new(),
            remarks: Vec::new(),
        });
    }
    let rest = match &recipe.source {
        SourceKind::NiftiRuns(files) => files.rest_label.as_str(),
        SourceKind::Table(_) => "",
    };
    let events = events_from_labels(&scan.scan, &scan.labels, recipe.tr_secs, rest);
    clean_series(record, values, n_rois, &recipe.cleaning, roi_name, events)
}

/// Cleans raw signals of which no confounds are known; a scan that cannot be used is excluded, not
/// an error.
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
        Err(unusable) => {
            return Ok(CleanedScan {
                record: record.excluded(unusable.describe(roi_name)),
                signals: None,
                events: Vec::new(),
                remarks: Vec::new(),
            });
        }
    };
    let dropped_secs = cleaned.dropped_volumes as f64 * record.tr_secs;
    let (mean_fd_mm, dt_secs) = (cleaned.mean_fd_mm, cleaned.dt_secs);
    let (series, constants) = cleaned.into_series(dt_secs)?;
    let record = ScanRecord {
        kept_volumes: series.n_kept(),
        mean_fd_mm,
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
