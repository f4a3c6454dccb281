//! Identity of ingested scans and of their data set.

use std::path::Path;

use super::fingerprint;
use super::regions::Regions;
use super::spec::IngestSpec;
use crate::error::DataError;
use crate::prepared::{FORMAT, TOOL};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::{FieldHasher, sha256_file};
use brainmae_studies::FoundScan;

/// Hash of everything, except files, that determines the signals of a scan.
pub(super) fn of_recipe(
    spec: &IngestSpec,
    regions: &Regions,
    dt_secs: f64,
) -> Result<String, DataError> {
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

/// Identity of one scan: recipe and files, with paths relative to `root`.
pub(super) fn of_scan(recipe: &str, root: &Path, scan: &FoundScan) -> String {
    FieldHasher::new("ingested scan")
        .field(recipe)
        .field(fingerprint::of_scan(root, scan))
        .finish()
}

/// Identity of the whole data set: recipe, scans, tables of subjects and header.
pub(super) fn of_dataset(
    spec: &IngestSpec,
    recipe: &str,
    identities: &[String],
) -> Result<String, DataError> {
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
