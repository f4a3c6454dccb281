//! Ingestion: the scans of a listing become a prepared data set, on all cores.
//!
//! A listing comes from a layout of `brainmae-studies`, or is made by the caller for a custom
//! layout. A scan with broken files does not stop the others: its record contains the problem.

mod coverage;
mod fingerprint;
mod identity;
mod probe;
mod regions;
mod scan;
mod spec;

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::DataError;
use crate::pipeline::{
    self, KeptScans, OnProgress, Opened, PrepareOptions, PrepareReport, RawScan, RawSource,
    ScanSink, Wanted, in_parallel,
};
use crate::prepared::DatasetHeader;
use brainmae_files::CommonErrors as _;
use brainmae_files::id::SubjectId;
use brainmae_studies::phenotype::{PhenotypeOptions, Phenotypes};
use brainmae_studies::{Listing, Note, NoteKind, SubjectRecord};
pub use regions::COLUMNS;
use regions::Regions;
use scan::ScanReader;
pub use spec::{AtlasSpec, IngestSpec, default_cleaning};

/// Prepares the scans of `listing` at `out`.
///
/// `root` is the folder of the raw data. Paths in the records and in the identity are relative to
/// it, so that a copy elsewhere is the same data set.
///
/// # Errors
/// An error when the spec is not valid, the listing is empty, or an atlas or a table of subjects
/// cannot be read; otherwise as [`pipeline::prepare`]. Scans with broken files are in the report
/// instead.
pub fn ingest(
    root: &Path,
    listing: Listing,
    out: &Path,
    spec: &IngestSpec,
    options: &PrepareOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<PrepareReport, DataError> {
    let mut source = ListingSource::new(root, listing, spec)?;
    pipeline::prepare(&mut source, out, options, on_progress)
}

/// Prepares the scans that the layout of `spec` finds in the folder `root`, at `out`.
///
/// # Errors
/// An error when no scan is found; otherwise as [`ingest`].
pub fn ingest_folder(
    root: &Path,
    out: &Path,
    spec: &IngestSpec,
    options: &PrepareOptions,
    on_progress: &mut OnProgress<'_>,
) -> Result<PrepareReport, DataError> {
    let listing = list(root, spec)?;
    ingest(root, listing, out, spec, options, on_progress)
}

/// Preview of a preparation.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Scans, with notes on missing, skipped and mixed files.
    pub listing: Listing,
    /// Name of the atlas.
    pub atlas: String,
    /// Number of ROIs in the atlas.
    pub n_rois: usize,
    /// Warnings about the tables of subjects.
    pub warnings: Vec<String>,
}

/// The scans, the atlas and the warnings that `spec` gives for `root`. No signals are read. If the
/// column names are the atlas, they are read.
///
/// # Errors
/// As [`ingest_folder`], without errors that only signals show.
pub fn plan(root: &Path, spec: &IngestSpec) -> Result<Plan, DataError> {
    let listing = list(root, spec)?;
    let known = Known::of(&listing, spec)?;
    Ok(Plan {
        atlas: known.regions.atlas.name.clone(),
        n_rois: known.regions.atlas.n_rois(),
        listing,
        warnings: known.warnings,
    })
}

/// The scans that the layout of `spec` finds in the folder `root`.
fn list(root: &Path, spec: &IngestSpec) -> Result<Listing, DataError> {
    spec.check()?;
    let layout = spec.layout.ok_or_else(|| {
        DataError::config(
            "layout",
            "not given",
            "the layout of the folder of raw data",
        )
    })?;
    Ok(brainmae_studies::list(layout.layout(), root, &spec.list)?)
}

/// Atlas and subjects of a listing, known before signals are read.
struct Known {
    regions: Regions,
    /// The subjects of the scans listed.
    subjects: Vec<SubjectRecord>,
    /// Warnings about them.
    warnings: Vec<String>,
}

impl Known {
    fn of(listing: &Listing, spec: &IngestSpec) -> Result<Self, DataError> {
        let regions = Regions::resolve(&spec.atlas, || probe::column_names(&listing.scans))?;
        let phenotypes = Phenotypes::read(
            &spec.phenotypes,
            &PhenotypeOptions {
                columns: spec.targets.clone(),
            },
        )?;
        let wanted: BTreeSet<&SubjectId> = listing.scans.iter().map(|scan| &scan.subject).collect();
        let wanted: Vec<SubjectId> = wanted.into_iter().cloned().collect();
        let (subjects, unknown) = phenotypes.for_subjects(&wanted);
        Ok(Self {
            warnings: of_subjects(spec, &phenotypes, &subjects, unknown),
            regions,
            subjects,
        })
    }
}

