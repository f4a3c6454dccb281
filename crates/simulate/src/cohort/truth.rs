//! Truth of a cohort: tables of the planted values, in `truth/` beside the data.

use std::path::Path;

use brainmae_files::CommonErrors as _;
use serde::Serialize;

use super::brain::{Brain, DrawnScan};
use super::person::Person;
use super::place::write_text;
use super::plan::{Defect, PlannedScan};
use super::spec::CohortSpec;
use super::task_design::Block;
use crate::error::SimulateError;
use brainmae_atlas::Atlas;
use brainmae_data::prepared::{TOOL, write_table};
use brainmae_table::Column;

/// Number of subjects whose first scan has its ROI signals in the truth.
const SUBJECTS_WITH_SIGNALS: usize = 2;

/// Planted values of the scans written so far.
#[derive(Default)]
pub(super) struct Truth {
    scans: Vec<ScanTruth>,
    states: Vec<(String, usize, f64, f64)>,
    events: Vec<(String, String, f64, f64)>,
    signals: Vec<(String, DrawnScan)>,
}

struct ScanTruth {
    scan: String,
    planned: PlannedScan,
    volumes_in_file: usize,
    mean_fd_mm: Option<f64>,
}

/// Content of `truth.toml`.
#[derive(Serialize)]
struct TruthCard<'a> {
    tool: &'a str,
    about: &'a str,
    cohort: &'a CohortSpec,
}

impl Truth {
    /// Adds a scan without files.
    pub fn add_missing(&mut self, scan: &str, planned: &PlannedScan) {
        self.scans.push(ScanTruth {
            scan: scan.into(),
            planned: planned.clone(),
            volumes_in_file: 0,
            mean_fd_mm: None,
        });
    }

    /// Adds a scan that was written.
    pub fn add(
        &mut self,
        scan: &str,
        planned: &PlannedScan,
        volumes_in_file: usize,
        blocks: &[Block],
        drawn: DrawnScan,
    ) {
        for stay in &drawn.stays {
            let times = (stay.onset_secs, stay.duration_secs);
            (self.states).push((scan.into(), stay.state, times.0, times.1));
        }
        for block in blocks {
            let times = (block.onset_secs, block.duration_secs);
            (self.events).push((scan.into(), block.condition.clone(), times.0, times.1));
        }
        let first = (self.scans.iter())
            .all(|known| known.planned.person != planned.person || known.mean_fd_mm.is_none());
        self.scans.push(ScanTruth {
            scan: scan.into(),
            planned: planned.clone(),
            volumes_in_file,
            mean_fd_mm: Some(drawn.motion.mean_fd_mm()),
        });
        if first && planned.person < SUBJECTS_WITH_SIGNALS {
            self.signals.push((scan.into(), drawn));
        }
    }

    /// Writes all tables into the folder `dir`.
    pub fn write(
        &self,
        dir: &Path,
        spec: &CohortSpec,
        atlas: &Atlas,
        brain: &Brain<'_>,
        people: &[Person],
    ) -> Result<(), SimulateError> {
        let card = TruthCard {
            tool: TOOL,
            about: "simulated: no real person; [cohort.effects] says what is planted",
            cohort: spec,
        };
        let card = toml::to_string(&card)
            .map_err(|error| SimulateError::config("cohort", error, "values that TOML can hold"))?;
        write_text(&dir.join("truth.toml"), &card)?;
        write_rois(&dir.join("rois.parquet"), atlas, brain)?;
        write_gains(&dir.join("gains.parquet"), brain)?;
        write_responses(&dir.join("responses.parquet"), brain)?;
        write_people(&dir.join("subjects.parquet"), people)?;
        self.write_scans(&dir.join("scans.parquet"), people)?;
        self.write_states(&dir.join("states.parquet"))?;
        self.write_events(&dir.join("events.parquet"))?;
        self.write_signals(&dir.join("signals.parquet"))
    }

    fn write_scans(&self, path: &Path, people: &[Person]) -> Result<(), SimulateError> {
        let texts = |name: &str, of: &dyn Fn(&ScanTruth) -> Option<String>| {
            Column::new(name, self.scans.iter().map(of))
        };
        let counts = |name: &str, of: &dyn Fn(&ScanTruth) -> usize| {
            let counts: Vec<u32> = self.scans.iter().map(|scan| of(scan) as u32).collect();
            Column::new(name, counts)
        };
        let is_there = |scan: &ScanTruth| scan.planned.defect != Some(Defect::Missing);
        let columns = vec![
            texts("scan", &|scan| Some(scan.scan.clone())),
            texts("subject", &|scan| {
                Some(people[scan.planned.person].id.clone())
            }),
            texts("session", &|scan| scan.planned.session.clone()),
            texts("run", &|scan| Some(scan.planned.run.clone())),
            texts("task", &|scan| Some(scan.planned.task.clone())),
            texts("file", &|scan| {
                let file = scan.planned.files.first().cloned();
                file.filter(|_| is_there(scan))
            }),
            counts("n_volumes", &|scan| scan.planned.n_volumes()),
            counts("n_parts", &|scan| scan.planned.part_volumes.len()),
            counts("volumes_in_file", &|scan| scan.volumes_in_file),
            Column::new("mean_fd_mm", self.scans.iter().map(|s| s.mean_fd_mm)),
            texts("defect", &|scan| {
                Some(scan.planned.defect?.as_str().to_owned())
            }),
        ];
        Ok(write_table(path, self.scans.len(), columns)?)
    }

