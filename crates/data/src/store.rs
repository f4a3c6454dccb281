//! Scans in memory, from which batches are cut.

use crate::bold::BoldSeries;
use crate::error::DataError;
use crate::exclusion::Exclusion;
use crate::id::{ScanId, SubjectId};
use crate::prepared::PreparedDataset;
use crate::segment::SegmentLayout;

/// One scan with its names.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredScan {
    /// Its name.
    pub scan: ScanId,
    /// Whose scan it is.
    pub subject: SubjectId,
    /// Its signals.
    pub series: BoldSeries,
}

/// Scans of one atlas and one `dt_secs`.
#[derive(Clone, Debug)]
pub struct ScanStore {
    scans: Vec<StoredScan>,
    exclusions: Vec<Exclusion>,
    n_rois: usize,
    dt_secs: f64,
}

impl ScanStore {
    /// Reads the scans named in `ids`, in that order. Those without one whole segment are left out
    /// and listed in [`exclusions`](Self::exclusions).
    ///
    /// # Errors
    /// [`DataError::UnknownScan`], that the files cannot be read, or [`DataError::NothingLeft`].
    pub fn load(
        dataset: &PreparedDataset,
        ids: &[ScanId],
        layout: &SegmentLayout,
    ) -> Result<Self, DataError> {
        let mut scans = Vec::with_capacity(ids.len());
        let mut exclusions = Vec::new();
        for id in ids {
            let series = dataset.bold(id)?;
            let subject = dataset
                .scans()
                .iter()
                .find(|record| &record.scan == id)
                .map(|record| record.subject.clone())
                .expect("a scan whose signals were found is in the table");
            if series.n_volumes() < layout.segment_len_trs {
                let exclusion = Exclusion {
                    scan: id.clone(),
                    subject,
                    reason: format!(
                        "{} volumes, one segment needs {}",
                        series.n_volumes(),
                        layout.segment_len_trs
                    ),
                };
                tracing::warn!(scan = %id, reason = %exclusion.reason, "scan left out");
                exclusions.push(exclusion);
            } else {
                scans.push(StoredScan {
                    scan: id.clone(),
                    subject,
                    series,
                });
            }
        }
        if scans.is_empty() {
            return Err(DataError::NothingLeft {
                name: dataset.header().name.clone(),
                exclusions,
            });
        }
        Ok(Self {
            scans,
            exclusions,
            n_rois: dataset.atlas().n_rois(),
            dt_secs: dataset.dt_secs(),
        })
    }

    /// Takes scans that are in memory already.
    ///
    /// # Errors
    /// [`DataError::BoldSeries`] when there is none, or they differ in ROIs or TR.
    pub fn new(scans: Vec<StoredScan>) -> Result<Self, DataError> {
        let Some(first) = scans.first() else {
            return Err(DataError::BoldSeries {
                problem: "there is no scan".into(),
            });
        };
        let (n_rois, dt_secs) = (first.series.n_rois(), first.series.tr_secs());
        let other = scans
            .iter()
            .find(|scan| (scan.series.n_rois(), scan.series.tr_secs()) != (n_rois, dt_secs));
        if let Some(other) = other {
            return Err(DataError::BoldSeries {
                problem: format!(
                    "scan {} has {} ROIs every {} s, scan {} has {n_rois} every {dt_secs} s",
                    other.scan,
                    other.series.n_rois(),
                    other.series.tr_secs(),
                    first.scan
                ),
            });
        }
        Ok(Self {
            scans,
            exclusions: Vec::new(),
            n_rois,
            dt_secs,
        })
    }

    /// Number of scans.
    pub fn len(&self) -> usize {
        self.scans.len()
    }

    /// Never true: a store holds at least one scan.
    pub fn is_empty(&self) -> bool {
        self.scans.is_empty()
    }

    /// All scans; a crop names one by its place here.
    pub fn scans(&self) -> &[StoredScan] {
        &self.scans
    }

    /// The signals of a scan, if there is one of this number.
    pub fn get(&self, scan: usize) -> Option<&BoldSeries> {
        self.scans.get(scan).map(|stored| &stored.series)
    }

    /// The signals of a scan.
    ///
    /// # Panics
    /// When there is none of this number, as indexing a slice does.
    pub fn series(&self, scan: usize) -> &BoldSeries {
        &self.scans[scan].series
    }

    /// Scans that were asked for and are too short.
    pub fn exclusions(&self) -> &[Exclusion] {
        &self.exclusions
    }

    /// ROIs of every scan.
    pub fn n_rois(&self) -> usize {
        self.n_rois
    }

    /// Seconds between volumes, in every scan.
    pub fn dt_secs(&self) -> f64 {
        self.dt_secs
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Scans of these lengths, 0.5 s per volume, in which ROI r of volume v has the value 10 v + r.
    pub(crate) fn ramp_store(volumes: &[usize], n_rois: usize) -> ScanStore {
        let scans = volumes
            .iter()
            .enumerate()
            .map(|(at, &n_volumes)| {
                let values = (0..n_volumes * n_rois)
                    .map(|place| (10 * (place / n_rois) + place % n_rois) as f32)
                    .collect();
                StoredScan {
                    scan: ScanId::new(format!("scan-{at}")),
                    subject: SubjectId::new(format!("{at}")),
                    series: BoldSeries::new(values, n_rois, 0.5).unwrap(),
                }
            })
            .collect();
        ScanStore::new(scans).unwrap()
    }

    #[test]
    fn scans_of_different_atlases_do_not_mix() {
        let mut scans = ramp_store(&[4], 2).scans;
        scans.extend(ramp_store(&[4], 3).scans);
        let error = ScanStore::new(scans).unwrap_err().to_string();
        assert!(error.contains("has 3 ROIs every 0.5 s"), "{error}");
        assert!(ScanStore::new(Vec::new()).is_err());
    }
}
