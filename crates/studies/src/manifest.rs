//! A plain folder with a table that tells what its files are: `manifest.tsv` or `manifest.csv`.
//!
//! | column | meaning |
//! |---|---|
//! | `subject` | needed: the person; a `sub-` before it is taken off |
//! | `path` | needed: the signals, from the manifest's folder or absolute |
//! | `scan` | id of the scan; else from a file name in the words of BIDS, or subject, session, task |
//! | `session`, `task` | else from a file name in the words of BIDS |
//! | `tr_secs` | seconds between volumes, where the file does not tell |
//! | `confounds` | `Movement_Regressors*.txt` (HCP), `…_motion.tsv` (XCP-D), other `.tsv` (fMRIPrep) |
//! | `outliers` | a column of 0 and 1 |
//! | `events` | a folder (HCP EVs), `design_session*.tsv` (NSD), other `.tsv` (BIDS) |
//! | `labels` | the subject's own label volume, for signals in a NIfTI image |
//! | `scan_key` | value of the `scan` column of a parquet or Arrow file with several scans |
//! | `first_volume`, `last_volume` | the part of the file that is the scan, from 0, the last included |
//!
//! Headers may be in capitals; empty cells, `n/a` and `NA` are missing. Without a manifest files
//! are listed by their names, see `plain_folder`.

mod plain_folder;
mod row;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::bids_tree::wants_subject;
use super::folder::Folder;
use super::{FoundScan, ListOptions, Listing, Note, SignalFile, SubjectLabels};
use crate::error::StudyError;
use brainmae_files::id::ScanId;
use row::Row;

/// The names of a manifest.
pub(super) const NAMES: [&str; 2] = ["manifest.tsv", "manifest.csv"];

/// The columns that are read.
pub(super) const COLUMNS: [&str; 13] = [
    "subject",
    "path",
    "scan",
    "session",
    "task",
    "tr_secs",
    "confounds",
    "outliers",
    "events",
    "labels",
    "scan_key",
    "first_volume",
    "last_volume",
];

/// Lists what the manifest names, or, without one, what the names of the files tell.
pub(super) fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    let mut notes = Vec::new();
    let folder = Folder::root(root, &mut notes)?;
    match NAMES.map(|name| folder.has_file(name)) {
        [false, false] => plain_folder::list(folder, options, notes),
        [true, true] => Err(StudyError::file(
            root,
            "there are manifest.tsv and manifest.csv: keep one",
        )),
        [is_tsv, _] => {
            let name = NAMES[usize::from(!is_tsv)];
            Manifest::new(root, name, options)?.list(options, notes)
        }
    }
}

/// What kind of signals a file holds, by the ending of its name; none for other files.
///
/// `labels` and `scan_key` are taken by the kinds that have a use for them.
fn signal_file(
    path: PathBuf,
    labels: Option<PathBuf>,
    scan_key: Option<&str>,
) -> Option<SignalFile> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    Some(if ends(&[".dtseries.nii", ".ptseries.nii"]) {
        SignalFile::Cifti(path)
    } else if ends(&[".dscalar.nii", ".dlabel.nii", ".pscalar.nii", ".pconn.nii"]) {
        return None;
    } else if ends(&[".nii", ".nii.gz"]) {
        SignalFile::Nifti { bold: path, labels }
    } else if ends(&[".tsv", ".csv", ".1d", ".txt"]) {
        SignalFile::Table(path)
    } else if ends(&[".npy"]) {
        SignalFile::Npy(path)
    } else if ends(&[".parquet", ".arrow", ".feather"]) {
        let scan = scan_key.map(str::to_owned);
        SignalFile::Columnar { path, scan }
    } else {
        return None;
    })
}

/// A manifest, open to be read.
struct Manifest {
    path: PathBuf,
    name: &'static str,
    folder: PathBuf,
    header: Vec<String>,
    rows: csv::Reader<std::fs::File>,
    labels: Option<SubjectLabels>,
}

