//! From a folder in a known layout to a prepared data set, scan by scan, on all cores.
//!
//! Finished scans wait in `<out>.partial/`: killed at any moment, this goes on from there. A scan
//! whose files are broken does not hold up the others: its record says what is wrong.

mod coverage;
mod fingerprint;
mod regions;
mod scan;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::error::DataError;
use crate::prepare::{Claim, Part, Partial, PrepareReport, Progress, Step};
use crate::prepared::{DatasetHeader, FORMAT, TOOL};
use brainmae_files::checksum::{FieldHasher, sha256_file};
use brainmae_files::id::SubjectId;
use brainmae_studies::SubjectRecord;
use brainmae_studies::phenotype::{PhenotypeOptions, Phenotypes};
use brainmae_studies::{self, FoundScan, Listing, Note, NoteKind};
pub use regions::COLUMNS;
use regions::Regions;
use scan::Cohort;
pub use spec::{AtlasSpec, IngestSpec, default_cleaning};

/// Files that are opened to find a TR which the layout does not tell.
const FILES_ASKED: usize = 20;

/// How to ingest.
#[derive(Clone, Copy, Debug)]
pub struct IngestOptions {
    /// Replace another prepared data set that stands at the same place.
    pub overwrite: bool,
    /// Scans read at the same time.
    pub threads: usize,
}

/// Prepares the scans that `spec` finds in `root`, at `out`.
///
/// A data set made there from the same files in the same way is left untouched.
///
/// # Errors
/// When the spec is wrong, nothing is found, no scan is usable, something else stands at `out`,
/// or the result cannot be written. Scans whose files are broken are in the report instead.
pub fn ingest(
    root: &Path,
    out: &Path,
    spec: &IngestSpec,
    options: &IngestOptions,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PrepareReport, DataError> {
    let Opened {
        listing,
        regions,
        subjects,
        mut warnings,
    } = open(root, spec)?;
    let scans = &listing.scans;
    let dt_secs = dt_secs(spec, scans)?;

    let recipe = recipe_hash(spec, &regions, dt_secs)?;
    let identities: Vec<String> = scans
        .iter()
        .map(|scan| {
            FieldHasher::new("ingested scan")
                .field(&recipe)
                .field(fingerprint::of_scan(root, scan))
                .finish()
        })
        .collect();
    let identity = identity(spec, &recipe, &identities)?;

    let partial = match Partial::claim(out, &identity, options.overwrite)? {
        Claim::UpToDate(dataset) => return Ok(PrepareReport::new(&dataset, true, 0)),
        Claim::Work(partial) => partial,
    };
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for (number, scan) in scans.iter().enumerate() {
        if let Some(part) = partial.finished(&scan.scan, &identities[number]) {
            parts.insert(number, part);
        }
    }
    let resumed = parts.len();
    let cohort = Cohort {
        spec,
        regions: &regions,
        root,
        dt_secs,
    };
    let todo: Vec<usize> = (0..scans.len())
        .filter(|number| !parts.contains_key(number))
        .collect();
    read_all(
        &cohort,
        scans,
        &identities,
        &todo,
        &partial,
        options.threads,
        &mut |number, part| {
            parts.insert(number, part);
            progress(Progress {
                step: Step::Scan,
                name: "",
                done: parts.len(),
                total: scans.len(),
            });
        },
    )?;

    let parts: Vec<Part> = parts.into_values().collect();
    warnings.extend(of_listing(&listing));
    warnings.extend(of_scans(&parts));
    let header = DatasetHeader {
        name: spec.name.clone(),
        licence: spec.licence.clone(),
        citation: spec.citation.clone(),
        dt_secs,
        cleaning: spec.cleaning.clone(),
        atlas_source: regions.source.clone(),
        warnings,
        identity,
    };
    let dataset = partial.assemble(
        header,
        regions.atlas,
        &parts,
        &subjects,
        |_| Ok(()),
        progress,
    )?;
    Ok(PrepareReport::new(&dataset, false, resumed))
}

/// What preparing would find and use.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Scans, and what is missing, skipped or mixed.
    pub listing: Listing,
    /// Name of the atlas.
    pub atlas: String,
    /// ROIs in it.
    pub n_rois: usize,
    /// What a user should know about the tables of subjects.
    pub warnings: Vec<String>,
}

/// What `spec` would find in `root`, with which atlas and which tables of subjects. No signal is
/// read, but the names of the columns when they are the atlas.
///
/// # Errors
/// As [`ingest`], but for what is seen in signals alone.
pub fn plan(root: &Path, spec: &IngestSpec) -> Result<Plan, DataError> {
    let opened = open(root, spec)?;
    Ok(Plan {
        atlas: opened.regions.atlas.name.clone(),
        n_rois: opened.regions.atlas.n_rois(),
        listing: opened.listing,
        warnings: opened.warnings,
    })
}

