//! Reader of one scan: its files become cleaned signals or a reason for exclusion.

use std::path::Path;

use super::coverage;
use super::regions::Regions;
use super::spec::IngestSpec;
use crate::error::{DataError, ScanProblem};
use crate::pipeline::CleanedScan;
use crate::prepared::{ScanRecord, ScanStatus};
use crate::segment::SegmentSpec;
use brainmae_atlas::guard;
use brainmae_formats::cifti::{CiftiFile, CiftiKind};
use brainmae_formats::roi_signals::RoiSignals;
use brainmae_formats::signal_table::SignalTable;
use brainmae_formats::{ColumnarFile, NpyFile, nifti};
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::{RoiConstants, ScanSignals, Unusable, clean_scan};
use brainmae_studies::events::{Event, read_bids_events, read_design, read_evs, shift};
use brainmae_studies::{EventFiles, FoundScan, SignalFile};
use brainmae_studies::{read_confounds, read_outliers, rebuild_censored};

/// TRs that differ by less are equal, because headers are rounded.
const TR_TOLERANCE_SECS: f64 = 2e-3;

/// Reader of the scans of one data set.
pub(super) struct ScanReader<'a> {
    pub spec: &'a IngestSpec,
    pub regions: &'a Regions,
    /// Folder of the raw data.
    pub root: &'a Path,
    /// Seconds between volumes of the data set.
    pub dt_secs: f64,
}

/// Signals as read, with the coverage of every ROI.
struct RawSignals {
    signals: RoiSignals,
    /// By ROI; empty if the file does not give it.
    coverage: Vec<f32>,
    /// Warnings about unexpected choices.
    remarks: Vec<String>,
    /// By volume; `None` if the file does not give it.
    kept: Option<Vec<bool>>,
}

