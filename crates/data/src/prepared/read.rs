//! Reader of prepared data sets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{BoldFile, Card, DatasetHeader, ScanRecord, ScanStatus, quality};
use crate::error::{DataError, PreparedProblem, ScanAbsence};
use brainmae_atlas::{Atlas, Hemisphere, Roi};
use brainmae_files::checksum;
use brainmae_files::exclusion::Exclusion;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::bold::BoldSeries;
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::Event;
use brainmae_table::Table;

/// A prepared data set: its tables in memory, its signals on disk.
pub struct PreparedDataset {
    dir: PathBuf,
    card: Card,
    content_hash: String,
    atlas: Atlas,
    subjects: Vec<SubjectRecord>,
    scans: Vec<ScanRecord>,
    events: Vec<Event>,
    bold: Arc<BoldFile>,
    row_groups: BTreeMap<ScanId, usize>,
}

impl PreparedDataset {
    /// Opens the folder `dir` and checks that its tables agree with each other.
    ///
    /// # Errors
    /// An error when a file is missing or does not follow this version of the format.
    pub fn open(dir: &Path) -> Result<Self, DataError> {
        let (card, text) = Card::read(dir)?;
        let refuse = |problem| DataError::prepared(dir, problem);
        let atlas = Atlas {
            name: card.atlas.name.clone(),
            version: card.atlas.version.clone(),
            rois: read_rois(&dir.join("rois.parquet"))?,
        };
        atlas.check().map_err(|problem| {
            refuse(PreparedProblem::Atlas {
                atlas: atlas.name.clone(),
                problem: problem.to_string(),
            })
        })?;
        if atlas.n_rois() != card.n_rois || atlas.hash() != card.atlas.hash {
            return Err(refuse(PreparedProblem::AtlasDiffers {
                found_rois: atlas.n_rois(),
                found_hash: atlas.hash(),
                expected_rois: card.n_rois,
                expected_hash: card.atlas.hash,
            }));
        }
        let subjects = read_subjects(&dir.join("subjects.parquet"))?;
        let scans = read_scans(&dir.join("scans.parquet"))?;
        let events = read_events(&dir.join("events.parquet"))?;
        let bold = BoldFile::open(&dir.join("bold.parquet"), atlas.n_rois())?;

        let volumes = bold.volumes();
        let included: Vec<&ScanRecord> = scans.iter().filter(|scan| scan.is_included()).collect();
        if volumes.len() != included.len() {
            return Err(refuse(PreparedProblem::ScanCount {
                found: volumes.len(),
                expected: included.len(),
            }));
        }
        let mut row_groups = BTreeMap::new();
        for (group, (scan, volumes)) in included.into_iter().zip(volumes).enumerate() {
            if scan.kept_volumes > volumes {
                return Err(refuse(PreparedProblem::TooFewVolumes {
                    scan: scan.scan.clone(),
                    found: volumes,
                    kept: scan.kept_volumes,
                }));
            }
            row_groups.insert(scan.scan.clone(), group);
        }
        let known: BTreeSet<_> = subjects.iter().map(|record| &record.subject).collect();
        for scan in &scans {
            if !known.contains(&scan.subject) {
                return Err(DataError::UnknownSubject {
                    scan: scan.scan.clone(),
                    subject: scan.subject.clone(),
                });
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            content_hash: checksum::sha256_bytes(text.as_bytes()),
            card,
            atlas,
            subjects,
            scans,
            events,
            bold: Arc::new(bold),
            row_groups,
        })
    }