/// Everything that is known before a signal is read.
struct Opened {
    listing: Listing,
    regions: Regions,
    /// The subjects of the scans listed.
    subjects: Vec<SubjectRecord>,
    /// What a user should know about them.
    warnings: Vec<String>,
}

fn open(root: &Path, spec: &IngestSpec) -> Result<Opened, DataError> {
    spec.check()?;
    let listing = brainmae_studies::list(spec.layout.layout(), root, &spec.list)?;
    let regions = Regions::resolve(&spec.atlas, || scan::column_names(&listing.scans))?;
    let phenotypes = Phenotypes::read(
        &spec.phenotypes,
        &PhenotypeOptions {
            columns: spec.targets.clone(),
        },
    )?;
    let wanted: BTreeSet<&SubjectId> = listing.scans.iter().map(|scan| &scan.subject).collect();
    let wanted: Vec<SubjectId> = wanted.into_iter().cloned().collect();
    let (subjects, unknown) = phenotypes.for_subjects(&wanted);
    Ok(Opened {
        warnings: warnings(spec, &phenotypes, &subjects, unknown),
        listing,
        regions,
        subjects,
    })
}

/// What the listing tells besides its scans; counts only, for names of subjects stand in notes.
fn of_listing(listing: &Listing) -> Vec<String> {
    let mut warnings = Vec::new();
    let missing = |note: &&Note| note.kind == NoteKind::Missing;
    let n_missing = listing.notes.iter().filter(missing).count();
    if n_missing > 0 {
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

/// What was done otherwise than a reader may think, with the number of scans.
fn of_scans(parts: &[Part]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for remark in parts.iter().flat_map(|part| &part.remarks) {
        *counts.entry(remark).or_default() += 1;
    }
    (counts.into_iter())
        .map(|(remark, n_scans)| format!("in {n_scans} scans: {remark}"))
        .collect()
}

/// Reads the scans `todo` on several threads; `done` is called on this one.
fn read_all(
    cohort: &Cohort<'_>,
    scans: &[FoundScan],
    identities: &[String],
    todo: &[usize],
    partial: &Partial,
    threads: usize,
    done: &mut dyn FnMut(usize, Part),
) -> Result<(), DataError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, finished) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, todo.len().max(1)) {
            let sender = sender.clone();
            let (next, stop) = (&next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Some(&number) = todo.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        break;
                    };
                    let scan = cohort.prepare(&scans[number]);
                    let part = partial.keep(scan, &identities[number]);
                    if sender.send((number, part)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut outcome = Ok(());
        for (number, part) in finished {
            match part {
                Ok(part) => done(number, part),
                Err(error) => {
                    // Such as a full disk: the scans that are being read end, no new one starts.
                    stop.store(true, Ordering::Relaxed);
                    outcome = Err(error);
                }
            }
        }
        outcome
    })
}

/// The interval that all scans of the data set will have.
fn dt_secs(spec: &IngestSpec, scans: &[FoundScan]) -> Result<f64, DataError> {
    if let Some(dt_secs) = spec.resampled_dt_secs().or(spec.tr_secs) {
        return Ok(dt_secs);
    }
    let mut trs: Vec<f64> = scans.iter().filter_map(|scan| scan.tr_secs).collect();
    if trs.is_empty() {
        // Opening a file takes time: some of them tell for all.
        let every = scans.len().div_ceil(FILES_ASKED).max(1);
        trs = (scans.iter().step_by(every))
            .filter_map(scan::tr_of_file)
            .collect();
    }
    // The most frequent one; of several, the shortest.
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

/// Everything besides its files that the signals of a scan depend on.
fn recipe_hash(spec: &IngestSpec, regions: &Regions, dt_secs: f64) -> Result<String, DataError> {
    let json = |value: Result<String, serde_json::Error>| {
        value.map_err(|error| DataError::config("recipe", error, "values that JSON can hold"))
    };
    Ok(FieldHasher::new("ingest")
        .field(TOOL)
        .field(FORMAT.to_le_bytes())
        .field(json(serde_json::to_string(&spec.cleaning))?)
        .field(json(serde_json::to_string(&spec.limits))?)
        .field(spec.min_coverage.to_le_bytes())
        .field(format!("{:?}", spec.tr_secs))
        .field(dt_secs.to_le_bytes())
        .field(regions.hash())
        .finish())
}

/// Identity of the whole data set: recipe, scans, tables of subjects and what it says of itself.
fn identity(spec: &IngestSpec, recipe: &str, identities: &[String]) -> Result<String, DataError> {
    let mut hasher = FieldHasher::new("cohort")
        .field(&spec.name)
        .field(&spec.licence)
        .field(&spec.citation)
        .field(recipe);
    for scan in identities {
        hasher = hasher.field(scan);
    }
    for path in &spec.phenotypes {
        hasher = hasher.field(sha256_file(path)?);
    }
    for column in &spec.targets {
        hasher = hasher.field(column);
    }
    Ok(hasher.finish())
}

/// What a user should know about the subjects; counts only, for values and names may be restricted.
fn warnings(
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
