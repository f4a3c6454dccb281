//! Simulated cohorts in the file layouts of the releases: fictional people with known truth.
//!
//! A cohort has the names, file formats and tables of a release, so that everything from listing to
//! results can be tested without restricted data. Signals follow planted networks, states,
//! responses, ages and sexes ([`PlantedEffects`] has the sizes; `cohort/brain.rs` has the
//! equation). The folder `truth/` beside the data contains the planted values:
//!
//! | file | what |
//! |---|---|
//! | `truth.toml` | the whole [`CohortSpec`] |
//! | `rois.parquet` | network of each ROI, effect of head movement on it |
//! | `gains.parquet` | gain and activation of each ROI in each state |
//! | `responses.parquet` | what blocks evoke in each ROI |
//! | `subjects.parquet` | age, sex, family, score, latent values |
//! | `scans.parquet` | file, volumes, displacement and defect of each scan |
//! | `states.parquet`, `events.parquet` | onset and duration of states and conditions by scan |
//! | `signals.parquet` | ROI signals of the first scan of two subjects |

mod aging;
mod brain;
mod effects;
mod hcp;
mod motion;
mod nsd;
mod person;
mod place;
mod plan;
mod rows;
mod spec;
mod tables;
mod task_design;
#[cfg(test)]
mod tests;
mod truth;
mod xcpd;

use std::path::Path;

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::error::SimulateError;
use brain::{Brain, DrawnScan, ScanRequest, noise_ar1};
use brainmae_atlas::Atlas;
use brainmae_data::pipeline::{OnProgress, Progress, Step, Streams};
use brainmae_formats::cifti::writer::{CiftiRows, CiftiWriter};
use brainmae_formats::label_map::GrayordinateLabels;
pub use effects::PlantedEffects;
use nsd::LabelVolume;
use person::{Person, draw_people};
use place::{Place, cut_short};
pub use plan::{CohortPlan, plan_cohort};
use plan::{Defect, PlannedScan};
use rows::LabelledRows;
pub use spec::{BlockOrder, CohortLayout, CohortSpec, Grayordinates, SeriesFile};
use task_design::Block;
use truth::Truth;

/// Mean of a grayordinate, as in the HCP, and its standard deviation over grayordinates.
const MEAN: f32 = 10_000.0;
const MEAN_SD: f32 = 1000.0;

/// Factor of the head movement in a scan of [`Defect::HighMotion`].
const HIGH_MOTION_TIMES: f64 = 5.0;

/// Report on a cohort that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct CohortReport {
    /// Number of people.
    pub n_subjects: usize,
    /// Number of scans with files.
    pub n_scans: usize,
    /// Planted defects, by scan: `990002/rfMRI_REST2_RL: missing`.
    pub defects: Vec<String>,
}

