//! Files of HCP Young Adult: names, head movement and explanatory variables (EVs).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use rand::{Rng, RngExt};

use super::brain::DrawnScan;
use super::motion::Motion;
use super::person::subject_id;
use super::place::write_text;
use super::plan::{PlannedScan, cifti_ending, volumes};
use super::spec::CohortSpec;
use super::task_design::{self, Block};
use crate::error::SimulateError;

const DIRECTIONS: [&str; 2] = ["LR", "RL"];

/// Working memory: seconds of a block before its first trial, and seconds of a trial.
const WM_CUE_SECS: f64 = 2.5;
const WM_TRIAL_SECS: f64 = 2.5;
const WM_TRIALS: usize = 10;

/// Probability of a correct answer in a 2-back trial.
const WM_CORRECT: f64 = 0.85;

/// Content of `Sync.txt`: a scanner time, which is already subtracted in the EVs.
const SYNC: &str = "8.043\n";

/// Every scan of every subject, in the names of the S1200 release: rest is cleaned, tasks are not.
/// In a third of the subjects, one rest scan has a second file, which is not cleaned.
pub(super) fn plan(spec: &CohortSpec) -> Vec<PlannedScan> {
    let mut scans = Vec::new();
    for person in 0..spec.subjects() {
        for task in spec.task_list() {
            let runs: Vec<String> = match task.as_str() {
                "rest" => ["REST1", "REST2"]
                    .iter()
                    .flat_map(|rest| DIRECTIONS.map(|to| format!("rfMRI_{rest}_{to}")))
                    .collect(),
                task => DIRECTIONS
                    .map(|to| format!("tfMRI_{}_{to}", task.to_uppercase()))
                    .into(),
            };
            for run in runs {
                let cleaning = match (person % 3, task.as_str(), run.as_str()) {
                    (0, _, "rfMRI_REST1_LR") => vec!["_hp2000_clean", ""],
                    (_, "rest", _) => vec!["_hp2000_clean"],
                    _ => vec![""],
                };
                let subject = subject_id(spec.layout, person);
                let ending = cifti_ending(spec);
                let file = |cleaning: &str| {
                    format!(
                        "{subject}/MNINonLinear/Results/{run}/{run}_Atlas_MSMAll{cleaning}{ending}"
                    )
                };
                scans.push(PlannedScan {
                    person,
                    session: None,
                    task: task.clone(),
                    part_volumes: vec![volumes(spec, &task)],
                    files: cleaning.into_iter().map(file).collect(),
                    defect: None,
                    run,
                });
            }
        }
    }
    scans
}

/// Writes the companion files of a scan into the folder `dir` of its run.
pub(super) fn write_beside(
    dir: &Path,
    scan: &PlannedScan,
    drawn: &DrawnScan,
    blocks: &[Block],
    rng: &mut dyn Rng,
) -> Result<(), SimulateError> {
    write_movement(dir, &drawn.motion.positions)?;
    if scan.task != "rest" {
        write_evs(&dir.join("EVs"), &scan.task, blocks, rng)?;
    }
    Ok(())
}

/// Writes the two movement files of a run.
pub(super) fn write_movement(dir: &Path, positions: &[[f64; 6]]) -> Result<(), SimulateError> {
    write_text(
        &dir.join("Movement_Regressors.txt"),
        &Motion::hcp_regressors(positions),
    )?;
    write_text(
        &dir.join("Movement_RelativeRMS.txt"),
        &Motion::hcp_relative_rms(positions),
    )
}

/// Writes one tab-separated file per condition: onset, duration and amplitude; some are empty.
fn write_evs(
    dir: &Path,
    task: &str,
    blocks: &[Block],
    rng: &mut dyn Rng,
) -> Result<(), SimulateError> {
    let mut rows: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for condition in task_design::conditions(task) {
        rows.insert((*condition).into(), Vec::new());
    }
    let mut add = |condition: &str, event: Option<(f64, f64)>| {
        let events = rows.entry(condition.into()).or_default();
        events.extend(event);
    };
    for block in blocks {
        add(
            &block.condition,
            Some((block.onset_secs, block.duration_secs)),
        );
    }
    match task {
        "motor" => {
            let cue = task_design::cue_secs(task);
            add("cue", None);
            for block in blocks {
                add("cue", Some((block.onset_secs - cue, cue)));
            }
        }
        "relational" => add("error", None),
        "wm" => {
            for kind in ["cor", "err", "nlr"] {
                add(&format!("0bk_{kind}"), None);
                add(&format!("2bk_{kind}"), None);
            }
            add("all_bk_cor", None);
            add("all_bk_err", None);
            for block in blocks {
                let back = &block.condition[..3];
                for trial in 0..WM_TRIALS {
                    let onset = block.onset_secs + WM_CUE_SECS + trial as f64 * WM_TRIAL_SECS;
                    // The 0-back task is too easy for errors, so its file of errors is empty.
                    let correct = back == "0bk" || rng.random_bool(WM_CORRECT);
                    let kind = if correct { "cor" } else { "err" };
                    let event = Some((onset, WM_TRIAL_SECS));
                    add(&format!("{back}_{kind}"), event);
                    add(&format!("all_bk_{kind}"), event);
                }
            }
        }
        _ => {}
    }
    for (condition, events) in rows {
        let mut text = String::new();
        for (onset, duration) in events {
            writeln!(text, "{onset:.3}\t{duration:.3}\t1").expect("a String takes all text");
        }
        write_text(&dir.join(format!("{condition}.txt")), &text)?;
    }
    let stats = format!("{}_Stats.csv", task.to_uppercase());
    write_text(&dir.join(stats), "ConditionName,Measure,Value\n")?;
    write_text(&dir.join("Sync.txt"), SYNC)
}
