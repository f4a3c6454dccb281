//! One row of a manifest.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::super::bids_name::BidsName;
use super::super::sidecar::MAX_TR_SECS;
use super::super::{ConfoundFile, EventFiles, FoundScan, Note, SignalFile, SubjectLabels};
use super::signal_file;
use crate::error::StudyError;
use brainmae_files::id::{ScanId, SubjectId};

/// One row, by the names of its columns.
pub(super) struct Row<'a> {
    pub manifest: &'a Path,
    pub header: &'a [String],
    pub record: &'a csv::StringRecord,
    /// From 1.
    pub line: u64,
}

/// What a row says before any file is looked for.
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
    fn refuse<T>(&self, problem: String) -> Result<T, StudyError> {
        Err(StudyError::TextTable {
            path: self.manifest.to_owned(),
            line: self.line,
            problem,
        })
    }

    /// A cell; none when it is missing.
    fn get(&self, column: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|name| name == column)?;
        let cell = self.record.get(at)?;
        (!["", "n/a", "N/A", "NA"].contains(&cell)).then_some(cell)
    }

    fn needed(&self, column: &str) -> Result<&'a str, StudyError> {
        match self.get(column) {
            Some(cell) => Ok(cell),
            None => self.refuse(format!("there is nothing in column {column:?}")),
        }
    }

    /// What the row says.
    ///
    /// # Errors
    /// [`StudyError::TextTable`] for a cell that is needed and missing, or is no number.
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
            Ok(secs) if secs > MAX_TR_SECS => self.refuse(format!(
                "tr_secs is {cell}, which looks like milliseconds, expected seconds"
            )),
            Ok(secs) if secs > 0.0 => Ok(Some(secs)),
            _ => self.refuse(format!(
                "tr_secs is {cell:?}, expected a number of seconds above zero"
            )),
        }
    }

    fn part(&self) -> Result<Option<Range<usize>>, StudyError> {
        let number = |column: &str| match self.get(column).map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => self.refuse(format!("{column} is no whole number from 0")),
        };
        match (number("first_volume")?, number("last_volume")?) {
            (None, None) => Ok(None),
            (Some(first), Some(last)) if first <= last && last < usize::MAX => {
                Ok(Some(first..last + 1))
            }
            (Some(first), Some(last)) => self.refuse(format!(
                "first_volume is {first} and last_volume {last}, expected the last not before the first"
            )),
            _ => self.refuse(
                "first_volume and last_volume are needed both, or neither for the whole file".into(),
            ),
        }
    }

    /// A file named in a column; `Err` has its name when it is not there.
    fn file(&self, column: &str, folder: &Path) -> Result<Option<PathBuf>, String> {
        match self.get(column) {
            None => Ok(None),
            Some(name) => match folder.join(name) {
                path if path.is_file() || (column == "events" && path.is_dir()) => Ok(Some(path)),
                _ => Err(format!("{column} {name}")),
            },
        }
    }

    /// The scan; the inner error is the file that is not there.
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
            return self.refuse(format!(
                "{:?} has no ending of a signal file: .tsv .csv .1D .txt .npy .parquet .arrow \
                 .feather .dtseries.nii .ptseries.nii .nii .nii.gz",
                cells.path
            ));
        };
        let is_nifti = matches!(signal, SignalFile::Nifti { .. });
        if has_labels && !is_nifti {
            return self.refuse("labels are for signals in a NIfTI image, .nii or .nii.gz".into());
        }
        if scan_key.is_some() && !matches!(signal, SignalFile::Columnar { .. }) {
            return self.refuse("scan_key is for .parquet, .arrow and .feather files".into());
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
            scan: ScanId::new(cells.scan),
            subject: SubjectId::new(cells.subject),
            session: cells.session,
            task: cells.task,
            signal,
            part: cells.part,
            tr_secs: cells.tr_secs,
            variant: cells.path.to_owned(),
            confounds: confounds.map(|path| self.confounds(path)).transpose()?,
            outliers,
            coverage: None,
            events: events.map_or(Ok(EventFiles::None), |path| self.events(path))?,
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
        self.refuse(
            "confounds are Movement_Regressors*.txt as of HCP (mm and degrees), or a .tsv with \
             the column names of fMRIPrep (mm and radians): without names, units are not known"
                .into(),
        )
    }

    fn events(&self, path: PathBuf) -> Result<EventFiles, StudyError> {
        if path.is_dir() {
            return Ok(EventFiles::Evs(path));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with(".tsv") {
            return self.refuse(
                "events are a folder of EV files, a design_session*.tsv or an _events.tsv".into(),
            );
        }
        Ok(match name.starts_with("design_session") {
            true => EventFiles::Design(path),
            false => EventFiles::Bids(path),
        })
    }
}
