//! XCP-D: parcellated, denoised time series, one table for each scan and atlas.
//!
//! | versions | table |
//! |---|---|
//! | 0.2 to 0.6 | `…_space-<s>_atlas-<label>_timeseries.tsv` |
//! | 0.2 to 0.6, CIFTI | `…_atlas-<label>_den-91k_timeseries.ptseries.nii` |
//! | 0.7 to 0.14 | `…_space-<s>_seg-<label>_stat-mean_timeseries.tsv` |
//! | 26 | `…_space-<s>_atlas-<label>_stat-mean_timeseries.tsv` |
//!
//! The names follow the output lists in XCP-D's tests (`xcp_d/tests/data/*_outputs.txt`). XCP-D
//! also concatenates the runs of a task into a file without `run` and `dir` in its name. It repeats
//! the same signals, so it is not listed if the single runs are.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use brainmae_files::CommonErrors as _;

use crate::bids_tree::{self, FuncFolder, ScanFile};
use crate::choice::{Candidate, choose, companion};
use crate::error::StudyError;
use crate::layout::BuiltIn;
use crate::listing::{ConfoundFile, EventFiles, FoundScan, ListOptions, Listing, Note, SignalFile};
use crate::shown::few;
use crate::sidecar;

/// Derivatives of XCP-D, of all versions.
pub static LAYOUT: BuiltIn = BuiltIn::new("xcpd", recognise, list)
    .about("XCP-D, all versions: sub-*/[ses-*/]func/*_timeseries.tsv");

fn recognise(root: &Path) -> bool {
    bids_tree::any_func_file(root, |name| {
        let atlas = name.get("atlas").or(name.get("seg"));
        name.suffix == "timeseries" && atlas.is_some()
    })
}

/// Lists the time series of one atlas.
fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    if options.subject_labels.is_some() {
        tracing::warn!("subject_labels are for volumes and are not used in the layout xcpd");
    }
    let mut notes = Vec::new();
    let folders = bids_tree::func_folders(root, "xcp_d", options, &mut notes)?;
    let files: Vec<Vec<ScanFile>> = folders
        .iter()
        .map(|folder| folder.scan_files(&mut notes))
        .collect();
    let series = || {
        let all = files.iter().enumerate();
        all.flat_map(|(folder, files)| files.iter().map(move |file| (folder, file)))
            .filter(|(_, file)| file.is_wanted(options))
            .filter_map(|(folder, file)| Some((folder, file, series_label(file)?)))
    };
    let label = choose_label(series().map(|(_, _, label)| label).collect(), options)?;
    let candidates = series()
        .filter(|(_, _, other)| Some(*other) == label.as_deref())
        .map(|(folder, file, _)| candidate(folder, file))
        .collect();
    let chosen = without_concatenations(choose(root, candidates, options, &mut notes)?, &mut notes);

    let mut scans = Vec::new();
    let mut without_motion = Vec::new();
    for choice in &chosen {
        let (folder, files) = (&folders[choice.folder], &files[choice.folder]);
        let Some(scan) = found_scan(&choice.file, files, folder, &mut notes) else {
            continue;
        };
        if scan.confounds.is_none() || scan.outliers.is_none() {
            without_motion.push(choice.file.scan.as_str());
        }
        scans.push(scan);
    }
    if !without_motion.is_empty() {
        let why = format!(
            "{} scans have no _motion.tsv or no _outliers.tsv: their head movement, or which \
             volumes are censored, is not known",
            without_motion.len()
        );
        notes.push(Note::missing(few(&without_motion), why));
    }
    Ok(Listing { scans, notes })
}

/// The label of the atlas in the name of a file of parcel signals; `None` for other files.
fn series_label<'a>(file: &ScanFile<'a>) -> Option<&'a str> {
    let name = &file.name;
    let is_series = name.suffix == "timeseries"
        && [".tsv", ".ptseries.nii"].contains(&name.extension)
        && matches!(name.get("stat"), None | Some("mean"));
    name.get("atlas")
        .or(name.get("seg"))
        .filter(|_| is_series && name.get("desc") != Some("confounds"))
}