    fn write_states(&self, path: &Path) -> Result<(), SimulateError> {
        let all = &self.states;
        let columns = vec![
            Column::new("scan", all.iter().map(|s| s.0.as_str())),
            Column::new("state", all.iter().map(|s| s.1 as u32)),
            Column::new("onset_secs", all.iter().map(|s| s.2)),
            Column::new("duration_secs", all.iter().map(|s| s.3)),
        ];
        Ok(write_table(path, all.len(), columns)?)
    }

    fn write_events(&self, path: &Path) -> Result<(), SimulateError> {
        let all = &self.events;
        let columns = vec![
            Column::new("scan", all.iter().map(|e| e.0.as_str())),
            Column::new("condition", all.iter().map(|e| e.1.as_str())),
            Column::new("onset_secs", all.iter().map(|e| e.2)),
            Column::new("duration_secs", all.iter().map(|e| e.3)),
        ];
        Ok(write_table(path, all.len(), columns)?)
    }

    /// Signals in percent of the mean: `clean` has no artefacts, `written` has head movement and
    /// drift added. The mean over the vertices of an ROI is `written` plus the mean of their noise.
    fn write_signals(&self, path: &Path) -> Result<(), SimulateError> {
        let mut scans: Vec<&str> = Vec::new();
        let (mut rois, mut volumes) = (Vec::new(), Vec::new());
        let (mut clean, mut written) = (Vec::new(), Vec::new());
        for (scan, drawn) in &self.signals {
            for (roi, own) in drawn.clean.iter().enumerate() {
                for (volume, value) in own.iter().enumerate() {
                    scans.push(scan);
                    rois.push(roi as u32);
                    volumes.push(volume as u32);
                    clean.push(*value as f32);
                    written.push(drawn.written[roi + 1][volume] as f32);
                }
            }
        }
        let height = scans.len();
        let columns = vec![
            Column::new("scan", scans),
            Column::new("roi", rois),
            Column::new("volume", volumes),
            Column::new("clean", clean),
            Column::new("written", written),
        ];
        Ok(write_table(path, height, columns)?)
    }
}

fn write_rois(path: &Path, atlas: &Atlas, brain: &Brain<'_>) -> Result<(), SimulateError> {
    let rois = || atlas.rois.iter();
    let columns = vec![
        Column::new("index", rois().map(|r| r.index as u32)),
        Column::new("name", rois().map(|r| r.name.as_str())),
        Column::new(
            "network",
            (brain.network_of.iter()).map(|network| brain.networks[*network].as_str()),
        ),
        Column::new(
            "hemisphere",
            rois().map(|roi| roi.hemisphere.map(|side| side.as_str())),
        ),
        Column::new("artefact", brain.artefacts.clone()),
    ];
    Ok(write_table(path, atlas.n_rois(), columns)?)
}

fn write_gains(path: &Path, brain: &Brain<'_>) -> Result<(), SimulateError> {
    let (n_rois, gains) = (brain.gains.n_rois, &brain.gains);
    let places = || 0..gains.values.len();
    let columns = vec![
        Column::new("state", places().map(|at| (at / n_rois) as u32)),
        Column::new("roi", places().map(|at| (at % n_rois) as u32)),
        Column::new("gain", gains.values.clone()),
        Column::new("activation", gains.activations.clone()),
    ];
    Ok(write_table(path, gains.values.len(), columns)?)
}

fn write_responses(path: &Path, brain: &Brain<'_>) -> Result<(), SimulateError> {
    let rows = || {
        brain.responses.iter().flat_map(|((task, response), rois)| {
            (rois.iter().enumerate()).map(move |(roi, value)| (task, response, roi, *value))
        })
    };
    let columns = vec![
        Column::new("task", rows().map(|r| r.0.as_str())),
        Column::new("response", rows().map(|r| r.1.as_str())),
        Column::new("roi", rows().map(|r| r.2 as u32)),
        Column::new("percent", rows().map(|r| r.3)),
    ];
    Ok(write_table(path, rows().count(), columns)?)
}

fn write_people(path: &Path, people: &[Person]) -> Result<(), SimulateError> {
    let numbers =
        |name: &str, of: &dyn Fn(&Person) -> f64| Column::new(name, people.iter().map(of));
    let columns = vec![
        Column::new("subject", people.iter().map(|p| p.id.as_str())),
        Column::new("family", people.iter().map(|p| p.family as u32)),
        Column::new("sex", people.iter().map(|p| p.sex.letter())),
        numbers("age_years", &Person::age_years),
        numbers("score", &|person| person.score),
        numbers("latent_dwell", &|person| person.dwell),
        numbers("latent_motion", &|person| person.motion),
    ];
    Ok(write_table(path, people.len(), columns)?)
}