/// Writes the cohort of `spec` at `out`, which must not exist or be empty.
///
/// `atlas` gives the network of each ROI, `labels` the ROI of each vertex; NSD and the tables of
/// XCP-D do not need `labels`. The same spec, atlas, labels and streams give the same bytes. All
/// files are in `<out>.partial/` until the end, so that an error or an interruption leaves nothing
/// at `out`.
///
/// # Errors
/// [`SimulateError::Config`] for an invalid spec, an atlas without networks, or labels of another
/// atlas; [`SimulateError::Occupied`] when `out` contains something; [`SimulateError::Files`] when
/// it cannot be written; [`SimulateError::Interrupted`] when `on_progress` asked to stop.
pub fn simulate_cohort(
    spec: &CohortSpec,
    atlas: &Atlas,
    labels: &GrayordinateLabels,
    out: &Path,
    streams: &Streams<'_>,
    on_progress: &mut OnProgress<'_>,
) -> Result<CohortReport, SimulateError> {
    let plan = plan_cohort(spec, atlas, labels)?;
    let stream = |name: &str| streams(spec.seed, &format!("cohort/{name}"));
    let people = draw_people(spec, &mut *stream("people"));
    let mut brain = Brain::draw(spec, atlas, &stream)?;
    let place = Place::claim(out)?;
    let dir = place.content();
    let mut truth = Truth::default();
    let mut defects = Vec::new();
    let mut done = 0;
    for scan in &plan.scans {
        let person = &people[scan.person];
        let name = scan_name(person, scan);
        if let Some(defect) = scan.defect {
            defects.push(format!("{name}: {}", defect.as_str()));
        }
        if scan.defect == Some(Defect::Missing) {
            truth.add_missing(&name, scan);
            continue;
        }
        let scan_stream = |purpose: &str| stream(&format!("scan/{name}/{purpose}"));
        let blocks = blocks_of(spec, scan, &stream, &scan_stream);
        brain.learn_responses(&scan.task, &blocks, &stream);
        let request = ScanRequest {
            person,
            task: &scan.task,
            part_volumes: &scan.part_volumes,
            blocks: &blocks,
            motion_times: match scan.defect {
                Some(Defect::HighMotion) => HIGH_MOTION_TIMES,
                _ => 1.0,
            },
        };
        let drawn = brain.draw_scan(&request, &scan_stream);
        let job = ScanJob {
            spec,
            atlas,
            rows: plan.rows.as_ref(),
            dir: &dir,
            scan,
            blocks: &blocks,
            drawn: &drawn,
        };
        let volumes_in_file = job.write(&scan_stream)?;
        truth.add(&name, scan, volumes_in_file, &blocks, drawn);
        done += 1;
        tracing::debug!(scan = %name, "scan simulated");
        let told = Progress {
            step: Step::Scan,
            name: &name,
            done,
            total: plan.n_scans,
        };
        if on_progress(told).is_break() {
            return Err(SimulateError::Interrupted);
        }
    }
    write_tables(spec, atlas, &dir, &people, &plan.scans, &stream)?;
    truth.write(&dir.join("truth"), spec, atlas, &brain, &people)?;
    place.finish()?;
    Ok(CohortReport {
        n_subjects: plan.n_subjects,
        n_scans: plan.n_scans,
        defects,
    })
}

/// Subject, session and run in the words of the release.
fn scan_name(person: &Person, scan: &PlannedScan) -> String {
    let session = scan.session.iter().map(String::as_str);
    let parts: Vec<&str> = [person.id.as_str()]
        .into_iter()
        .chain(session)
        .chain([scan.run.as_str()])
        .collect();
    parts.join("/")
}

/// The blocks of a scan in the order of [`BlockOrder`]; individual images in NSD.
fn blocks_of(
    spec: &CohortSpec,
    scan: &PlannedScan,
    stream: &dyn Fn(&str) -> Box<dyn Rng>,
    scan_stream: &dyn Fn(&str) -> Box<dyn Rng>,
) -> Vec<Block> {
    let scan_secs = scan.n_volumes() as f64 * spec.layout.tr_secs();
    match spec.layout {
        CohortLayout::Nsd => task_design::images(scan_secs, &mut *scan_stream("images")),
        _ => {
            let rng = &mut *match spec.block_order {
                BlockOrder::Run => stream(&format!("design/{}", scan.run)),
                BlockOrder::Task => stream(&format!("design/{}", scan.task)),
                BlockOrder::Scan => scan_stream("design"),
            };
            task_design::blocks(&scan.task, scan_secs, rng)
        }
    }
}

/// One scan to write.
struct ScanJob<'a> {
    spec: &'a CohortSpec,
    atlas: &'a Atlas,
    rows: Option<&'a LabelledRows>,
    dir: &'a Path,
    scan: &'a PlannedScan,
    blocks: &'a [Block],
    drawn: &'a DrawnScan,
}

