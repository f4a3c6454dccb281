//! Writer of prepared data sets, scan by scan.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    AtlasCard, BoldFile, BoldWriter, CARD, Card, DatasetHeader, FORMAT, ScanRecord, ScanStatus,
    TOOL, quality, write_table,
};
use crate::error::{DataError, PreparedProblem, SeriesProblem};
use brainmae_atlas::{Atlas, Hemisphere};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::sha256_file;
use brainmae_files::write_atomic;
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::RoiConstants;
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::Event;
use brainmae_table::Column;

/// Files that [`PreparedWriter`] itself writes.
const FILES: [&str; 6] = [
    "rois.parquet",
    "subjects.parquet",
    "scans.parquet",
    "events.parquet",
    "normalisation.parquet",
    "bold.parquet",
];

/// Properties of a series that are also in its record and data set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SeriesSize {
    n_kept: usize,
    pub tr_secs: f64,
}

impl SeriesSize {
    pub fn of(series: &BoldSeries) -> Self {
        Self {
            n_kept: series.n_kept(),
            tr_secs: series.tr_secs(),
        }
    }
}

/// Writer of a new folder; it is a data set only after [`finish`](Self::finish) has returned.
pub struct PreparedWriter {
    dir: PathBuf,
    header: DatasetHeader,
    atlas: Atlas,
    bold: BoldWriter,
    scans: Vec<ScanRecord>,
    events: Vec<Event>,
    constants: Vec<(usize, Vec<RoiConstants>)>,
    extra: Vec<String>,
}

impl PreparedWriter {
    /// Creates the folder `dir`, which must not exist.
    ///
    /// # Errors
    /// An error when it exists, or cannot be created, or the atlas is not valid.
    pub fn create(dir: &Path, header: DatasetHeader, atlas: Atlas) -> Result<Self, DataError> {
        atlas.check().map_err(|problem| {
            let problem = PreparedProblem::Atlas {
                atlas: atlas.name.clone(),
                problem: problem.to_string(),
            };
            DataError::prepared(dir, problem)
        })?;
        fs::create_dir(dir).map_err(DataError::io("create the folder", dir))?;
        Ok(Self {
            bold: BoldWriter::create(&dir.join("bold.parquet"), atlas.n_rois())?,
            dir: dir.to_owned(),
            header,
            atlas,
            scans: Vec::new(),
            events: Vec::new(),
            constants: Vec::new(),
            extra: Vec::new(),
        })
    }

    /// Adds a used scan.
    ///
    /// # Errors
    /// An error when the record does not match the series or the data set, or when writing fails.
    pub fn add(
        &mut self,
        record: ScanRecord,
        series: &BoldSeries,
        constants: &[RoiConstants],
        events: &[Event],
    ) -> Result<(), DataError> {
        let size = SeriesSize::of(series);
        self.check(&record, size, constants, events)?;
        self.bold.write(&record.scan, series)?;
        self.take(record, constants, events);
        Ok(())
    }

    /// Adds a scan whose series, of this size, is alone in another file.
    pub(crate) fn add_copy(
        &mut self,
        record: ScanRecord,
        (size, from): (SeriesSize, &BoldFile),
        constants: &[RoiConstants],
        events: &[Event],
    ) -> Result<(), DataError> {
        self.check(&record, size, constants, events)?;
        self.bold.copy(from)?;
        self.take(record, constants, events);
        Ok(())
    }

    fn check(
        &self,
        record: &ScanRecord,
        size: SeriesSize,
        constants: &[RoiConstants],
        events: &[Event],
    ) -> Result<(), DataError> {
        let problem = if !record.is_included() {
            Some(SeriesProblem::Excluded)
        } else if record.kept_volumes != size.n_kept {
            Some(SeriesProblem::KeptVolumes {
                found: size.n_kept,
                expected: record.kept_volumes,
            })
        } else if size.tr_secs != self.header.dt_secs {
            Some(SeriesProblem::Tr {
                found: size.tr_secs,
                expected: self.header.dt_secs,
            })
        } else if constants.len() != self.atlas.n_rois() {
            Some(SeriesProblem::Constants {
                found: constants.len(),
                expected: self.atlas.n_rois(),
            })
        } else {
            events
                .iter()
                .find(|event| event.scan != record.scan)
                .map(|event| SeriesProblem::EventOf(event.scan.clone()))
        };
        match problem {
            Some(problem) => Err(self.refuse(PreparedProblem::Series {
                scan: record.scan.clone(),
                problem,
            })),
            None => Ok(()),
        }
    }

