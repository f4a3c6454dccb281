//! Row of a manifest.

use std::ops::Range;
use std::path::{Path, PathBuf};

use brainmae_files::id::{ScanId, SubjectId};

use super::signal_file;
use crate::bids_name::BidsName;
use crate::error::{ManifestProblem, StudyError};
use crate::listing::{ConfoundFile, EventFiles, FoundScan, Note, SignalFile};
use crate::sidecar::MAX_TR_SECS;
use crate::subject_labels::SubjectLabels;

/// One row, accessed by column name.
pub(super) struct Row<'a> {
    pub manifest: &'a Path,
    pub header: &'a [String],
    pub record: &'a csv::StringRecord,
    /// Line number, from 1.
    pub line: u64,
}

/// The cells of a row, before any file is searched.
pub(super) struct Cells<'a> {
    pub subject: String,
    pub path: &'a str,
    scan: String,
    session: Option<String>,
    pub task: Option<String>,
    tr_secs: Option<f64>,
    part: Option<Range<usize>>,
}

impl<'a> Row<'a> {
    fn refuse<T>(&self, problem: ManifestProblem) -> Result<T, StudyError> {
        Err(StudyError::manifest(self.manifest, self.line, problem))
    }

    /// A cell; `None` when it is missing.
    fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|name| name == column)?;
        let cell = self.record.get(at)?;
        (!["", "n/a", "N/A", "NA"].contains(&cell)).then_some(cell)
    }

    fn needed(&self, column: &'static str) -> Result<&'a str, StudyError> {
        match self.get(column) {
            Some(cell) => Ok(cell),
            None => self.refuse(ManifestProblem::EmptyCell { column }),
        }
    }

    /// The cells of the row.
    ///
    /// # Errors
    /// [`StudyError::Manifest`] for a required cell that is missing, or a number that is not valid.
    pub fn cells(&self) -> Result<Cells<'a>, StudyError> {
        let (subject, path) = (self.needed("subject")?, self.needed("path")?);
        let subject = subject.strip_prefix("sub-").unwrap_or(subject).to_owned();
        let file = Path::new(path).file_name().and_then(|name| name.to_str());
        let name = file
            .and_then(BidsName::parse)
            .filter(|name| name.get("sub") == Some(subject.as_str()));
        let word = |column: &str, entity: &str| {
            let of_name = name.as_ref().and_then(|name| name.get(entity));
            self.get(column).or(of_name).map(str::to_owned)
        };
        let session = word("session", "ses");
        let task = word("task", "task").map(|task| task.to_lowercase());
        let of_name = name.as_ref().and_then(BidsName::scan_id);
        let scan = match (self.get("scan"), of_name) {
            (Some(scan), _) => scan.to_owned(),
            (None, Some(scan)) => scan,
            (None, None) => {
                let part = |key: &str, value: &Option<String>| match value {
                    Some(value) => format!("_{key}-{value}"),
                    None => String::new(),
                };
                format!(
                    "sub-{subject}{}{}",
                    part("ses", &session),
                    part("task", &task)
                )
            }
        };
        Ok(Cells {
            subject,
            path,
            scan,
            session,
            task,
            tr_secs: self.tr_secs()?,
            part: self.part()?,
        })
    }

    fn tr_secs(&self) -> Result<Option<f64>, StudyError> {
        let Some(cell) = self.get("tr_secs") else {
            return Ok(None);
        };
        match cell.parse::<f64>() {
            Ok(secs) if secs > MAX_TR_SECS => self.refuse(ManifestProblem::TrInMilliseconds {
                found: cell.to_owned(),
            }),
            Ok(secs) if secs > 0.0 => Ok(Some(secs)),
            _ => self.refuse(ManifestProblem::Tr {
                found: cell.to_owned(),
            }),
        }
    }

    fn part(&self) -> Result<Option<Range<usize>>, StudyError> {
        let number = |column: &'static str| match self.get(column).map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => self.refuse(ManifestProblem::Volume { column }),
        };
        match (number("first_volume")?, number("last_volume")?) {
            (None, None) => Ok(None),
            (Some(first), Some(last)) if first <= last && last < usize::MAX => {
                Ok(Some(first..last + 1))
            }
            (Some(first), Some(last)) => {
                self.refuse(ManifestProblem::VolumesBackwards { first, last })
            }
            _ => self.refuse(ManifestProblem::OneVolume),
        }
    }

    /// The path of a file named in a column; `Err` contains its name when the file does not exist.
    fn file(&self, column: &str, folder: &Path) -> Result<Option<PathBuf>, String> {
        match self.get(column) {
            None => Ok(None),
            Some(name) => match folder.join(name) {
                path if path.is_file() || (column == "events" && path.is_dir()) => Ok(Some(path)),
                _ => Err(format!("{column} {name}")),
            },
        }
    }

    /// The scan of the row; the inner error is a missing file.
    pub fn found_scan(
        &self,
        cells: Cells<'_>,
        folder: &Path,
        labels: Option<&mut SubjectLabels>,
        notes: &mut Vec<Note>,
    ) -> Result<Result<FoundScan, String>, StudyError> {
        let files = (|| {
            let path = self.file("path", folder)?;
            let [confounds, outliers, events, labels] =
                ["confounds", "outliers", "events", "labels"].map(|name| self.file(name, folder));
            Ok((path, confounds?, outliers?, events?, labels?))
        })();
        let (path, confounds, outliers, events, own_labels) = match files {
            Ok(files) => files,
            Err(missing) => return Ok(Err(missing)),
        };
        let scan_key = self.get("scan_key");
        let has_labels = own_labels.is_some();
        let Some(mut signal) = path.and_then(|path| signal_file(path, own_labels, scan_key)) else {
            return self.refuse(ManifestProblem::SignalEnding {
                file: cells.path.to_owned(),
            });
        };
        let is_nifti = matches!(signal, SignalFile::Nifti { .. });
        if has_labels && !is_nifti {
            return self.refuse(ManifestProblem::LabelsWithoutImage);
        }
        if scan_key.is_some() && !matches!(signal, SignalFile::Columnar { .. }) {
            return self.refuse(ManifestProblem::KeyWithoutTable);
        }
        if let (SignalFile::Nifti { labels: own, .. }, Some(labels)) = (&mut signal, labels)
            && own.is_none()
        {
            *own = match labels.of(&cells.subject, notes) {
                Some(path) => Some(path),
                None => return Ok(Err("its label volume".into())),
            };
        }
        Ok(Ok(FoundScan {
            session: cells.session,
            task: cells.task,
            part: cells.part,
            tr_secs: cells.tr_secs,
            variant: cells.path.to_owned(),
            confounds: confounds.map(|path| self.confounds(path)).transpose()?,
            outliers,
            events: events.map_or(Ok(EventFiles::None), |path| self.events(path))?,
            ..FoundScan::new(
                ScanId::new(cells.scan),
                SubjectId::new(cells.subject),
                signal,
            )
        }))
    }

    fn confounds(&self, path: PathBuf) -> Result<ConfoundFile, StudyError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("Movement_Regressors") && name.ends_with(".txt") {
            return Ok(ConfoundFile::Hcp(path));
        }
        if name.ends_with("_motion.tsv") {
            return Ok(ConfoundFile::Xcpd(path));
        }
        if name.ends_with(".tsv") {
            return Ok(ConfoundFile::Fmriprep(path));
        }
        self.refuse(ManifestProblem::ConfoundKind)
    }

    fn events(&self, path: PathBuf) -> Result<EventFiles, StudyError> {
        if path.is_dir() {
            return Ok(EventFiles::Evs(path));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(".tsv") {
            return self.refuse(ManifestProblem::EventKind);
        }
        Ok(match name.starts_with("design_session") {
            true => EventFiles::Design(path),
            false => EventFiles::Bids(path),
        })
    }
}