    /// Checks every file against its checksum.
    ///
    /// # Errors
    /// [`FileError::Checksum`](brainmae_files::FileError::Checksum) for the first file that
    /// differs.
    pub fn verify(&self) -> Result<(), DataError> {
        for (name, sha256) in &self.card.files {
            checksum::verify(&self.dir.join(name), sha256)?;
        }
        Ok(())
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Name, licence, cleaning and further properties.
    pub fn header(&self) -> &DatasetHeader {
        &self.card.header
    }

    /// The ROIs.
    pub fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    /// Seconds between volumes, the same for all scans.
    pub fn dt_secs(&self) -> f64 {
        self.card.header.dt_secs
    }

    /// All subjects.
    pub fn subjects(&self) -> &[SubjectRecord] {
        &self.subjects
    }

    /// All scans, excluded ones too.
    pub fn scans(&self) -> &[ScanRecord] {
        &self.scans
    }

    /// The used scans.
    pub fn included(&self) -> impl Iterator<Item = &ScanRecord> {
        self.scans.iter().filter(|scan| scan.is_included())
    }

    /// The excluded scans, with the reasons.
    pub fn exclusions(&self) -> Vec<Exclusion> {
        self.scans
            .iter()
            .filter_map(ScanRecord::exclusion)
            .collect()
    }

    /// All events of all scans.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Identity of the data set, for results computed from it: the hash of `dataset.toml`, which
    /// contains the checksum of every other file.
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// Reads the signals of one scan only.
    ///
    /// # Errors
    /// [`DataError::UnknownScan`] when there is no such scan or it was excluded; otherwise an error
    /// when the file cannot be read.
    pub fn bold(&self, scan: &ScanId) -> Result<BoldSeries, DataError> {
        self.bold.read(self.row_group(scan)?, scan, self.dt_secs())
    }

    /// The file of the signals, for a reader that outlives the data set.
    pub(crate) fn bold_file(&self) -> Arc<BoldFile> {
        Arc::clone(&self.bold)
    }

    /// Index of the row group of a scan in the file.
    ///
    /// # Errors
    /// [`DataError::UnknownScan`] when there is no such scan or it was excluded.
    pub(crate) fn row_group(&self, scan: &ScanId) -> Result<usize, DataError> {
        if let Some(&group) = self.row_groups.get(scan) {
            return Ok(group);
        }
        let record = self.scans.iter().find(|record| &record.scan == scan);
        Err(DataError::UnknownScan {
            dataset: self.card.header.name.clone(),
            scan: scan.clone(),
            absence: match record.and_then(ScanRecord::exclusion) {
                Some(exclusion) => ScanAbsence::LeftOut {
                    reason: exclusion.reason,
                },
                None => match self.row_groups.first_key_value() {
                    Some((first, _)) => ScanAbsence::Unknown {
                        n_scans: self.row_groups.len(),
                        first: first.clone(),
                    },
                    None => ScanAbsence::NoScans,
                },
            },
        })
    }
}

impl fmt::Debug for PreparedDataset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PreparedDataset")
            .field("dir", &self.dir)
            .field("name", &self.card.header.name)
            .field("content_hash", &self.content_hash)
            .finish_non_exhaustive()
    }
}

fn read_rois(path: &Path) -> Result<Vec<Roi>, DataError> {
    let refuse = DataError::table(path);
    let table = Table::read(path).map_err(&refuse)?;
    let indices = table.numbers("index").map_err(&refuse)?;
    let names = table.texts("name").map_err(&refuse)?;
    let networks = table.optional_texts("network").map_err(&refuse)?;
    let hemispheres = table.optional_texts("hemisphere").map_err(&refuse)?;
    let right = table.optional_numbers("centroid_r_mm").map_err(&refuse)?;
    let anterior = table.optional_numbers("centroid_a_mm").map_err(&refuse)?;
    let superior = table.optional_numbers("centroid_s_mm").map_err(&refuse)?;
    names
        .into_iter()
        .enumerate()
        .map(|(row, name)| {
            let hemisphere = match hemispheres[row].as_deref() {
                None => None,
                Some("left") => Some(Hemisphere::Left),
                Some("right") => Some(Hemisphere::Right),
                Some(other) => {
                    return Err(DataError::prepared(
                        path,
                        PreparedProblem::Hemisphere {
                            roi: row,
                            found: other.to_owned(),
                        },
                    ));
                }
            };
            let centroid_mm = match (right[row], anterior[row], superior[row]) {
                (Some(r), Some(a), Some(s)) => Some([r as f32, a as f32, s as f32]),
                _ => None,
            };
            Ok(Roi {
                index: indices[row] as usize,
                name,
                network: networks[row].clone(),
                hemisphere,
                centroid_mm,
            })
        })
        .collect()
}