impl Manifest {
    fn new(root: &Path, name: &'static str, options: &ListOptions) -> Result<Self, StudyError> {
        let path = root.join(name);
        let file = std::fs::File::open(&path).map_err(StudyError::io("open", &path))?;
        let tabs = name.ends_with(".tsv");
        let mut rows = csv::ReaderBuilder::new()
            .delimiter(if tabs { b'\t' } else { b',' })
            .trim(csv::Trim::All)
            .from_reader(file);
        let header = rows.headers().map_err(|error| broken(&path, error))?;
        let header: Vec<String> = header
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        for name in COLUMNS {
            let times = header.iter().filter(|other| *other == name).count();
            let problem = match times {
                0 if name == "subject" || name == "path" => format!(
                    "there is no column {name:?}, only {}: the columns of a manifest are {}",
                    header.join(", "),
                    COLUMNS.join(", ")
                ),
                0 | 1 => continue,
                _ => format!("{times} columns have the name {name:?}"),
            };
            return Err(StudyError::TextTable {
                path,
                line: 1,
                problem,
            });
        }
        Ok(Self {
            path,
            name,
            folder: root.to_owned(),
            header,
            rows,
            labels: SubjectLabels::new(root, options)?,
        })
    }

    fn list(mut self, options: &ListOptions, mut notes: Vec<Note>) -> Result<Listing, StudyError> {
        let unknown: Vec<&str> = self
            .header
            .iter()
            .map(String::as_str)
            .filter(|name| !COLUMNS.contains(name))
            .collect();
        if !unknown.is_empty() {
            notes.push(Note::skipped(
                self.name,
                format!(
                    "columns {} are not used, only {}",
                    unknown.join(", "),
                    COLUMNS.join(", ")
                ),
            ));
        }
        let mut found: Vec<(u64, FoundScan)> = Vec::new();
        let mut record = csv::StringRecord::new();
        while self
            .rows
            .read_record(&mut record)
            .map_err(|error| broken(&self.path, error))?
        {
            let row = Row {
                manifest: &self.path,
                header: &self.header,
                record: &record,
                line: record.position().map_or(0, csv::Position::line),
            };
            let cells = row.cells()?;
            let wanted = wants_subject(options, &cells.subject);
            let has_variant = options
                .variant
                .as_ref()
                .is_none_or(|variant| cells.path.contains(variant.as_str()));
            if !(wanted
                && has_variant
                && options.wants_task(cells.task.as_deref().unwrap_or_default()))
            {
                continue;
            }
            match row.found_scan(cells, &self.folder, self.labels.as_mut(), &mut notes)? {
                Ok(scan) => found.push((row.line, scan)),
                Err(missing) => notes.push(Note::missing(
                    format!("{} line {}", self.name, row.line),
                    format!("{missing} is not there: the scan is left out"),
                )),
            }
        }
        check_unique(&self.path, &found)?;
        let scans = found.into_iter().map(|(_, scan)| scan).collect();
        Ok(Listing { scans, notes })
    }
}

/// Refuses an id that stands twice, and volumes that are in two scans. Lines alone are named: ids
/// hold those of subjects, which must not reach a log.
fn check_unique(manifest: &Path, found: &[(u64, FoundScan)]) -> Result<(), StudyError> {
    let refuse = |line: u64, problem: String| {
        Err(StudyError::TextTable {
            path: manifest.to_owned(),
            line,
            problem,
        })
    };
    let mut ids: HashMap<&ScanId, u64> = HashMap::new();
    let mut parts: HashMap<_, Vec<(Range<usize>, u64)>> = HashMap::new();
    for (line, scan) in found {
        if let Some(first) = ids.insert(&scan.scan, *line) {
            return refuse(
                *line,
                format!("the scan is on line {first} too: tell them apart in the column scan"),
            );
        }
        let key = match &scan.signal {
            SignalFile::Columnar { scan, .. } => scan.as_deref(),
            _ => None,
        };
        let part = scan.part.clone().unwrap_or(0..usize::MAX);
        let same_file = parts.entry((scan.signal.path(), key)).or_default();
        same_file.push((part, *line));
    }
    for same_file in parts.values_mut() {
        same_file.sort_by_key(|(part, _)| part.start);
        for pair in same_file.windows(2) {
            let [(first, first_line), (second, second_line)] = pair else {
                continue;
            };
            if second.start < first.end {
                return refuse(
                    *second_line.max(first_line),
                    format!(
                        "line {} has volumes of the same file: tell them apart with first_volume \
                         and last_volume, or with scan_key in a parquet or Arrow file",
                        second_line.min(first_line)
                    ),
                );
            }
        }
    }
    Ok(())
}

fn broken(path: &Path, error: csv::Error) -> StudyError {
    let problem = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells, expected {expected_len} as in the header"),
        _ => error.to_string(),
    };
    StudyError::TextTable {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        problem,
    }
}

#[cfg(test)]
mod tests;
