//! Work in progress: the folder `<out>.partial/` beside the data set to be.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CleanedScan, Progress, Step};
use crate::atlas::Atlas;
use crate::checksum::{FieldHasher, sha256_file};
use crate::cleaning::RoiConstants;
use crate::error::DataError;
use crate::events::Event;
use crate::exclusion::Exclusion;
use crate::id::ScanId;
use crate::prepared::{
    BoldFile, BoldWriter, CARD, DatasetHeader, PreparedDataset, PreparedWriter, ScanRecord,
    SubjectRecord, write_whole,
};

/// What is to be done at a place.
pub(crate) enum Claim {
    /// The data set is there.
    UpToDate(Box<PreparedDataset>),
    /// It is to be made.
    Work(Partial),
}

/// The folder of unfinished work, locked for this process.
pub(crate) struct Partial {
    out: PathBuf,
    dir: PathBuf,
    identity: String,
    /// Whether a data set at `out` is to be replaced.
    replaces: bool,
    /// Held until dropped; the system lets go of it when the process dies.
    _lock: File,
}

/// A finished scan, its signals in a file beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    identity: String,
    pub record: ScanRecord,
    constants: Vec<RoiConstants>,
    pub events: Vec<Event>,
    /// Of the file of signals, where the scan is used.
    bold_sha256: Option<String>,
}

/// Where an old data set lies while the new one moves into its place.
const REPLACED: &str = "replaced";

impl Partial {
    /// Looks at `out` and takes the right to fill it.
    ///
    /// `out` is never deleted unless it is a prepared data set and `overwrite` is true.
    pub fn claim(out: &Path, identity: &str, overwrite: bool) -> Result<Claim, DataError> {
        let name = out
            .file_name()
            .ok_or_else(|| DataError::config("out", out.display(), "a path that ends in a name"))?;
        let mut partial_name = name.to_owned();
        partial_name.push(".partial");
        let dir = out.with_file_name(partial_name);
        let occupied = |found: String, advice: &'static str| DataError::Occupied {
            path: out.to_owned(),
            found,
            advice,
        };
        let replaced = dir.join(REPLACED);
        if !out.exists() && replaced.join(CARD).is_file() {
            // Killed between the two renames of an overwrite: the old data set comes back first.
            fs::rename(&replaced, out).map_err(DataError::io("move back", &replaced))?;
        }
        let is_dataset = out.join(CARD).is_file();
        let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
        if is_dataset {
            let found = match PreparedDataset::open(out) {
                Ok(dataset) if dataset.header().identity == identity => match dataset.verify() {
                    Ok(()) => {
                        remove_left_over(&dir);
                        return Ok(Claim::UpToDate(Box::new(dataset)));
                    }
                    Err(error) => format!("this data set, damaged ({error})"),
                },
                Ok(dataset) => format!(
                    "the data set {} made from another recipe, other files or by another version",
                    dataset.header().name
                ),
                Err(error) => format!("a data set that cannot be opened ({error})"),
            };
            if !overwrite {
                return Err(occupied(
                    found,
                    "choose another folder, delete this one, or prepare it with --overwrite",
                ));
            }
        } else if out.exists() && !is_empty() {
            return Err(occupied(
                "something that is no prepared data set".into(),
                "choose another folder; this one is not touched",
            ));
        }

        let parts = dir.join("parts");
        fs::create_dir_all(&parts).map_err(DataError::io("create the folder", &parts))?;
        let lock_path = dir.join("lock");
        let lock = File::create(&lock_path).map_err(DataError::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Claim::Work(Self {
                out: out.to_owned(),
                dir,
                identity: identity.to_owned(),
                replaces: is_dataset,
                _lock: lock,
            })),
            Err(TryLockError::WouldBlock) => Err(DataError::Busy {
                path: out.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(DataError::io("lock", lock_path)(error)),
        }
    }

    /// The scan, when it was finished earlier for the same identity and is undamaged.
    pub fn finished(&self, scan: &ScanId) -> Option<Part> {
        let text = fs::read(self.file(scan, "json")).ok()?;
        let part: Part = serde_json::from_slice(&text).ok()?;
        let whole = match &part.bold_sha256 {
            Some(sha256) => sha256_file(&self.file(scan, "parquet")).is_ok_and(|f| &f == sha256),
            None => true,
        };
        (part.identity == self.identity && &part.record.scan == scan && whole).then_some(part)
    }