impl ScanReader<'_> {
    /// Reads and cleans one scan. Problems of its files are written into its record.
    pub fn prepare(&self, found: &FoundScan) -> CleanedScan {
        let path = found.signal.path();
        let mut source = path
            .strip_prefix(self.root)
            .unwrap_or(path)
            .display()
            .to_string();
        if let Some(part) = &found.part {
            source.push_str(&format!(", volumes {} to {}", part.start, part.end - 1));
        }
        let mut record = ScanRecord {
            scan: found.scan.clone(),
            subject: found.subject.clone(),
            session: found.session.clone(),
            task: found.task.clone(),
            tr_secs: found.tr_secs.unwrap_or(self.dt_secs),
            n_volumes: 0,
            kept_volumes: 0,
            mean_fd_mm: None,
            variant: variant(found),
            quality: Default::default(),
            source,
            status: ScanStatus::Included,
            reason: None,
        };
        let mut remarks = Vec::new();
        let cleaned = self.try_prepare(found, &mut record, &mut remarks);
        let (record, signals, events) = match cleaned {
            Ok(Ok((signals, events))) => (record, Some(signals), events),
            Ok(Err(reason)) => (record.excluded(reason), None, Vec::new()),
            Err(error) => (record.failed(with_causes(&error)), None, Vec::new()),
        };
        CleanedScan {
            record,
            signals,
            events,
            remarks,
        }
    }

    /// The outer error is for a broken file, the inner one for an excluded scan.
    #[expect(
        clippy::type_complexity,
        reason = "two kinds of failure, met here alone"
    )]
    fn try_prepare(
        &self,
        found: &FoundScan,
        record: &mut ScanRecord,
        remarks: &mut Vec<String>,
    ) -> Result<Result<((BoldSeries, Vec<RoiConstants>), Vec<Event>), String>, DataError> {
        let path = found.signal.path();
        let RawSignals {
            mut signals,
            coverage,
            remarks: of_file,
            kept,
        } = self.read(found)?;
        remarks.extend(of_file);
        let n_rois = signals.n_rois;
        record.n_volumes = signals.n_volumes();
        record.tr_secs = self.tr_secs(found, &signals)?;
        if let Some(reason) = self.uncovered(&coverage) {
            return Ok(Err(reason));
        }
        let outliers = match &found.outliers {
            Some(path) => Some(read_outliers(path)?),
            None => None,
        };
        if let Some(outliers) = &outliers {
            record.n_volumes = outliers.len();
            signals = rebuild_censored(signals, outliers, found.signal.path())?;
        }
        let outliers = with_censored(outliers, kept, found.signal.path())?;
        let confounds = match &found.confounds {
            Some(file) => Some(read_confounds(file, record.n_volumes)?),
            None => None,
        };
        let events = match &found.events {
            EventFiles::None => Vec::new(),
            EventFiles::Evs(folder) => read_evs(folder, &found.scan)?,
            EventFiles::Design(path) => read_design(path, &found.scan, record.tr_secs)?,
            EventFiles::Bids(path) => read_bids_events(path, &found.scan)?,
        };

        let cleaned = clean_scan(
            ScanSignals {
                values: signals.values,
                n_rois,
                tr_secs: record.tr_secs,
                confounds,
                outliers,
            },
            &self.spec.cleaning,
        );
        let name = |roi: usize| self.regions.atlas.rois[roi].name.clone();
        let cleaned = match cleaned {
            Ok(cleaned) => cleaned,
            // A table of confounds that is missing or does not fit is a problem of the files.
            Err(
                unusable @ (Unusable::NoConfounds { .. }
                | Unusable::Confound { .. }
                | Unusable::Length { .. }),
            ) => {
                let text = unusable.describe(name);
                return Err(DataError::scan(
                    path,
                    ScanProblem::Confounds { unusable, text },
                ));
            }
            Err(unusable) => return Ok(Err(unusable.describe(name))),
        };
        (record.mean_fd_mm, record.quality) = (cleaned.mean_fd_mm, cleaned.quality);
        if (cleaned.dt_secs - self.dt_secs).abs() > TR_TOLERANCE_SECS {
            return Ok(Err(format!(
                "its TR is {} s where the data set has {} s: resample to one interval",
                cleaned.dt_secs, self.dt_secs
            )));
        }
        if let Some(reason) = self.spec.limits.reason(&cleaned) {
            return Ok(Err(reason));
        }
        // Event times start at the first volume of the file.
        let first = found.part.as_ref().map_or(0, |part| part.start);
        let before_secs = (first + cleaned.dropped_volumes) as f64 * record.tr_secs;
        let scan_secs = cleaned.kept.len() as f64 * self.dt_secs;
        let segment_secs = SegmentSpec::default().segment_secs;
        let n_kept = cleaned.kept.iter().filter(|kept| **kept).count();
        let kept_secs = n_kept as f64 * self.dt_secs;
        // Half a volume is tolerated: a scan of 14.9 s at a TR of 1 s counts as 15 s.
        if kept_secs + self.dt_secs / 2.0 < segment_secs {
            return Ok(Err(format!(
                "{n_kept} volumes to use, {kept_secs} s, are less than one segment of {segment_secs} s"
            )));
        }
        let events = shift(events, -before_secs, scan_secs);
        record.kept_volumes = n_kept;
        Ok(Ok((cleaned.into_series(self.dt_secs)?, events)))
    }

    /// The reason why the coverage of ROIs is too low; `None` if it is sufficient.
    fn uncovered(&self, coverage: &[f32]) -> Option<String> {
        let least = self.spec.min_coverage;
        let mut low = (coverage.iter().enumerate()).filter(|(_, share)| **share < least);
        let (roi, share) = low.next()?;
        let more = match low.count() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        // Prepared data sets contain this text, and their hashes depend on it.
        Some(format!(
            "less than {:.0} % covered (--min-coverage): ROI {roi} ({}, {:.1} %){more}",
            100.0 * least,
            self.regions.atlas.rois[roi].name,
            100.0 * share
        ))
    }

    /// The interval between volumes: from the user, or else from protocol and file, which must
    /// agree.
    fn tr_secs(&self, found: &FoundScan, signals: &RoiSignals) -> Result<f64, DataError> {
        let refuse = |problem| Err(DataError::scan(found.signal.path(), problem));
        match (
            self.spec.tr_secs,
            found.tr_secs,
            signals.tr_secs.map(rounded),
        ) {
            (Some(tr_secs), _, _) => Ok(tr_secs),
            (None, Some(expected), Some(file)) if (expected - file).abs() > TR_TOLERANCE_SECS => {
                refuse(ScanProblem::Tr {
                    found: file,
                    expected,
                })
            }
            (None, Some(tr_secs), _) | (None, None, Some(tr_secs)) => Ok(tr_secs),
            (None, None, None) => refuse(ScanProblem::NoTr),
        }
    }

    fn read(&self, found: &FoundScan) -> Result<RawSignals, DataError> {
        let mut read = self.read_signals(found)?;
        // A coverage table that is not needed may be unreadable.
        if let Some(path) = &found.coverage
            && self.spec.min_coverage > 0.0
        {
            read.coverage = coverage::read(path, &self.regions.atlas)?;
        }
        Ok(read)
    }

    fn read_signals(&self, found: &FoundScan) -> Result<RawSignals, DataError> {
        let n_rois = self.regions.atlas.n_rois();
        let part = found.part.clone();
        match &found.signal {
            SignalFile::Cifti(path) => {
                let file = CiftiFile::open(path)?;
                if file.kind() == CiftiKind::ParcelSeries {
                    let (names, signals) = file.roi_signals_of_parcels(part)?;
                    return self.columns(path, Some(names), signals);
                }
                let labels = self.regions.grayordinates(&file, path)?;
                let means = file.roi_means(labels, n_rois, part, 1)?;
                Ok(RawSignals {
                    signals: means.signals,
                    coverage: means.coverage,
                    remarks: Vec::new(),
                    kept: None,
                })
            }
            SignalFile::Nifti { bold, labels } => {
                let labels = self.regions.voxels(labels.as_deref())?;
                let means = nifti::roi_means(bold, &labels, n_rois, part)?;
                Ok(RawSignals {
                    signals: means.signals,
                    coverage: means.coverage,
                    remarks: Vec::new(),
                    kept: None,
                })
            }
            SignalFile::Table(path) => self.table(found, path, SignalTable::read(path)?),
            SignalFile::Npy(path) => {
                let signals = NpyFile::open(path)?.read()?;
                self.table(
                    found,
                    path,
                    SignalTable {
                        names: None,
                        signals,
                        kept: None,
                    },
                )
            }
            SignalFile::Columnar { path, scan } => {
                let table = ColumnarFile::open(path)?.read(scan.as_deref())?;
                self.table(found, path, table)
            }
        }
    }

    /// Assigns the columns of a table to the ROIs of the atlas.
    fn table(
        &self,
        found: &FoundScan,
        path: &Path,
        table: SignalTable,
    ) -> Result<RawSignals, DataError> {
        let SignalTable {
            names,
            mut signals,
            mut kept,
        } = table;
        if let Some(part) = &found.part {
            let n_volumes = signals.n_volumes();
            if part.end > n_volumes {
                return Err(DataError::scan(
                    path,
                    ScanProblem::Part {
                        first: part.start,
                        last: part.end - 1,
                        n_volumes,
                    },
                ));
            }
            signals.values = (0..signals.n_rois)
                .flat_map(|roi| &signals.roi(roi)[part.clone()])
                .copied()
                .collect();
            if let Some(kept) = &mut kept {
                kept.truncate(part.end);
                kept.drain(..part.start);
            }
        }
        Ok(RawSignals {
            kept,
            ..self.columns(path, names, signals)?
        })
    }

    fn columns(
        &self,
        path: &Path,
        names: Option<Vec<String>>,
        signals: RoiSignals,
    ) -> Result<RawSignals, DataError> {
        let refuse = |error| DataError::scan(path, ScanProblem::Rois(Box::new(error)));
        let atlas = &self.regions.atlas;
        let mut remarks = Vec::new();
        let columns = match names {
            Some(names) => {
                let found = guard::match_columns(atlas, &names).map_err(refuse)?;
                if found.reordered || found.aliased > 0 {
                    remarks.push(format!(
                        "columns named as in {}, put in the order of {}",
                        found.naming, atlas.name
                    ));
                }
                if !found.ignored.is_empty() {
                    let n = found.ignored.len();
                    remarks.push(format!(
                        "{n} columns are no ROI of {} and not used",
                        atlas.name
                    ));
                }
                found.columns
            }
            None => {
                let remark = guard::match_count(atlas, signals.n_rois, signals.n_volumes())
                    .map_err(refuse)?;
                remarks.push(remark);
                (0..atlas.n_rois()).map(Some).collect()
            }
        };
        let n_volumes = signals.n_volumes();
        let mut values = Vec::with_capacity(columns.len() * n_volumes);
        for column in columns {
            match column {
                Some(column) => values.extend_from_slice(signals.roi(column)),
                None => values.resize(values.len() + n_volumes, f64::NAN),
            }
        }
        Ok(RawSignals {
            signals: RoiSignals {
                values,
                n_rois: atlas.n_rois(),
                tr_secs: signals.tr_secs,
            },
            coverage: Vec::new(),
            remarks,
            kept: None,
        })
    }
}

