//! Manifest, `manifest.tsv` or `manifest.csv`: a table that describes the files of a folder.
//!
//! | column | meaning |
//! |---|---|
//! | `subject` | needed: the person; a `sub-` before it is taken off |
//! | `path` | needed: the signals, from the manifest's folder or absolute |
//! | `scan` | id of the scan; else from a BIDS file name, or subject, session and task |
//! | `session`, `task` | else from a BIDS file name |
//! | `tr_secs` | seconds between volumes, where the file does not tell |
//! | `confounds` | `Movement_Regressors*.txt` (HCP), `…_motion.tsv` (XCP-D), `.tsv` (fMRIPrep) |
//! | `outliers` | a column of 0 and 1 |
//! | `events` | a folder (HCP EVs), `design_session*.tsv` (NSD), other `.tsv` (BIDS) |
//! | `labels` | the subject's own label volume, for signals in a NIfTI image |
//! | `scan_key` | value of the `scan` column of a parquet or Arrow file with several scans |
//! | `first_volume`, `last_volume` | the part of the file that is the scan: from 0, last included |
//!
//! Headers are case-insensitive; empty cells, `n/a` and `NA` are missing. Without a manifest, files
//! are listed by their names, see `plain_folder`.

mod plain_folder;
mod row;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;

use crate::bids_tree::wants_subject;
use crate::error::{ManifestProblem, StudyError};
use crate::folder::Folder;
use crate::layout::BuiltIn;
use crate::listing::{FoundScan, ListOptions, Listing, Note, SignalFile};
use crate::rows::{Broken, line_of};
use crate::subject_labels::SubjectLabels;
use row::Row;

/// The file names of a manifest.
const NAMES: [&str; 2] = ["manifest.tsv", "manifest.csv"];

/// The columns that are read.
static COLUMNS: [&str; 13] = [
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

/// A plain folder, with a manifest or with descriptive file names.
pub static LAYOUT: BuiltIn = BuiltIn::new("manifest", recognise, list)
    .about("any folder with a manifest.tsv (subject, path, …), or files named sub-<subject>_…");

fn recognise(root: &Path) -> bool {
    Folder::root(root, &mut Vec::new()).is_ok_and(|top| NAMES.iter().any(|name| top.has_file(name)))
}

/// Lists the scans of the manifest or, without one, of the file names.
fn list(root: &Path, options: &ListOptions) -> Result<Listing, StudyError> {
    options.warn_of_atlas_label("manifest");
    let mut notes = Vec::new();
    let folder = Folder::root(root, &mut notes)?;
    match NAMES.map(|name| folder.has_file(name)) {
        [false, false] => plain_folder::list(folder, options, notes),
        [true, true] => Err(StudyError::manifest(root, None, ManifestProblem::TwoFiles)),
        [is_tsv, _] => {
            let name = NAMES[usize::from(!is_tsv)];
            OpenManifest::new(root, name, options)?.list(options, notes)
        }
    }
}

/// The kind of signals of a file, by its extension; `None` for other files.
///
/// `labels` and `scan_key` are used by the kinds that need them.
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

/// A manifest that is open for reading.
struct OpenManifest {
    path: PathBuf,
    name: &'static str,
    folder: PathBuf,
    header: Vec<String>,
    rows: csv::Reader<std::fs::File>,
    labels: Option<SubjectLabels>,
}

impl OpenManifest {
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
                0 if name == "subject" || name == "path" => ManifestProblem::MissingColumn {
                    column: name,
                    found: header,
                    columns: &COLUMNS,
                },
                0 | 1 => continue,
                _ => ManifestProblem::ColumnTwice {
                    column: name,
                    times,
                },
            };
            return Err(StudyError::manifest(&path, 1, problem));
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
                line: line_of(&record),
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

/// Checks that no id occurs twice and that no volume is in two scans. Errors name only lines,
/// because ids contain subjects, which must not be written to a log.
fn check_unique(manifest: &Path, found: &[(u64, FoundScan)]) -> Result<(), StudyError> {
    let mut ids: HashMap<&ScanId, u64> = HashMap::new();
    let mut parts: HashMap<_, Vec<(Range<usize>, u64)>> = HashMap::new();
    for (line, scan) in found {
        if let Some(first) = ids.insert(&scan.scan, *line) {
            let problem = ManifestProblem::ScanTwice { first_line: first };
            return Err(StudyError::manifest(manifest, *line, problem));
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
                let (line, other_line) =
                    (*second_line.max(first_line), *second_line.min(first_line));
                let problem = ManifestProblem::SharedVolumes { other_line };
                return Err(StudyError::manifest(manifest, line, problem));
            }
        }
    }
    Ok(())
}

fn broken(path: &Path, error: csv::Error) -> StudyError {
    let said = error.to_string();
    let (line, problem) = match Broken::from(error) {
        Broken::Io(error) => return StudyError::io("read", path)(error),
        Broken::Cells {
            line,
            found,
            expected,
        } => (line, ManifestProblem::Cells { found, expected }),
        Broken::NotUtf8 { line } | Broken::Other { line, .. } => {
            (line, ManifestProblem::Unreadable { reason: said })
        }
    };
    StudyError::manifest(path, line, problem)
}

#[cfg(test)]
mod tests;
