//! Work in progress: the folder `<out>.partial/` beside the data set to be.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{CleanedScan, Progress, Step};
use crate::error::DataError;
use crate::prepared::{
    BoldFile, BoldWriter, CARD, DatasetHeader, PreparedDataset, PreparedWriter, ScanRecord,
    SeriesSize,
};
use brainmae_atlas::Atlas;
use brainmae_files::exclusion::Exclusion;
use brainmae_files::id::ScanId;
use brainmae_files::{FieldHasher, FolderLock, sha256_file};
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::RoiConstants;
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::Event;

/// What is to be done at a place.
pub enum Claim {
    /// The data set is there.
    UpToDate(Box<PreparedDataset>),
    /// It is to be made.
    Work(Partial),
}

/// The folder of unfinished work, locked for this process.
pub struct Partial {
    out: PathBuf,
    dir: PathBuf,
    /// Whether a data set at `out` is to be replaced.
    replaces: bool,
    /// Held until dropped; the system lets go of it when the process dies.
    _lock: FolderLock,
}

/// A finished scan, its signals in a file beside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    identity: String,
    pub record: ScanRecord,
    /// What was done otherwise than a reader may think.
    pub remarks: Vec<String>,
    constants: Vec<RoiConstants>,
    pub events: Vec<Event>,
    /// Where the scan is used.
    signals: Option<Signals>,
}

/// The file of a part's signals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signals {
    sha256: String,
    size: SeriesSize,
}

/// What stands at the place of the data set to be.
enum There {
    /// Nothing, or an empty folder.
    Nothing,
    /// The data set that is wanted, whole.
    Wanted(Box<PreparedDataset>),
    /// Another data set, or a damaged one, in words.
    Other(String),
    /// Something else.
    Foreign,
}

fn look(out: &Path, identity: &str, overwrite: bool) -> There {
    let is_empty = || fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if !out.join(CARD).is_file() {
        return if out.exists() && !is_empty() {
            There::Foreign
        } else {
            There::Nothing
        };
    }
    match PreparedDataset::open(out) {
        Ok(dataset) if dataset.header().identity == identity => match dataset.verify() {
            // A file that could not be read then may be readable now.
            Ok(()) if overwrite && dataset.scans().iter().any(ScanRecord::is_failed) => {
                There::Other("this data set, some of whose scans failed".into())
            }
            Ok(()) => There::Wanted(Box::new(dataset)),
            Err(error) => There::Other(format!("this data set, damaged ({error})")),
        },
        Ok(dataset) => There::Other(format!(
            "the data set {} made from another recipe, other files or by another version",
            dataset.header().name
        )),
        Err(error) => There::Other(format!("a data set that cannot be opened ({error})")),
    }
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
        // Without a lock first: where nothing is to be done, nothing needs to be writable.
        if let There::Wanted(dataset) = look(out, identity, overwrite) {
            remove_left_over(&dir);
            return Ok(Claim::UpToDate(dataset));
        }
        let parts = dir.join("parts");
        let lock = FolderLock::take(&dir, out)?;
        fs::create_dir_all(&parts).map_err(DataError::io("create the folder", &parts))?;
        let replaced = dir.join(REPLACED);
        if !out.exists() && replaced.join(CARD).is_file() {
            // Killed between the two renames of an overwrite: the old data set comes back first.
            fs::rename(&replaced, out).map_err(DataError::io("move back", &replaced))?;
        }
        let partial = Self {
            out: out.to_owned(),
            dir,
            replaces: out.join(CARD).is_file(),
            _lock: lock,
        };
        let occupied = |found: String, advice: &'static str| DataError::Occupied {
            path: out.to_owned(),
            found,
            advice,
        };
        match look(out, identity, overwrite) {
            There::Wanted(dataset) => {
                let dir = partial.dir.clone();
                drop(partial);
                remove_left_over(&dir);
                Ok(Claim::UpToDate(dataset))
            }
            There::Other(found) if !overwrite => Err(occupied(
                found,
                "choose another folder, delete this one, or prepare it with --overwrite",
            )),
            There::Foreign => Err(occupied(
                "something that is no prepared data set".into(),
                "choose another folder; this one is not touched",
            )),
            There::Other(_) | There::Nothing => Ok(Claim::Work(partial)),
        }
    }

    /// The scan, when it was finished earlier for the same identity (that of what it is made from)
    /// and is undamaged. One that failed is tried again.
    pub fn finished(&self, scan: &ScanId, identity: &str) -> Option<Part> {
        let text = fs::read(self.file(scan, "json")).ok()?;
        let part: Part = serde_json::from_slice(&text).ok()?;
        if part.record.is_failed() {
            return None;
        }
        let whole = match &part.signals {
            Some(Signals { sha256, .. }) => {
                sha256_file(&self.file(scan, "parquet")).is_ok_and(|found| &found == sha256)
            }
            None => true,
        };
        (part.identity == identity && &part.record.scan == scan && whole).then_some(part)
    }

    /// Keeps a scan; once this returns it need not be made again.
    ///
    /// Nothing waits for the disk: a file that a loss of power left torn is found to be torn, by
    /// its checksum or because it is no JSON, and the scan is made again.
    pub fn keep(&self, cleaned: CleanedScan, identity: &str) -> Result<Part, DataError> {
        let scan = &cleaned.record.scan;
        let (constants, signals) = match cleaned.signals {
            None => (Vec::new(), None),
            Some((series, constants)) => {
                let path = self.file(scan, "parquet");
                let mut writer = BoldWriter::create(&path, series.n_rois())?;
                writer.write(scan, &series)?;
                writer.finish()?;
                let signals = Signals {
                    sha256: sha256_file(&path)?,
                    size: SeriesSize::of(&series),
                };
                (constants, Some(signals))
            }
        };
        // Written last: its being there says that the signals are whole.
        let path = self.file(scan, "json");
        let part = Part {
            identity: identity.to_owned(),
            record: cleaned.record,
            remarks: cleaned.remarks,
            constants,
            events: cleaned.events,
            signals,
        };
        let text = serde_json::to_vec(&part)
            .map_err(|error| DataError::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(DataError::io("write", &path))?;
        Ok(part)
    }

    /// The signals of a finished scan; nothing if it is not used.
    pub fn series(&self, part: &Part, n_rois: usize) -> Result<Option<BoldSeries>, DataError> {
        let Some(signals) = &part.signals else {
            return Ok(None);
        };
        let scan = &part.record.scan;
        let file = BoldFile::open(&self.file(scan, "parquet"), n_rois)?;
        file.read(0, scan, signals.size.tr_secs).map(Some)
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
        let n_rois = atlas.n_rois();
        let mut writer = PreparedWriter::create(&assembled, header, atlas)?;
        for (at, part) in parts.iter().enumerate() {
            let record = part.record.clone();
            match &part.signals {
                Some(Signals { size, .. }) => {
                    let file = BoldFile::open(&self.file(&record.scan, "parquet"), n_rois)?;
                    writer.add_copy(record, (*size, &file), &part.constants, &part.events)?;
                }
                None => writer.exclude(record)?,
            }
            progress(Progress {
                step: Step::Assemble,
                name: "",
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
            FolderLock::remove_file(&self.dir);
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
    if let Some(_lock) = FolderLock::of_dead_process(dir) {
        let _ = fs::remove_dir_all(dir);
    }
}