/// The variant of the signal file of a scan; a manifest gives the path of the file, which is no
/// variant.
fn variant(found: &FoundScan) -> Option<String> {
    let is_path = found.signal.path().ends_with(&found.variant);
    (!found.variant.is_empty() && !is_path).then(|| found.variant.clone())
}

/// The outliers of a scan, combined with the volumes that the signal file at `path` marks as
/// censored.
fn with_censored(
    outliers: Option<Vec<bool>>,
    kept: Option<Vec<bool>>,
    path: &Path,
) -> Result<Option<Vec<bool>>, DataError> {
    let Some(kept) = kept else {
        return Ok(outliers);
    };
    let n_kept = kept.len();
    let mut censored: Vec<bool> = kept.into_iter().map(|kept| !kept).collect();
    if let Some(outliers) = outliers {
        if outliers.len() != n_kept {
            return Err(DataError::scan(
                path,
                ScanProblem::Outliers {
                    found: n_kept,
                    expected: outliers.len(),
                },
            ));
        }
        for (censored, outlier) in censored.iter_mut().zip(outliers) {
            *censored |= outlier;
        }
    }
    Ok(Some(censored))
}

/// A TR without the rounding error of 32 bits: 0.72 instead of 0.7200000286.
pub(super) fn rounded(tr_secs: f64) -> f64 {
    (tr_secs * 1e6).round() / 1e6
}

/// An error with all its causes, in one line.
fn with_causes(error: &DataError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volumes_that_are_not_kept_are_outliers_beside_those_of_the_file_of_outliers() {
        let path = Path::new("bold.parquet");
        let kept = || Some(vec![true, false, true]);
        let censored = |outliers| with_censored(outliers, kept(), path).unwrap();
        assert_eq!(censored(None), Some(vec![false, true, false]));
        let outliers = Some(vec![false, false, true]);
        assert_eq!(censored(outliers.clone()), Some(vec![false, true, true]));
        let found = with_censored(outliers.clone(), None, path).unwrap();
        assert_eq!(found, outliers);
        let error = with_censored(Some(vec![false; 4]), kept(), path).unwrap_err();
        let DataError::Scan {
            problem: ScanProblem::Outliers { found, expected },
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((found, expected), (3, 4));
    }
}
