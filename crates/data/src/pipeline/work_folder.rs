//! Folder of unfinished work: `<out>.partial/` beside the output folder.

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
use brainmae_files::CommonErrors as _;
use brainmae_files::id::ScanId;
use brainmae_files::{FieldHasher, FolderLock, sha256_file};
use brainmae_signals::bold::BoldSeries;
use brainmae_studies::SubjectRecord;

/// Folder of the old data set while the new one is moved to its path.
pub(super) const REPLACED: &str = "replaced";

/// The folder of unfinished work, locked for this process.
pub(super) struct WorkFolder {
    out: PathBuf,
    dir: PathBuf,
    /// Whether a data set at `out` is replaced.
    replaces: bool,
    /// Held until dropped; the system releases it when the process dies.
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

    /// The scan, if it was finished earlier with the same identity and is undamaged. A failed scan
    /// is tried again.
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

    /// Keeps a scan, so that it need not be made again.
    ///
    /// Files are not synced to the disk. If a power failure leaves a partial file, its checksum or
    /// its invalid JSON reveals this, and the scan is made again.
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
        // This file is written last: if it exists, the signals are complete.
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

    /// Assembles the finished scans in the given order and moves the data set to `out`. `add` may
    /// add further files.
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
            // After an interruption between these two renames, the old data set stays here until
            // the next call.
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

    /// A file of a scan, with a hashed name: scan names may contain characters that file names
    /// cannot.
    fn file(&self, scan: &ScanId, ending: &str) -> PathBuf {
        let hash = FieldHasher::new("part").field(scan.as_str()).finish();
        self.dir
            .join("parts")
            .join(format!("{}.{ending}", &hash[..16]))
    }
}

impl Drop for WorkFolder {
    /// Removes the folder if no scan was finished, such as after a wrong checksum.
    fn drop(&mut self) {
        if fs::remove_dir(self.dir.join("parts")).is_ok() {
            // Remaining files do no harm: the next call uses them.
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

/// Cleans up after a process that was killed between its last rename and its last removal.
pub(super) fn remove_left_over(dir: &Path) {
    if let Some(_lock) = FolderLock::of_dead_process(dir) {
        let _ = fs::remove_dir_all(dir);
    }
}