/// Raw source of the files in a listing.
pub struct ListingSource<'a> {
    root: &'a Path,
    listing: Listing,
    spec: &'a IngestSpec,
    known: Known,
    /// Seconds between volumes of the data set.
    dt_secs: f64,
    /// By scan.
    identities: Vec<String>,
    identity: String,
}

impl<'a> ListingSource<'a> {
    /// Determines atlas, subjects and TR, and samples all files for their identity.
    ///
    /// # Errors
    /// As [`ingest`], without errors that only signals show.
    pub fn new(root: &'a Path, listing: Listing, spec: &'a IngestSpec) -> Result<Self, DataError> {
        spec.check()?;
        if listing.scans.is_empty() {
            return Err(DataError::config("listing", "empty", "one scan or more"));
        }
        let known = Known::of(&listing, spec)?;
        let dt_secs = probe::dt_secs(spec, &listing.scans)?;
        let recipe = identity::of_recipe(spec, &known.regions, dt_secs)?;
        let identities: Vec<String> = (listing.scans.iter())
            .map(|scan| identity::of_scan(&recipe, root, scan))
            .collect();
        let identity = identity::of_dataset(spec, &recipe, &identities)?;
        Ok(Self {
            root,
            listing,
            spec,
            known,
            dt_secs,
            identities,
            identity,
        })
    }
}

impl RawSource for ListingSource<'_> {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn header(&self) -> DatasetHeader {
        let mut warnings = self.known.warnings.clone();
        warnings.extend(of_listing(&self.listing));
        DatasetHeader {
            name: self.spec.name.clone(),
            licence: self.spec.licence.clone(),
            citation: self.spec.citation.clone(),
            dt_secs: self.dt_secs,
            cleaning: self.spec.cleaning.clone(),
            atlas_source: self.known.regions.source.clone(),
            warnings,
            identity: String::new(),
        }
    }

    fn open(&mut self, _on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError> {
        let scans = self.listing.scans.iter().zip(&self.identities);
        Ok(Opened {
            atlas: self.known.regions.atlas.clone(),
            scans: scans
                .map(|(found, identity)| RawScan {
                    scan: found.scan.clone(),
                    identity: identity.clone(),
                })
                .collect(),
        })
    }

    fn read(&mut self, wanted: Wanted<'_>, sink: &ScanSink<'_>) -> Result<(), DataError> {
        let reader = ScanReader {
            spec: self.spec,
            regions: &self.known.regions,
            root: self.root,
            dt_secs: self.dt_secs,
        };
        let scans = &self.listing.scans;
        in_parallel(wanted, &|number| {
            sink(number, reader.prepare(&scans[number]))
        })
    }

    fn subjects(&self, _kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError> {
        Ok(self.known.subjects.clone())
    }
}

/// Warnings from the notes of a listing. They have counts only, because notes contain names of
/// subjects.
fn of_listing(listing: &Listing) -> Vec<String> {
    let mut warnings = Vec::new();
    let missing = |note: &&Note| note.kind == NoteKind::Missing;
    let n_missing = listing.notes.iter().filter(missing).count();
    if n_missing > 0 {
        // Prepared data sets contain this text, and their hashes depend on it.
        warnings.push(format!(
            "remarks on what is missing: {n_missing}, which --dry-run lists"
        ));
    }
    let mixed = listing
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::Mixed);
    warnings.extend(mixed.map(|note| format!("{}: {}", note.what, note.why)));
    warnings
}

/// Warnings about the subjects. They have counts only, because values and names may be restricted.
fn of_subjects(
    spec: &IngestSpec,
    phenotypes: &Phenotypes,
    subjects: &[SubjectRecord],
    unknown: usize,
) -> Vec<String> {
    let mut warnings = phenotypes.warnings.clone();
    if unknown > 0 && !spec.phenotypes.is_empty() {
        warnings.push(format!(
            "{unknown} of {} subjects are in no table of subjects",
            subjects.len()
        ));
    }
    warnings.extend(phenotypes.family_warning(subjects));
    warnings
}