    /// Keeps a scan; once this returns it need not be made again.
    pub fn keep(&self, cleaned: CleanedScan) -> Result<Part, DataError> {
        let scan = &cleaned.record.scan;
        let (constants, bold_sha256) = match cleaned.signals {
            None => (Vec::new(), None),
            Some((series, constants)) => {
                let path = self.file(scan, "parquet");
                let mut writer = BoldWriter::create(&path, series.n_rois())?;
                writer.write(scan, &series)?;
                writer.finish()?;
                (constants, Some(sha256_file(&path)?))
            }
        };
        // Written last: its being there says that the signals are whole.
        let path = self.file(scan, "json");
        let part = Part {
            identity: self.identity.clone(),
            record: cleaned.record,
            constants,
            events: cleaned.events,
            bold_sha256,
        };
        let text = serde_json::to_vec(&part)
            .map_err(|error| DataError::io("write", &path)(error.into()))?;
        write_whole(&path, &text)?;
        Ok(part)
    }

    /// Puts the finished scans together in the order given and moves the data set to `out`.
    /// `add` may add files of its own.
    pub fn assemble(
        self,
        header: DatasetHeader,
        atlas: Atlas,
        parts: &[Part],
        subjects: &[SubjectRecord],
        add: impl FnOnce(&mut PreparedWriter) -> Result<(), DataError>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PreparedDataset, DataError> {
        if !parts.iter().any(|part| part.record.is_included()) {
            return Err(DataError::NothingLeft {
                name: header.name,
                exclusions: parts
                    .iter()
                    .filter_map(|part| part.record.exclusion())
                    .collect::<Vec<Exclusion>>(),
            });
        }
        let assembled = self.dir.join("assembled");
        remove_if_there(&assembled)?;
        let (n_rois, dt_secs) = (atlas.n_rois(), header.dt_secs);
        let mut writer = PreparedWriter::create(&assembled, header, atlas)?;
        for (at, part) in parts.iter().enumerate() {
            let record = part.record.clone();
            let scan = record.scan.clone();
            if record.is_included() {
                let file = BoldFile::open(&self.file(&scan, "parquet"), n_rois)?;
                let series = file.read(0, &scan, dt_secs)?;
                writer.add(record, &series, &part.constants, &part.events)?;
            } else {
                writer.exclude(record)?;
            }
            progress(Progress {
                step: Step::Assemble,
                name: scan.as_str(),
                done: at + 1,
                total: parts.len(),
            });
        }
        add(&mut writer)?;
        writer.finish(subjects)?;

        if self.replaces {
            // Killed between these two renames, the old data set lies here until the next call.
            let replaced = self.dir.join(REPLACED);
            remove_if_there(&replaced)?;
            fs::rename(&self.out, &replaced).map_err(DataError::io("move away", &self.out))?;
        } else if self.out.exists() {
            fs::remove_dir(&self.out).map_err(DataError::io("replace", &self.out))?;
        }
        fs::rename(&assembled, &self.out).map_err(DataError::io("move into place", &self.out))?;
        let dataset = PreparedDataset::open(&self.out)?;
        remove_if_there(&self.dir)?;
        Ok(dataset)
    }

    /// A file of a scan; names of scans may hold what names of files may not.
    fn file(&self, scan: &ScanId, ending: &str) -> PathBuf {
        let hash = FieldHasher::new("part").field(scan.as_str()).finish();
        self.dir
            .join("parts")
            .join(format!("{}.{ending}", &hash[..16]))
    }
}

impl Drop for Partial {
    /// Leaves nothing behind when nothing was finished, such as after a wrong checksum.
    fn drop(&mut self) {
        if fs::remove_dir(self.dir.join("parts")).is_ok() {
            // What is left over does no harm: the next call takes it up.
            let _ = fs::remove_file(self.dir.join("lock"));
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

fn remove_if_there(dir: &Path) -> Result<(), DataError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(DataError::io("remove", dir)(error))
        }
        _ => Ok(()),
    }
}

/// Clears up after a process that was killed between its last rename and its last removal.
fn remove_left_over(dir: &Path) {
    if let Ok(lock) = File::open(dir.join("lock"))
        && lock.try_lock().is_ok()
    {
        let _ = fs::remove_dir_all(dir);
    }
}
