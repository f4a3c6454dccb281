//! Planted data as a raw source of the pipeline.

use std::path::Path;

use rand::Rng;

use super::generator::{Gains, draw_ages, draw_scan, draw_states};
use super::spec::PlantedSpec;
use super::targets::{OwnTargets, draw_targets, mean_fisher_z, states_in_turn};
use crate::error::SimulateError;
use brainmae_atlas::{Atlas, Roi};
use brainmae_data::DataError;
use brainmae_data::pipeline::{
    CleanedScan, KeptScan, KeptScans, OnProgress, Opened, RawScan, RawSource, ScanSink, Streams,
    Wanted, clean_series, in_parallel,
};
use brainmae_data::prepared::{
    DatasetHeader, FORMAT, PreparedWriter, ScanRecord, ScanStatus, TOOL, write_table,
};
use brainmae_files::CommonErrors as _;
use brainmae_files::checksum::FieldHasher;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::{CleaningStep, ScanQuality};
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::events_from_labels;
use brainmae_table::Column;

/// Cleaning steps of planted signals.
const CLEANING: [CleaningStep; 1] = [CleaningStep::ZScore];

/// Raw source of scans drawn from a spec.
pub struct PlantedSource<'a> {
    spec: &'a PlantedSpec,
    streams: &'a Streams<'a>,
    identity: String,
    atlas: Atlas,
    gains: Gains,
    /// Age by subject, years.
    ages_years: Vec<f64>,
    /// Rounds through all states in a scan, by subject; `None` without targets.
    rounds: Option<Vec<usize>>,
}

impl<'a> PlantedSource<'a> {
    /// Draws the common part of all scans.
    ///
    /// # Errors
    /// [`SimulateError::Config`] for an invalid spec.
    pub fn new(spec: &'a PlantedSpec, streams: &'a Streams<'a>) -> Result<Self, SimulateError> {
        spec.check()?;
        let stream = |name: &str| streams(spec.seed, name);
        Ok(Self {
            identity: identity(spec)?,
            atlas: atlas(spec),
            gains: Gains::draw(spec, &mut *stream("planted/gains")),
            ages_years: draw_ages(spec, &mut *stream("planted/ages")),
            rounds: (spec.targets.as_ref())
                .map(|targets| targets.draw_rounds(spec, &mut *stream("planted/rounds"))),
            spec,
            streams,
        })
    }

    fn stream(&self, name: &str) -> Box<dyn Rng> {
        (self.streams)(self.spec.seed, name)
    }

    /// Index of the subject and name of a scan.
    fn scan(&self, number: usize) -> (usize, ScanId) {
        let (subject, run) = (
            number / self.spec.scans_per_subject,
            number % self.spec.scans_per_subject + 1,
        );
        let id = subject_id(subject);
        let scan = ScanId::new(format!("sub-{id}_task-planted_run-{run:02}"));
        (subject, scan)
    }

    fn draw(&self, number: usize) -> Result<CleanedScan, DataError> {
        let spec = self.spec;
        let (subject, scan) = self.scan(number);
        let rng = &mut *self.stream(&format!("planted/{scan}"));
        let states = match &self.rounds {
            Some(rounds) => states_in_turn(spec, rounds[subject], rng),
            None => draw_states(spec, spec.dwells_secs(self.ages_years[subject]), rng),
        };
        let drawn = draw_scan(spec, &self.gains, states, rng);
        let labels: Vec<String> = (drawn.states.iter())
            .map(|state| format!("state-{state}"))
            .collect();
        let events = events_from_labels(&scan, &labels, spec.dt_secs, "");
        clean_series(
            record(spec, scan, &subject_id(subject)),
            drawn.values,
            self.atlas.n_rois(),
            &CLEANING,
            &|roi| self.atlas.rois[roi].name.clone(),
            events,
        )
    }

    /// The targets of all subjects, computed from signals, with those of resumed scans.
    fn targets(&self, kept: &KeptScans<'_>) -> Result<Vec<OwnTargets>, DataError> {
        let (Some(targets), Some(rounds)) = (&self.spec.targets, &self.rounds) else {
            return Ok(Vec::new());
        };
        let mut connectivity = Vec::with_capacity(self.spec.n_subjects);
        for scans in kept.scans().chunks(self.spec.scans_per_subject) {
            let series = scans.iter().map(|scan| kept.series(scan));
            let series: Vec<Option<BoldSeries>> = series.collect::<Result<_, DataError>>()?;
            let series: Vec<BoldSeries> = series.into_iter().flatten().collect();
            connectivity.push(mean_fisher_z(&series));
        }
        let stream = |name: &str| self.stream(name);
        Ok(draw_targets(
            self.spec,
            targets,
            rounds,
            &connectivity,
            &stream,
        ))
    }
}