/// The requested atlas, or the only one in the folder.
fn choose_label(
    labels: BTreeSet<&str>,
    options: &ListOptions,
) -> Result<Option<String>, StudyError> {
    let there = || labels.iter().copied().collect::<Vec<_>>().join(", ");
    match &options.atlas_label {
        Some(wanted) if labels.contains(wanted.as_str()) || labels.is_empty() => {
            Ok(Some(wanted.clone()))
        }
        Some(wanted) => Err(StudyError::config(
            "atlas_label",
            wanted,
            format!("one of {}", there()),
        )),
        None if labels.len() > 1 => Err(StudyError::config(
            "atlas_label",
            "not given",
            format!("one of {}", there()),
        )),
        None => Ok(labels.first().map(|label| (*label).to_owned())),
    }
}

fn candidate<'a>(folder: usize, file: &ScanFile<'a>) -> Candidate<'a> {
    let name = &file.name;
    let part = |key: &str| {
        let value = name.get(key)?;
        Some(format!("{key}-{value}"))
    };
    let made: Vec<String> = ["space", "res"].into_iter().filter_map(part).collect();
    Candidate {
        folder,
        file: file.clone(),
        output: made.join("_"),
        rank: match name.get("space") {
            Some("fsLR") => 0,
            Some("MNI152NLin2009cAsym") => 1,
            _ => 2,
        },
        order: match (name.extension, name.get("desc")) {
            (".tsv", None) => 0,
            (".tsv", Some(_)) => 1,
            (_, None) => 2,
            (_, Some(_)) => 3,
        },
    }
}

/// Removes the concatenations of runs that are listed themselves.
fn without_concatenations<'a>(
    chosen: Vec<Candidate<'a>>,
    notes: &mut Vec<Note>,
) -> Vec<Candidate<'a>> {
    let mut joined = HashSet::new();
    for Candidate { file, .. } in &chosen {
        for left_out in [&["run"][..], &["dir"], &["run", "dir"]] {
            if left_out.iter().all(|key| file.name.get(key).is_some()) {
                joined.extend(file.name.scan_id_without(left_out));
            }
        }
    }
    let (joined, single): (Vec<_>, Vec<_>) = chosen
        .into_iter()
        .partition(|choice| joined.contains(&choice.file.scan));
    if !joined.is_empty() {
        let names: Vec<&str> = joined
            .iter()
            .map(|choice| choice.file.scan.as_str())
            .collect();
        notes.push(Note::skipped(
            few(&names),
            "these files join runs that are listed themselves",
        ));
    }
    single
}

/// The scan with its companion files, or a note why it cannot be used.
fn found_scan(
    of: &ScanFile<'_>,
    files: &[ScanFile<'_>],
    folder: &FuncFolder,
    notes: &mut Vec<Note>,
) -> Option<FoundScan> {
    let path = folder.func.file(of.file, notes)?;
    let signal = match of.name.extension {
        ".tsv" => SignalFile::Table(path),
        _ => SignalFile::Cifti(path),
    };
    let tr_secs = match sidecar::tr_secs(of, files, folder) {
        Ok(tr_secs) => tr_secs,
        Err(error) => {
            notes.push(Note::skipped(folder.func.show(of.file), error.to_string()));
            return None;
        }
    };
    let coverage = companion(of, files, folder, notes, |other| {
        let name = &other.name;
        let is_coverage = name.suffix == "coverage" || name.get("stat") == Some("coverage");
        let same = |key| name.get(key) == of.name.get(key);
        is_coverage && name.extension == ".tsv" && ["atlas", "seg", "space"].into_iter().all(same)
    });
    let mut table = |suffix: &str| {
        companion(of, files, folder, notes, |other| {
            other.name.suffix == suffix && other.name.extension == ".tsv"
        })
    };
    Some(FoundScan {
        tr_secs,
        confounds: table("motion").map(ConfoundFile::Xcpd),
        outliers: table("outliers"),
        coverage,
        events: table("events").map_or(EventFiles::None, EventFiles::Bids),
        ..of.found_scan(signal)
    })
}

#[cfg(test)]
mod tests;
