//! Notes of a run of predictions, `classes.json`: text of a report that tables do not contain.

use std::collections::BTreeMap;
use std::path::Path;

use brainmae_data::Event;
use brainmae_run::notes::{read_notes, write_notes};
use serde::{Deserialize, Serialize};

use crate::results::ResultRow;
use crate::{DownstreamError, Results, Task};

/// Name of the file in the run folder, without its extension.
const NAME: &str = "classes";

/// Largest p value of a finding, adjusted by Holm's method.
const SIGNIFICANT: f64 = 0.05;

/// Description of a target, and the data without a truth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TargetNotes {
    /// Names of the classes, in the order of their numbers; empty for regression.
    pub classes: Vec<String>,
    /// Unit of measurement for regression: "years".
    pub unit: Option<String>,
    /// Scans without a truth.
    pub left_out: Vec<LeftOutScan>,
    /// Number of stretches in which no condition fills the required share.
    pub n_mixed: usize,
    /// Onsets of segments relative to their events; empty if truths belong to whole scans.
    pub onsets: Vec<SegmentOnset>,
    /// Warnings about what the scores of the target can mean.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A scan without a truth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOutScan {
    /// Identifier of the scan.
    pub scan: String,
    /// Subject of the scan.
    pub subject: String,
    /// Reason.
    pub reason: String,
}

/// A segment that belongs to an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentOnset {
    /// The scan, as in the table of predictions.
    pub scan: String,
    /// Start of the segment in seconds, as in the table of predictions.
    pub start_secs: f64,
    /// Time from the onset of its event to the start of the segment, in seconds; negative before
    /// the onset.
    pub since_onset_secs: f64,
}

impl TargetNotes {
    /// Notes of `task`, with the onsets of its segments relative to `events`.
    pub fn of(task: &Task, events: &[Event]) -> Self {
        let left_out = task.left_out.iter().map(|left| LeftOutScan {
            scan: left.scan.to_string(),
            subject: left.subject.to_string(),
            reason: left.reason.clone(),
        });
        Self {
            classes: task.classes.clone(),
            unit: None,
            left_out: left_out.collect(),
            n_mixed: task.n_mixed,
            onsets: if task.of_segments {
                onsets(task, events)
            } else {
                Vec::new()
            },
            warnings: Vec::new(),
        }
    }
}

/// Warning that the place in the scan tells the state: the model called `place`, which knows the
/// place alone, predicts `target` better than chance in at least one row of the results. `None` if
/// it does not, or if no p value is known.
pub fn place_tells(results: &Results, target: &str, place: &str) -> Option<String> {
    let is_found = |row: &&ResultRow| {
        let p = row.p_chance_holm.unwrap_or(1.0);
        row.score.is_primary() && row.fold.is_none() && p <= SIGNIFICANT
    };
    let own = (results.rows().iter()).filter(|row| row.target == target && row.model == place);
    let row = own
        .filter(is_found)
        .max_by(|a, b| a.train_share.total_cmp(&b.train_share))?;
    Some(format!(
        "the place in the run alone tells the state: {place} predicts {target} with {} {:.3}, by chance {:.3} (p {:.4}); a model of signals may read the place instead of the state, so compare it with this model, not with chance",
        row.score.name(),
        row.value?,
        row.chance.mean?,
        row.p_chance_holm?,
    ))
}

/// Time of each segment since the onset of an event: the last event of its class that begins before
/// the segment ends.
fn onsets(task: &Task, events: &[Event]) -> Vec<SegmentOnset> {
    let examples = task.examples.iter().zip(&task.truth);
    examples
        .filter_map(|(example, truth)| {
            let scan = &task.scans[example.scan];
            let tr_secs = scan.series.tr_secs();
            let start_secs = example.start_volume as f64 * tr_secs;
            let end_secs = start_secs + example.n_volumes as f64 * tr_secs;
            let class = task.classes.get(*truth as usize)?;
            let own = events.iter().filter(|event| {
                event.scan == scan.scan && event.condition == *class && event.onset_secs < end_secs
            });
            let onset = own.map(|event| event.onset_secs).max_by(f64::total_cmp)?;
            Some(SegmentOnset {
                scan: scan.scan.to_string(),
                start_secs,
                since_onset_secs: start_secs - onset,
            })
        })
        .collect()
}

/// Reads the notes of all targets of a run.
///
/// # Errors
/// [`DownstreamError::Run`] if the file is missing or damaged.
pub fn read(run: &Path) -> Result<BTreeMap<String, TargetNotes>, DownstreamError> {
    Ok(read_notes(run, NAME)?)
}

/// Writes the notes of all targets of a run.
///
/// # Errors
/// [`DownstreamError::Run`] if the run folder is not writable.
pub fn write(run: &Path, notes: &BTreeMap<String, TargetNotes>) -> Result<(), DownstreamError> {
    Ok(write_notes(run, NAME, notes)?)
}

#[cfg(test)]
mod tests {
    use brainmae_run::Seeds;

    use super::*;
    use crate::predictions::tests::class;
    use crate::{Predictions, ResultsSpec};

    #[test]
    fn a_place_that_tells_the_state_is_warned_of_and_one_that_does_not_is_not() {
        // 20 people with four states each, in one order; who guesses says one state for a person.
        let rows = |model: &str, is_right: bool| {
            let rows = (0..80).map(|i| {
                let (truth, guess) = (i % 4, if is_right { i % 4 } else { i / 4 % 4 });
                let mut p = [0.1; 4];
                p[guess] = 0.7;
                let start_secs = Some(15.0 * (i % 4) as f64);
                crate::Prediction {
                    model: model.into(),
                    start_secs,
                    ..class(0, &format!("{}", i / 4), truth, &p)
                }
            });
            rows.collect::<Vec<_>>()
        };
        let all = [rows("knows", true), rows("guesses", false)].concat();
        let target = all[0].target.clone();
        let predictions = Predictions::new(vec![], all).expect("they agree");
        let spec = ResultsSpec {
            permutations: 999,
            ..ResultsSpec::default()
        };
        let results = Results::new(&predictions, &spec, &Seeds::new(1));
        let text = place_tells(&results, &target, "knows").expect("it tells");
        assert!(text.starts_with("the place in the run alone tells the state: knows"));
        assert!(
            text.contains("balanced_accuracy 1.000, by chance 0.2"),
            "{text}"
        );
        assert_eq!(place_tells(&results, &target, "guesses"), None);
        assert_eq!(place_tells(&results, "another", "knows"), None);
    }

    #[test]
    fn notes_come_back_from_a_run_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let onset = SegmentOnset {
            scan: "a".into(),
            start_secs: 14.4,
            since_onset_secs: -0.1,
        };
        let notes = TargetNotes {
            classes: vec!["face".into(), "place".into()],
            onsets: vec![onset],
            ..TargetNotes::default()
        };
        let notes = BTreeMap::from([("state".to_string(), notes)]);
        write(folder.path(), &notes).expect("writable");
        assert_eq!(read(folder.path()).expect("as written"), notes);
    }
}
