//! Folder of unfinished work: `<out>.partial/` beside the data set to be.

use std::fs;
use std::path::{Path, PathBuf};

use super::cleaned::CleanedScan;
use super::kept::{KeptScan, SignalsFile};
use super::progress::{OnProgress, Progress, Step, tell};
use crate::error::DataError;
use crate::prepared::{
    BoldFile, BoldWriter, CARD, DatasetHeader, PreparedDataset, PreparedWriter, SeriesSize,
};
use brainmae_atlas::Atlas;
use brainmae_files::id::ScanId;
use brainmae_files::{FieldHasher, FolderLock, sha256_file};
use brainmae_signals::bold::BoldSeries;
use brainmae_studies::SubjectRecord;

/// Where an old data set lies while the new one moves into its place.
pub(super) const REPLACED: &str = "replaced";

/// The folder of unfinished work, locked for this process.
pub(super) struct WorkFolder {
    out: PathBuf,
    dir: PathBuf,
    /// Whether a data set at `out` is to be replaced.
    replaces: bool,
    /// Held until dropped; the system lets go of it when the process dies.
    _lock: FolderLock,
}

impl WorkFolder {
    /// The folder `dir`, whose lock is held, for the data set at `out`.
    pub fn new(out: &Path, dir: PathBuf, lock: FolderLock) -> Result<Self, DataError> {
        let parts = dir.join("parts");
        fs::create_dir_all(&parts).map_err(DataError::io("create the folder", &parts))?;
        Ok(Self {
            out: out.to_owned(),
            dir,
            replaces: out.join(CARD).is_file(),
            _lock: lock,
        })
    }

    /// The scan, when it was finished earlier for the same identity (that of what it is made from)
    /// and is undamaged. One that failed is tried again.
    pub fn finished(&self, scan: &ScanId, identity: &str) -> Option<KeptScan> {
        let text = fs::read(self.file(scan, "json")).ok()?;
        let kept: KeptScan = serde_json::from_slice(&text).ok()?;
        if kept.record.is_failed() {
            return None;
        }
        let whole = match &kept.signals {
            Some(SignalsFile { sha256, .. }) => {
                sha256_file(&self.file(scan, "parquet")).is_ok_and(|found| &found == sha256)
            }
            None => true,
        };
        (kept.identity == identity && &kept.record.scan == scan && whole).then_some(kept)
    }

    /// Keeps a scan; once this returns it need not be made again.
    ///
    /// Nothing waits for the disk: a file that a loss of power left torn is found to be torn, by
    /// its checksum or because it is no JSON, and the scan is made again.
    pub fn keep(&self, cleaned: CleanedScan, identity: &str) -> Result<KeptScan, DataError> {
        let scan = &cleaned.record.scan;
        let (constants, signals) = match cleaned.signals {
            None => (Vec::new(), None),
            Some((series, constants)) => {
                let path = self.file(scan, "parquet");
                let mut writer = BoldWriter::create(&path, series.n_rois())?;
                writer.write(scan, &series)?;
                writer.finish()?;
                let signals = SignalsFile {
                    sha256: sha256_file(&path)?,
                    size: SeriesSize::of(&series),
                };
                (constants, Some(signals))
            }
        };
        // Written last: its being there says that the signals are whole.
        let path = self.file(scan, "json");
        let kept = KeptScan {
            identity: identity.to_owned(),
            record: cleaned.record,
            remarks: cleaned.remarks,
            constants,
            events: cleaned.events,
            signals,
        };
        let text = serde_json::to_vec(&kept)
            .map_err(|error| DataError::io("write", &path)(error.into()))?;
        fs::write(&path, text).map_err(DataError::io("write", &path))?;
        Ok(kept)
    }

    /// The signals of a finished scan; `None` if it is not used.
    pub fn series(&self, kept: &KeptScan, n_rois: usize) -> Result<Option<BoldSeries>, DataError> {
        let Some(signals) = &kept.signals else {
            return Ok(None);
        };
        let scan = &kept.record.scan;
        let file = BoldFile::open(&self.file(scan, "parquet"), n_rois)?;
        file.read(0, scan, signals.size.tr_secs).map(Some)
    }

    /// Puts the finished scans together in the order given and moves the data set to `out`.
    /// `add` may add files of its own.
    pub fn assemble(
        &self,
        header: DatasetHeader,
        atlas: Atlas,
        scans: &[KeptScan],
        subjects: &[SubjectRecord],
        add: impl FnOnce(&mut PreparedWriter) -> Result<(), DataError>,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<PreparedDataset, DataError> {
        let assembled = self.dir.join("assembled");
        remove_if_there(&assembled)?;
        let n_rois = atlas.n_rois();
        let mut writer = PreparedWriter::create(&assembled, header, atlas)?;
        for (at, kept) in scans.iter().enumerate() {
            let record = kept.record.clone();
            match &kept.signals {
                Some(SignalsFile { size, .. }) => {
                    let file = BoldFile::open(&self.file(&record.scan, "parquet"), n_rois)?;
                    writer.add_copy(record, (*size, &file), &kept.constants, &kept.events)?;
                }
                None => writer.exclude(record)?,
            }
            let told = Progress {
                step: Step::Assemble,
                name: "",
                done: at + 1,
                total: scans.len(),
            };
            tell(on_progress, told)?;
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

impl Drop for WorkFolder {
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
pub(super) fn remove_left_over(dir: &Path) {
    if let Some(_lock) = FolderLock::of_dead_process(dir) {
        let _ = fs::remove_dir_all(dir);
    }
}
