//! Made-up scans whose truth is known: what a model should find was planted.
//!
//! Each ROI belongs to a network and follows its time course, but how strongly, and with which
//! sign, depends on a hidden state that the whole brain switches between:
//!
//! ```text
//! x_i(t) = gain[state(t), i] · a_network(i)(t) + activation[state(t), i] + noise_sd · ε_i(t)
//! a_k(t) = ar1 · a_k(t − 1) + sqrt(1 − ar1²) · ε_k(t)             variance 1
//! ```
//!
//! then z-scored like any scan. As signs differ between states, a hidden ROI is no fixed linear
//! function of the visible ones: the state has to be inferred. Age lengthens the stay in state 0,
//! or each subject has a pace of its own and targets whose answer is known (`targets.rs`).

pub(crate) mod generator;
mod spec;
mod targets;

use std::path::Path;

use polars::prelude::{Column, NamedFrom, Series};

use crate::error::SimulateError;
use brainmae_atlas::{Atlas, Roi};
use brainmae_data::DataError;
use brainmae_data::prepare::{
    Claim, Part, Partial, PrepareOptions, PrepareReport, Progress, Step, clean_series,
};
use brainmae_data::prepared::{DatasetHeader, FORMAT, ScanRecord, ScanStatus, TOOL, write_table};
use brainmae_files::checksum::FieldHasher;
use brainmae_files::id::{ScanId, SubjectId};
use brainmae_signals::bold::BoldSeries;
use brainmae_signals::cleaning::CleaningStep;
use brainmae_studies::SubjectRecord;
use brainmae_studies::events::events_from_labels;
use generator::{Gains, draw_ages, draw_scan, draw_states};
pub use spec::{PlantedSpec, Signs};
pub use targets::PlantedTargets;
use targets::{OwnTargets, draw_targets, mean_fisher_z, states_in_turn};

/// What is done to planted signals.
const CLEANING: [CleaningStep; 1] = [CleaningStep::ZScore];

