//! Recipes: folders of raw files with a `source.toml` that describes them, with checksums.
//!
//! A recipe layout reads the raw means per ROI; cleaning, checks and writing are common to all
//! layouts.

mod nifti_runs;
mod recipe_file;
mod table;

use std::path::Path;

use rand::Rng;

use crate::error::DataError;
use crate::pipeline::{
    self, CleanedScan, KeptScans, OnProgress, Opened, PrepareOptions, PrepareReport, Progress,
    RawScan, RawSource, ScanSink, Step, Streams, Wanted, clean_series, tell,
};
use crate::prepared::{DatasetHeader, ScanRecord, ScanStatus};
use brainmae_atlas::Atlas;
use brainmae_files::checksum;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::events_from_labels;
pub use recipe_file::{
    AtlasChoice, ColumnsChoice, NiftiRunsFiles, RECIPE, Recipe, SourceKind, SpatialChoice,
    TableFile,
};

/// Prepares the raw data set in the folder `dir`, described by its `source.toml`, at `out`.
///
/// A random spatial atlas takes its random numbers from `streams`.
///
/// # Errors
/// An error when recipe, files or checksums are not valid; otherwise as [`pipeline::prepare`].
pub fn prepare_recipe(
    dir: &Path,
    out: &Path,
    streams: &Streams<'_>,
    options: &PrepareOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<PrepareReport, DataError> {
    let mut source = RecipeSource::new(dir, streams)?;
    pipeline::prepare(&mut source, out, options, on_progress)
}

/// The raw data set of a recipe.
pub struct RecipeSource<'a> {
    dir: &'a Path,
    recipe: Recipe,
    identity: String,
    streams: &'a Streams<'a>,
    /// The files, once they are open.
    files: Option<Box<dyn RecipeLayout>>,
}

impl<'a> RecipeSource<'a> {
    /// Reads the recipe in the folder `dir`.
    ///
    /// # Errors
    /// As [`Recipe::load`] and [`Recipe::identity`].
    pub fn new(dir: &'a Path, streams: &'a Streams<'a>) -> Result<Self, DataError> {
        let recipe = Recipe::load(dir)?;
        Ok(Self {
            dir,
            identity: recipe.identity()?,
            recipe,
            streams,
            files: None,
        })
    }
}

impl RawSource for RecipeSource<'_> {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn header(&self) -> DatasetHeader {
        DatasetHeader {
            name: self.recipe.name.clone(),
            licence: self.recipe.licence.clone(),
            citation: self.recipe.citation.clone(),
            dt_secs: self.recipe.dt_secs,
            cleaning: self.recipe.cleaning.clone(),
            atlas_source: String::new(),
            warnings: Vec::new(),
            identity: String::new(),
        }
    }

    fn open(&mut self, on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError> {
        let recipe = &self.recipe;
        for (at, (name, sha256)) in recipe.files.iter().enumerate() {
            checksum::verify(&self.dir.join(name), sha256)?;
            let told = Progress {
                step: Step::Verify,
                name,
                done: at + 1,
                total: recipe.files.len(),
            };
            tell(on_progress, told)?;
        }
        let rng = |seed| (self.streams)(seed, "spatial-atlas");
        let files = open_layout(self.dir, recipe, &rng)?;
        let raw = |scan: &RecipeScan| RawScan {
            scan: scan.scan.clone(),
            identity: self.identity.clone(),
        };
        let opened = Opened {
            atlas: files.atlas().clone(),
            scans: files.scans().iter().map(raw).collect(),
        };
        self.files = Some(files);
        Ok(opened)
    }

    /// All scans are in one file, which one thread reads from start to end.
    fn read(&mut self, wanted: Wanted<'_>, sink: &ScanSink<'_>) -> Result<(), DataError> {
        let files = self.files.as_mut().expect("the pipeline opens first");
        let atlas = files.atlas().clone();
        let scans = files.scans().to_vec();
        let roi_name = |roi: usize| atlas.rois[roi].name.clone();
        files.read(wanted.numbers, &mut |number, values| {
            let scan = &scans[number];
            let cleaned = clean(&self.recipe, scan, values, atlas.n_rois(), &roi_name)?;
            sink(number, cleaned)
        })
    }

    fn subjects(&self, _kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError> {
        Ok(vec![self.recipe.subject.clone()])
    }
}

/// A scan in the files of a recipe.
#[derive(Clone, Debug, PartialEq)]
struct RecipeScan {
    scan: ScanId,
    subject: SubjectId,
    /// Session, if there are several.
    session: Option<String>,
    n_volumes: usize,
    /// Origin in the files, as text for a person.
    origin: String,
    /// The condition of each volume; empty if the files have no conditions.
    labels: Vec<String>,
}

/// Takes the number of a scan and its raw ROI signals, `[roi][volume]`; missing values are NaN.
type SignalSink<'a> = dyn FnMut(usize, Vec<f64>) -> Result<(), DataError> + 'a;

/// Files of a recipe in one layout.
trait RecipeLayout {
    fn atlas(&self) -> &Atlas;

    /// Every scan, in order.
    fn scans(&self) -> &[RecipeScan];

    /// Passes the signals of the scans `wanted`, which are sorted, to `sink`, in order.
    ///
    /// # Errors
    /// An error when the files cannot be read, or the error of `sink`.
    fn read(&mut self, wanted: &[usize], sink: &mut SignalSink<'_>) -> Result<(), DataError>;
}

/// Function that makes the random numbers of a spatial atlas, from the seed in the recipe.
type AtlasRng<'a> = dyn Fn(u64) -> Box<dyn Rng> + 'a;

/// Opens the raw data in `dir` as described by `recipe`.
fn open_layout(
    dir: &Path,
    recipe: &Recipe,
    atlas_rng: &AtlasRng<'_>,
) -> Result<Box<dyn RecipeLayout>, DataError> {
    match &recipe.source {
        SourceKind::NiftiRuns(files) => Ok(Box::new(nifti_runs::NiftiRuns::open(
            dir, recipe, files, atlas_rng,
        )?)),
        SourceKind::Table(file) => Ok(Box::new(table::TableLayout::open(dir, recipe, file)?)),
    }
}

/// Cleans one scan; a scan that is too short is excluded.
fn clean(
    recipe: &Recipe,
    scan: &RecipeScan,
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
        variant: None,
        quality: Default::default(),
        source: scan.origin.clone(),
        status: ScanStatus::Included,
        reason: None,
    };
    let seconds = scan.n_volumes as f64 * recipe.tr_secs;
    // Half a volume is tolerated: a scan of 7.94 volumes counts as 8.
    if scan.n_volumes == 0 || seconds + recipe.tr_secs / 2.0 < recipe.min_scan_secs {
        let reason = format!(
            "{} volumes, {seconds} s, are less than one segment of {} s",
            scan.n_volumes, recipe.min_scan_secs
        );
        return Ok(CleanedScan::excluded(record, reason));
    }
    let rest = match &recipe.source {
        SourceKind::NiftiRuns(files) => files.rest_label.as_str(),
        SourceKind::Table(_) => "",
    };
    let events = events_from_labels(&scan.scan, &scan.labels, recipe.tr_secs, rest);
    clean_series(record, values, n_rois, &recipe.cleaning, roi_name, events)
}
