//! Files of HCP-Aging: visits, and concatenated rest runs.

use std::path::Path;

use rand::Rng;

use super::brain::DrawnScan;
use super::hcp;
use super::person::subject_id;
use super::plan::{PlannedScan, cifti_ending, volumes};
use super::spec::CohortSpec;
use super::task_design::Block;
use crate::error::SimulateError;

/// The rest runs, in the order of their concatenation.
const REST_RUNS: [&str; 4] = [
    "rfMRI_REST1_AP",
    "rfMRI_REST1_PA",
    "rfMRI_REST2_AP",
    "rfMRI_REST2_PA",
];

/// Name of the concatenation of all four.
const REST: &str = "rfMRI_REST";

/// Months from the first visit to the second.
pub(super) const SECOND_VISIT_MONTHS: u32 = 20;

/// Visits of a subject: every third subject has two.
pub(super) fn visits(person: usize) -> &'static [&'static str] {
    match person % 3 {
        1 => &["V1", "V2"],
        _ => &["V1"],
    }
}

/// Every scan of every visit. In three of four subjects the rest runs are concatenated.
pub(super) fn plan(spec: &CohortSpec) -> Vec<PlannedScan> {
    let mut scans = Vec::new();
    for person in 0..spec.subjects() {
        for visit in visits(person) {
            for task in spec.task_list() {
                let n_volumes = volumes(spec, &task);
                let runs: Vec<(String, Vec<usize>)> = match task.as_str() {
                    "rest" if person % 4 == 3 => REST_RUNS
                        .map(|run| (run.to_owned(), vec![n_volumes]))
                        .into(),
                    "rest" => vec![(REST.to_owned(), vec![n_volumes; REST_RUNS.len()])],
                    task => vec![(format!("tfMRI_{}_PA", task.to_uppercase()), vec![n_volumes])],
                };
                for (run, part_volumes) in runs {
                    let folder = format!("{}_{visit}_MR", subject_id(spec.layout, person));
                    let ending = cifti_ending(spec);
                    scans.push(PlannedScan {
                        person,
                        session: Some((*visit).into()),
                        task: task.clone(),
                        part_volumes,
                        files: vec![format!(
                            "{folder}/MNINonLinear/Results/{run}/{run}_Atlas_MSMAll_hp0_clean_rclean_tclean{ending}"
                        )],
                        defect: None,
                        run,
                    });
                }
            }
        }
    }
    scans
}

/// Writes the companion files of a scan into the folder `dir` of its run. The head movement of
/// concatenated runs is in the folders of the single runs.
pub(super) fn write_beside(
    dir: &Path,
    scan: &PlannedScan,
    drawn: &DrawnScan,
    blocks: &[Block],
    rng: &mut dyn Rng,
) -> Result<(), SimulateError> {
    if scan.run != REST {
        return hcp::write_beside(dir, scan, drawn, blocks, rng);
    }
    let mut start = 0;
    for (run, n_volumes) in REST_RUNS.iter().zip(&scan.part_volumes) {
        let positions = &drawn.motion.positions[start..start + n_volumes];
        hcp::write_movement(&dir.with_file_name(run), positions)?;
        start += n_volumes;
    }
    Ok(())
}