impl RawSource for PlantedSource<'_> {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn header(&self) -> DatasetHeader {
        DatasetHeader {
            name: self.spec.name.clone(),
            licence: "CC0-1.0".into(),
            citation: String::new(),
            dt_secs: self.spec.dt_secs,
            cleaning: CLEANING.to_vec(),
            atlas_source: String::new(),
            warnings: Vec::new(),
            identity: String::new(),
        }
    }

    fn open(&mut self, _on_progress: &mut OnProgress<'_>) -> Result<Opened, DataError> {
        let n_scans = self.spec.n_subjects * self.spec.scans_per_subject;
        Ok(Opened {
            atlas: self.atlas.clone(),
            scans: (0..n_scans)
                .map(|number| RawScan {
                    scan: self.scan(number).1,
                    identity: self.identity.clone(),
                })
                .collect(),
        })
    }

    fn read(&mut self, wanted: Wanted<'_>, sink: &ScanSink<'_>) -> Result<(), DataError> {
        in_parallel(wanted, &|number| sink(number, self.draw(number)?))
    }

    fn subjects(&self, kept: &KeptScans<'_>) -> Result<Vec<SubjectRecord>, DataError> {
        let own = self.targets(kept)?;
        let scans = kept.scans().chunks(self.spec.scans_per_subject);
        Ok((scans.zip(&self.ages_years).enumerate())
            .map(|(number, (scans, age_years))| {
                subject_record(self.spec, number, *age_years, scans, own.get(number))
            })
            .collect())
    }

    fn add_tables(&self, writer: &mut PreparedWriter) -> Result<(), DataError> {
        writer.add_file("truth.parquet", |path| write_truth(path, &self.gains))
    }
}

/// Name of how states are drawn where there are targets. A data set whose stays had one length does
/// not count as the same.
const STAYS: &str = "geometric stays";

fn identity(spec: &PlantedSpec) -> Result<String, SimulateError> {
    let content = toml::to_string(spec).map_err(|error| {
        SimulateError::config("planted spec", error, "values that TOML can hold")
    })?;
    let mut hasher = FieldHasher::new("planted")
        .field(content)
        .field(TOOL)
        .field(FORMAT.to_le_bytes());
    if spec.targets.is_some() {
        hasher = hasher.field(STAYS);
    }
    Ok(hasher.finish())
}

fn atlas(spec: &PlantedSpec) -> Atlas {
    let rois = (0..spec.n_rois())
        .map(|index| {
            let network = spec.network_of(index) + 1;
            Roi {
                index,
                name: format!("net{network}_roi{:02}", index % spec.rois_per_network + 1),
                network: Some(format!("network-{network}")),
                hemisphere: None,
                centroid_mm: None,
            }
        })
        .collect();
    Atlas {
        name: format!("planted-{}x{}", spec.n_networks, spec.rois_per_network),
        version: "1".into(),
        rois,
    }
}

fn record(spec: &PlantedSpec, scan: ScanId, subject: &SubjectId) -> ScanRecord {
    ScanRecord {
        scan,
        subject: subject.clone(),
        session: None,
        task: Some("planted".into()),
        tr_secs: spec.dt_secs,
        n_volumes: spec.n_volumes,
        kept_volumes: spec.n_volumes,
        mean_fd_mm: None,
        variant: None,
        quality: ScanQuality::of_volumes(spec.n_volumes, spec.n_volumes, spec.dt_secs),
        source: "planted".into(),
        status: ScanStatus::Included,
        reason: None,
    }
}

fn subject_id(number: usize) -> SubjectId {
    SubjectId::new(format!("{:03}", number + 1))
}

/// The record of a subject with age, share of time in state 0, and targets.
fn subject_record(
    spec: &PlantedSpec,
    number: usize,
    age_years: f64,
    scans: &[KeptScan],
    own: Option<&OwnTargets>,
) -> SubjectRecord {
    let in_state_0: f64 = scans
        .iter()
        .flat_map(|scan| &scan.events)
        .filter(|event| event.condition == "state-0")
        .map(|event| event.duration_secs)
        .sum();
    let total = scans.len() as f64 * spec.n_volumes as f64 * spec.dt_secs;
    let always = [
        ("age_years", age_years),
        ("state_0_fraction", in_state_0 / total),
    ];
    let scores = own.map_or_else(Vec::new, |own| own.scores.to_vec());
    let class = own.map(|own| ("null_class".to_owned(), own.null_class.to_owned()));
    SubjectRecord {
        subject: subject_id(number),
        family: Some(format!("family-{:03}", number / spec.family_size + 1)),
        targets: (always.into_iter().chain(scores))
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        categories: class.into_iter().collect(),
    }
}

fn write_truth(path: &Path, gains: &Gains) -> Result<(), DataError> {
    let n_rois = gains.n_rois;
    let places = 0..gains.values.len();
    let states: Vec<u32> = places.clone().map(|at| (at / n_rois) as u32).collect();
    let rois: Vec<u32> = places.map(|at| (at % n_rois) as u32).collect();
    let columns = vec![
        Column::new("state", states),
        Column::new("roi", rois),
        Column::new("gain", gains.values.iter().copied()),
        Column::new("activation", gains.activations.iter().copied()),
    ];
    write_table(path, gains.values.len(), columns)
}