impl ScanJob<'_> {
    /// Writes all files of the scan; returns the number of volumes in its signal file.
    fn write(&self, stream: &dyn Fn(&str) -> Box<dyn Rng>) -> Result<usize, SimulateError> {
        let (spec, scan, drawn) = (self.spec, self.scan, self.drawn);
        let first = self.dir.join(&scan.files[0]);
        let folder = first.parent().unwrap_or(self.dir);
        let mut volumes_in_file = drawn.n_volumes();
        match spec.layout {
            CohortLayout::Hcp | CohortLayout::Aging => {
                for (number, file) in scan.files.iter().enumerate() {
                    let rng = &mut *stream(&format!("noise-{number}"));
                    self.write_cifti(&self.dir.join(file), rng)?;
                }
                let rng = &mut *stream("answers");
                match spec.layout {
                    CohortLayout::Hcp => {
                        hcp::write_beside(folder, scan, drawn, self.blocks, rng)?;
                    }
                    _ => aging::write_beside(folder, scan, drawn, self.blocks, rng)?,
                }
            }
            CohortLayout::Nsd => {
                let volume = LabelVolume::of(self.atlas, scan.person)?;
                volume.write_scan(&first, spec, drawn, &mut *stream("noise"))?;
                nsd::write_beside(&first, spec, drawn, self.blocks)?;
            }
            CohortLayout::Xcpd => {
                let rows = self.rows.map(|rows| &rows.rows);
                let rng = &mut *stream("extra");
                volumes_in_file =
                    xcpd::write_scan(&first, spec, self.atlas, scan, rows, drawn, rng)?;
            }
        }
        if scan.defect == Some(Defect::CutShort) {
            cut_short(&first)?;
        }
        Ok(volumes_in_file)
    }

    /// Writes signals as CIFTI, in scanner units.
    fn write_cifti(&self, path: &Path, rng: &mut dyn Rng) -> Result<(), SimulateError> {
        let LabelledRows { rows, labels } = self.rows.expect("the plan has rows for CIFTI files");
        let drawn = self.drawn;
        let tr_secs = self.spec.layout.tr_secs();
        let noise_sd = match rows {
            CiftiRows::Dense(_) => self.spec.effects.vertex_noise_sd as f32,
            CiftiRows::Parcels { .. } => 0.0,
        };
        let ar1 = noise_ar1(tr_secs) as f32;
        let fresh = (1.0 - ar1 * ar1).sqrt();
        let mut draw = || -> f32 { rng.sample(StandardNormal) };
        let signals: Vec<Vec<f32>> = (drawn.written.iter())
            .map(|signal| signal.iter().map(|value| *value as f32).collect())
            .collect();
        let mut writer = CiftiWriter::create(path, rows, drawn.n_volumes(), tr_secs)?;
        let mut row = vec![0.0; drawn.n_volumes()];
        for label in labels {
            let mean = MEAN + MEAN_SD * draw();
            let mut noise = draw();
            for (place, signal) in row.iter_mut().zip(&signals[*label as usize]) {
                *place = mean * (1.0 + 0.01 * (signal + noise_sd * noise));
                noise = ar1 * noise + fresh * draw();
            }
            writer.write_row(&row)?;
        }
        Ok(writer.finish()?)
    }
}

/// Writes the files that do not belong to one scan: tables of subjects, label volumes.
fn write_tables(
    spec: &CohortSpec,
    atlas: &Atlas,
    dir: &Path,
    people: &[Person],
    scans: &[PlannedScan],
    stream: &dyn Fn(&str) -> Box<dyn Rng>,
) -> Result<(), SimulateError> {
    let rng = &mut *stream("tables");
    match spec.layout {
        CohortLayout::Hcp => {
            tables::write_hcp_unrestricted(&dir.join("unrestricted.csv"), people, scans, rng)?;
            tables::write_hcp_restricted(&dir.join("restricted.csv"), people)
        }
        CohortLayout::Aging => tables::write_nda(&dir.join("ndar_subject01.txt"), people, rng),
        CohortLayout::Nsd => {
            for (number, person) in people.iter().enumerate() {
                let path = dir.join(format!("labels/{}.nii.gz", person.id));
                LabelVolume::of(atlas, number)?.write(&path)?;
            }
            Ok(())
        }
        CohortLayout::Xcpd => xcpd::write_tables(dir, people),
    }
}