fn read_subjects(path: &Path) -> Result<Vec<SubjectRecord>, DataError> {
    let refuse = DataError::table(path);
    let table = Table::read(path).map_err(&refuse)?;
    let families = table.optional_texts("family").map_err(&refuse)?;
    let (mut targets, mut categories) = (BTreeMap::new(), BTreeMap::new());
    for name in table.names() {
        if name == "subject" || name == "family" {
            continue;
        }
        if table.is_text(name).map_err(&refuse)? {
            let values = table.optional_texts(name).map_err(&refuse)?;
            categories.insert(name.to_owned(), values);
        } else {
            let values = table.optional_numbers(name).map_err(&refuse)?;
            targets.insert(name.to_owned(), values);
        }
    }
    let names = table.texts("subject").map_err(&refuse)?;
    Ok(names
        .into_iter()
        .zip(families)
        .enumerate()
        .map(|(row, (subject, family))| SubjectRecord {
            subject: SubjectId::new(subject),
            family,
            targets: targets
                .iter()
                .filter_map(|(name, values)| Some((name.clone(), values[row]?)))
                .collect(),
            categories: categories
                .iter()
                .filter_map(|(name, values)| Some((name.clone(), values[row].clone()?)))
                .collect(),
        })
        .collect())
}

fn read_scans(path: &Path) -> Result<Vec<ScanRecord>, DataError> {
    let refuse = DataError::table(path);
    let table = Table::read(path).map_err(&refuse)?;
    let text = |name: &str| table.texts(name).map_err(&refuse);
    let number = |name: &str| table.numbers(name).map_err(&refuse);
    let (scans, subjects) = (text("scan")?, text("subject")?);
    let optional_text = |name: &str| table.optional_texts(name).map_err(&refuse);
    let (sessions, tasks) = (optional_text("session")?, optional_text("task")?);
    let mean_fd = table.optional_numbers("mean_fd_mm").map_err(&refuse)?;
    // Data sets of earlier versions lack the variant and the quality.
    let quality = quality::read(&table).map_err(&refuse)?;
    let variants = match table.names().any(|name| name == "variant") {
        true => optional_text("variant")?,
        false => vec![None; table.height()],
    };
    let trs = number("tr_secs")?;
    let (n_volumes, kept) = (number("n_volumes")?, number("kept_volumes")?);
    let (sources, statuses) = (text("source")?, text("status")?);
    let reasons = optional_text("reason")?;
    scans
        .into_iter()
        .enumerate()
        .map(|(row, scan)| {
            let status = match statuses[row].as_str() {
                "included" => ScanStatus::Included,
                "excluded" => ScanStatus::Excluded,
                "failed" => ScanStatus::Failed,
                other => {
                    return Err(DataError::prepared(
                        path,
                        PreparedProblem::Status {
                            found: other.to_owned(),
                            scan: ScanId::new(scan),
                        },
                    ));
                }
            };
            Ok(ScanRecord {
                scan: ScanId::new(scan),
                subject: SubjectId::new(&*subjects[row]),
                session: sessions[row].clone(),
                task: tasks[row].clone(),
                tr_secs: trs[row],
                n_volumes: n_volumes[row] as usize,
                kept_volumes: kept[row] as usize,
                mean_fd_mm: mean_fd[row],
                variant: variants[row].clone(),
                quality: quality[row],
                source: sources[row].clone(),
                status,
                reason: reasons[row].clone(),
            })
        })
        .collect()
}

fn read_events(path: &Path) -> Result<Vec<Event>, DataError> {
    let refuse = DataError::table(path);
    let table = Table::read(path).map_err(&refuse)?;
    let scans = table.texts("scan").map_err(&refuse)?;
    let conditions = table.texts("condition").map_err(&refuse)?;
    let onsets = table.numbers("onset_secs").map_err(&refuse)?;
    let durations = table.numbers("duration_secs").map_err(&refuse)?;
    Ok(scans
        .into_iter()
        .zip(conditions)
        .zip(onsets.into_iter().zip(durations))
        .map(|((scan, condition), (onset_secs, duration_secs))| Event {
            scan: ScanId::new(scan),
            condition,
            onset_secs,
            duration_secs,
        })
        .collect())
}
