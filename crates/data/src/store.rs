//! Store of the scans of one set, in memory as far as they fit; batches are cut from it.

mod budget;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{DataError, StoreProblem};
use crate::prepared::{BoldFile, PreparedDataset, ScanRecord};
use crate::segment::SegmentLayout;
use brainmae_files::exclusion::Exclusion;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::bold::BoldSeries;

pub use budget::StoreBudget;

/// One scan in memory, with its names and signals.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredScan {
    /// Name of the scan.
    pub scan: ScanId,
    /// Its subject.
    pub subject: SubjectId,
    /// Its signals.
    pub series: BoldSeries,
}

/// Properties of a scan that are known without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanEntry {
    /// Name of the scan.
    pub scan: ScanId,
    /// Its subject.
    pub subject: SubjectId,
    /// Number of volumes.
    pub n_volumes: usize,
}

/// Scans of one atlas and one `dt_secs`.
///
/// Scans are kept in memory, in the requested order, until a [`StoreBudget`] is spent; the others
/// are read from disk on each use. A fixed part in memory is better than a cache of the last used
/// scans: an epoch uses every scan once, so the last used scan is the one needed last.
#[derive(Clone, Debug)]
pub struct ScanStore {
    entries: Vec<ScanEntry>,
    signals: Vec<Signals>,
    exclusions: Vec<Exclusion>,
    n_rois: usize,
    dt_secs: f64,
}

/// Location of the signals of a scan.
#[derive(Clone, Debug)]
enum Signals {
    Memory(Arc<BoldSeries>),
    Disk {
        file: Arc<BoldFile>,
        row_group: usize,
    },
}

impl ScanStore {
    /// Calls [`load_within`](Self::load_within) with a separate budget of a quarter of the
    /// machine's memory.
    ///
    /// # Errors
    /// As [`load_within`](Self::load_within).
    pub fn load(
        dataset: &PreparedDataset,
        ids: &[ScanId],
        layout: &SegmentLayout,
    ) -> Result<Self, DataError> {
        Self::load_within(dataset, ids, layout, &mut StoreBudget::default())
    }

    /// Loads the scans in `ids`, in this order. Scans shorter than one segment are excluded and
    /// listed in [`exclusions`](Self::exclusions). The memory is taken from `budget`.
    ///
    /// # Errors
    /// [`DataError::UnknownScan`], an error that the files cannot be read, or
    /// [`DataError::NothingLeft`].
    pub fn load_within(
        dataset: &PreparedDataset,
        ids: &[ScanId],
        layout: &SegmentLayout,
        budget: &mut StoreBudget,
    ) -> Result<Self, DataError> {
        let file = dataset.bold_file();
        let records: BTreeMap<&ScanId, &ScanRecord> = dataset
            .scans()
            .iter()
            .map(|record| (&record.scan, record))
            .collect();
        let n_rois = dataset.atlas().n_rois();
        let mut entries = Vec::with_capacity(ids.len());
        let mut signals = Vec::with_capacity(ids.len());
        let mut exclusions = Vec::new();
        for id in ids {
            let row_group = dataset.row_group(id)?;
            let entry = ScanEntry {
                scan: id.clone(),
                subject: records
                    .get(id)
                    .map(|record| record.subject.clone())
                    .expect("a scan that has signals is in the table"),
                n_volumes: file.volumes_of(row_group),
            };
            if entry.n_volumes < layout.segment_len_trs {
                let exclusion = Exclusion {
                    scan: entry.scan,
                    subject: entry.subject,
                    reason: format!(
                        "{} volumes, one segment needs {}",
                        entry.n_volumes, layout.segment_len_trs
                    ),
                };
                exclusions.push(exclusion);
                continue;
            }
            let bytes = series_bytes(entry.n_volumes, n_rois);
            signals.push(if budget.take(bytes) {
                Signals::Memory(Arc::new(dataset.bold(id)?))
            } else {
                Signals::Disk {
                    file: Arc::clone(&file),
                    row_group,
                }
            });
            entries.push(entry);
        }
        if !exclusions.is_empty() {
            tracing::warn!(
                "{} scans are shorter than a segment and left out",
                exclusions.len()
            );
        }
        if entries.is_empty() {
            return Err(DataError::NothingLeft {
                name: dataset.header().name.clone(),
                exclusions,
            });
        }
        Ok(Self {
            entries,
            signals,
            exclusions,
            n_rois,
            dt_secs: dataset.dt_secs(),
        })
    }