    fn take(&mut self, record: ScanRecord, constants: &[RoiConstants], events: &[Event]) {
        self.constants.push((self.scans.len(), constants.to_vec()));
        self.events.extend_from_slice(events);
        self.scans.push(record);
    }

    /// Adds an excluded scan; its record contains the reason.
    ///
    /// # Errors
    /// An error when the record does not say that the scan is excluded, or gives no reason.
    pub fn exclude(&mut self, record: ScanRecord) -> Result<(), DataError> {
        if record.is_included() || record.reason.is_none() {
            return Err(self.refuse(PreparedProblem::Series {
                scan: record.scan,
                problem: SeriesProblem::NoReason,
            }));
        }
        self.scans.push(record);
        Ok(())
    }

    /// Adds a further file of the caller; `write` receives its path.
    ///
    /// # Errors
    /// An error when the name is taken or leads to another folder, or the error of `write`.
    pub fn add_file(
        &mut self,
        name: &str,
        write: impl FnOnce(&Path) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let taken = FILES.contains(&name) || name == CARD || self.extra.iter().any(|n| n == name);
        if taken || name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(self.refuse(PreparedProblem::FileName(name.to_owned())));
        }
        write(&self.dir.join(name))?;
        self.extra.push(name.to_owned());
        Ok(())
    }

    /// Writes the tables and, as the last file, `dataset.toml`.
    ///
    /// # Errors
    /// An error when a scan occurs twice, its subject is not in `subjects`, or writing fails.
    pub fn finish(self, subjects: &[SubjectRecord]) -> Result<(), DataError> {
        let known: BTreeSet<_> = subjects.iter().map(|record| &record.subject).collect();
        let mut seen = BTreeSet::new();
        for record in &self.scans {
            if !known.contains(&record.subject) {
                return Err(DataError::UnknownSubject {
                    scan: record.scan.clone(),
                    subject: record.subject.clone(),
                });
            }
            if !seen.insert(&record.scan) {
                return Err(self.refuse(PreparedProblem::ScanTwice(record.scan.clone())));
            }
        }
        if known.len() != subjects.len() {
            return Err(self.refuse(PreparedProblem::SubjectTwice));
        }
        self.write_rois()?;
        self.write_subjects(subjects)?;
        self.write_scans()?;
        self.write_events()?;
        self.write_normalisation()?;
        let bold = self.bold.finish()?;
        bold.sync_all()
            .map_err(DataError::io("write", self.dir.join("bold.parquet")))?;

        let names = FILES.iter().copied().map(str::to_owned);
        let files = names
            .chain(self.extra)
            .map(|name| Ok((name.clone(), sha256_file(&self.dir.join(name))?)))
            .collect::<Result<BTreeMap<_, _>, DataError>>()?;
        let card = Card {
            format: FORMAT,
            tool: TOOL.to_owned(),
            n_rois: self.atlas.n_rois(),
            atlas: AtlasCard {
                hash: self.atlas.hash(),
                name: self.atlas.name,
                version: self.atlas.version,
            },
            header: self.header,
            files,
        };
        let path = self.dir.join(CARD);
        let text = toml::to_string(&card)
            .map_err(|error| DataError::prepared(&path, PreparedProblem::Card(error)))?;
        Ok(write_atomic(&path, text.as_bytes())?)
    }

    fn write_rois(&self) -> Result<(), DataError> {
        let rois = &self.atlas.rois;
        let each = |axis: usize| -> Vec<Option<f32>> {
            rois.iter()
                .map(|roi| roi.centroid_mm.map(|centre| centre[axis]))
                .collect()
        };
        let numbers: Vec<u32> = rois.iter().map(|roi| roi.index as u32).collect();
        self.table(
            "rois.parquet",
            rois.len(),
            vec![
                Column::new("index", numbers),
                Column::new("name", rois.iter().map(|roi| Some(roi.name.as_str()))),
                Column::new("network", rois.iter().map(|roi| roi.network.as_deref())),
                Column::new(
                    "hemisphere",
                    rois.iter()
                        .map(|roi| roi.hemisphere.map(Hemisphere::as_str)),
                ),
                Column::new("centroid_r_mm", each(0)),
                Column::new("centroid_a_mm", each(1)),
                Column::new("centroid_s_mm", each(2)),
            ],
        )
    }

    fn write_subjects(&self, subjects: &[SubjectRecord]) -> Result<(), DataError> {
        let targets: BTreeSet<&String> = subjects
            .iter()
            .flat_map(|record| record.targets.keys())
            .collect();
        let mut columns = vec![
            Column::new("subject", subjects.iter().map(|s| Some(s.subject.as_str()))),
            Column::new("family", subjects.iter().map(|s| s.family.as_deref())),
        ];
        for target in targets {
            let values: Vec<Option<f64>> = subjects
                .iter()
                .map(|record| record.targets.get(target).copied())
                .collect();
            columns.push(Column::new(target.as_str(), values));
        }
        let categories: BTreeSet<&String> = subjects
            .iter()
            .flat_map(|record| record.categories.keys())
            .collect();
        for category in categories {
            let values = subjects
                .iter()
                .map(|record| record.categories.get(category).map(String::as_str));
            columns.push(Column::new(category.as_str(), values));
        }
        self.table("subjects.parquet", subjects.len(), columns)
    }

    fn write_scans(&self) -> Result<(), DataError> {
        let scans = &self.scans;
        let counts = |count: fn(&ScanRecord) -> usize| -> Vec<u32> {
            scans.iter().map(|scan| count(scan) as u32).collect()
        };
        let fd: Vec<Option<f64>> = scans.iter().map(|scan| scan.mean_fd_mm).collect();
        let tr: Vec<f64> = scans.iter().map(|scan| scan.tr_secs).collect();
        let status = |scan: &ScanRecord| match scan.status {
            ScanStatus::Included => "included",
            ScanStatus::Excluded => "excluded",
            ScanStatus::Failed => "failed",
        };
        let mut columns = vec![
            Column::new("scan", scans.iter().map(|scan| Some(scan.scan.as_str()))),
            Column::new(
                "subject",
                scans.iter().map(|scan| Some(scan.subject.as_str())),
            ),
            Column::new("session", scans.iter().map(|scan| scan.session.as_deref())),
            Column::new("task", scans.iter().map(|scan| scan.task.as_deref())),
            Column::new("tr_secs", tr),
            Column::new("n_volumes", counts(|scan| scan.n_volumes)),
            Column::new("kept_volumes", counts(|scan| scan.kept_volumes)),
            Column::new("mean_fd_mm", fd),
            Column::new("variant", scans.iter().map(|scan| scan.variant.as_deref())),
            Column::new(
                "source",
                scans.iter().map(|scan| Some(scan.source.as_str())),
            ),
            Column::new("status", scans.iter().map(|scan| Some(status(scan)))),
            Column::new("reason", scans.iter().map(|scan| scan.reason.as_deref())),
        ];
        columns.extend(quality::columns(scans));
        self.table("scans.parquet", scans.len(), columns)
    }

    fn write_events(&self) -> Result<(), DataError> {
        let events = &self.events;
        let onsets: Vec<f64> = events.iter().map(|event| event.onset_secs).collect();
        let durations: Vec<f64> = events.iter().map(|event| event.duration_secs).collect();
        self.table(
            "events.parquet",
            events.len(),
            vec![
                Column::new("scan", events.iter().map(|event| Some(event.scan.as_str()))),
                Column::new(
                    "condition",
                    events.iter().map(|event| Some(event.condition.as_str())),
                ),
                Column::new("onset_secs", onsets),
                Column::new("duration_secs", durations),
            ],
        )
    }

    fn write_normalisation(&self) -> Result<(), DataError> {
        let rows: Vec<(&str, usize, &RoiConstants)> = self
            .constants
            .iter()
            .flat_map(|(scan, constants)| {
                let scan = self.scans[*scan].scan.as_str();
                constants
                    .iter()
                    .enumerate()
                    .map(move |(roi, constants)| (scan, roi, constants))
            })
            .collect();
        let rois: Vec<u32> = rows.iter().map(|row| row.1 as u32).collect();
        let each = |value: fn(&RoiConstants) -> Option<f64>| -> Vec<Option<f64>> {
            rows.iter().map(|row| value(row.2)).collect()
        };
        self.table(
            "normalisation.parquet",
            rows.len(),
            vec![
                Column::new("scan", rows.iter().map(|row| Some(row.0))),
                Column::new("roi", rois),
                Column::new("mean", each(|constants| constants.mean)),
                Column::new("sd", each(|constants| constants.sd)),
                Column::new(
                    "slope_per_volume",
                    each(|constants| constants.slope_per_volume),
                ),
            ],
        )
    }

    fn table(&self, name: &str, height: usize, columns: Vec<Column>) -> Result<(), DataError> {
        write_table(&self.dir.join(name), height, columns)
    }

    fn refuse(&self, problem: PreparedProblem) -> DataError {
        DataError::prepared(&self.dir, problem)
    }
}
