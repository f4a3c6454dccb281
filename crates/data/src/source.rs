//! Layouts of raw data: each is one file that tells which scans there are and reads their signals.
//!
//! A layout gives raw means per ROI; cleaning, checks and writing are the same for all of them.

mod nifti_runs;
pub mod recipe;
mod table;

use std::path::Path;

use rand::Rng;

use crate::error::DataError;
use brainmae_atlas::Atlas;
use brainmae_files::id::{ScanId, SubjectId};
pub use recipe::{AtlasChoice, Recipe, SourceKind};

/// A scan as the source lists it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceScan {
    /// Its name.
    pub scan: ScanId,
    /// Whose scan it is.
    pub subject: SubjectId,
    /// Session, where there are several.
    pub session: Option<String>,
    /// Volumes in it.
    pub n_volumes: usize,
    /// Where in the source it comes from, for a person to read.
    pub origin: String,
    /// The condition of each volume; empty where the source tells none.
    pub labels: Vec<String>,
}

/// Takes the number of a scan and its raw ROI signals, `[volume][roi]`; missing values are NaN.
pub type Sink<'a> = dyn FnMut(usize, Vec<f64>) -> Result<(), DataError> + 'a;

/// Raw data in one layout.
pub trait Source {
    /// The ROIs.
    fn atlas(&self) -> &Atlas;

    /// Every scan, in order.
    fn scans(&self) -> &[SourceScan];

    /// Gives the signals of the scans for which `wanted` is true to `sink`, in order.
    ///
    /// # Errors
    /// When the files cannot be read, or what `sink` returns.
    fn read(&mut self, wanted: &[bool], sink: &mut Sink<'_>) -> Result<(), DataError>;
}

/// Makes the random numbers that cut an atlas, from the seed in the recipe.
pub type AtlasRng<'a> = dyn Fn(u64) -> Box<dyn Rng> + 'a;

/// Opens the raw data in `dir` as `recipe` describes them.
///
/// # Errors
/// When a file cannot be read, or files or recipe do not agree with each other.
pub fn open(
    dir: &Path,
    recipe: &Recipe,
    atlas_rng: &AtlasRng<'_>,
) -> Result<Box<dyn Source>, DataError> {
    match &recipe.source {
        SourceKind::NiftiRuns(files) => Ok(Box::new(nifti_runs::NiftiRuns::open(
            dir, recipe, files, atlas_rng,
        )?)),
        SourceKind::Table(file) => Ok(Box::new(table::TableSource::open(dir, recipe, file)?)),
    }
}