    /// A store of scans that are in memory already.
    ///
    /// # Errors
    /// [`DataError::Store`] when there are no scans, or they differ in ROIs or TR.
    pub fn new(scans: Vec<StoredScan>) -> Result<Self, DataError> {
        Self::shared(
            (scans.into_iter()).map(|scan| (scan.scan, scan.subject, Arc::new(scan.series))),
        )
    }

    /// A store of scans that are shared with other owners.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn shared(
        scans: impl Iterator<Item = (ScanId, SubjectId, Arc<BoldSeries>)>,
    ) -> Result<Self, DataError> {
        let (mut entries, mut signals) = (Vec::new(), Vec::<Arc<BoldSeries>>::new());
        for (scan, subject, series) in scans {
            entries.push(ScanEntry {
                scan,
                subject,
                n_volumes: series.n_volumes(),
            });
            signals.push(series);
        }
        let Some(first) = signals.first() else {
            return Err(DataError::Store(StoreProblem::Empty));
        };
        let (n_rois, dt_secs) = (first.n_rois(), first.tr_secs());
        let other = (entries.iter().zip(&signals))
            .find(|(_, series)| (series.n_rois(), series.tr_secs()) != (n_rois, dt_secs));
        if let Some((other, series)) = other {
            return Err(DataError::Store(StoreProblem::Mixed {
                scan: other.scan.clone(),
                n_rois: series.n_rois(),
                tr_secs: series.tr_secs(),
                first: entries[0].scan.clone(),
                first_n_rois: n_rois,
                first_tr_secs: dt_secs,
            }));
        }
        Ok(Self {
            entries,
            signals: signals.into_iter().map(Signals::Memory).collect(),
            exclusions: Vec::new(),
            n_rois,
            dt_secs,
        })
    }

    /// Number of scans.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true: a store holds at least one scan.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All scans; a crop uses the index in this list.
    pub fn scans(&self) -> &[ScanEntry] {
        &self.entries
    }

    /// Number of scans that are read from disk on each use.
    pub fn n_on_disk(&self) -> usize {
        let on_disk = |signals: &&Signals| matches!(signals, Signals::Disk { .. });
        self.signals.iter().filter(on_disk).count()
    }

    /// The signals of a scan, from memory or from disk.
    ///
    /// # Errors
    /// An error when the file cannot be read.
    ///
    /// # Panics
    /// When there is no scan with this index.
    pub fn series(&self, scan: usize) -> Result<Arc<BoldSeries>, DataError> {
        match &self.signals[scan] {
            Signals::Memory(series) => Ok(Arc::clone(series)),
            Signals::Disk { file, row_group } => file
                .read(*row_group, &self.entries[scan].scan, self.dt_secs)
                .map(Arc::new),
        }
    }

    /// Requested scans that are too short.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.exclusions
    }

    /// Number of ROIs, the same for all scans.
    pub fn n_rois(&self) -> usize {
        self.n_rois
    }

    /// Seconds between volumes, the same for all scans.
    pub fn dt_secs(&self) -> f64 {
        self.dt_secs
    }
}

/// Memory of a series in bytes; the maximum value if the product overflows.
fn series_bytes(n_volumes: usize, n_rois: usize) -> u64 {
    let values = (n_volumes as u64).saturating_mul(n_rois as u64);
    values.saturating_mul(size_of::<f32>() as u64)
}

#[cfg(test)]
pub(crate) mod tests;