/// Makes the data set that `spec` describes at `out`, with the same rules as
/// [`prepare`](brainmae_data::prepare::prepare()).
///
/// Networks are in `rois.parquet`, states are events `state-0`, `state-1`, …, the targets
/// `age_years` and `state_0_fraction` are in `subjects.parquet`, with those of [`PlantedTargets`] where
/// they are asked for, and `truth.parquet` holds the gain and the mean activation of each ROI in each
/// state.
///
/// # Errors
/// [`SimulateError::Config`] for a spec that cannot be, or when something else stands at `out`.
pub fn prepare_planted(
    spec: &PlantedSpec,
    out: &Path,
    options: &PrepareOptions<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<PrepareReport, SimulateError> {
    spec.check()?;
    let identity = identity(spec)?;
    let partial = match Partial::claim(out, &identity, options.overwrite)? {
        Claim::UpToDate(dataset) => return Ok(PrepareReport::new(&dataset, true, 0)),
        Claim::Work(partial) => partial,
    };
    let atlas = atlas(spec);
    let stream = |name: &str| (options.streams)(spec.seed, name);
    let gains = Gains::draw(spec, &mut *stream("planted/gains"));
    let ages = draw_ages(spec, &mut *stream("planted/ages"));
    let rounds = (spec.targets.as_ref())
        .map(|targets| targets.draw_rounds(spec, &mut *stream("planted/rounds")));

    let total = spec.n_subjects * spec.scans_per_subject;
    let mut parts: Vec<Part> = Vec::with_capacity(total);
    let mut resumed = 0;
    for (number, &age_years) in ages.iter().enumerate() {
        let subject = subject_id(number);
        for run in 1..=spec.scans_per_subject {
            let scan = ScanId::new(format!("sub-{subject}_task-planted_run-{run:02}"));
            let part = match partial.finished(&scan, &identity) {
                Some(part) => {
                    resumed += 1;
                    part
                }
                None => {
                    let rng = &mut *stream(&format!("planted/{scan}"));
                    let states = match &rounds {
                        Some(rounds) => states_in_turn(spec, rounds[number], rng),
                        None => draw_states(spec, spec.dwells_secs(age_years), rng),
                    };
                    let drawn = draw_scan(spec, &gains, states, rng);
                    let labels: Vec<String> = (drawn.states.iter())
                        .map(|state| format!("state-{state}"))
                        .collect();
                    let events = events_from_labels(&scan, &labels, spec.dt_secs, "");
                    let cleaned = clean_series(
                        record(spec, scan, &subject),
                        drawn.values,
                        atlas.n_rois(),
                        &CLEANING,
                        &|roi| atlas.rois[roi].name.clone(),
                        events,
                    )?;
                    partial.keep(cleaned, &identity)?
                }
            };
            parts.push(part);
            progress(Progress {
                step: Step::Scan,
                name: "",
                done: parts.len(),
                total,
            });
        }
    }
    let of_subject = || parts.chunks(spec.scans_per_subject);
    let mut own = Vec::new();
    if let (Some(targets), Some(rounds)) = (&spec.targets, &rounds) {
        let mut connectivity = Vec::with_capacity(spec.n_subjects);
        for parts in of_subject() {
            let scans = parts.iter().map(|part| partial.series(part, spec.n_rois()));
            let scans: Vec<Option<BoldSeries>> = scans.collect::<Result<_, DataError>>()?;
            connectivity.push(mean_fisher_z(
                &scans.into_iter().flatten().collect::<Vec<_>>(),
            ));
        }
        own = draw_targets(spec, targets, rounds, &connectivity, &stream);
    }
    let subjects: Vec<SubjectRecord> = (of_subject().zip(&ages).enumerate())
        .map(|(number, (parts, age))| subject_record(spec, number, *age, parts, own.get(number)))
        .collect();
    let header = DatasetHeader {
        name: spec.name.clone(),
        licence: "CC0-1.0".into(),
        citation: String::new(),
        dt_secs: spec.dt_secs,
        cleaning: CLEANING.to_vec(),
        atlas_source: String::new(),
        warnings: Vec::new(),
        identity,
    };
    let dataset = partial.assemble(
        header,
        atlas,
        &parts,
        &subjects,
        |writer| writer.add_file("truth.parquet", |path| write_truth(path, &gains)),
        progress,
    )?;
    Ok(PrepareReport::new(&dataset, false, resumed))
}

fn identity(spec: &PlantedSpec) -> Result<String, SimulateError> {
    let content = toml::to_string(spec).map_err(|error| {
        SimulateError::config("planted spec", error, "values that TOML can hold")
    })?;
    Ok(FieldHasher::new("planted")
        .field(content)
        .field(TOOL)
        .field(FORMAT.to_le_bytes())
        .finish())
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
        source: "planted".into(),
        status: ScanStatus::Included,
        reason: None,
    }
}

fn subject_id(number: usize) -> SubjectId {
    SubjectId::new(format!("{:03}", number + 1))
}

/// The subject with age, the share of the time that was really spent in state 0, and targets of its own.
fn subject_record(
    spec: &PlantedSpec,
    number: usize,
    age_years: f64,
    parts: &[Part],
    own: Option<&OwnTargets>,
) -> SubjectRecord {
    let in_state_0: f64 = parts
        .iter()
        .flat_map(|part| &part.events)
        .filter(|event| event.condition == "state-0")
        .map(|event| event.duration_secs)
        .sum();
    let total = parts.len() as f64 * spec.n_volumes as f64 * spec.dt_secs;
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
    let columns: Vec<Column> = vec![
        Series::new("state".into(), states).into(),
        Series::new("roi".into(), rois).into(),
        Series::new("gain".into(), gains.values.clone()).into(),
        Series::new("activation".into(), gains.activations.clone()).into(),
    ];
    write_table(path, gains.values.len(), columns)
}
